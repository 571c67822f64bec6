"""One time of listening to a wearable: what comes goes to the screen, into a recording and to whoever else takes it."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_host.about import about, about_words
from thermo_host.commands.common import Output
from thermo_host.commands.progress import ProgressLine, clock
from thermo_host.commands.screen import Screen, changes, summary_words
from thermo_host.feeding import Feeding
from thermo_host.link.items import Item
from thermo_host.link.wearable import Wearable
from thermo_host.lsl.inlets import LslInlets
from thermo_host.screen.keyboard import Keyboard
from thermo_host.screen.words import silence
from thermo_host.sinks import marks
from thermo_host.sinks.describe import counted
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen, now_and_waiting_ns, utc_now_ns
from thermo_host.stream.pump import Sink, pump

FOREIGN_S = 0.1
"""How often streams of others are taken from."""


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
        signals: numbers of those that the wearable is to send.
        feedings: what it is given meanwhile.
        foreign: streams of others that are recorded too.
        findings: after how many it ends; None until somebody ends it.
    """

    wearable: Wearable
    session: Session
    monitor: Monitor
    output: Output
    seconds: float | None
    path: Path | None
    reconnect: bool
    signals: tuple[int, ...] = ()
    feedings: tuple[Feeding, ...] = ()
    foreign: LslInlets | None = None
    findings: int | None = None

    def go(self, screen: Screen | None, progress: ProgressLine | None, sinks: Sequence[Sink] = ()) -> None:
        """Listen until the time is over, enough was found, or somebody ends it.

        Args:
            screen: shows the signals.
            progress: says how far it is instead.
            sinks: take each item as well.
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
                taking = [sink for sink in (recorder, *sinks, screen) if sink is not None]
                if recorder is not None:
                    taking.append(_Marking(recorder, self.monitor, keyboard))
                    if self.foreign is not None:
                        taking.append(_Foreign(recorder, stack.enter_context(self.foreign)))
                if progress is not None and recorder is not None:
                    taking.append(_Telling(self, recorder, progress, time.monotonic()))
                self._listen(stack, recorder, keyboard, taking)
        finally:
            self._summarise(recorder)

    def _listen(
        self,
        stack: contextlib.ExitStack,
        recorder: Recorder | None,
        keyboard: Keyboard,
        sinks: Sequence[Sink],
    ) -> None:
        until = None if self.seconds is None else time.monotonic() + self.seconds
        items = listen(self.wearable, self.session, reconnect=self.reconnect, signals=self.signals)
        stack.callback(self._end, recorder)
        stack.callback(items.close)

        waiting = list(self.feedings)

        def done() -> bool:
            # The first word of the wearable says that it streams, and takes samples.
            while waiting and self.monitor.begun:
                stack.enter_context(waiting.pop())
            for feeding in self.feedings:
                if feeding not in waiting:
                    _ = feeding.done  # raises what went wrong
                if self.monitor.lost is None:
                    feeding.go_on(self.monitor.session.profile)
            self.monitor.count_bytes(self.wearable.line.bytes_received)
            enough = self.findings is not None and self.monitor.finding_count >= self.findings
            return keyboard.poll() or enough or (until is not None and time.monotonic() >= until)

        pump(items, self.monitor.push, sinks, done)

    def _end(self, recorder: Recorder | None) -> None:
        """Leave the time in which the wearable was gone in the recording."""
        lost = self.monitor.lost
        if lost is not None and recorder is not None:
            recorder.add(Gap(from_ns=lost.since_ns, to_ns=utc_now_ns(self.wearable), reason=lost.reason))

    def _summarise(self, recorder: Recorder | None) -> None:
        numbers = self.monitor.statistics()
        data: dict[str, Any] = {
            "type": "summary",
            **asdict(numbers),
            "changes": changes(self.monitor),
            **about(self.monitor.session, self.monitor.decoding.profile, self.monitor.decoding.engine),
        }
        words = f"{summary_words(self.monitor)}\n{about_words(self.monitor.session, self.monitor.decoding.profile, self.monitor.decoding.engine)}"
        if self.feedings:
            data["fed"] = {one.name: {"samples": one.count, "missed": one.missed} for one in self.feedings}
            words += "".join(f"\n{one.told}." for one in self.feedings)
        if self.foreign is not None:
            data["lsl"] = {one.stream.name: {"samples": one.samples} for one in self.foreign.inlets}
            words += f"\n{self.foreign.words}."
        if recorder is not None:
            data |= {"file": str(self.path), "messages": recorder.messages, "bytes": recorder.size}
            words += f"\nRecording: {self.path}, {recorder.messages} messages, {recorder.size / 1000:.0f} kB"
        self.output.result(data, words)


class _Marking:
    """Puts markers into a recording: of the m key, and of `thermo-host mark`."""

    def __init__(self, recorder: Recorder, monitor: Monitor, keyboard: Keyboard) -> None:
        self._recorder = recorder
        self._monitor = monitor
        self._keyboard = keyboard

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """Items are not its business."""

    def idle(self) -> None:
        """Look for markers."""
        for _ in range(self._keyboard.take_marks()):
            self._mark(Marker(at_ns=time.time_ns()))
        for marker in marks.taken(self._recorder.path):
            self._mark(marker)

    def _mark(self, marker: Marker) -> None:
        self._recorder.add(marker)
        self._monitor.push(marker)


class _Foreign:
    """Puts streams of others into a recording."""

    def __init__(self, recorder: Recorder, inlets: LslInlets) -> None:
        self._recorder = recorder
        self._inlets = inlets
        self._next = 0.0
        for one in inlets.inlets:
            recorder.add(one.stream)

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """Items are not its business."""

    def idle(self) -> None:
        """Take what came."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + FOREIGN_S
            self._inlets.take(self._recorder.add)


class _Telling:
    """Says how far a recording is."""

    def __init__(self, run: Run, recorder: Recorder, progress: ProgressLine, began: float) -> None:
        self._run = run
        self._recorder = recorder
        self._progress = progress
        self._began = began

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """Items are not its business."""

    def idle(self) -> None:
        """Say it, if it is time to."""
        if not self._progress.due:
            return
        monitor = self._run.monitor
        monitor.tick(*now_and_waiting_ns(self._run.wearable))
        silent_s = monitor.silent_s
        foreign = self._run.foreign
        told = silent_s is not None or (foreign is not None and foreign.warning)
        self._progress.show(self._words(silent_s), "bold red" if told else "")

    def _words(self, silent_s: float | None) -> str:
        monitor = self._run.monitor
        numbers = monitor.statistics()
        state = "" if silent_s is None else f"{silence(monitor, silent_s)} | "
        terminal = self._run.output.progress.is_terminal
        ends = "m marks, q or Ctrl-C ends it" if terminal else "Ctrl-C ends it"
        came = ", ".join(f"{name} {count}" for name, count in numbers.moments.items())
        foreign = self._run.foreign
        warned = "" if foreign is None else foreign.warning
        state += f"{warned} | " if warned else ""
        return (
            f"{state}{clock(time.monotonic() - self._began)} | {came}, {counted(numbers.missing, 'block')} lost | {ends} | "
            f"{self._recorder.size / 1000:.0f} kB in {self._recorder.path}"
        )
