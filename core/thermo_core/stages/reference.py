"""reference: how far a signal is from what is usual of this wearer, which is learned while it is worn."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages import learning, picture
from thermo_core.stages.registration import LEAST_SIDE, Bounds, Registered, register
from thermo_core.stages.stage import Moments, OneInput, Recursive, Signals

MAX_BINS = 16
MAX_NUMBERS = 65_536
Part = Literal["difference", "reference", "hours", "samples", "shift"]


class Reference(OneInput, frozen=True, tag="reference"):
    """Each element less the wearer's own slowly learned level of it, and for how long that level was learned.

    The level is a mean weighed by time: of all that was learned at first, of about the last `memory_s` later on. A young level so takes
    up much of what comes slowly; with `settled_s` it follows over `memory_s` from then on, as if it had that age. With `ambient` there
    is one for each of `bins` equal parts from `low` to `high`, since cold skin has another level than warm skin; what is beyond
    belongs to the first and the last part. A part learns only while it is at hand, and hours are those of the part.

    Before `least_s` of learning there is neither difference nor reference, and the sample is flagged UNCALIBRATED; until then a number
    pulls its level by no more than `limit`, so that one far away at the start is outweighed. Later nothing is learned of numbers
    more than `limit` away from the level, or an inflammation would become usual. Nothing is ever learned of a sample with a flag that
    alerts do not trust, nor of numbers without a value. A time without samples neither teaches nor forgets, and what is learned is kept
    over pauses and restarts. Without a value of the ambient there is no result.

    With `most_shift` the signal is a picture that is first brought to lie as the level does: a wearer moves the camera by a pixel or so
    each time, and what stands out at an edge would else be a difference. Its shift along both axes is found by least squares over the
    level's gradients, and the picture is moved there by cubic interpolation, so that all that is given and learned lies as the
    level; what lies outside of the picture has no value. A part that has learned nothing begins as the nearest that has lies. Where the shift
    is `most_shift` or more the sample has no result, is flagged OUT_OF_DOMAIN, and nothing is learned of it.

    Attributes:
        give: what it gives, one behind the other: "difference" and "reference" of each element, "hours" of the part at hand, "samples" learned by all
            parts, "shift" in rows and columns. "difference" or "reference" alone has the signal's shape.
        ambient: one number at the same moments, such as the temperature of the air or the hour of the day; one level for all where left
            out.
        low: of `ambient`, where the first part begins.
        high: where the last one ends.
        bins: parts.
        memory_s: seconds over which the level follows.
        settled_s: seconds of learning after which it follows so; at most `memory_s`, which 0 stands for.
        least_s: seconds of learning before there is a result.
        limit: how far from the level a number may be to be learned, in the signal's unit; 0: however far.
        most_shift: pixels that a picture may be moved along each axis; 0: it is not registered.
        noise: of one pixel, in the signal's unit: contours that do not stand out of it move no picture.
    """

    give: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=5)] = ("difference", "hours")
    ambient: Ref | None = None
    low: Annotated[float, Meta(ge=-1e6, le=1e6)] = 10.0
    high: Annotated[float, Meta(ge=-1e6, le=1e6)] = 34.0
    bins: Annotated[int, Meta(ge=1, le=MAX_BINS)] = 1
    memory_s: Annotated[float, Meta(ge=1, le=1e7)] = 259_200.0
    settled_s: Annotated[float, Meta(ge=0, le=1e7)] = 0.0
    least_s: Annotated[float, Meta(ge=0, le=1e7)] = 3600.0
    limit: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    most_shift: Annotated[float, Meta(ge=0, le=4)] = 0.0
    noise: Annotated[float, Meta(ge=1e-6, le=1e6)] = 0.05

    @property
    def inputs(self) -> tuple[str, ...]:
        """The signal, and the ambient where it is given."""
        return (self.of,) if self.ambient is None else (self.of, self.ambient)

    @property
    def memory_us(self) -> int:
        """`memory_s` in microseconds."""
        return round(self.memory_s * 1e6)

    @property
    def settled_us(self) -> int:
        """`settled_s` in microseconds, `memory_us` where it is 0."""
        return round(self.settled_s * 1e6) or self.memory_us

    @property
    def least_us(self) -> int:
        """`least_s` in microseconds."""
        return round(self.least_s * 1e6)


def parts_a_unit(stage: Reference) -> np.float32:
    """Parts in a unit of the ambient."""
    return np.float32(stage.bins / (stage.high - stage.low))


def bounds(stage: Reference) -> Bounds:
    """Of a picture's shift."""
    return Bounds.of(stage.most_shift, stage.noise)


