"""spectrum_peak: a heart rate from a window of pulse, with what moves in the same rhythm taken away."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

FORGOTTEN = 15
"""Windows in a row without a rate after which the last one is not looked for any more."""
BARRED = DOUBTFUL & ~Quality.MOVING
"""Flags of a window that tells no rate; motion is taken away instead."""
MAX_RATES = 1024
_NONE = np.float32(0)
_AT_ONCE = 256
"""Windows whose spectra are worked on together, which bounds memory."""


class SpectrumPeak(OneInput, frozen=True, tag="spectrum_peak"):
    """The rate at which a window of pulse repeats itself, and how much of the window that rate explains.

    The power of the window at each rate of a grid is divided by 1 + (a / `motion_scale`)^2, where a is the amplitude of motion at that
    rate. Of these powers the highest is the rate, interpolated by a parabola; each counts less the farther it is from the last rate:
    half as much at `track_bpm`. The quality is the share of power within the peak's own width, 0 to 1: near 1 for one clear rhythm.

    There is no rate, and the last one stays, where the quality is below `least_quality`, where more than a quarter of the window has no
    value, and for a window with a flag that alerts do not trust, other than MOVING. The quality of the last two is 0. Fifteen windows
    without a rate make it forget. Motion without values is no motion.

    Attributes:
        motion: an accelerometer's window with as many rows, whose columns are its axes; nothing is taken away where left out.
        low_bpm: lowest rate of the grid, a minute.
        high_bpm: highest, below half the rate of the window's rows.
        step_bpm: from one rate to the next.
        motion_scale: amplitude of motion that halves the power of a rate, in the unit of `motion`.
        track_bpm: how far from the last rate power counts half.
        least_quality: below it there is no rate.
    """

    motion: Ref | None = None
    low_bpm: Annotated[float, Meta(ge=5, le=1000)] = 40.0
    high_bpm: Annotated[float, Meta(ge=5, le=1000)] = 210.0
    step_bpm: Annotated[float, Meta(ge=0.1, le=50)] = 1.5
    motion_scale: Annotated[float, Meta(gt=0, le=1e6)] = 0.03
    track_bpm: Annotated[float, Meta(ge=1, le=1000)] = 25.0
    least_quality: Annotated[float, Meta(ge=0, le=1)] = 0.5

    @property
    def inputs(self) -> tuple[str, ...]:
        """The pulse, and motion where it is given."""
        return (self.of,) if self.motion is None else (self.of, self.motion)


def rates(stage: SpectrumPeak) -> Values:
    """(k,) rates of the grid a minute."""
    count = int((stage.high_bpm - stage.low_bpm) / stage.step_bpm + 1e-6) + 1
    return np.asarray(stage.low_bpm + stage.step_bpm * np.arange(count), np.float32)


def cosines(stage: SpectrumPeak, signal: Signal) -> Values:
    """(k,) 2 cos w of each rate."""
    return np.asarray(2 * np.cos(2 * np.pi * rates(stage).astype(np.float64) / 60 * signal.spacing_s), np.float32)


def taper(rows: int) -> Values:
    """(rows,) Hann window."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(rows) / rows), np.float32)


def motion_factor(stage: SpectrumPeak, rows: int) -> np.float32:
    """What the power of motion is multiplied by: the square of an amplitude is 4 power / (sum of the taper)^2."""
    return np.float32(4 / (rows / 2 * stage.motion_scale) ** 2)


def lobe(stage: SpectrumPeak, signal: Signal) -> int:
    """Steps of the grid on either side of a peak that belong to it: 1.5 over the window's time."""
    return max(1, round(90 / (signal.shape[0] * signal.spacing_s) / stage.step_bpm))


