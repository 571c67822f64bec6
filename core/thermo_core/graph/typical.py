"""What the sensors of any wearable might say on a body, to try its graph and networks on where no sensor is at hand.

Levels and contrasts are those of skin (32-35 degC, a few tenths of a kelvin from place to place, a warm spot of some kelvin), of a
person before a room, of a pulse, of a wrist at rest; noise is that of such sensors (MLX90640 data sheet: NETD some tenths of a
kelvin at 16 Hz). They are plausible, and no measurement of anybody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.graph.plan import PERSON, Plan
from thermo_core.graph.series import order_of_blocks
from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Series, Signal, Values
from thermo_core.wearable.person import FIELDS

SCENES = ("skin", "skin with a warm spot", "a person in a room")
"""What a camera sees; other sensors say the same in each."""
NOISE_K = 0.3
"""Of a camera's pixel."""
MAX_SECONDS = 4096
"""Longest time that `typical_series` makes."""
EVENT_S = 10.0
"""Between two samples of a signal that comes when something happens."""

_SEED = 640
_WIDE = 1e6
"""Bounds as wide as this say nothing of what is usual."""
_Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is usual of a unit.

    Attributes:
        level: in the middle.
        between: standard deviation from one element of a sample to the next.
        slow: swing over a minute.
        noise: standard deviation from sample to sample.
    """

    level: float
    between: float
    slow: float
    noise: float


_USUAL: Mapping[str, _Usual] = {
    "degC": _Usual(33.5, 0.5, 0.3, 0.05),
    "%": _Usual(45.0, 3.0, 3.0, 0.3),
    "V": _Usual(3.3, 0.0, 0.0, 0.003),
    "bpm": _Usual(72.0, 0.0, 8.0, 1.5),
    "uS": _Usual(3.0, 0.5, 1.0, 0.05),
    "K": _Usual(0.0, 0.5, 0.3, 0.05),
}
_ELSE = _Usual(0.0, 0.5, 0.5, 0.1)


def typical_pictures() -> Mapping[str, Values]:
    """Scenes of an MLX90640's size without noise by name: (24, 32) float32, degC."""
    return {scene: _scene((24, 32), scene).astype(np.float32) for scene in SCENES}


def typical_series(plan: Plan, scene: str, seconds: float) -> dict[str, Series]:
    """Signals of all sensors of a wearable, the same each time.

    Args:
        plan: the wearable.
        scene: one of `SCENES`.
        seconds: how long, at most `MAX_SECONDS`; each sensor says something at least once.

    Returns:
        By the names of signals, ready for `graph.series.run`; what is known of the wearer is the middle of what can be.
    """
    moments = [_times(sensor, seconds) for sensor in plan.profile.sensors]
    orders = _orders(moments)
    found: dict[str, Series] = {}
    for number, (sensor, times_us) in enumerate(zip(plan.profile.sensors, moments, strict=True)):
        for part, signal in enumerate(sensor.signals):
            generator = np.random.default_rng([_SEED, number, part])
            values = _values(signal, sensor.bounds, times_us / 1e6, scene, generator)
            found[signal.name] = Series(times_us, values.astype(np.float32), order=orders[number])
    first_us = min(int(times_us[0]) for times_us in moments)
    for name in plan.profile.person:
        middle = np.array([(FIELDS[name].low + FIELDS[name].high) / 2], np.float32)
        found[f"{PERSON}.{name}"] = Series(np.array([first_us], np.int64), middle)
    return found


def _times(sensor: SensorSettings, seconds: float) -> NDArray[np.int64]:
    """Moments of a sensor, microseconds, from its first period on."""
    rate_hz = sensor.signals[0].rate_hz or 1 / EVENT_S
    count = max(1, int(min(seconds, MAX_SECONDS) * rate_hz))
    times_us: NDArray[np.int64] = np.rint(np.arange(1, count + 1) * (1e6 / rate_hz)).astype(np.int64)
    return times_us


