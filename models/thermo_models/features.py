"""What a network sees, made by the stages of a wearable: over recordings by its graph, over samples by the stages alone."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.errors import StageError, UsageError
from thermo_core.graph import series
from thermo_core.graph.plan import PERSON, plan
from thermo_core.quality import Quality
from thermo_core.schema import Floats
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Series, Signal, Values
from thermo_core.stages import OPS
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.stage import Elementwise, Stage
from thermo_core.wearable.profile import Profile

LEAST_SPREAD = 1e-6


def through(stages: Sequence[Stage], values: NDArray[np.float32], spacing_s: float = 0.0) -> Values:
    """Values of a signal as a chain of stages without memory makes them.

    Args:
        stages: each takes what the one before gives.
        values: (n, *shape).
        spacing_s: seconds from row to row, where the first axis of a sample is time.

    Raises:
        UsageError: a stage does not take what comes to it, or looks back in time.
    """
    signal, found = Signal("features", values.shape[1:], "", 1.0, "features", spacing_s), np.asarray(values, np.float32)
    for stage in stages:
        op = OPS[stage.op]
        if not isinstance(op, Elementwise):
            raise UsageError(f'The stage "{stage.gives}" ({stage.op}) needs a recording; give it the samples it makes.')
        try:
            gives = op.result(stage, (signal,))
        except StageError as error:
            raise UsageError(f"The {error}.") from error
        signal, found = gives, op.apply(stage, (signal,), [found])
    return found


def refused(stages: Sequence[Stage], values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) whether a chain of stages without memory flags samples (n, *shape) as OUT_OF_DOMAIN."""
    signal, found = Signal("features", values.shape[1:], "", 1.0, "features"), np.asarray(values, np.float32)
    flags = np.zeros(len(found), np.uint16)
    for stage in stages:
        op: Any = OPS[stage.op]
        gives, made = op.result(stage, (signal,)), op.apply(stage, (signal,), [found])
        if op.flags is not None:
            flags |= op.flags(stage, (signal,), [found], made)
        signal, found = gives, made
    return np.asarray(flags & Quality.OUT_OF_DOMAIN > 0)


def network_inputs(stages: Sequence[Stage], values: NDArray[np.float32]) -> Values:
    """`through`, in the shape a network of this project takes: (n, rows, columns, channels)."""
    made = through(stages, values)
    return made.reshape(len(made), 1, 1, -1) if made.ndim < 4 else made


def standardise(features: NDArray[np.float32], limit: float, of: str, gives: str) -> Normalise:
    """The stage that standardises each number by its mean and standard deviation over samples; NaN is left out of both.

    Raises:
        UsageError: a number is missing in every sample.
    """
    flat = features.reshape(len(features), -1)
    if np.isnan(flat).all(0).any():
        raise UsageError("A feature is missing in every training sample, so give data that have it.")
    centre, spread = np.nanmean(flat, 0), np.nanstd(flat, 0)
    return Normalise(
        of=of, gives=gives, centre=Floats(centre), spread=Floats(np.maximum(spread, LEAST_SPREAD)), limit=limit
    )


def signal_over(profile: Profile, sources: Mapping[str, Series], name: str) -> Series:
    """A signal of a wearable over a recording of its sensors.

    Args:
        profile: the wearable; its models are left out.
        sources: signals of its sensors and of what is known of its wearer.
        name: of the signal.

    Raises:
        ProfileError: the profile does not fit together.
    """
    return series.run(plan(profile), sources, {})[name]


def signal_from(profile: Profile, given: Mapping[str, Series], rates_hz: Mapping[str, float], name: str) -> Series:
    """A signal of a wearable over a recording that holds what some of its stages make, as another band's heart rate, not what sensors say.

    Args:
        profile: the wearable.
        given: signals of it, of sensors or of stages, and of the wearer.
        rates_hz: samples a second of each of these but those of sensors and the wearer's.
        name: of the signal; it must rest on these alone.

    Raises:
        ProfileError: it rests on others too, or what is given does not fit.
    """
    signals = plan(_only(profile, behind(profile, given, ()), profile.sensors)).signals
    own = {sensor.name: sensor for sensor in profile.sensors}
    sensors = tuple(
        own.get(one)
        or ExternalSettings(name=one, shape=signals[one].shape, unit=signals[one].unit, rate_hz=rates_hz[one])
        for one in given
        if signals[one].clock != PERSON
    )
    return series.run(plan(_only(profile, behind(profile, (name,), given), sensors)), given, {})[name]


def _only(profile: Profile, stages: tuple[Stage, ...], sensors: tuple[SensorSettings, ...]) -> Profile:
    return replace(profile, sensors=sensors, stages=stages, models=(), alerts=())


def behind(profile: Profile, names: Iterable[str], given: Container[str]) -> tuple[Stage, ...]:
    """Stages of a wearable that make signals, back to those that are given."""
    made = {stage.gives: stage for stage in profile.stages}
    found: dict[str, Stage] = {}
    waiting = list(names)
    while waiting:
        one = waiting.pop()
        if one in made and one not in given and one not in found:
            found[one] = made[one]
            waiting += made[one].inputs
    return tuple(found.values())


def moments(values: Mapping[str, NDArray[np.float32]], period_us: int = 1_000_000) -> dict[str, Series]:
    """Signals that all have samples at the same moments, one a period: (n, *shape) values by name."""
    found = {}
    for name, of in values.items():
        times_us = period_us * np.arange(1, len(of) + 1, dtype=np.int64)
        found[name] = Series(times_us, np.asarray(of, np.float32), order=series.order_of_blocks(len(of)))
    return found
