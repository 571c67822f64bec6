"""What a stage is: its parameters as a `Stage`, and a row (`Op`) that says what it makes of signals and how it runs.

Five kinds of rows. `Elementwise` has no memory: one function of arrays whose first axis is moments does for one moment and for
many. `Remembering` looks back over samples. `Recursive` carries a state from moment to moment, as filters and estimators do, knows
their times and flags, and may add flags. `Latched` joins signals of different clocks, `Regridded` makes a clock of its own. All of
them give the same bytes one moment at a time and over a whole recording.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import StageError
from thermo_core.schema import Record
from thermo_core.signals import Ref, Sample, Series, Signal, Values

Shape = tuple[int, ...]
Signals = Sequence[Signal]
Arrays = Sequence[Values]


class Stage(Record, frozen=True, tag_field="op"):
    """Parameters of one stage.

    Attributes:
        gives: name of the signal it makes.
    """

    gives: Ref

    @property
    def op(self) -> str:
        """Name of its operation."""
        return str(self.__struct_config__.tag)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the signals it takes."""
        of = getattr(self, "of")  # noqa: B009 (each stage declares its own)
        return (of,) if isinstance(of, str) else tuple(of)

    @property
    def corner(self) -> tuple[int, int] | None:
        """Row and column of its input at which its result begins, where that is a part of it unchanged; else None."""
        return None

    def fail(self, problem: str) -> StageError:
        """The error of a stage that cannot be; `problem` reads on from its name."""
        return StageError(f'stage "{self.gives}" ({self.op}) {problem}', self.gives)

    def needs_rate(self, signal: Signal, instead: str = "resample it first") -> None:
        """Raise StageError where a signal comes now and then; `instead` is what to do about it."""
        if not signal.rate_hz:
            raise self.fail(f'takes "{signal.name}", which comes now and then, not at a rate; {instead}')


class OneInput(Stage, frozen=True):
    """A stage of one signal.

    Attributes:
        of: the signal.
    """

    of: Ref


@dataclass(frozen=True, slots=True)
class Elementwise:
    """A stage without memory.

    Attributes:
        stage: type of its parameters.
        result: the signal it makes of its inputs; raises StageError.
        apply: (stage, inputs, (n, *shape) values of each) -> (n, *shape) values.
        format: number format and order of operations, for its page.
        flags: (stage, inputs, values in, values out) -> (n,) uint16 more flags; None adds none.
        settles: flags of its inputs that end here, since its result says in its own way what numbers without a value mean to it.
    """

    stage: type[Stage]
    result: Callable[[Any, Signals], Signal]
    apply: Callable[[Any, Signals, Arrays], Values]
    format: str
    flags: Callable[[Any, Signals, Arrays, Values], NDArray[np.uint16]] | None = None
    settles: int = 0

    def settled(self, flags: int) -> int:
        """What goes on of flags of the inputs."""
        return flags & ~self.settles


class Memory(Protocol):
    """What a `Remembering` stage keeps between moments; a new one starts anew."""

    def push(self, values: Values) -> Values | None:
        """Take one sample; what it gives, or None where it gives nothing at this moment."""

    def run(self, values: Values) -> tuple[NDArray[np.int64], Values]:
        """Take many samples (n, *shape) after none: at which of them it gives something, and what."""


@dataclass(frozen=True, slots=True)
class Remembering:
    """A stage that looks back.

    Attributes:
        stage: type of its parameters.
        result: as `Elementwise`.
        start: (stage, input) -> an empty memory.
        span: (stage) -> samples that what it gives rests on.
        format: as `Elementwise`.
    """

    stage: type[Stage]
    result: Callable[[Any, Signals], Signal]
    start: Callable[[Any, Signal], Memory]
    span: Callable[[Any], int]
    format: str


@dataclass(frozen=True, slots=True)
class Moments:
    """Consecutive moments of a stage's inputs.

    Attributes:
        times_us: (n,) int64.
        values: (n, *shape) float32 of each input.
        flags: (n,) uint16, those of all inputs.
    """

    times_us: NDArray[np.int64]
    values: Arrays
    flags: NDArray[np.uint16]


