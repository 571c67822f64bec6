"""hold: the newest sample of a signal, at the moments of another one."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.quality import Quality
from thermo_core.signals import Ref, Sample, Series, Signal
from thermo_core.stages.stage import Latched, Signals, Stage


class Hold(Stage, frozen=True, tag="hold"):
    """Gives what a slow signal said last whenever a faster one has a sample; no value before its first, or once that is too old.

    Attributes:
        of: the signal that is held.
        on: the signal at whose moments it is given.
        oldest_s: age from which it is no value any more, flagged as stale; 0 holds for ever.
    """

    of: Ref
    on: Ref
    oldest_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """What is held, and at whose moments."""
        return (self.of, self.on)

    @property
    def oldest_us(self) -> int:
        """`oldest_s` in microseconds."""
        return round(self.oldest_s * 1e6)


class _Holding:
    def __init__(self, stage: Hold, inputs: Signals) -> None:
        self._stage = stage
        self._oldest_us = stage.oldest_us
        self._nothing = np.full(inputs[0].shape, np.nan, np.float32)
        self._held: Sample | None = None

    def push(self, samples: Mapping[str, Sample]) -> Sample | None:
        self._held = samples.get(self._stage.of, self._held)
        now = samples.get(self._stage.on)
        if now is None:
            return None
        held = self._held
        if held is None or (self._oldest_us and now.time_us - held.time_us > self._oldest_us):
            flags = Quality.MISSING if held is None else Quality.STALE
            return Sample(now.time_us, self._nothing, now.flags | flags, now.fresh, now.order)
        return Sample(now.time_us, held.values, now.flags | held.flags, now.fresh, now.order)

    def reset(self) -> None:
        self._held = None


def _run(stage: Hold, inputs: Signals, series: Sequence[Series]) -> Series:
    held, on = series
    # What both signals give at one moment is held first.
    order = np.concatenate([held.order, on.order])
    times_us = np.concatenate([held.times_us, on.times_us])
    of_on = np.repeat([False, True], [len(held), len(on)])
    came = np.lexsort((of_on, times_us, order))
    place = np.cumsum(~of_on[came])[of_on[came]] - 1
    known = place >= 0
    values = np.full((len(on), *inputs[0].shape), np.nan, np.float32)
    flags = on.flags | np.where(known, 0, np.uint16(Quality.MISSING)).astype(np.uint16)
    if len(held):
        at = np.maximum(place, 0)
        stale = known & (on.times_us - held.times_us[at] > stage.oldest_us) & (stage.oldest_us > 0)
        usable = known & ~stale
        values[usable] = held.values[at[usable]]
        flags = flags | np.where(usable, held.flags[at], 0).astype(np.uint16)
        flags = flags | np.where(stale, np.uint16(Quality.STALE), 0).astype(np.uint16)
    return Series(on.times_us, values, flags.astype(np.uint16), on.fresh, on.order)


def _result(stage: Hold, inputs: Signals) -> Signal:
    """Shape and unit of `of`, rate and clock of `on`."""
    of, on = inputs
    return Signal(stage.gives, of.shape, of.unit, on.rate_hz, on.clock, of.spacing_s)


OP = Latched(
    Hold,
    _result,
    _Holding,
    _run,
    "copies. Adds the flag MISSING before the first sample, STALE for one that is too old.",
)
