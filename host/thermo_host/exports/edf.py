"""An export as EDF+: a trace for each number of each signal of even rate; markers, gaps and alerts as annotations.

EDF+ knows only numbers at even intervals. Each sample is put where it belongs on a grid of its signal's rate that begins at a whole
second of UTC. Where no sample came, or one without a value, the trace stands at its physical minimum, a whole range below the least
value there is, and an annotation says so: a lost sensor is never a low temperature.
"""

import datetime
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import edfio
import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.signals import GAP_PERIODS
from thermo_host.exports.rows import Row, SampleRow, SessionRow, Track, element_names
from thermo_host.exports.spool import Spool
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer

NO_VALUE = -32768
HIGHEST = 32767
"""Codes of the physical minimum, which stands for no value, and of the maximum."""
LONGEST_RECORD_S = 600
"""Seconds of a data record at most."""
FEWEST_EVENED = 8
MOST_SECONDS = 7 * 86_400
MOST_ANNOTATIONS = 10_000
LABEL, UNIT, FIELD = 16, 8, 60
"""Characters that EDF has for a label, a unit and a text of ours in its header."""
SMALLEST_SPAN = 0.01
ROUNDS = 8
STEPS = 10_000
"""Ends of a range are whole numbers of steps of one by this, which eight characters can say of anything measured here."""
_NS = 1_000_000_000


