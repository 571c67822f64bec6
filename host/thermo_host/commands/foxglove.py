"""`thermo-host foxglove`: what comes of a wearable, live in Foxglove."""

import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.graph.engine import Outcome
from thermo_host.commands.common import (
    BaudOption,
    EmissivityOption,
    JsonOption,
    Output,
    PortArgument,
    ReflectedOption,
    TimeoutOption,
    UncorrectedOption,
)
from thermo_host.commands.listening import Run
from thermo_host.commands.progress import ProgressLine, clock
from thermo_host.extras import imported
from thermo_host.link.items import Item
from thermo_host.link.session import fetch
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.sinks.describe import counted
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.decoding import DecodeSettings

PORT = 8765
"""Foxglove's own."""


def command(
    port: PortArgument = None,
    bind: Annotated[str, typer.Option("--bind", metavar="ADDRESS", help="Address to listen at.")] = "127.0.0.1",
    listen_port: Annotated[
        int, typer.Option("--listen-port", help="Port to listen at; 0 takes a free one.", min=0, max=65535)
    ] = PORT,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Its line is the token that viewers must bring.",
            show_default="none at 127.0.0.1, else a new one",
        ),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="Certificate (PEM), for wss.", show_default=False)
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Its key (PEM).", show_default=False)
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", "-s", help="Stop after so long.", min=0.1)] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    reconnect: Annotated[bool, typer.Option(help="Go on when the wearable is unplugged and comes back.")] = True,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Serve live pictures, boxes, signals, findings and alerts to Foxglove, in its own schemas.

    It listens on this computer alone. At another address each viewer must bring a token, and --cert and --key encrypt it.
    """
    output = Output(as_json)
    viewers = imported("thermo_host.viewers.foxglove", "foxglove", "`thermo-host foxglove`")
    front = imported("thermo_host.viewers.front", "foxglove", "`thermo-host foxglove`")
    token = "" if token_file is None else front.read_token(token_file)
    tls = front.tls_of(cert, key)
    if not token and not front.is_loopback(bind):
        token = secrets.token_urlsafe(24)
    door = front.Door(bind, listen_port, token, tls)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = fetch(wearable)
        monitor = Monitor(session, DecodeSettings(emissivity, reflected, not uncorrected))

        def refused(who: str, why: str) -> None:
            output.progress.print(f"Refused a viewer at {who}: {why.split(';')[0]}.")

        with viewers.FoxgloveServer(monitor.decoding, door, refused) as server:
            address = f"{'ws' if tls is None else 'wss'}://{_host(bind)}:{server.front.port}"
            shown = f"{address}/?token={token}" if token and token_file is None else address
            words = f"Foxglove: open connection, Foxglove WebSocket, {shown}"
            if token and token_file is not None:
                words += f"/?token= and the line of {token_file}"
            if not door.local and tls is None:
                words += "\nThe token and all pictures travel unencrypted; give --cert and --key."
            if as_json:
                output.json({"type": "listening", "url": shown})
            else:
                output.words.print(words)
            progress = ProgressLine(output.progress)
            run = Run(wearable, session, monitor, output, seconds, None, reconnect)
            run.go(None, progress, [server, _Telling(lambda: server.front.viewers, monitor, progress)])


class _Telling:
    """Says who looks."""

    def __init__(self, viewers: Callable[[], int], monitor: Monitor, progress: ProgressLine) -> None:
        self._viewers = viewers
        self._monitor = monitor
        self._progress = progress
        self._began = time.monotonic()

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """Items are not its business."""

    def idle(self) -> None:
        """Say it, if it is time to."""
        if self._progress.due:
            moments = ", ".join(f"{name} {count}" for name, count in self._monitor.statistics().moments.items())
            viewers = counted(self._viewers(), "viewer")
            self._progress.show(
                f"{clock(time.monotonic() - self._began)} | {viewers} | {moments} | q or Ctrl-C ends it"
            )


def _host(bind: str) -> str:
    """What a viewer calls the computer."""
    if bind in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{bind}]" if ":" in bind else bind
