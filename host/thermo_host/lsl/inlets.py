"""Streams of others that go into a recording beside the wearable's.

Each is found by its name before anything is recorded, or it is said which there are. A thread of its own asks for the offset of its
sender's clock; samples are taken by whoever records, who waits for nobody. A sender that ends and comes back is taken up again.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thermo_core.errors import LinkError, LinkTimeoutError
from thermo_core.recording.layout import LATEST_NS, LONGEST_TEXT, MOST_CHANNELS, LslSamples, LslStream
from thermo_core.text import clean
from thermo_host.exports.foreign_rows import distinct
from thermo_host.lsl.library import Scope, load, local_minus_monotonic_s

BUFFER_S = 360
LONGEST_NAME = 100
CORRECT_S = 5.0
"""How often the offset of a sender's clock is asked for; two crystals part by a quarter of a millisecond meanwhile."""
OPEN_S = 10.0
SETTLE_S = 0.5
MOST_SECONDS = 1e12
"""Of a time stamp; ten thousand years are none."""
SILENT_S = 3.0
"""What gave nothing for so long, and for ten of its periods, is told to be silent."""
SILENT_PERIODS = 10
MOST_NUMBERS = 4096
"""Numbers in one message of a recording."""
MOST_CHARACTERS = 32_768
"""The same of texts, each of up to four bytes, and of all labels of a stream."""
MOST_ROUNDS = 32
"""Messages of one stream at a time, so that a backlog keeps nobody waiting."""
LSL_ERRORS = (RuntimeError, TimeoutError)
"""What pylsl raises where a stream is lost, late, or refuses."""
_FORMATS = {1: "float32", 2: "double64", 3: "string", 4: "int32", 5: "int16", 6: "int8", 7: "int64"}
"""Of liblsl by their numbers."""


@dataclass
class Inlet:
    """A stream that is taken.

    Attributes:
        stream: what it is.
        inlet: of liblsl.
        samples: so far.
        undated: left out, because their time stamp is none.
        offset_s: of its sender's clock; None until it is known, and then nothing is taken.
        heard: monotonic time of the newest sample, s.
        ask: set where the offset is to be asked for at once.
    """

    stream: LslStream
    inlet: Any
    samples: int = 0
    undated: int = 0
    offset_s: float | None = None
    heard: float = field(default_factory=time.monotonic)
    ask: threading.Event = field(default_factory=threading.Event)

    @property
    def silent_s(self) -> float | None:
        """Seconds without a sample, where that is too long; else None. What comes when something happens is never too late."""
        rate_hz = self.stream.rate_hz
        if self.samples and not rate_hz:
            return None
        since = time.monotonic() - self.heard
        return since if since > max(SILENT_S, SILENT_PERIODS / rate_hz if rate_hz else 0.0) else None