def kept_bytes(stage: Reference, elements: int) -> int:
    """Bytes of what is kept: `Progress`, int64 microseconds learned of each part, float32 levels of each part."""
    return learning.HEAD_BYTES + stage.bins * (8 + 4 * elements)


class _Learner:
    def __init__(self, stage: Reference, inputs: Signals) -> None:
        self._stage, self._shape = stage, inputs[0].shape
        self._low, self._parts = np.float32(stage.low), parts_a_unit(stage)
        self._limit = np.float32(stage.limit)
        self._bounds = bounds(stage) if stage.most_shift else None
        self._clock = learning.Clock(inputs[0].gap_us)
        self._levels = np.full((stage.bins, inputs[0].elements), np.nan, np.float32)
        self._learned_us = [0] * stage.bins
        self.progress = learning.Progress(parts=stage.bins)
        self._count_ready()

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        x = moments.values[0].reshape(len(moments.times_us), -1)
        width = _width(self._stage, x.shape[1])
        found = np.full((len(x), width), np.nan, np.float32)
        flags = np.zeros(len(x), np.uint16)
        trusted = (moments.flags & np.uint16(DOUBTFUL)) == 0
        with np.errstate(all="ignore"):
            parts = self._parts_of(moments, len(x))
            for place, time_us in enumerate(moments.times_us.tolist()):
                since_us, part = self._clock.since(time_us), parts[place]
                if part >= 0:
                    found[place], flags[place] = self._go_on(part, x[place], time_us, since_us, bool(trusted[place]))
        alone = width == x.shape[1] and self._stage.give[0] in ("difference", "reference")
        return found.reshape(len(x), *self._shape) if alone else found, flags

    def interrupt(self) -> None:
        self._clock.interrupt()

    def save(self) -> bytes:
        learned = np.array(self._learned_us, "<i8").tobytes()
        return self.progress.to_bytes() + learned + self._levels.astype("<f4").tobytes()

    def load(self, data: bytes) -> None:
        stage, elements = self._stage, self._levels.shape[1]
        if len(data) != kept_bytes(stage, elements):
            raise ValueError(f"{len(data)} bytes are not the {kept_bytes(stage, elements)} of this stage")
        progress = learning.Progress.from_bytes(data, stage.bins)
        times, levels = np.split(np.frombuffer(data[learning.HEAD_BYTES :], "u1"), [8 * stage.bins])
        learned_us = times.view("<i8").tolist()
        if not all(0 <= one <= learning.LONGEST_US for one in learned_us):
            raise ValueError("what was learned is none of this stage")
        self._learned_us, self.progress = learned_us, progress
        self._levels = levels.view("<f4").astype(np.float32).reshape(self._levels.shape)
        self._levels[~np.isfinite(self._levels)] = np.nan
        self._count_ready()

    def _parts_of(self, moments: Moments, count: int) -> list[int]:
        """Which part each moment belongs to; -1 where nobody knows."""
        if len(moments.values) == 1:
            return [0] * count
        ambient = moments.values[1].reshape(count)
        place = np.clip((ambient - self._low) * self._parts, np.float32(0), np.float32(self._stage.bins - 1))
        known = np.isfinite(ambient)
        return [int(one) for one in np.where(known, np.where(known, place, 0).astype(np.int64), -1)]

    def _go_on(self, part: int, x: Values, time_us: int, since_us: int, trusted: bool) -> tuple[Values, int]:
        at_hand = self._registered(part, x, since_us)
        values, ready = at_hand.values.ravel(), self._learned_us[part] >= self._stage.least_us
        given = {
            "difference": (values - self._levels[part]) if ready and at_hand.known else np.full_like(values, np.nan),
            "reference": self._levels[part] if ready else np.full_like(values, np.nan),
            "hours": [np.float32(self._learned_us[part] // 1_000_000) / np.float32(3600)],
            "samples": [np.float32(self.progress.samples)],
            "shift": at_hand.shift if at_hand.known else (np.nan, np.nan),
        }
        said = np.concatenate([np.asarray(given[one], np.float32) for one in self._stage.give])
        if trusted and at_hand.known and np.isfinite(values).any():
            self._learn(part, values, time_us, since_us)
        return said, (0 if ready else Quality.UNCALIBRATED) | (0 if at_hand.known else Quality.OUT_OF_DOMAIN)

    def _registered(self, part: int, x: Values, since_us: int) -> Registered:
        """The sample as the level lies; as it is where nothing was learned or nothing is registered."""
        guide = self._guide(part) if self._bounds is not None else -1
        picture = x.reshape(self._shape)
        if self._bounds is None or guide < 0:
            return Registered(picture, (np.float32(0), np.float32(0)), True)
        share = self._weight(since_us, self._learned_us[guide])
        return register(picture, self._levels[guide].reshape(self._shape), self._bounds, share)

    def _weight(self, since_us: int, learned_us: int) -> np.float32:
        """Of a sample among those learned."""
        most_us = learned_us if learned_us < self._stage.settled_us else self._stage.memory_us
        return min(np.float32(since_us) / np.float32(most_us), np.float32(1)) if most_us else np.float32(0)

    def _guide(self, part: int) -> int:
        """The part that has learned and is nearest to this one, the lower of two; -1 where none has."""
        for apart in range(self._stage.bins):
            for near in (part - apart, part + apart):
                if 0 <= near < self._stage.bins and self._learned_us[near]:
                    return near
        return -1

    def _learn(self, part: int, x: Values, time_us: int, since_us: int) -> None:
        level, stage = self._levels[part], self._stage
        early = self._learned_us[part] < stage.least_us
        self._learned_us[part] += since_us
        weight = self._weight(since_us, self._learned_us[part])
        apart = x - level
        near = (np.abs(apart) <= self._limit) | (self._limit == 0) | early
        pull = np.clip(apart, -self._limit, self._limit) if early and self._limit else apart
        moved = level + weight * pull
        learned = np.where(near & np.isfinite(moved), moved, level)
        self._levels[part] = np.where(np.isfinite(x), np.where(np.isnan(level), x, learned), level)
        self.progress.age_us += self._clock.aged(time_us)
        self.progress.learned_us += since_us
        self.progress.samples = min(self.progress.samples + 1, 0xFFFFFFFF)
        self._count_ready()

    def _count_ready(self) -> None:
        self.progress.ready = sum(one >= self._stage.least_us for one in self._learned_us)


def _width(stage: Reference, elements: int) -> int:
    widths = {"difference": elements, "reference": elements, "hours": 1, "samples": 1, "shift": 2}
    return sum(widths[one] for one in stage.give)


def _result(stage: Reference, inputs: Signals) -> Signal:
    """What `give` says; takes a signal at a rate. Of more than one thing a row, without a unit, since hours are none of the signal's."""
    signal = inputs[0]
    stage.needs_rate(signal)
    for ambient in inputs[1:]:
        if ambient.elements != 1:
            raise stage.fail(f'takes "{ambient.name}" as ambient, which has {ambient.elements} numbers; select one')
    if not stage.low < stage.high:
        raise stage.fail(f"has parts from {stage.low:g} to {stage.high:g}; make low the lower one")
    if stage.bins > 1 and stage.ambient is None:
        raise stage.fail("has several bins and no ambient to tell them by; name one, or leave out bins")
    if stage.bins * signal.elements > MAX_NUMBERS:
        raise stage.fail(f"would keep {stage.bins * signal.elements} numbers and may keep {MAX_NUMBERS}; lower bins")
    if stage.settled_s > stage.memory_s:
        raise stage.fail(f"settles after {stage.settled_s:g} s and follows over {stage.memory_s:g} s; settle sooner")
    if len(set(stage.give)) != len(stage.give):
        raise stage.fail(f"gives {', '.join(stage.give)}; name each once")
    if stage.most_shift and min(picture.picture(stage, signal)) < LEAST_SIDE:
        raise stage.fail(f'registers pictures of {LEAST_SIDE} rows and columns or more; "{signal.name}" is smaller')
    if "shift" in stage.give and not stage.most_shift:
        raise stage.fail("gives the shift of what it does not register; say most_shift")
    if stage.give in (("difference",), ("reference",)):
        unit = signal.unit if stage.give == ("reference",) else picture.difference_unit(signal.unit)
        return Signal(stage.gives, signal.shape, unit, signal.rate_hz, signal.clock)
    return Signal(stage.gives, (_width(stage, signal.elements),), "", signal.rate_hz, signal.clock)


OP = Recursive(
    Reference,
    _result,
    _Learner,
    "float32; level + w (x - level) with w = float32(microseconds that the sample stands for) over float32(those learned, "
    "from `settled_s` on `memory_s`); the part is (ambient - low) times float32(bins / (high - low)), rounded towards 0; hours are whole seconds over 3600. A "
    "sample stands for the time since the one before, or for a period where that is longer than a gap. A shift: up to 10 steps of "
    "Gauss-Newton from 0, each of at most a pixel, the last one shorter than 0.01 pixels; slopes are half the difference of the pixels beside; "
    "sums over the inner pixels row by row, from the second step on weighed by 1 / (1 + (what is left / 3 `noise`)^2); (2 `noise` / `most_shift`)^2 "
    "and `noise`^2 times the sum of weights times w are added to both squares of slopes. A picture is moved by Catmull-Rom weights, first along "
    "rows, then down columns, its edge repeated.",
    lasting=True,
    kept=lambda stage, inputs: kept_bytes(stage, inputs[0].elements),
)
