"""The firmware's network input against thermo_core: at most a step apart, and that seldom."""

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from thermo_core.contract import InputContract
from thermo_core.features import FeatureExtractor
from thermo_core.profile import Preprocessing


def push(numerics: Any, picture: NDArray[np.float32]) -> int:
    return int(numerics.c.shim_features_push(ctypes.c_void_p(np.ascontiguousarray(picture).ctypes.data)))


def quantized(numerics: Any, median: bool, scale: float, contract: InputContract) -> tuple[int, NDArray[np.int8]]:
    result = np.zeros((24, 32, 1), np.int8)
    status = numerics.c.shim_features_quantize(
        int(median),
        ctypes.c_float(scale),
        ctypes.c_float(contract.scale),
        ctypes.c_int8(contract.zero_point),
        ctypes.c_void_p(result.ctypes.data),
    )
    return status, result


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    average=st.integers(1, 16),
    more=st.integers(0, 20),
    median=st.booleans(),
    zero_point=st.integers(-128, 127),
    level=st.sampled_from([-30.0, 0.0, 34.0, 200.0]),
    spread=st.sampled_from([0.0, 0.3, 3.0, 30.0]),
)
def test_at_most_a_step_from_core(
    numerics: Any,
    seed: int,
    average: int,
    more: int,
    median: bool,
    zero_point: int,
    level: float,
    spread: float,
) -> None:
    rng = np.random.default_rng(seed)
    contract = InputContract((24, 32, 1), 0.04, zero_point)
    extractor = FeatureExtractor(Preprocessing(average, "median" if median else "none", 0.5))
    assert numerics.c.shim_features_start(average) == numerics.OK
    features = None
    for count in range(1, average + more + 1):
        picture = rng.normal(level, spread, (24, 32)).clip(-250, 250).astype(np.float32)
        features = extractor.push(picture)
        assert push(numerics, picture) == numerics.OK
        assert numerics.c.shim_features_pictures() == min(count, average)
        if features is None:
            assert quantized(numerics, median, 0.5, contract)[0] == numerics.EMPTY
    assert features is not None
    status, got = quantized(numerics, median, 0.5, contract)
    assert status == numerics.OK
    assert np.abs(got.astype(int) - contract.quantize(features)).max() <= 1


def test_few_pixels_of_a_breast_patchs_input_differ(numerics: Any) -> None:
    rng = np.random.default_rng(1)
    contract = InputContract((24, 32, 1), 0.0235, -3)
    extractor = FeatureExtractor(Preprocessing(16, "median", 1.0))
    numerics.c.shim_features_start(16)
    scene = 34 + rng.normal(0, 0.4, (24, 32))
    differing = total = 0
    for _ in range(60):
        picture = (scene + rng.normal(0, 0.28, (24, 32))).astype(np.float32)
        features = extractor.push(picture)
        push(numerics, picture)
        if features is not None:
            got = quantized(numerics, True, 1.0, contract)[1].astype(int)
            differing += int((got != contract.quantize(features)).sum())
            total += got.size
    assert differing < 0.05 * total


def test_steps_of_the_ring_are_exact(numerics: Any) -> None:
    """Pictures in whole 1/128 K lose nothing, so that every byte is core's."""
    rng = np.random.default_rng(2)
    contract = InputContract((24, 32, 1), 0.03125, 5)
    extractor = FeatureExtractor(Preprocessing(8, "median", 1.0))
    numerics.c.shim_features_start(8)
    for _ in range(20):
        picture = (rng.integers(4200, 4600, (24, 32)) / 128).astype(np.float32)
        features = extractor.push(picture)
        push(numerics, picture)
        if features is not None:
            np.testing.assert_array_equal(quantized(numerics, True, 1.0, contract)[1], contract.quantize(features))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_picture_that_is_not_finite_is_not_taken(numerics: Any, value: float) -> None:
    numerics.c.shim_features_start(2)
    picture = np.full((24, 32), 30, np.float32)
    assert push(numerics, picture) == numerics.OK
    picture[23, 31] = value
    assert push(numerics, picture) == numerics.ARGUMENT
    assert numerics.c.shim_features_pictures() == 1


def test_temperatures_beyond_the_ring_saturate(numerics: Any) -> None:
    numerics.c.shim_features_start(1)
    picture = np.zeros((24, 32), np.float32)
    picture[0, :3] = 1e30, -1e30, 300
    assert push(numerics, picture) == numerics.OK
    got = quantized(numerics, False, 1.0, InputContract((24, 32, 1), 2.5, 0))[1].ravel()
    assert got[:4].tolist() == [102, -102, 102, 0]


def test_reset_forgets_and_start_refuses_what_does_not_fit(numerics: Any) -> None:
    assert numerics.c.shim_features_start(0) == numerics.ARGUMENT
    assert numerics.c.shim_features_start(17) == numerics.ARGUMENT
    assert push(numerics, np.zeros((24, 32), np.float32)) == numerics.ARGUMENT
    assert numerics.c.shim_features_start(1) == numerics.OK
    push(numerics, np.zeros((24, 32), np.float32))
    numerics.c.shim_features_reset()
    assert numerics.c.shim_features_pictures() == 0
    assert quantized(numerics, True, 1.0, InputContract((24, 32, 1), 1.0, 0))[0] == numerics.EMPTY
