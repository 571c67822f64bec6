"""The control socket of a simulated wearable: what a laboratory does to a real one, as JSON lines on a UNIX socket.

A request is one line `{"cmd": "blackbody", "celsius": 37.0}`; its answer is one line `{"ok": true, ...}` or
`{"ok": false, "error": "sentence"}`. A client may send any number of requests over one connection.
"""

import contextlib
import fcntl
import json
import math
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from thermo_core.errors import ThermoError, UsageError

MAX_LINE = 65536
CLAIM_S = 10.0
"""How long to wait for others that claim a name in the same folder."""

Request = Mapping[str, Any]
Command = Callable[[Request], Mapping[str, Any]]


class ControlServer:
    """Serves a control socket from a thread of its own.

    Args:
        path: where the socket appears.
        commands: by name; each returns fields of its answer or raises a `ThermoError`.
    """

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self.path = path
        self._commands = dict(commands)
        self._server: socketserver.UnixStreamServer | None = None

    def start(self) -> None:
        """Bind and serve.

        Raises:
            UsageError: the path is taken by something that is no dead socket, or is too long for a socket.
        """
        execute = self.execute

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    while line := self.rfile.readline(MAX_LINE):
                        self.wfile.write(json.dumps(execute(line)).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            # Hosts knock at the socket only to see whether somebody is in; a full queue would look like nobody.
            request_queue_size = 128
            daemon_threads = True
            block_on_close = False

        try:
            with _alone(self.path.parent):
                self._check_free()
                server = Server(str(self.path), Conversation)
                self.path.chmod(0o600)
        except OSError as error:
            raise UsageError(
                f"The socket {self.path} cannot be made ({error.strerror or error}); name a shorter or other link."
            ) from error
        self._server = server
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="control", daemon=True).start()

    def _check_free(self) -> None:
        """Remove a dead socket of that name."""
        if self.path.exists() and not self.path.is_socket():
            raise UsageError(f"{self.path} exists and is not a socket; name another link with --link.")
        if answers(self.path):
            raise UsageError(
                f"Another simulated wearable serves {self.path}; stop it or name another link with --link."
            )
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def stop(self) -> None:
        """Stop serving and remove the socket; harmless when it never started."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        with contextlib.suppress(OSError):
            self.path.unlink()

    def execute(self, line: bytes) -> dict[str, Any]:
        """The answer to one line, whatever it holds."""
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _failure('The request is not a line of JSON; send for example {"cmd": "status"}.')
        if not isinstance(request, dict):
            return _failure('The request is no JSON object; send for example {"cmd": "status"}.')
        command = self._commands.get(str(request.get("cmd")))
        if command is None:
            return _failure(f'"cmd" must be one of {", ".join(sorted(self._commands))}.')
        try:
            return {"ok": True, **command(request)}
        except (ThermoError, OSError) as error:
            return _failure(str(error))


def request(path: Path, command: Request, timeout_s: float = 10.0) -> dict[str, Any]:
    """Send one command to a control socket and return the fields of its answer.

    Raises:
        UsageError: nobody serves the socket, or the command was refused.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(path))
            connection.sendall(json.dumps(command).encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer = json.loads(stream.readline())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"No simulated wearable answers at {path} ({reason}); start one with thermo-sim.") from error
    if not answer.get("ok"):
        raise UsageError(str(answer.get("error", "The wearable refused without a reason.")))
    return {name: value for name, value in answer.items() if name != "ok"}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only simulator that claims a name in a folder, so that of two that start at once one is told.

    Raises:
        OSError: the folder is not there, or somebody holds it for long.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + CLAIM_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def answers(path: Path) -> bool:
    """Whether somebody listens at a socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect(str(path))
    except OSError:
        return False
    return True


def number(request: Request, name: str, low: float, high: float) -> float:
    """A number of a request.

    Raises:
        UsageError: absent, not a number, or outside `low` to `high`.
    """
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f'"{name}" must be a number; add it to the request.')
    if not low <= value <= high:
        raise UsageError(f'"{name}" is {value:g}, outside {low:g} to {high:g}; choose a value between.')
    return float(value)


def _failure(sentence: str) -> dict[str, Any]:
    return {"ok": False, "error": sentence}
