"""How long the sensors of a wearable keep its I2C bus busy: what `visits` of their settings say, at nine clocks a byte.

Calculated for a bus without faults: each transaction once, nothing polled twice, no pauses between messages. Conversions cost
nothing, since the bus is free while a chip measures. A chip behind multiplexers costs, at each visit, a byte to each of them
that opens its way and one that closes it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thermo_core.errors import UsageError
from thermo_core.sensors.settings import BusSensorSettings, SensorSettings

CLOCKS_PER_BYTE = 9
SLOWEST_HZ = 10_000
OSCILLATOR = 1.05
"""A chip's own clock may be so much faster than it says."""

_SELECT = (1,)
"""A multiplexer takes a byte: the mask of its channels."""


@dataclass(frozen=True, slots=True)
class SensorLoad:
    """What one sensor costs.

    Attributes:
        name: of the sensor.
        share: of the bus's time, 0 to 1 and beyond.
        longest_s: longest time that a visit keeps the bus from others, s.
        room_s: how late a visit may be before something is lost, s.
    """

    name: str
    share: float
    longest_s: float
    room_s: float = math.inf


@dataclass(frozen=True, slots=True)
class BusLoad:
    """What all of them cost.

    Attributes:
        frequency_hz: of the bus.
        sensors: those on the bus, in the profile's order.
    """

    frequency_hz: int
    sensors: tuple[SensorLoad, ...]

    @property
    def share(self) -> float:
        """Of the bus's time; above 1 it cannot be carried."""
        return sum(sensor.share for sensor in self.sensors)


def clocks(transaction: Sequence[int]) -> int:
    """Clocks of a transaction: a START and nine clocks for the address and each byte of its messages, then a STOP.

    Args:
        transaction: bytes of each message, without the address.
    """
    return sum(1 + CLOCKS_PER_BYTE * (1 + length) for length in transaction) + 1


def greatest_frequency_hz(sensors: Sequence[SensorSettings]) -> int:
    """What every chip on the bus bears, Hz; 1 MHz where there is none."""
    return min((sensor.max_bus_hz for sensor in sensors if isinstance(sensor, BusSensorSettings)), default=1_000_000)


def overload(sensors: Sequence[SensorSettings]) -> str:
    """Why no bus can carry the sensors of a wearable, a clause; "" where one can.

    The bus runs at the greatest frequency that all chips on it bear: a slower one carries less.

    Args:
        sensors: of a profile that was checked.
    """
    load = bus_load(sensors, greatest_frequency_hz(sensors))
    if load.share <= 1:
        return _kept_waiting(load)
    most = max(load.sensors, key=lambda one: one.share)
    alone = f', "{most.name}" alone {100 * most.share:.0f} %' if len(load.sensors) > 1 else ""
    return (
        f"its sensors need {100 * load.share:.0f} % of the bus's time at {load.frequency_hz // 1000} kHz, the most that all of them "
        f"bear{alone}; lower their rates"
    )


def _kept_waiting(load: BusLoad) -> str:
    """Which sensor overflows while it waits for the longest visit of another and those of all that cannot wait either."""
    for one in load.sensors:
        others = sorted((other for other in load.sensors if other is not one), key=lambda other: -other.longest_s)
        if not others:
            return ""
        longest, *shorter = others
        wait_s = longest.longest_s + sum(other.longest_s for other in shorter if other.room_s < math.inf)
        if one.room_s < OSCILLATOR * wait_s:
            return (
                f'"{one.name}" has room for {1000 * one.room_s:.0f} ms beyond a burst and may have to wait {1000 * wait_s:.0f} ms, most '
                f'of it for "{longest.name}", on a bus at {load.frequency_hz // 1000} kHz; read it in smaller bursts, or slower'
            )
    return ""


def bus_load(sensors: Sequence[SensorSettings], frequency_hz: int) -> BusLoad:
    """The load of a wearable's sensors.

    Args:
        sensors: of a profile that was checked.
        frequency_hz: of the bus.

    Raises:
        UsageError: a chip does not bear the frequency; the sentence names it.
    """
    if frequency_hz < SLOWEST_HZ:
        raise UsageError(f"The I2C frequency is {frequency_hz} Hz; give {SLOWEST_HZ} or more.")
    loads = []
    for sensor in sensors:
        if not isinstance(sensor, BusSensorSettings):
            continue
        if frequency_hz > sensor.max_bus_hz:
            raise UsageError(
                f'The bus runs at {frequency_hz} Hz and sensor "{sensor.name}" ({sensor.kind}) bears {sensor.max_bus_hz}; '
                "slow the bus down, or leave the sensor out."
            )
        mux = 2 * len(sensor.bus_path.hops) * clocks(_SELECT)
        visits = [(visit.per_second, mux + sum(map(clocks, visit.transactions))) for visit in sensor.visits]
        share = sum(per_second * needed for per_second, needed in visits) / frequency_hz
        longest_s = max((needed for _, needed in visits), default=0) / frequency_hz
        room_s = min((visit.room_s for visit in sensor.visits), default=math.inf)
        loads.append(SensorLoad(sensor.name, share, longest_s, room_s))
    return BusLoad(frequency_hz, tuple(loads))