class LslInlets:
    """Streams of others. Use it in a `with` block.

    Args:
        names: of streams; several senders of one name are all taken.
        utc_minus_monotonic_ns: UTC less the host's monotonic clock, as the session's moments have it (`ClockSync`).
        wait_s: longest time to look for them.
        scope: how far.

    Attributes:
        inlets: that were found.

    Raises:
        UsageError: pylsl is not installed.
        LinkTimeoutError: none is there of a name, or one does not answer.
        LinkError: one has more channels than are taken.
    """

    def __init__(
        self, names: Sequence[str], utc_minus_monotonic_ns: int, wait_s: float, scope: Scope = Scope.MACHINE
    ) -> None:
        self._pylsl = load(scope)
        self._scope = scope
        self._utc_minus_monotonic_ns = utc_minus_monotonic_ns
        self._ended = threading.Event()
        self.inlets: list[Inlet] = []
        for info in self._found(tuple(dict.fromkeys(names)), wait_s):
            self.inlets.append(self._opened(info))
        self._threads = [threading.Thread(target=self._correct, args=(one,), daemon=True) for one in self.inlets]

    def __enter__(self) -> "LslInlets":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for one in self.inlets:
            one.ask.set()
            with contextlib.suppress(*LSL_ERRORS):
                one.inlet.close_stream()
        for thread in self._threads:
            thread.join(CORRECT_S + 1)

    @property
    def warning(self) -> str:
        """Which streams give nothing, in words; "" where all do."""
        silent = [(one, one.silent_s) for one in self.inlets]
        return ", ".join(f"LSL {one.stream.name} gives nothing for {since:.0f} s" for one, since in silent if since)

    @property
    def words(self) -> str:
        """What came of each, in a sentence."""
        return "; ".join(
            f"LSL {one.stream.name}: {one.samples} samples"
            + (f", {one.undated} without a time left out" if one.undated else "")
            + (", nothing came of it" if not one.samples else "")
            for one in self.inlets
        )

    def take(self, add: Callable[[LslStream | LslSamples], None]) -> None:
        """Give what came since; never waits."""
        for one in self.inlets:
            for _ in range(MOST_ROUNDS):
                if not self._pull(one, add):
                    break

    def _pull(self, one: Inlet, add: Callable[[LslStream | LslSamples], None]) -> bool:
        if one.inlet.was_clock_reset():
            # Another sender may have taken its place; what waits is of the new clock.
            one.offset_s = None
            one.ask.set()
        offset_s = one.offset_s
        if offset_s is None:
            return False
        spoken, channels = one.stream.format == "string", len(one.stream.labels)
        longest = max(1, min(LONGEST_TEXT, MOST_CHARACTERS // channels))
        most = max(1, MOST_CHARACTERS // (longest * channels) if spoken else MOST_NUMBERS // channels)
        try:
            rows, times = one.inlet.pull_chunk(timeout=0.0, max_samples=most, as_numpy=True)
        except LSL_ERRORS:
            # Gone for good; liblsl waits by itself for what can come back. It is told as silent.
            return False
        if not len(times):
            return False
        stamped = np.asarray(times, np.float64) + offset_s
        known = np.abs(stamped) < MOST_SECONDS  # not so of NaN
        one.undated += int(np.count_nonzero(~known))
        full = len(times) == most
        if not known.any():
            return full
        shift_ns = self._utc_minus_monotonic_ns - round(local_minus_monotonic_s(self._pylsl) * 1e9)
        moments = [min(max(0, round(at_s * 1e9) + shift_ns), LATEST_NS) for at_s in stamped[known].tolist()]
        rows = rows[known]
        one.samples += len(moments)
        one.heard = time.monotonic()
        now_ns = time.monotonic_ns() + self._utc_minus_monotonic_ns
        add(
            LslSamples(
                name=one.stream.name,
                received_ns=now_ns,
                times_ns=tuple(moments),
                offset_s=offset_s,
                values=() if spoken else tuple(tuple(map(_number, row)) for row in rows.tolist()),
                texts=tuple(tuple(_text(value, longest) for value in row) for row in rows) if spoken else (),
            )
        )
        return full

    def _found(self, names: Sequence[str], wait_s: float) -> list[Any]:
        """Descriptions of streams, of each name at least one."""
        resolver = self._pylsl.ContinuousResolver(forget_after=wait_s + 1)
        until = time.monotonic() + wait_s
        complete = None
        while True:
            there = resolver.results()
            found = [info for info in there if {info.name(), _shown(info.name())} & set(names)]
            known = {called for info in found for called in (info.name(), _shown(info.name()))}
            missing = [name for name in names if name not in known]
            if not missing:
                complete = complete or time.monotonic()
                # Others of the same names may answer a little later.
                if time.monotonic() - complete > SETTLE_S:
                    return sorted(found, key=lambda info: (info.name(), info.source_id()))
            elif time.monotonic() >= until:
                raise LinkTimeoutError(self._nobody(missing[0], there, wait_s))
            time.sleep(0.05)

    def _nobody(self, name: str, there: Sequence[Any], wait_s: float) -> str:
        kinds = {(_shown(info.name()), clean(info.type(), 40), info.channel_count()) for info in there}
        known = ", ".join(
            f"{shown!r} ({kind}, {count} {'channel' if count == 1 else 'channels'})"
            for shown, kind, count in sorted(kinds)
        )
        local = self._scope is Scope.MACHINE
        where = "this computer" if local else f"the {self._scope}"
        more = "; for those of other computers add --lsl-scope link" if local else ""
        return f"No LSL stream on {where} is called {name!r:.60} within {wait_s:g} s; there {'is ' + known if known else 'is none'}{more}."

    def _opened(self, info: Any) -> Inlet:
        name = _shown(info.name())
        inlet = self._pylsl.StreamInlet(info, max_buflen=BUFFER_S)
        try:
            whole = inlet.info(timeout=OPEN_S)
            inlet.open_stream(timeout=OPEN_S)
        except LSL_ERRORS as error:
            raise LinkTimeoutError(
                f"The LSL stream {name} is announced by {clean(info.hostname(), 60)} and does not answer; check its program and "
                "the firewall."
            ) from error
        if whole.channel_count() > MOST_CHANNELS or whole.channel_format() not in _FORMATS:
            raise LinkError(
                f"The LSL stream {name} has {whole.channel_count()} channels of format {whole.channel_format()}, and a recording "
                f"takes {MOST_CHANNELS} of numbers or texts; leave it out."
            )
        taken = {one.stream.name for one in self.inlets}
        return Inlet(_described(whole, taken), inlet)

    def _correct(self, one: Inlet) -> None:
        """Ask for the offset of a sender's clock, again and again."""
        while not self._ended.is_set():
            try:
                one.offset_s = float(one.inlet.time_correction(timeout=CORRECT_S))
            except LSL_ERRORS:
                self._ended.wait(1.0)
                continue
            one.ask.wait(CORRECT_S)
            one.ask.clear()


def _described(info: Any, taken: set[str]) -> LslStream:
    """What a stream says of itself, made fit to be shown."""
    plain, count = _shown(info.name()) or "untitled", 1
    name = plain
    while name in taken:
        count += 1
        name = f"{plain}-{count}"
    channels = info.channel_count()
    labels, units = [""] * channels, [""] * channels
    channel = info.desc().child("channels").child("channel")
    for at in range(channels):
        labels[at] = clean(channel.child_value("label"), min(150, MOST_CHARACTERS // channels))
        units[at] = clean(channel.child_value("unit"), min(40, MOST_CHARACTERS // channels // 2))
        channel = channel.next_sibling("channel")
    rate_hz = float(info.nominal_srate())
    return LslStream(
        name=name,
        kind=clean(info.type(), 200),
        source_id=clean(info.source_id(), 200),
        hostname=clean(info.hostname(), 200),
        manufacturer=clean(info.desc().child("acquisition").child_value("manufacturer"), 200),
        format=_FORMATS[info.channel_format()],  # type: ignore[arg-type]
        rate_hz=rate_hz if 0 < rate_hz <= 1e7 else 0.0,
        labels=distinct(labels),
        units=tuple(units),
    )


def _shown(name: str) -> str:
    """A name as a person reads it, and may give it."""
    return clean(name, LONGEST_NAME).strip()


def _text(value: Any, longest: int) -> str:
    return clean(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value), longest)


def _number(value: float) -> float | None:
    return value if value - value == 0 else None
