"""What sensors may say: gaps, missing and extreme values, flags, in blocks of one sample or of many."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from wearable_draft import SENSORS, Sensors

from thermo_core.signals import Sample

FEW = np.array([0.0, -0.0, 1.0, -1.0, 40.0], np.float32)
"""Both zeros, and little else, so that much is alike."""
SPECIAL = np.array([0.0, -0.0, 1e-42, -1e-42, 3e38, -3e38, np.inf, -np.inf, 65535.0, 0.5, 1.5], np.float32)


Recording = list[tuple[str, list[Sample]]]
"""Blocks of sensors as they came: samples of a sensor's signal, of one moment or of many."""

MOMENTS = 7
"""Most samples of a block, where a sensor has many."""


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Numbers of a sample: mostly temperatures, some of them the same, now and then none, extreme, or any float32 there is."""
    values = rng.normal(30, 5, shape).astype(np.float32)
    style = rng.random()
    if style < 0.2:
        values = np.round(values * rng.choice([0.0, 0.1, 1.0]))
    elif style < 0.3:
        values = rng.integers(0, 1 << 32, shape, np.uint32).view(np.float32)
    elif style < 0.4:
        values = rng.choice(FEW, shape)
    if style < 0.8:
        values = np.where(rng.random(shape) < 0.1, np.float32(np.nan), values)
        values = np.where(rng.random(shape) < 0.05, rng.choice(SPECIAL, shape), values)
    return np.asarray(values, np.float32).reshape(shape)


def recording(
    rng: np.random.Generator, count: int, sensors: Sensors = SENSORS, most_a_block: int = MOMENTS
) -> Recording:
    """Samples of all sensors as they come: gaps, missing and extreme values, flags, another sensor put in, one or many a block."""
    times = {name: int(rng.integers(0, 400_000)) for name in sensors}
    most = {name: int(rng.choice([1, 1, most_a_block])) for name in sensors}
    gathered: dict[str, list[Sample]] = {name: [] for name in sensors}
    due = dict.fromkeys(sensors, 1)
    blocks: Recording = []
    for _ in range(count):
        name = min(times, key=lambda one: times[one])
        shape, rate_hz = sensors[name]
        values = numbers(rng, shape)
        flags = int(rng.integers(0, 1 << 15)) if rng.random() < 0.1 else 0
        gathered[name].append(Sample(times[name], values, flags, bool(rng.random() < 0.03)))
        if len(gathered[name]) == due[name]:
            blocks.append((name, gathered[name]))
            gathered[name], due[name] = [], int(rng.integers(1, most[name], endpoint=True))
        period_us = 1e6 / (rate_hz or 1.0)
        times[name] += round(period_us * (rng.uniform(0.8, 1.2) if rng.random() < 0.95 else rng.uniform(2, 12)))
    return blocks


def plain_bytes(values: NDArray[np.float32]) -> bytes:
    """Bytes of values, with one and the same NaN for all: what has no value has no bits of its own either."""
    return np.where(np.isnan(values), np.float32(np.nan), values).astype(np.float32).tobytes()


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """`recording` of up to 80 samples."""
    return recording(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 80)))
