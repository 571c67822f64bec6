"""What a worn wearable's sensors say over hours, without a bus: signals made of what is true, with each chip's errors, noise and steps.

For training, and for days of many people; the chips themselves, which drivers read, take a day for a day of thousands of transactions.
Nothing here is flagged: what a driver or reader flags (a chip off the bus, light too weak), it flags at the bus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.signals import DEPTHS, Series
from thermo_core.wearable.profile import Profile
from thermo_sim.around import Around
from thermo_sim.chips.kind import Worn
from thermo_sim.chips.kinds import KINDS

Array = NDArray[np.float64]
CALIBRATED = 0.1
"""Share of its own errors that calibration leaves of a chip."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of a course.

    Attributes:
        start_s: of it.
        lasts_s: until it ends.
    """

    start_s: float
    lasts_s: float


def says(
    profile: Profile,
    around: Around,
    seed: int,
    stretch: Stretch,
    errors: float = CALIBRATED,
    periods: Mapping[str, float] = MappingProxyType({}),
) -> Mapping[str, Series]:
    """Signals of all sensors that are chips, by name, as the graph takes them (`thermo_core.graph.series.run`).

    Args:
        profile: the wearable.
        around: whom it is on; the world has somebody.
        seed: of the chips and their noise.
        stretch: when; a sensor that is slower than it lasts is left out.
        errors: share of a chip's own errors that it has: 1 as it leaves the factory.
        periods: seconds from sample to sample of sensors that say something more seldom than at their rate, by name.

    Raises:
        UsageError: the world has nobody, or no chip says anything in that time.
    """
    around.somebody()
    times = {}
    for number, sensor in enumerate(profile.sensors):
        if isinstance(sensor, ExternalSettings) or not sensor.signals[0].rate_hz:
            continue
        period_s = periods.get(sensor.name, 1 / sensor.signals[0].rate_hz)
        count = int(stretch.lasts_s / period_s)
        if count:
            times[number] = stretch.start_s + np.arange(1, count + 1) * period_s
    if not times:
        raise UsageError(
            f"No chip of {profile.name} says anything in {stretch.lasts_s:g} s; choose another wearable, or a longer time."
        )
    ranks = _ranks(times)
    found: dict[str, Series] = {}
    for number, at in times.items():
        sensor = profile.sensors[number]
        rng = np.random.default_rng([seed, 0x3A95, number, round(stretch.start_s)])
        own = np.random.default_rng([seed, 0x3A96, number])
        said = KINDS[sensor.kind].says(sensor, Worn(around, sensor.name, at, own, rng, errors))
        for signal, values in zip(sensor.signals, said, strict=False):
            found[signal.name] = Series(
                np.rint(at * 1e6).astype(np.int64),
                np.asarray(values, np.float32).reshape(len(at), *signal.shape),
                np.zeros(len(at), np.uint16),
                np.arange(len(at)) == 0,
                DEPTHS * ranks[number],
            )
    return found


def _ranks(times: Mapping[int, Array]) -> dict[int, NDArray[np.int64]]:
    """Running numbers of all samples as they come, sensors of one moment in their order."""
    numbers = np.concatenate([np.full(len(at), number) for number, at in times.items()])
    order = np.lexsort((numbers, np.concatenate(list(times.values()))))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return {number: ranks[numbers == number] for number in times}
