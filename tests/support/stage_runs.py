"""Stages run over recordings of sensors, for tests that compare them with plain float64 arithmetic."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core import schema
from thermo_core.graph import series
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import DEPTHS, Series
from thermo_core.wearable.profile import Profile

Sensor = dict[str, Any]


def sensor(name: str = "x", shape: tuple[int, ...] = (), rate_hz: float = 1.0, unit: str = "") -> Sensor:
    """An external signal as a profile has it."""
    return {"kind": "external", "name": name, "shape": list(shape), "rate_hz": rate_hz, "unit": unit}


def wearable(sensors: Sensor | list[Sensor], *stages: dict[str, Any]) -> Plan:
    """A wearable of these."""
    listed = sensors if isinstance(sensors, list) else [sensors]
    parts = {"name": "test", "version": "1", "sensors": listed, "stages": list(stages)}
    return plan(schema.from_plain(parts, Profile, "profile"))


def samples(values: Any, times_us: Any = None, flags: Any = None, fresh: Any = None, first: int = 0) -> Series:
    """Samples a second apart, each a block of its own, where nothing else is given."""
    given = np.asarray(values, np.float32)
    count = len(given)
    return Series(
        np.arange(count, dtype=np.int64) * 1_000_000 if times_us is None else np.asarray(times_us, np.int64),
        given,
        np.zeros(count, np.uint16) if flags is None else np.asarray(flags, np.uint16),
        np.zeros(count, np.bool_) if fresh is None else np.asarray(fresh, np.bool_),
        DEPTHS * np.arange(first, first + count, dtype=np.int64),
    )


def run(made: Plan, **sources: Series) -> Mapping[str, Series]:
    """All signals of a wearable."""
    return series.run(made, sources, {})


def one(stage: dict[str, Any], values: NDArray[np.float32] | Any, rate_hz: float = 1.0) -> NDArray[np.float32]:
    """What a stage "y" makes of a recording of one sensor, values alone."""
    given = np.asarray(values, np.float32)
    made = wearable(sensor(shape=given.shape[1:], rate_hz=rate_hz), {"of": "x", "gives": "y"} | stage)
    return run(made, x=samples(given, np.arange(len(given)) * round(1e6 / rate_hz)))["y"].values
