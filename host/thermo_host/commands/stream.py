"""`thermo-host stream` and `record`: live pictures on the screen, into a file, or both."""

import contextlib
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from thermo_core.errors import UsageError
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
from thermo_host.commands.screen import Screen, parse_span, summary_words
from thermo_host.describe import describe
from thermo_host.files import file_name
from thermo_host.link import TIMEOUT_S, Wearable
from thermo_host.monitor import Monitor
from thermo_host.pictures import DecodeSettings
from thermo_host.recording import Recorder
from thermo_host.session import Session, fetch
from thermo_host.stream import listen

SecondsOption = Annotated[float | None, typer.Option("--seconds", "-s", help="Stop after so long.", min=0.1)]
ReconnectOption = Annotated[bool, typer.Option(help="Go on when the wearable is unplugged and comes back.")]


def stream(
    port: PortArgument = None,
    seconds: SecondsOption = None,
    record_to: Annotated[Path | None, typer.Option("--record", help="Record to this new .mcap file too.")] = None,
    span: Annotated[
        str | None,
        typer.Option("--range", help="Temperatures of the scale's ends, such as 30,38.", show_default="follows"),
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    whole: Annotated[bool, typer.Option("--pictures", help="With --json, all temperatures of each picture.")] = False,
    reconnect: ReconnectOption = False,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Show live pictures, thermistor temperatures and verdicts; Ctrl-C ends it and leaves the device quiet.

    Without a terminal it writes a line each second; with --json an object for each picture, scan, verdict and event.
    """
    settings = DecodeSettings(emissivity, reflected, not uncorrected)
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = fetch(wearable)
        monitor = Monitor(session, settings)
        screen = Screen(monitor, output, parse_span(span))
        _run(wearable, session, monitor, screen, output, seconds, record_to, reconnect, whole)


def record(
    port: PortArgument = None,
    path: Annotated[
        Path | None, typer.Option("--output", "-o", help="New .mcap file.", show_default="thermo-SERIAL-TIME.mcap")
    ] = None,
    seconds: SecondsOption = None,
    view: Annotated[bool, typer.Option(help="Show the pictures meanwhile.")] = False,
    reconnect: ReconnectOption = True,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Record everything a wearable sends: counts, EEPROM, calibration, thermistors, verdicts, UTC.

    The file is readable at any moment and after any end; an existing file is never overwritten.
    """
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = fetch(wearable)
        if path is None:
            path = Path(f"thermo-{file_name(session.hello.serial)}-{session.started:%Y%m%dT%H%M%SZ}.mcap")
        monitor = Monitor(session)
        screen = Screen(monitor, output, None) if view and not as_json else None
        _run(wearable, session, monitor, screen, output, seconds, path, reconnect, whole=None)


def _run(
    wearable: Wearable,
    session: Session,
    monitor: Monitor,
    screen: Screen | None,
    output: Output,
    seconds: float | None,
    path: Path | None,
    reconnect: bool,
    whole: bool | None,
) -> None:
    """Listen until the time is over or somebody interrupts; `whole` None writes no line for each item."""
    if path is not None and path.suffix != ".mcap":
        raise UsageError(f"{path} does not end in .mcap; recordings do, so name it so.")
    until = None if seconds is None else time.monotonic() + seconds
    recorder = None if path is None else Recorder(path, session)
    try:
        with contextlib.ExitStack() as stack:
            if recorder is not None:
                stack.enter_context(recorder)
            if screen is not None:
                stack.enter_context(screen)
            items = stack.enter_context(contextlib.closing(listen(wearable, session, reconnect=reconnect)))
            for item in items:
                if until is not None and time.monotonic() >= until:
                    break
                if item is not None:
                    if recorder is not None:
                        recorder.add(item)
                    picture = monitor.push(item)
                    if output.as_json and whole is not None:
                        described = describe(item, picture, session, whole)
                        if described is not None:
                            output.json(described)
                elif recorder is not None:
                    recorder.tick()
                monitor.count_bytes(wearable.line.bytes_received)
                if screen is not None:
                    screen.update()
    finally:
        _summarise(monitor, output, path, recorder)


def _summarise(monitor: Monitor, output: Output, path: Path | None, recorder: Recorder | None) -> None:
    numbers = monitor.statistics()
    data: dict[str, Any] = {"type": "summary", **asdict(numbers)}
    words = summary_words(monitor)
    if recorder is not None:
        data |= {"file": str(path), "messages": recorder.messages, "bytes": recorder.size}
        words += f"\nRecording: {path}, {recorder.messages} messages, {recorder.size / 1000:.0f} kB"
    output.result(data, words)
