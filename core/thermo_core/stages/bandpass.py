"""bandpass: a Butterworth filter that lets a band of frequencies through, as second-order sections."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.signals import GAP_PERIODS, Signal, Values
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

LARGEST_SPAN = 65_535
_ROUNDED_DEVIATION = 0.02
"""How far rounding the coefficients to float32 may move the filter's gain, of 1."""


class Bandpass(OneInput, frozen=True, tag="bandpass"):
    """A Butterworth band-pass, element by element: slow drift and fast noise go, a pulse stays.

    It is at rest on the first number it gets, so that a level gives nothing. A number without a value is filtered as if the one
    before it had come again, and gives no value; after four of them in a row the filter starts anew with the next number, as it does
    after a time without samples. Flags go on for a period of `low_hz`.

    Attributes:
        low_hz: where it falls to 0.71 of its gain, on the side of slow signals.
        high_hz: likewise on the side of fast ones; below half the signal's rate.
        order: of the filter on either side.
    """

    low_hz: Annotated[float, Meta(gt=0, le=1000)]
    high_hz: Annotated[float, Meta(gt=0, le=1000)]
    order: Annotated[int, Meta(ge=1, le=4)] = 2


@dataclass(frozen=True, slots=True)
class Section:
    """y = b x + s1; s1 = s2 - a1 y; s2 = -b x - a2 y: direct form II transposed, whose zeros are at 0 and at half the rate."""

    b: np.float32
    a1: np.float32
    a2: np.float32


