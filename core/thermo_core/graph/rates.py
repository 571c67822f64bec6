"""A wearable whose sensors run at other rates than its profile asks for: because a host said so, or a bus cannot carry more."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan, plan
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile


def plan_at(profile: Profile, rates_hz: Sequence[float], outputs: Mapping[str, tuple[int, ...]] | None = None) -> Plan:
    """The graph of a profile with its sensors at the rates they are set to, so that a slow sensor is not taken for one with gaps.

    Where the graph does not fit together at these rates, it is that of the profile. Stages whose constants are made for the profile's
    rates give no value at others. A rate that is the profile's in single precision, as firmware tells it, is the profile's.

    Args:
        profile: the wearable.
        rates_hz: of each sensor, by number; 0 where it is not known.
        outputs: as `graph.plan.plan`.

    Raises:
        ProfileError: the profile does not fit together.
    """
    sensors = tuple(
        _at(sensor, rates_hz[number] if number < len(rates_hz) else 0.0)
        for number, sensor in enumerate(profile.sensors)
    )
    planned = plan(profile, outputs)
    if sensors == profile.sensors:
        return planned
    try:
        return plan(replace(profile, sensors=sensors), outputs, planned.signals)
    except ProfileError:
        return planned


def _at(sensor: SensorSettings, rate_hz: float) -> SensorSettings:
    if rate_hz <= 0 or np.float32(getattr(sensor, "rate_hz", rate_hz)) == np.float32(rate_hz):
        return sensor
    changed: SensorSettings = replace(sensor, rate_hz=rate_hz)
    return sensor if changed.problem() else changed