class _Tracker:
    def __init__(self, stage: SpectrumPeak, inputs: Signals) -> None:
        self._stage, self._rates = stage, rates(stage)
        self._rows = inputs[0].shape[0]
        self._cosines, self._taper = cosines(stage, inputs[0]), taper(self._rows)
        self._factor, self._lobe = motion_factor(stage, self._rows), lobe(stage, inputs[0])
        self._step = np.float32(stage.step_bpm)
        self._narrowness = np.float32(1) / np.float32(stage.track_bpm)
        self._last: np.float32 | None = None
        self._without = 0

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        count = len(moments.times_us)
        found = np.empty((count, 2), np.float32)
        with np.errstate(all="ignore"):
            for first in range(0, count, _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                usable, powers = self._powers([values[part] for values in moments.values])
                usable &= (moments.flags[part] & np.uint16(BARRED)) == 0
                for place, power in enumerate(powers):
                    found[first + place] = self._track(power) if usable[place] else self._nothing(_NONE)
        return found, np.zeros(count, np.uint16)

    def _powers(self, values: list[Values]) -> tuple[NDArray[np.bool_], Values]:
        """Whether each window has enough values, and (m, k) powers without motion."""
        pulse = values[0].reshape(len(values[0]), self._rows)
        known, powers = self._spectrum(pulse)
        if len(values) > 1:
            axes = values[1].reshape(len(pulse), self._rows, -1)
            moved = np.zeros_like(powers)
            for axis in range(axes.shape[2]):
                moved += self._spectrum(axes[:, :, axis])[1]
            powers = powers / (np.float32(1) + np.where(np.isfinite(moved), moved, np.float32(0)) * self._factor)
        return 4 * known >= 3 * self._rows, np.asarray(powers, np.float32)

    def _spectrum(self, windows: Values) -> tuple[NDArray[np.int64], Values]:
        """Values that each of (m, rows) has, and (m, k) powers by Goertzel's recursion."""
        finite = np.isfinite(windows)
        known = finite.sum(1)
        zero = np.float32(0)
        mean = float32.total(np.where(finite, windows, zero).astype(np.float32), 1) / known.astype(np.float32)
        tapered = np.where(finite, (windows - mean[:, np.newaxis]) * self._taper, zero).astype(np.float32)
        newest = np.zeros((len(windows), len(self._rates)), np.float32)
        before = newest.copy()
        for row in range(self._rows):
            newest, before = (tapered[:, row, np.newaxis] + self._cosines * newest) - before, newest
        return known, (newest * newest + before * before) - (self._cosines * newest) * before

    def _track(self, power: Values) -> tuple[np.float32, np.float32]:
        total = float32.total(power)
        if not (np.isfinite(total) and total > 0):
            return self._nothing(_NONE)
        weighed = power
        if self._last is not None:
            apart = (self._rates - self._last) * self._narrowness
            weighed = power / (np.float32(1) + apart * apart)
        peak = int(np.argmax(weighed))
        quality = float32.total(power[max(peak - self._lobe, 0) : peak + self._lobe + 1]) / total
        if not quality >= np.float32(self._stage.least_quality):
            return self._nothing(np.float32(quality))
        self._last, self._without = self._rates[peak], 0
        return self._between(power, peak), np.float32(quality)

    def _between(self, power: Values, peak: int) -> np.float32:
        """The rate at the top of a parabola through a peak and its neighbours."""
        if not 0 < peak < len(power) - 1:
            return np.float32(self._rates[peak])
        lower, middle, upper = power[peak - 1 : peak + 2]
        bend = (lower - np.float32(2) * middle) + upper
        if not bend < 0:
            return np.float32(self._rates[peak])
        half = np.float32(0.5)
        aside = np.clip(half * (lower - upper) / bend, -half, half)
        return np.float32(self._rates[peak] + aside * self._step)

    def _nothing(self, quality: np.float32) -> tuple[np.float32, np.float32]:
        self._without += 1
        if self._without >= FORGOTTEN:
            self._last = None
        return np.float32(np.nan), quality


def _result(stage: SpectrumPeak, inputs: Signals) -> Signal:
    """Two numbers, the rate a minute and the quality; takes a window of one number, and one of motion with as many rows."""
    pulse = inputs[0]
    if not pulse.spacing_s or pulse.shape[0] != pulse.elements:
        raise stage.fail(
            f'takes a window of one number; "{pulse.name}" has the shape {list(pulse.shape)}, so select and put a window before it'
        )
    for motion in inputs[1:]:
        if motion.spacing_s != pulse.spacing_s or motion.shape[0] != pulse.shape[0]:
            raise stage.fail(
                f'takes motion in a window like that of "{pulse.name}", of {pulse.shape[0]} rows {pulse.spacing_s:g} s apart; hold '
                f'"{motion.name}" on the pulse before its window'
            )
    fastest = 30 / pulse.spacing_s
    if not stage.low_bpm < stage.high_bpm < fastest:
        raise stage.fail(
            f"looks from {stage.low_bpm:g} to {stage.high_bpm:g} a minute; it takes low_bpm below high_bpm below {fastest:g}"
        )
    count = len(rates(stage))
    if not 3 <= count <= MAX_RATES:
        raise stage.fail(f"has a grid of {count} rates, and 3 to {MAX_RATES} are possible; change step_bpm")
    return Signal(stage.gives, (2,), "", pulse.rate_hz, pulse.clock)


OP = Recursive(
    SpectrumPeak,
    _result,
    _Tracker,
    "float32; mean of the numbers with a value in their order; (x - mean) times a Hann window; Goertzel's recursion s = (x + c s1) - s2 "
    "with c = 2 cos w from float64, power (s1 s1 + s2 s2) - (c s1) s2; axes of motion summed in their order; the first of equal peaks. "
    "Constants of the grid are made at signing.",
    bound="spacing_s",
)
