"""A block of many samples as moments in time, for kinds whose chips have a FIFO."""

from collections.abc import Iterator

from thermo_core.errors import SensorError
from thermo_core.sensors.kind import Block
from thermo_core.sensors.repeats import Repeats
from thermo_core.sensors.samples import Counts, Samples

SLOWEST, FASTEST = 0.5, 2.0
"""A FIFO's clock is off by a tenth at most; a measured period this far from the nominal one was measured over a gap."""


def times_us(block: Block, samples: Samples, rate_hz: float) -> list[int]:
    """Time of each sample, microseconds: the last one's is the block's, each other one is a measured period before the next.

    Raises:
        SensorError: the period cannot be, or the first sample would lie before the device's start.
    """
    count = len(samples.values)
    if not SLOWEST <= samples.period_us * rate_hz / 1e6 <= FASTEST:
        raise SensorError(
            f"A block of sensor {block.sensor} has a sample each {samples.period_us} us and the sensor {rate_hz:g} a second; "
            "drop it."
        )
    first_us = block.time_us - (count - 1) * samples.period_us
    if first_us < 0:
        raise SensorError(f"A block of sensor {block.sensor} begins before the device was started; drop it.")
    return [first_us + place * samples.period_us for place in range(count)]


def stale(values: Counts, repeats: Repeats) -> Iterator[bool]:
    """Whether each of (n, channels) values is one of too many that are equal."""
    for row in values:
        yield repeats.push(row.tobytes())