class EdfWriter(Writer):
    """Use it in a `with` block.

    Args:
        files: where to.
        first: what holds at first.
    """

    def __init__(self, files: Files, first: SessionRow) -> None:
        self._files = files
        self._facts = first.facts
        self._traces: dict[str, _Traces] = {}
        self._annotations: list[tuple[int, int, str]] = []

    def close(self) -> None:
        """Let go of what is open."""
        for traces in self._traces.values():
            traces.close()

    def add(self, row: Row) -> None:
        """Put a row by."""
        if isinstance(row, SampleRow):
            if not row.track.has_traces or not row.utc_ns:
                return
            traces = self._traces.get(row.track.key)
            if traces is None:
                path = self._files.folder / str(len(self._traces))
                traces = self._traces[row.track.key] = _Traces(path, row.track)
            traces.add(row)
        elif not isinstance(row, SessionRow) and row.words and len(self._annotations) < MOST_ANNOTATIONS:
            until_ns = row.values[1] if row.table.columns[1].name == "until" else row.utc_ns
            self._annotations.append((row.utc_ns, until_ns, row.words))

    def finish(self) -> list[Path]:
        """Write the file from what was put by; its name.

        Raises:
            UsageError: nothing that was put by has an even rate, or it lasts too long.
        """
        found = [traces for traces in self._traces.values() if traces.column.rows]
        if not found:
            raise UsageError(
                "EDF+ holds signals of an even rate, and there is none here; choose others with --signals, or another format."
            )
        begin_ns = min(traces.first_ns for traces in found) // _NS * _NS
        record = _record_seconds([traces.track.signal.rate_hz for traces in found])
        if record > LONGEST_RECORD_S:
            rates = ", ".join(f"{traces.track.key} {traces.track.signal.rate_hz:g} Hz" for traces in found)
            raise UsageError(
                f"EDF+ needs a time in which each signal has a whole number of samples, and for {rates} that is over "
                f"{LONGEST_RECORD_S} s; choose fewer with --signals, or another format."
            )
        length = max(traces.last_ns for traces in found) - begin_ns
        if length > MOST_SECONDS * _NS:
            raise UsageError(
                f"This lasts {length / 86_400e9:.1f} days and an EDF+ file here {MOST_SECONDS // 86_400}; export parts of it "
                "with --from and --to."
            )
        seconds = (length // _NS // record + 1) * record
        signals: list[Any] = []
        annotations = [
            edfio.EdfAnnotation((from_ns - begin_ns) / 1e9, (to_ns - from_ns) / 1e9 if to_ns > from_ns else None, words)
            for from_ns, to_ns, words in self._annotations
            if from_ns >= begin_ns
        ]
        for traces in found:
            made, holes = traces.edf(begin_ns, seconds)
            signals += made
            annotations += holes
        started = datetime.datetime.fromtimestamp(begin_ns // _NS, datetime.UTC)
        edf = edfio.Edf(
            signals,
            patient=edfio.Patient(code=_word(self._facts.get("subject", ""))),
            recording=edfio.Recording(
                startdate=started.date(),
                equipment_code=_word(f"{self._facts.get('profile', '')} {self._facts.get('serial', '')}"),
                additional=("UTC",),
            ),
            starttime=started.time(),
            data_record_duration=record,
            annotations=sorted(annotations, key=lambda one: one.onset)[:MOST_ANNOTATIONS],
        )
        edf.write(self._files.open(self._files.path))
        return self._files.written


class _Traces:
    """Samples of one signal, put by."""

    def __init__(self, path: Path, track: Track) -> None:
        self.track = track
        self.column = Spool(path, [("utc_ns", "<i8"), ("values", "<f4", (track.signal.elements,))])
        self.first_ns = self.last_ns = 0

    def add(self, row: SampleRow) -> None:
        self.first_ns = min(self.first_ns or row.utc_ns, row.utc_ns)
        self.last_ns = max(self.last_ns, row.utc_ns)
        self.column.add(np.array((row.utc_ns, row.sample.values.ravel()), self.column.dtype))

    def close(self) -> None:
        self.column.close()

    def edf(self, begin_ns: int, seconds: int) -> tuple[list[Any], list[Any]]:
        """Signals on a grid of so many seconds, and annotations where one has no value."""
        signal = self.track.signal
        slots = round(signal.rate_hz * seconds)
        codes = np.full((signal.elements, slots), NO_VALUE, np.int16)
        ends = [physical_range(self.track.key, *pair) for pair in zip(*self._ranges(), strict=True)]
        bottom, top = np.array(ends).T
        for block in self.column.blocks():
            since_ns = (block["utc_ns"] - begin_ns).astype(np.float64)
            if self.track.foreign:
                since_ns = evened(since_ns, signal.rate_hz)
            place = np.rint(since_ns * signal.rate_hz / 1e9).astype(np.int64)
            share = (block["values"].astype(np.float64) - bottom) / (top - bottom)
            found = np.where(np.isfinite(share), NO_VALUE + share * (HIGHEST - NO_VALUE), NO_VALUE)
            codes[:, place.clip(0, slots - 1)] = np.rint(found).clip(NO_VALUE, HIGHEST).astype(np.int16).T
        names = element_names(self.track)
        made, holes = [], []
        for number, row in enumerate(codes):
            name = self.track.key if signal.elements == 1 else f"{self.track.key} {names[number]}"
            made.append(_signal(name, self.track, row, ends[number]))
            for start, count in _runs(row == NO_VALUE):
                text = f"{_ascii(name)}: no value"
                holes.append(edfio.EdfAnnotation(start / signal.rate_hz, count / signal.rate_hz, text))
        return made, holes

    def _ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low = np.full(self.track.signal.elements, np.inf)
        high = -low
        for block in self.column.blocks():
            values = block["values"].astype(np.float64)
            low = np.fmin(low, np.fmin.reduce(values, axis=0))
            high = np.fmax(high, np.fmax.reduce(values, axis=0))
        none = ~np.isfinite(low)
        return np.where(none, 0.0, low), np.where(none, 0.0, high)


def evened(times_ns: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Times of a stream whose sender stamps it unevenly, each stretch without a gap laid on a line.

    Args:
        times_ns: (n,) rising.
        rate_hz: samples a second.
    """
    found = times_ns.copy()
    breaks = np.flatnonzero(np.diff(found) > GAP_PERIODS * 1e9 / rate_hz) + 1
    for stretch in np.split(np.arange(len(found)), breaks):
        if len(stretch) >= FEWEST_EVENED:
            steps = stretch - stretch.mean()
            found[stretch] = np.polyval(np.polyfit(steps, found[stretch], 1), steps)
    return found


def physical_range(key: str, low: float, high: float) -> tuple[float, float]:
    """Ends of the range of a trace: the greatest value, and as far below the least one as that lies above it.

    Args:
        key: of the track.
        low: least value.
        high: greatest value.

    Raises:
        UsageError: the eight characters that EDF has for a number are too few.
    """
    span = max(high - low, SMALLEST_SPAN)
    bottom, top = math.floor((low - span) * STEPS) / STEPS, math.ceil((low + span) * STEPS) / STEPS
    try:
        # What the header will say is what codes must be of; writing that again may round once more, so until nothing changes.
        for _ in range(ROUNDS):
            probe = edfio.EdfSignal.from_digital(np.zeros(1, np.int16), 1.0, physical_range=(bottom, top))
            said = (probe.physical_min, probe.physical_max)
            if said == (bottom, top):
                break
            bottom, top = said
    except ValueError as error:
        raise UsageError(
            f"The numbers of {key} reach from {low:g} to {high:g}, which EDF+ cannot write; export it otherwise."
        ) from error
    return bottom, top


def _signal(name: str, track: Track, codes: NDArray[np.int16], ends: tuple[float, float]) -> Any:
    return edfio.EdfSignal.from_digital(
        codes,
        track.signal.rate_hz,
        label=_ascii(name, LABEL),
        transducer_type=_ascii(track.signal.clock),
        physical_dimension=_ascii(track.signal.unit, UNIT),
        physical_range=ends,
        digital_range=(NO_VALUE, HIGHEST),
    )


def _runs(there: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First place and length of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield start, end - start


def _record_seconds(rates: list[float]) -> int:
    """Seconds of a data record, in which each signal has a whole number of samples."""
    return math.lcm(*(Fraction(rate).limit_denominator(1000).denominator for rate in rates))


def _ascii(text: str, longest: int = FIELD) -> str:
    return text.encode("ascii", "replace").decode()[:longest].strip()


def _word(text: str) -> str:
    """A subfield of the header, which has no spaces; X where nothing is known."""
    return _ascii(text).replace(" ", "_") or "X"
