"""A live server for Foxglove: the SDK's, on this computer alone, with our door before it."""

import logging
import secrets
from collections.abc import Callable
from types import TracebackType

import foxglove
from foxglove.websocket import WebSocketServer

from thermo_core.errors import UsageError
from thermo_core.graph.engine import Outcome
from thermo_host.exports.foxglove import Scene
from thermo_host.link.items import Item
from thermo_host.stream.decoding import Decoding
from thermo_host.viewers.front import Door, Front
from thermo_host.viewers.rows import LiveRows

PROTOCOLS = ("foxglove.sdk.v1",)
BACKLOG = 256
"""Messages that wait for a slow viewer before the oldest are dropped."""


def _started(context: foxglove.Context, name: str) -> tuple[WebSocketServer, str]:
    """A server that asks nobody, at an address of this computer that no page in a browser can guess; else at the usual one."""
    for address in (f"127.{'.'.join(str(1 + secrets.randbelow(254)) for _ in range(3))}", "127.0.0.1"):
        try:
            server = foxglove.start_server(
                name=name, host=address, port=0, context=context, message_backlog_size=BACKLOG
            )
        except (OSError, RuntimeError):
            # Not every system has all of 127.0.0.0/8.
            continue
        return server, address
    raise UsageError("Foxglove's server cannot listen at 127.0.0.1; see what the system allows programs to do.")


class FoxgloveServer:
    """A sink that tells Foxglove what comes. Use it in a `with` block.

    Args:
        decoding: makes signals of the blocks, and has taken each item before this.
        door: where it listens, and who is let in.
        refused: told, from another thread, who was refused and why.

    Raises:
        UsageError: the port is taken, or the address is not this computer's.
    """

    def __init__(
        self, decoding: Decoding, door: Door, refused: Callable[[str, str], None] = lambda who, why: None
    ) -> None:
        logging.getLogger("foxglove").setLevel(logging.CRITICAL)
        self._context = foxglove.Context()
        self._rows = LiveRows(decoding)
        hello = decoding.session.hello
        self._server, address = _started(self._context, f"{hello.profile} {hello.serial}")
        self._scene = Scene(self._context, self._rows.first)
        self.front = Front(door, f"{address}:{self._server.port}", PROTOCOLS, refused)

    def __enter__(self) -> "FoxgloveServer":
        try:
            self.front.__enter__()
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        self.front.__exit__(kind, value, traceback)
        self._scene.close()

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        for row in self._rows.rows(item, outcome):
            self._scene.add(row)

    def idle(self) -> None:
        """Nothing waits."""
