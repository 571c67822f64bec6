"""`thermo-host stream` and `record`: live pictures on the screen, into a file, or both."""

import contextlib
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from thermo_core.errors import UsageError
from thermo_core.recording.layout import Gap
from thermo_host.about import about, about_words
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
from thermo_host.commands.progress import ProgressLine, clock
from thermo_host.files import file_name
from thermo_host.link.session import Item, Session, fetch
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.pictures import DecodeSettings
from thermo_host.screen.keyboard import Keyboard
from thermo_host.screen.panel import silence
from thermo_host.screen.screen import Screen, changes, parse_span, summary_words
from thermo_host.sinks.describe import counted, describe
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen, utc_now_ns

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
    """Show live pictures, thermistor temperatures and verdicts; q or Ctrl-C ends it and leaves the device quiet.

    Without a terminal it writes a line each second; with --json an object for each picture, scan, verdict and event.
    """
    settings = DecodeSettings(emissivity, reflected, not uncorrected)
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = fetch(wearable)
        monitor = Monitor(session, settings)
        screen = Screen(monitor, output, parse_span(span), lambda: utc_now_ns(wearable))
        run = Run(wearable, session, monitor, output, seconds, record_to, reconnect)
        run.go(screen, None, each=as_json, whole=whole)


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
        run = Run(wearable, session, monitor, output, seconds, path, reconnect)
        if view and not as_json:
            run.go(Screen(monitor, output, None, lambda: utc_now_ns(wearable)), None)
        else:
            run.go(None, ProgressLine(output.progress))


@dataclass(frozen=True, slots=True)
class Run:
    """One time of listening, watched or recorded or both.

    Attributes:
        wearable, session: to whom; what it said at the start.
        monitor: what is known so far.
        output: where results go.
        seconds: until when; None until somebody ends it.
        path: of the recording; None records nothing.
        reconnect: whether to wait for a wearable that vanished.
    """

    wearable: Wearable
    session: Session
    monitor: Monitor
    output: Output
    seconds: float | None
    path: Path | None
    reconnect: bool

    def go(self, screen: Screen | None, progress: ProgressLine | None, each: bool = False, whole: bool = False) -> None:
        """Listen until the time is over or somebody ends it.

        Args:
            screen: shows the pictures.
            progress: says how far it is instead.
            each: whether each item becomes a line of JSON.
            whole: with all temperatures.
        """
        if self.path is not None and self.path.suffix != ".mcap":
            raise UsageError(f"{self.path} does not end in .mcap; recordings do, so name it so.")
        recorder = None if self.path is None else Recorder(self.path, self.session)
        try:
            with contextlib.ExitStack() as stack:
                if recorder is not None:
                    stack.enter_context(recorder)
                keyboard = Keyboard(progress is not None and self.output.progress.is_terminal)
                if screen is not None:
                    keyboard = stack.enter_context(screen).keyboard
                if progress is not None:
                    stack.enter_context(keyboard)
                    stack.enter_context(progress)
                self._listen(stack, recorder, keyboard, screen, progress, (each, whole))
        finally:
            self._summarise(recorder)

    def _listen(
        self,
        stack: contextlib.ExitStack,
        recorder: Recorder | None,
        keyboard: Keyboard,
        screen: Screen | None,
        progress: ProgressLine | None,
        each: tuple[bool, bool],
    ) -> None:
        began = time.monotonic()
        until = None if self.seconds is None else began + self.seconds
        items = listen(self.wearable, self.session, reconnect=self.reconnect)
        stack.callback(self._end, items, recorder)
        for item in items:
            if keyboard.poll() or (until is not None and time.monotonic() >= until):
                break
            if item is not None:
                self._take(item, recorder, *each)
            elif recorder is not None:
                recorder.tick()
            self.monitor.count_bytes(self.wearable.line.bytes_received)
            if screen is not None:
                screen.update()
            if progress is not None and recorder is not None and progress.due:
                self.monitor.tick(utc_now_ns(self.wearable))
                silent_s = self.monitor.silent_s
                progress.show(
                    self._progress(recorder, time.monotonic() - began), "" if silent_s is None else "bold red"
                )

    def _take(self, item: Item, recorder: Recorder | None, each: bool, whole: bool) -> None:
        if recorder is not None:
            recorder.add(item)
        picture = self.monitor.push(item)
        if each:
            described = describe(item, picture, self.monitor.session, whole, self.monitor.corrected)
            if described is not None:
                self.output.json(described)

    def _end(self, items: Generator[Item | None], recorder: Recorder | None) -> None:
        """Leave the device quiet, and the time in which it was gone in the recording."""
        items.close()
        lost = self.monitor.lost
        if lost is not None and recorder is not None:
            recorder.add(Gap(lost.since_ns, utc_now_ns(self.wearable), lost.reason))

    def _progress(self, recorder: Recorder, seconds: float) -> str:
        numbers = self.monitor.statistics()
        silent_s = self.monitor.silent_s
        state = "" if silent_s is None else f"{silence(self.monitor, silent_s)} | "
        ends = "q or Ctrl-C ends it" if self.output.progress.is_terminal else "Ctrl-C ends it"
        return (
            f"{state}{clock(seconds)} | {counted(numbers.pictures, 'picture')}, {numbers.pictures_per_second:.1f}/s, "
            f"{counted(numbers.missing, 'subpage')} lost | {ends} | {recorder.size / 1000:.0f} kB in {self.path}"
        )

    def _summarise(self, recorder: Recorder | None) -> None:
        numbers = self.monitor.statistics()
        data: dict[str, Any] = {
            "type": "summary",
            **asdict(numbers),
            "changes": changes(self.monitor),
            **about(self.monitor.session, self.monitor.settings, self.monitor.corrected),
        }
        whose = about_words(self.monitor.session, self.monitor.settings, self.monitor.corrected)
        words = f"{summary_words(self.monitor)}\n{whose}"
        if recorder is not None:
            data |= {"file": str(self.path), "messages": recorder.messages, "bytes": recorder.size}
            words += f"\nRecording: {self.path}, {recorder.messages} messages, {recorder.size / 1000:.0f} kB"
        self.output.result(data, words)
