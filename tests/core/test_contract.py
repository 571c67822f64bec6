"""Quantisation against exact arithmetic on rational numbers, and against plain NumPy."""

import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import BundleError, ModelError, UsageError

FLOATS = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
SCALES = st.floats(2**-10, 2**6, width=32)


def float32(value: float) -> float:
    """Nearest float32; exact after one float64 division, whose 53 bits are more than twice 24 and two."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


@settings(max_examples=500)
@given(st.lists(FLOATS, min_size=1, max_size=16), SCALES, st.integers(-128, 127))
def test_quantisation_is_exact_half_to_even_with_saturation(values: list[float], scale: float, zero: int) -> None:
    contract = InputContract((len(values),), scale, zero)
    expected = [min(127, max(-128, round(Fraction(float32(value / scale))) + zero)) for value in values]
    assert contract.quantize(np.array(values, dtype=np.float32)).tolist() == expected


def test_ties_go_to_the_even_step() -> None:
    contract = InputContract((6,), 0.5, 0)
    halves = np.array([-1.25, -0.75, -0.25, 0.25, 0.75, 1.25], dtype=np.float32)
    assert contract.quantize(halves).tolist() == [-2, -2, 0, 0, 2, 2]


def test_extremes_saturate() -> None:
    contract = InputContract((4,), 1e-6, 100)
    assert contract.quantize(np.array([-3e38, 3e38, -1, 1], dtype=np.float32)).tolist() == [-128, 127, -128, 127]
    assert contract.quantize(np.zeros(4, dtype=np.float32)).tolist() == [100] * 4


def test_batches_agree_with_numpy() -> None:
    features = np.random.default_rng(1).normal(0, 3, (5, 24, 32, 1)).astype(np.float32)
    contract = InputContract((24, 32, 1), 0.037, -5)
    expected = np.clip(np.round(features / np.float32(0.037)) - 5, -128, 127)
    quantized = contract.quantize(features)
    assert quantized.dtype == np.int8
    np.testing.assert_array_equal(quantized, expected)
    np.testing.assert_array_equal(contract.quantize(features[2]), expected[2])


@pytest.mark.parametrize("shape", [(24, 32), (32, 24, 1), (1, 1, 24, 32, 1), ()])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="do not fit"):
        InputContract((24, 32, 1), 0.1, 0).quantize(np.zeros(shape, dtype=np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ModelError, match="NaN"):
        InputContract((1,), 0.1, 0).quantize(np.array([value], dtype=np.float32))


@given(SCALES, st.integers(-128, 127))
def test_output_is_the_affine_map_and_input_inverts_it(scale: float, zero: int) -> None:
    steps = np.arange(-128, 128, dtype=np.int16).astype(np.int8)
    scores = OutputContract(scale, zero).dequantize(steps)
    assert scores.dtype == np.float32
    assert scores.tolist() == [float32((int(q) - zero) * scale) for q in steps]
    np.testing.assert_array_equal(InputContract((256,), scale, zero).quantize(scores), steps)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e-20])
def test_impossible_scale_is_refused(scale: float) -> None:
    with pytest.raises(UsageError, match="scale"):
        InputContract((1,), scale, 0)
    with pytest.raises(UsageError, match="scale"):
        OutputContract(scale, 0)


def test_other_impossible_values_are_refused() -> None:
    with pytest.raises(UsageError, match="zero point"):
        OutputContract(1.0, 128)
    with pytest.raises(UsageError, match="uint8"):
        InputContract((1,), 1.0, 0, dtype="uint8")
    with pytest.raises(UsageError, match="half-up"):
        InputContract((1,), 1.0, 0, rounding="half-up")
    with pytest.raises(UsageError, match="shape"):
        InputContract((), 1.0, 0)


def test_maps_round_trip() -> None:
    given_input = InputContract((24, 32, 1), float(np.float32(0.037)), -5, unit="K")
    assert InputContract.from_dict(given_input.to_dict()) == given_input
    output = OutputContract(1 / 256, -128)
    assert OutputContract.from_dict(output.to_dict()) == output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shape", [24, True]),
        ("shape", []),
        ("shape", [0]),
        ("shape", "24"),
        ("dtype", "uint8"),
        ("scale", 0),
        ("scale", "1"),
        ("scale", float("nan")),
        ("zero_point", 128),
        ("zero_point", 0.0),
        ("unit", ""),
        ("rounding", "up"),
        ("surprise", 1),
    ],
)
def test_bad_field_is_named(name: str, value: object) -> None:
    data = InputContract((24, 32, 1), 0.1, 0).to_dict() | {name: value}
    with pytest.raises(BundleError, match=rf"input\.{name} "):
        InputContract.from_dict(data)
    del data[name]
    if name != "surprise":
        with pytest.raises(BundleError, match=rf"input\.{name} is missing"):
            InputContract.from_dict(data)