def _orders(moments: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Each moment as a block of its own, in the order of time and, where that is the same, of sensors; 0 is the wearer's."""
    times = np.concatenate(moments)
    sensors = np.repeat(np.arange(len(moments)), [len(one) for one in moments])
    ranks = np.empty(len(times), np.int64)
    ranks[np.lexsort((sensors, times))] = order_of_blocks(len(times), 1)
    return np.split(ranks, np.cumsum([len(one) for one in moments])[:-1])


def _values(
    signal: Signal, bounds: tuple[float, float], times_s: _Numbers, scene: str, generator: np.random.Generator
) -> _Numbers:
    if signal.unit == "degC" and len(signal.shape) == 2 and min(signal.shape) > 1:
        noise = generator.normal(0, NOISE_K, (len(times_s), *signal.shape))
        return np.clip(_scene(signal.shape, scene) + noise, *bounds)
    shaped = _SHAPED.get(signal.unit)
    if shaped is not None:
        return np.clip(shaped(signal, times_s, generator), *bounds)
    usual = _USUAL.get(signal.unit, _ELSE)
    low, high = bounds
    if high - low < _WIDE and (signal.unit not in _USUAL or not low <= usual.level <= high):
        usual = _Usual((low + high) / 2, (high - low) / 12, (high - low) / 12, (high - low) / 50)
    size = (len(times_s), signal.elements)
    apart = usual.between * generator.standard_normal(signal.elements)
    swing = usual.slow * np.sin(2 * np.pi * (times_s[:, np.newaxis] / 60 + generator.random(signal.elements)))
    values = usual.level + apart + swing + usual.noise * generator.standard_normal(size)
    bounded: _Numbers = np.clip(values, low, high).reshape(len(times_s), *signal.shape)
    return bounded


def _scene(shape: tuple[int, ...], scene: str) -> _Numbers:
    """A picture of a scene, degC."""
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    row, column = row * (24 / shape[0]), column * (32 / shape[1])

    def spot(at: tuple[float, float], radius: float) -> _Numbers:
        square = np.square(row - at[0]) + np.square(column - at[1])
        risen: _Numbers = np.exp(-square / (2 * radius**2))
        return risen

    if scene == "a person in a room":
        return 23.0 + 10.0 * spot((14, 16), 6)
    skin: _Numbers = 33.5 + 0.4 * np.sin(row / 7 + 0.5) * np.cos(column / 9) + 0.3 * (column / 31 - 0.5)
    return skin + 1.5 * spot((9, 20), 3) if scene == "skin with a warm spot" else skin


def _pulse(signal: Signal, times_s: _Numbers, generator: np.random.Generator) -> _Numbers:
    """Photocurrent under a finger, nA: a beat of 1.2 Hz on what tissue sends back."""
    phase = 2 * np.pi * 1.2 * times_s[:, np.newaxis]
    beat = 6.0 * np.sin(phase) + 2.0 * np.sin(2 * phase + 0.7)
    level: _Numbers = (1000.0 + beat).reshape(-1, *(1 for _ in signal.shape))
    return level + generator.normal(0, 0.5, (len(times_s), *signal.shape))


def _gravity(signal: Signal, times_s: _Numbers, generator: np.random.Generator) -> _Numbers:
    """A wrist at rest that turns a little, g."""
    turned = 0.3 * np.sin(2 * np.pi * times_s / 20)
    axes = np.stack([np.sin(turned), 0.2 * np.ones_like(turned), np.cos(turned)], axis=1)
    size = (len(times_s), *signal.shape)
    shaped: _Numbers = np.resize(axes, size) if signal.shape != (3,) else axes
    return shaped + generator.normal(0, 0.01, size)


_SHAPED: Mapping[str, Callable[[Signal, _Numbers, np.random.Generator], _Numbers]] = {"nA": _pulse, "g": _gravity}
