"""Roll-ups: what is kept of the samples of a minute, and how minutes make hours and days, exactly.

Samples are rounded to thousandths of their unit. A minute keeps how often each value came as long as its day goes on, so that
the percentiles of an hour or a day are those of all its samples, and not of its minutes. A percentile is the value at the nearest rank:
the least one that so many of a hundred samples do not exceed.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

STEPS = 1000
"""Of a unit."""
MOST = 1e9
"""That a sample can be; what lies beyond is no measurement."""
SEVERAL = "several"
"""Stands for more than one calibration."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """What is kept of a stretch of time; numbers in thousandths of the unit.

    Attributes:
        start_ns, end_ns: of it, nanoseconds since 1970 UTC.
        n: samples.
        doubtful: samples left out.
        lost: blocks that did not come.
        total: sum of the samples.
        low, p5, p95, high: of the samples; 0 where there are none.
        uncertainty: largest of the calibrations in use; None where none is known.
        ambient: sum of the means of the minutes that know it; None where none does.
        ambients: how many do.
        calibration: id of the one in use; "" for none.
    """

    start_ns: int
    end_ns: int
    n: int
    doubtful: int
    lost: int
    total: int
    low: int
    p5: int
    p95: int
    high: int
    uncertainty: int | None = None
    ambient: int | None = None
    ambients: int = 0
    calibration: str = ""


def steps(value: float) -> int | None:
    """A sample in thousandths of its unit, ties to even; None where it is none."""
    return round(value * STEPS) if -MOST < value < MOST else None


def rank(counts: Mapping[int, int], percent: int) -> int:
    """The value at the nearest rank of a percentile; 0 of nothing."""
    left = -(-sum(counts.values()) * percent // 100)
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return 0


def of_counts(counts: Mapping[int, int], start_ns: int, end_ns: int, doubtful: int = 0, lost: int = 0) -> Rollup:
    """What is kept of a stretch whose values came so often each."""
    return Rollup(
        start_ns,
        end_ns,
        sum(counts.values()),
        doubtful,
        lost,
        sum(value * count for value, count in counts.items()),
        min(counts, default=0),
        rank(counts, 5),
        rank(counts, 95),
        max(counts, default=0),
    )


def joined(parts: Iterable[Rollup], counts: Mapping[int, int], start_ns: int, end_ns: int) -> Rollup:
    """A longer stretch: of its parts, and of how often each value came in all of them."""
    ones = list(parts)
    whole = of_counts(counts, start_ns, end_ns, sum(one.doubtful for one in ones), sum(one.lost for one in ones))
    ambients = [one.ambient for one in ones if one.ambient is not None]
    used = {one.calibration for one in ones if one.n}
    return replace(
        whole,
        uncertainty=max((one.uncertainty for one in ones if one.uncertainty is not None), default=None),
        ambient=sum(ambients) if ambients else None,
        ambients=sum(one.ambients for one in ones),
        calibration=used.pop() if len(used) == 1 else SEVERAL if used else "",
    )


def added(*ones: Mapping[int, int]) -> Counter[int]:
    """How often each value came in all of them."""
    found: Counter[int] = Counter()
    for one in ones:
        found.update(one)
    return found


def pack(counts: Mapping[int, int]) -> bytes:
    """Counts as they are stored: the differences of the rising values, then how often each came."""
    array = np.array(sorted(counts.items()), np.int64).reshape(-1, 2).T
    array[0, 1:] = np.diff(array[0])
    return zlib.compress(array.astype("<i8").tobytes(), 6)


def unpack(data: bytes) -> Counter[int]:
    """Inverse of `pack`."""
    array = np.frombuffer(zlib.decompress(data), "<i8").reshape(2, -1)
    return Counter(dict(zip(np.cumsum(array[0]).tolist(), array[1].tolist(), strict=True)))
