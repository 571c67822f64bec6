"""resample: a signal at a rate of its own, on a grid of device time."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from thermo_core.signals import GAP_PERIODS, Sample, Series, Signal, Values
from thermo_core.stages.stage import OneInput, Regridded, Signals


class Resample(OneInput, frozen=True, tag="resample"):
    """One sample for each step of a grid of device time: the mean of the samples within the step, or the last one.

    A step is given when the first sample beyond it comes, with the time of the step's end. Steps in which nothing came are left
    out by the mean; the last value stands in for them for as long as the signal has no gap.

    Attributes:
        rate_hz: steps a second; its period is taken to the microsecond.
        by: "mean" or "last"; only "last" makes a signal faster.
    """

    rate_hz: Annotated[float, Meta(gt=0, le=1000)]
    by: Literal["mean", "last"] = "mean"

    @property
    def period_us(self) -> int:
        """Length of a step."""
        return max(1, round(1e6 / self.rate_hz))

    def gap_us(self, signal: Signal) -> int:
        """Longest time between two samples of its input that is no gap."""
        return max(signal.gap_us, GAP_PERIODS * self.period_us)


class _Grid:
    def __init__(self, stage: Resample, inputs: Signals) -> None:
        self._stage = stage
        self._shape = inputs[0].shape
        self._gap_us = stage.gap_us(inputs[0])
        self._step = self._newest_us = 0
        self._fresh = False
        self._begin()

    def push(self, sample: Sample) -> list[Sample]:
        period_us = self._stage.period_us
        step = sample.time_us // period_us
        if sample.fresh or (self._count and sample.time_us - self._newest_us > self._gap_us):
            self.reset()
            self._fresh = True
        given: list[Sample] = []
        if self._count and step != self._step:
            given.append(self._close(sample.order))
            if self._stage.by == "last":
                held = given[0]
                given += [
                    Sample((between + 1) * period_us, held.values, held.flags, False, held.order)
                    for between in range(self._step + 1, step)
                ]
            self._begin()
        self._step, self._newest_us = step, sample.time_us
        self._add(sample)
        return given

    def run(self, series: Series) -> Series:
        """What a grid at its start gives for all of these, one after the other."""
        if self._stage.by == "last" or not len(series):
            given = [sample for place in range(len(series)) for sample in self.push(series.sample(place))]
            return Series.of(given, self._shape)
        period_us = self._stage.period_us
        steps = series.times_us // period_us
        torn = series.fresh.copy()
        torn[1:] |= np.diff(series.times_us) > self._gap_us
        begins = torn.copy()
        begins[0] = True
        begins[1:] |= np.diff(steps) != 0
        starts = np.flatnonzero(begins)
        ends = np.append(starts[1:], len(series))
        # A step is given by the sample after it, unless that one begins anew.
        whole = np.append(~torn[starts[1:]], False)
        sums, counts = (np.zeros((len(starts), *self._shape), np.float32) for _ in range(2))
        with np.errstate(invalid="ignore", over="ignore"):
            for place in range(int((ends - starts).max())):
                there = np.flatnonzero(starts + place < ends)
                values = series.values[starts[there] + place]
                known = ~np.isnan(values)
                sums[there] = np.where(known, sums[there] + values, sums[there])
                counts[there] += known
            mean = np.asarray(sums / counts, np.float32)
        flags = np.bitwise_or.reduceat(series.flags, starts).astype(np.uint16)
        times_us = (steps[starts] + 1) * period_us
        order = np.append(series.order[starts[1:]] + 1, 0)
        return Series(times_us, mean, flags, torn[starts], order).pick(np.flatnonzero(whole))

    def reset(self) -> None:
        self._fresh = False
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._flags = 0
        self._sums = np.zeros(self._shape, np.float32)
        self._counts = np.zeros(self._shape, np.float32)
        self._last: Values = self._sums

    def _add(self, sample: Sample) -> None:
        known = ~np.isnan(sample.values)
        self._sums = np.where(known, self._sums + sample.values, self._sums).astype(np.float32)
        self._counts = self._counts + known.astype(np.float32)
        self._last = sample.values
        self._flags |= sample.flags
        self._count += 1

    def _close(self, order: int) -> Sample:
        with np.errstate(invalid="ignore"):
            mean = np.asarray(self._sums / self._counts, np.float32)
        values = mean if self._stage.by == "mean" else self._last
        fresh, self._fresh = self._fresh, False
        return Sample((self._step + 1) * self._stage.period_us, values, self._flags, fresh, order + 1)


def _result(stage: Resample, inputs: Signals) -> Signal:
    """Shape and unit of the input, at `rate_hz` on a clock of its own; a mean makes nothing faster."""
    (signal,) = inputs
    stage.needs_rate(signal, "hold it on another signal")
    if stage.by == "mean" and stage.rate_hz > signal.rate_hz:
        raise stage.fail(
            f'makes "{signal.name}" faster ({signal.rate_hz:g} to {stage.rate_hz:g} Hz), which no mean can; say by = "last"'
        )
    return Signal(stage.gives, signal.shape, signal.unit, 1e6 / stage.period_us, f"{signal.clock}@{stage.period_us}")


OP = Regridded(
    Resample,
    _result,
    _Grid,
    "mean: float32 sum in the order of samples over float32 of their number, of elements with a value; last: copies.",
)