@cache
def sections(low_hz: float, high_hz: float, order: int, rate_hz: float) -> tuple[Section, ...]:
    """`order` sections, by the radius of their poles, each with a gain of 1 in the middle of the band.

    Poles of the analogue low-pass on the unit circle become pairs of band-pass poles, p -> p B/2 +- root((p B/2)^2 - W^2), which the
    bilinear transform takes to z = (1 + s) / (1 - s) (Oppenheim & Schafer, Discrete-Time Signal Processing, 7.1).
    """
    low, high = (math.tan(math.pi * edge / rate_hz) for edge in (low_hz, high_hz))
    width, middle = high - low, low * high
    poles: list[tuple[complex, complex]] = []
    for k in range((order + 1) // 2):
        angle = math.pi * (2 * k + 1 + order) / (2 * order)
        half = complex(math.cos(angle), math.sin(angle)) * width / 2
        if 2 * k + 1 == order:
            half = complex(half.real, 0.0)
        root = (half * half - middle) ** 0.5
        if 2 * k + 1 == order:
            poles.append((half + root, half - root))
        else:
            poles += [(one, one.conjugate()) for one in (half + root, half - root)]
    s = 1j * math.sqrt(middle)
    at_middle = (1 + s) / (1 - s)
    found = []
    for pair in poles:
        first, second = ((1 + pole) / (1 - pole) for pole in pair)
        a1, a2 = -(first + second).real, (first * second).real
        gain = abs((1 - at_middle**-2) / (1 + a1 / at_middle + a2 * at_middle**-2))
        found.append((a2, Section(np.float32(1 / gain), np.float32(a1), np.float32(a2))))
    return tuple(section for _, section in sorted(found, key=lambda one: one[0]))


def gain(rounded: tuple[Section, ...], frequency_hz: float, rate_hz: float) -> float:
    """Magnitude of the response at a frequency."""
    z = complex(math.cos(2 * math.pi * frequency_hz / rate_hz), math.sin(2 * math.pi * frequency_hz / rate_hz))
    total = 1.0
    for one in rounded:
        total *= abs(float(one.b) * (1 - z**-2) / (1 + float(one.a1) / z + float(one.a2) * z**-2))
    return total


class _Filter:
    """Columns of elements, each with the state of each section."""

    def __init__(self, stage: Bandpass, inputs: Signals) -> None:
        (signal,) = inputs
        self._sections = sections(stage.low_hz, stage.high_hz, stage.order, signal.rate_hz)
        self._columns = [_Column(self._sections) for _ in range(signal.elements)]

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        values = moments.values[0]
        columns = values.reshape(len(values), -1)
        with np.errstate(all="ignore"):
            filtered = [one.run(columns[:, place]) for place, one in enumerate(self._columns)]
        return np.stack(filtered, axis=1).reshape(values.shape), np.zeros(len(values), np.uint16)


class _Column:
    def __init__(self, found: tuple[Section, ...]) -> None:
        self._sections = found
        self._states = [(np.float32(0), np.float32(0)) for _ in found]
        self._last = np.float32(0)
        self._lacking = GAP_PERIODS  # numbers without a value in a row; so many: not begun

    def run(self, x: Values) -> Values:
        """Filter (n,) numbers stretch by stretch, each from where the filter begins anew."""
        y = np.full(len(x), np.nan, np.float32)
        finite = np.isfinite(x)
        at = 0
        while at < len(x):
            if self._lacking == GAP_PERIODS:
                following = np.flatnonzero(finite[at:])
                if not following.size:
                    break
                at += int(following[0])
                self._begin(x[at])
            at += self._stretch(x[at:], finite[at:], y[at:])
        return y

    def _begin(self, x: np.float32) -> None:
        rest = -(self._sections[0].b * x)
        self._states = [(rest, rest), *((np.float32(0), np.float32(0)) for _ in self._sections[1:])]
        self._last, self._lacking = x, 0

    def _stretch(self, x: Values, finite: NDArray[np.bool_], y: Values) -> int:
        """Write what is given until the filter is lost, or to the end; how many numbers that took."""
        places = np.arange(len(x))
        newest = np.maximum.accumulate(np.where(finite, places, -1))
        lacking = np.where(newest >= 0, places - newest, places + 1 + self._lacking)
        lost = np.flatnonzero(lacking >= GAP_PERIODS)
        count = int(lost[0]) + 1 if lost.size else len(x)
        held = np.where(newest >= 0, x[np.maximum(newest, 0)], self._last)[:count].astype(np.float32)
        given = held
        for place, section in enumerate(self._sections):
            given, self._states[place] = _section(section, given, *self._states[place])
        broken = np.flatnonzero(~np.isfinite(given))
        if broken.size:  # beyond float32: what came before it stands, and the filter begins anew
            count = int(broken[0]) + 1
            self._lacking = GAP_PERIODS
        else:
            self._lacking = int(min(lacking[count - 1], GAP_PERIODS))
        self._last = held[count - 1]
        shown = finite[:count] & np.isfinite(given[:count])
        y[:count] = np.where(shown, given[:count], np.float32(np.nan))
        return count


def _section(one: Section, x: Values, s1: np.float32, s2: np.float32) -> tuple[Values, tuple[np.float32, np.float32]]:
    weighed: Values = one.b * x
    y = np.empty_like(x)
    for place, w in enumerate(weighed):
        given = w + s1
        s1 = s2 - one.a1 * given
        s2 = -w - one.a2 * given
        y[place] = given
    return y, (s1, s2)


def _result(stage: Bandpass, inputs: Signals) -> Signal:
    """That of the input, which comes at a rate; K where it is degC."""
    (signal,) = inputs
    stage.needs_rate(signal)
    if not stage.low_hz < stage.high_hz < signal.rate_hz / 2:
        raise stage.fail(
            f"lets {stage.low_hz:g} to {stage.high_hz:g} Hz through; of a signal of {signal.rate_hz:g} Hz it takes low_hz below "
            f"high_hz below {signal.rate_hz / 2:g}"
        )
    found = sections(stage.low_hz, stage.high_hz, stage.order, signal.rate_hz)
    edges = [gain(found, edge, signal.rate_hz) for edge in (stage.low_hz, stage.high_hz)]
    if any(one.a2 >= 1 or abs(one.a1) >= 1 + one.a2 for one in found) or any(
        abs(one - math.sqrt(0.5)) > _ROUNDED_DEVIATION for one in edges
    ):
        raise stage.fail(
            f"has a band too narrow or too slow for float32 at {signal.rate_hz:g} Hz; resample the signal to a lower rate first, or "
            "lower the order"
        )
    unit = "K" if signal.unit == "degC" else signal.unit
    return Signal(stage.gives, signal.shape, unit, signal.rate_hz, signal.clock)


OP = Recursive(
    Bandpass,
    _result,
    _Filter,
    "coefficients in float64 from the bilinear transform, rounded to float32; `order` sections, by the radius of their poles, in direct "
    "form II transposed: y = b x + s1; s1 = s2 - a1 y; s2 = (-b x) - a2 y, each product rounded before it is added. What leaves float32 "
    "starts the filter anew.",
    lambda stage, inputs: max(1, min(LARGEST_SPAN, round(inputs[0].rate_hz / stage.low_hz))),
    bound="rate_hz",
)