class Recursion(Protocol):
    """State of a `Recursive` stage; a new one starts anew."""

    def run(self, moments: Moments) -> tuple[Values, NDArray[np.uint16]]:
        """Go on with one or more moments: (n, *shape) of what it gives at each, and (n,) flags it adds."""


def _one_sample(stage: Any, inputs: Signals) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class Recursive:
    """A stage whose state goes on from moment to moment; it gives something at each.

    Attributes:
        stage: type of its parameters.
        result: as `Elementwise`.
        start: (stage, inputs) -> a state at its start.
        format: as `Elementwise`.
        span: (stage, inputs) -> samples for which a flag of its inputs goes on.
        lasting: its state outlives a time without samples; otherwise it starts anew after one.
        kept: (stage, inputs) -> bytes of what it learns of a wearer, where it does: `start` gives a `learning.Learner` then, which nothing
            but a person starts anew; None where it learns nothing.
        bound: what of its first input its constants are made for. Where a sensor is set to another rate than the profile's, it gives
            no value, with the flag OUT_OF_DOMAIN.
    """

    stage: type[Stage]
    result: Callable[[Any, Signals], Signal]
    start: Callable[[Any, Signals], Recursion]
    format: str
    span: Callable[[Any, Signals], int] = _one_sample
    lasting: bool = False
    kept: Callable[[Any, Signals], int] | None = None
    bound: Literal["rate_hz", "spacing_s"] | None = None


class Joining(Protocol):
    """A `Latched` stage at work."""

    def push(self, samples: Mapping[str, Sample]) -> Sample | None:
        """Take the samples of its inputs at one moment, of some or all of them; what it gives, if anything."""

    def reset(self) -> None:
        """Start anew."""


@dataclass(frozen=True, slots=True)
class Latched:
    """A stage whose inputs have clocks of their own; it gives something at the moments of one of them.

    Attributes:
        stage: type of its parameters.
        result: as `Elementwise`.
        start: (stage, inputs) -> it, at its start.
        run: (stage, inputs, series of each) -> the same over a whole recording.
        format: as `Elementwise`.
    """

    stage: type[Stage]
    result: Callable[[Any, Signals], Signal]
    start: Callable[[Any, Signals], Joining]
    run: Callable[[Any, Signals, Sequence[Series]], Series]
    format: str


class Gridding(Protocol):
    """A `Regridded` stage at work."""

    def push(self, sample: Sample) -> list[Sample]:
        """Take a sample; what it gives for it, in order of time."""

    def run(self, series: Series) -> Series:
        """At its start, what it gives for many samples one after the other: the same bytes as `push`."""

    def reset(self) -> None:
        """Start anew."""


@dataclass(frozen=True, slots=True)
class Regridded:
    """A stage that makes moments of its own.

    Attributes:
        stage: type of its parameters.
        result: as `Elementwise`.
        start: (stage, inputs) -> it, at its start.
        format: as `Elementwise`.
    """

    stage: type[Stage]
    result: Callable[[Any, Signals], Signal]
    start: Callable[[Any, Signals], Gridding]
    format: str


Op = Elementwise | Remembering | Recursive | Latched | Regridded


def window_flags(flags: NDArray[np.uint16], span: int) -> NDArray[np.uint16]:
    """(n,) each with those of up to `span` - 1 samples before it."""
    spread = flags.copy()
    if span <= 1 or not flags.any():
        return spread
    indices = np.arange(len(flags))
    for bit in range(16):
        present = np.flatnonzero(flags & (1 << bit))
        if present.size:
            newest = np.searchsorted(present, indices, side="right") - 1
            near = (newest >= 0) & (indices - present[np.maximum(newest, 0)] < span)
            spread[near] |= np.uint16(1 << bit)
    return spread


class FlagSpan:
    """`window_flags` one sample at a time: how many samples each flag still holds for.

    Args:
        span: samples.
    """

    def __init__(self, span: int) -> None:
        self._span = span
        self._left = [0] * 16

    def push(self, flags: int) -> int:
        """Flags of a sample, with those that still hold."""
        spread = 0
        for bit in range(16):
            if flags >> bit & 1:
                self._left[bit] = self._span
            if self._left[bit]:
                self._left[bit] -= 1
                spread |= 1 << bit
        return spread

    def reset(self) -> None:
        """Forget them."""
        self._left = [0] * 16
