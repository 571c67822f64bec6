"""Packed samples come back as they were, cost what their noise costs, and no bytes harm the reader."""

from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from thermo_core.errors import CountsError
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.samples import MAX_LOST, MAX_PERIOD_US, Format, Samples, pack, unpack

FORMATS = [Format(1, 0, (1 << 18) - 1), Format(3, 0, (1 << 18) - 1), Format(3, -2048, 2047), Format(3, -128, 127)]


@st.composite
def blocks(draw: st.DrawFn) -> tuple[Samples, Format]:
    """Samples of any kind: anything at all, noise of any size, ends of the range."""
    form = draw(st.sampled_from(FORMATS))
    count = draw(st.integers(1, 64))
    if draw(st.booleans()):
        ends = st.sampled_from([form.low, form.low + 1, form.high - 1, form.high])
        elements = st.integers(form.low, form.high) | ends
        values = draw(hnp.arrays(np.int32, (count, form.channels), elements=elements))
    else:
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        walk = rng.normal(0, 2 ** draw(st.floats(0, 16)), (count, form.channels)).cumsum(axis=0)
        noise = rng.normal(rng.uniform(form.low, form.high), 2 ** draw(st.floats(0, 16)), (count, form.channels))
        values = np.clip(np.rint(walk + noise), form.low, form.high).astype(np.int32)
    lost, status = draw(st.integers(0, MAX_LOST)), draw(st.integers(0, 255))
    return Samples(values, draw(st.integers(1, MAX_PERIOD_US)), lost, status), form


@few(120, of=400)
@given(blocks())
def test_what_is_packed_comes_back(made: tuple[Samples, Format]) -> None:
    samples, form = made
    data = pack(samples, form)
    assert len(data) <= form.longest(len(samples.values))
    found = unpack(data, form)
    assert np.array_equal(found.values, samples.values)
    assert (found.period_us, found.lost, found.status) == (samples.period_us, samples.lost, samples.status)


@few(120, of=400)
@given(blocks(), st.data())
def test_damaged_bytes_are_samples_in_range_or_refused(made: tuple[Samples, Format], data: st.DataObject) -> None:
    samples, form = made
    packed = bytearray(pack(samples, form))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    _unpacks_or_refuses(bytes(packed[: data.draw(st.integers(0, len(packed)))]), form)
    _unpacks_or_refuses(bytes(packed), form)


@few(120, of=400)
@given(st.binary(max_size=700), st.sampled_from(FORMATS))
def test_any_bytes_are_samples_in_range_or_refused(data: bytes, form: Format) -> None:
    _unpacks_or_refuses(data, form)


def _unpacks_or_refuses(data: bytes, form: Format) -> None:
    try:
        found = unpack(data, form)
    except CountsError as error:
        assert str(error).endswith(".")
        return
    assert found.values.shape == ((data[0] & 63) + 1, form.channels)
    assert found.values.min() >= form.low
    assert found.values.max() <= form.high


@pytest.mark.parametrize(
    ("samples", "form"),
    [
        (Samples(np.zeros((0, 1), np.int32), 1), FORMATS[0]),
        (Samples(np.zeros((65, 1), np.int32), 1), FORMATS[0]),
        (Samples(np.zeros((1, 2), np.int32), 1), FORMATS[0]),
        (Samples(np.zeros((1, 1), np.int32), 0), FORMATS[0]),
        (Samples(np.zeros((1, 1), np.int32), MAX_PERIOD_US + 1), FORMATS[0]),
        (Samples(np.full((1, 1), 1 << 18, np.int32), 1), FORMATS[0]),
        (Samples(np.full((1, 3), -129, np.int32), 1), FORMATS[3]),
    ],
)
def test_what_no_block_holds_is_not_packed(samples: Samples, form: Format) -> None:
    with pytest.raises(CountsError):
        pack(samples, form)


def test_more_lost_samples_than_a_byte_holds_are_many() -> None:
    assert unpack(pack(Samples(np.zeros((1, 1), np.int32), 1, lost=1000), FORMATS[0]), FORMATS[0]).lost == MAX_LOST


def pulse(rng: np.random.Generator, seconds: float, rate_hz: float, noise: float) -> NDArray[np.float64]:
    """Counts of a pulse wave: two humps a beat on a level that breathes, one per cent deep."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = np.cumsum(1.2 + 0.05 * np.sin(2 * np.pi * 0.1 * t)) / rate_hz
    beat = np.exp(3 * (np.cos(2 * np.pi * phase) - 1)) + 0.4 * np.exp(3 * (np.cos(2 * np.pi * phase - 2) - 1))
    level = 100_000 * (1 + 0.002 * np.sin(2 * np.pi * 0.25 * t))
    return np.asarray(level - 1000 * beat + rng.normal(0, noise, len(t)))


@pytest.mark.parametrize(("noise", "goal"), [(8.0, 0.45), (60.0, 0.55)])
@pytest.mark.parametrize("leds", [("ir",), ("red", "ir")])
def test_a_pulse_wave_at_100_hz_takes_much_less_than_its_bytes(leds: Any, noise: float, goal: float) -> None:
    rng = np.random.default_rng(3)
    settings_ = Max3010xSettings(name="pulse", path=(0x57,), leds=leds, rate_hz=100.0, averages=1)
    waves = np.stack([pulse(rng, 60, 100, noise) for _ in leds], axis=1)
    counts = np.rint(waves).astype(np.int32)
    packed = sum(
        len(pack(Samples(counts[at : at + settings_.burst], 10_000), settings_.format))
        for at in range(0, len(counts), settings_.burst)
    )
    assert packed < goal * 3 * counts.size


def test_an_arm_at_rest_and_in_motion_takes_less_than_its_bytes() -> None:
    rng = np.random.default_rng(4)
    form = Lis3dhSettings(name="arm", path=(0x18,)).format
    t = np.arange(1500) / 25
    still = np.tile([20.0, -35.0, 498.0], (len(t), 1)) + rng.normal(0, 0.8, (len(t), 3))
    walking = still + 150 * np.sin(2 * np.pi * 1.8 * t)[:, None] * [1.0, 0.5, 0.8] + rng.normal(0, 20, (len(t), 3))
    for wave, goal in ((still, 0.35), (walking, 0.65)):
        counts = np.rint(wave).astype(np.int32)
        packed = sum(len(pack(Samples(counts[at : at + 25], 40_000), form)) for at in range(0, len(counts), 25))
        assert packed < goal * 2 * counts.size
