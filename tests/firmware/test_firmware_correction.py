"""The firmware's use of calibration bytes: as thermo_core, and as strict."""

import ctypes
import math
import re
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from thermo_core.correction import Correction
from thermo_core.correction_bounds import objection
from thermo_core.profile import ThermistorSettings

from thermo_core.errors import CorrectionError
from thermo_core.sensors.ads1115_ntc.thermistor import Beta, SteinhartHart

SENSOR = bytes.fromhex("0d22d1850189")
CURVE = SteinhartHart(1.129241e-3, 2.341077e-4, 8.775468e-8)


def made(seed: int = 0, bad: int = 3, thermistors: tuple[SteinhartHart | None, ...] = (CURVE, None)) -> Correction:
    rng = np.random.default_rng(seed)
    mask = np.zeros(768, dtype=np.bool_)
    mask[rng.choice(768, bad, replace=False)] = True
    return Correction(
        offset=rng.normal(0, 1, (24, 32)).astype(np.float32),
        gain=rng.normal(1, 0.02, (24, 32)).astype(np.float32),
        ta_slope=rng.normal(0, 0.01, (24, 32)).astype(np.float32),
        bad=mask.reshape(24, 32),
        thermistors=thermistors,
        sensor_id=SENSOR,
        created_unix_s=1_700_000_000,
        residual_rms_k=0.0375,
    )


def resealed(data: bytes) -> bytes:
    """The blob with a CRC that holds."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


def opened(numerics: Any, data: bytes) -> tuple[int, NDArray[np.uint8]]:
    """Status, and the bytes the view points into."""
    blob = np.frombuffer(data, np.uint8).copy()
    return numerics.c.shim_correction_open(ctypes.c_void_p(blob.ctypes.data), ctypes.c_size_t(len(data))), blob


def applied(numerics: Any, celsius: NDArray[np.float32], ta: float) -> NDArray[np.float32]:
    result = celsius.copy()
    numerics.c.shim_correction_apply(ctypes.c_void_p(result.ctypes.data), ctypes.c_float(ta))
    return result


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), bad=st.integers(0, 384), ta=st.floats(-20, 80), channels=st.integers(0, 16))
def test_pictures_and_curves_come_out_as_in_core(numerics: Any, seed: int, bad: int, ta: float, channels: int) -> None:
    correction = made(seed, bad, tuple(CURVE if (seed >> (i % 8)) & 1 else None for i in range(channels)))
    status, _blob = opened(numerics, correction.to_bytes())
    assert status == numerics.OK
    celsius = np.random.default_rng(seed).uniform(20, 45, (24, 32)).astype(np.float32)
    np.testing.assert_allclose(applied(numerics, celsius, ta), correction.apply(celsius, ta), rtol=0, atol=2e-5)
    assert not numerics.c.shim_correction_is_identity()
    curve = np.zeros(3, np.float32)
    for channel in range(channels + 1):
        found = numerics.c.shim_correction_curve(ctypes.c_size_t(channel), ctypes.c_void_p(curve.ctypes.data))
        assert bool(found) == (channel < channels and correction.thermistors[channel] is not None)
        assert not found or curve.tolist() == np.float32([CURVE.a, CURVE.b, CURVE.c]).tolist()
    sensor_id = np.zeros(8, np.uint8)
    assert numerics.c.shim_correction_id(ctypes.c_void_p(sensor_id.ctypes.data)) == 6
    assert sensor_id.tobytes() == SENSOR + b"\0\0"


def test_half_of_the_pixels_may_be_bad_and_no_more(numerics: Any) -> None:
    data = bytearray(made(bad=0).to_bytes())
    data[9248 : 9248 + 48] = b"\xff" * 48
    assert opened(numerics, resealed(bytes(data)))[0] == numerics.OK
    data[9248 + 48] = 0x10
    check_same(numerics, resealed(bytes(data)))
    assert opened(numerics, resealed(bytes(data)))[0] == numerics.DAMAGED


def test_a_bad_pixel_alone_is_no_identity(numerics: Any) -> None:
    data = bytearray(Correction.identity(SENSOR).to_bytes())
    data[9248] = 1
    status, _blob = opened(numerics, resealed(bytes(data)))
    assert status == numerics.OK and not numerics.c.shim_correction_is_identity()
    celsius = np.full((24, 32), 30, np.float32)
    celsius[0, 0] = 500
    assert applied(numerics, celsius, 25.0)[0, 0] == 30


def test_identity_changes_nothing(numerics: Any) -> None:
    status, _blob = opened(numerics, Correction.identity(SENSOR).to_bytes())
    assert status == numerics.OK and numerics.c.shim_correction_is_identity()
    celsius = np.random.default_rng(5).uniform(-40, 300, (24, 32)).astype(np.float32)
    assert np.array_equal(applied(numerics, celsius, 47.0), celsius)


@settings(max_examples=300, deadline=None)
@given(bit=st.integers(0, 8 * (9344 + 48 + 4) - 1))
def test_a_flipped_bit_is_noticed(numerics: Any, bit: int) -> None:
    data = bytearray(made().to_bytes())
    data[bit // 8] ^= 1 << (bit % 8)
    assert opened(numerics, bytes(data))[0] == numerics.DAMAGED
    assert numerics.c.shim_correction_is_identity()


@settings(max_examples=200, deadline=None)
@given(
    length=st.integers(0, 9344 + 48 + 30),
    changes=st.lists(
        st.tuples(st.integers(0, 30) | st.integers(9236, 9420) | st.integers(0, 9420), st.binary(max_size=8)),
        max_size=3,
    ),
    cut=st.booleans(),
)
def test_the_same_bytes_are_refused_though_their_crc_holds(
    numerics: Any, length: int, changes: list[tuple[int, bytes]], cut: bool
) -> None:
    data = bytearray(made().to_bytes())
    for place, content in changes:
        data[place : place + len(content)] = content
    whole = bytes(data[:length].ljust(length, b"\0")) if cut else bytes(data)
    check_same(numerics, resealed(whole) if len(whole) > 4 else whole)


def check_same(numerics: Any, data: bytes) -> None:
    """Both refuse, or neither; but single precision cannot hold every curve."""
    try:
        correction = Correction.from_bytes(data)
    except CorrectionError:
        assert opened(numerics, data)[0] == numerics.DAMAGED
        return
    for curve in correction.thermistors:
        if curve is not None:
            slopes = curve.b, curve.b + 3 * curve.c * np.log(1e6) ** 2
            large = max(abs(curve.a), abs(curve.b), 600 * abs(curve.c))
            if large > 1e35 or min(slopes) < 1e-30 or slopes[1] < 1e-5 * slopes[0]:
                return
    assert opened(numerics, data)[0] == numerics.OK


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (4, b"\x01"),
        (5, b"\x09"),
        (5, b"\x03"),
        (6, b"\x03"),
        (7, b"\x01"),
        (16, b"\xff" * 8),
        (24, struct.pack("<f", np.nan)),
        (24, struct.pack("<f", np.inf)),
        (24, struct.pack("<f", -1)),
        (32, struct.pack("<f", np.inf)),
        (3096, struct.pack("<f", 1000.5)),
        (3104, struct.pack("<f", 0)),
        (3104, struct.pack("<f", np.nan)),
        (6168, struct.pack("<f", 10.5)),
        (6176, struct.pack("<f", 1e9)),
        (9240, struct.pack("<f", np.nan)),
        (9248, b"\xff" * 96),
        (9344, struct.pack("<3d", 1, -1, 0)),
        (9344, struct.pack("<3d", 0, 1, -1)),
        (9344, struct.pack("<3d", np.nan, 1, 0)),
        (9344, struct.pack("<3d", 1e300, 1, 0)),
        (9364, struct.pack("<3d", 0, 0, 1e-9)),
    ],
)
def test_impossible_content_is_refused_though_its_crc_holds(numerics: Any, place: int, content: bytes) -> None:
    data = bytearray(made().to_bytes())
    data[place : place + len(content)] = content
    assert opened(numerics, resealed(bytes(data)))[0] == numerics.DAMAGED


@pytest.mark.parametrize("steps", [1.0, 1.5, 2.5, 3.0, 2.0**24 - 1.5])
def test_halves_between_two_singles_round_to_even(numerics: Any, steps: float) -> None:
    b = 1 + steps * 2.0**-23
    status, _blob = opened(numerics, made(thermistors=(SteinhartHart(0.0, b, 0.0),)).to_bytes())
    assert status == numerics.OK
    curve = np.zeros(3, np.float32)
    assert numerics.c.shim_correction_curve(ctypes.c_size_t(0), ctypes.c_void_p(curve.ctypes.data)) == 1
    assert curve[1] == np.float32(b)


@settings(max_examples=300, deadline=None)
@given(
    a=st.floats(-1e30, 1e30) | st.floats(5e-4, 2e-3),
    b=st.floats(1e-20, 1e30) | st.floats(1e-4, 4e-4),
    c=st.floats(0, 1e-6) | st.just(0.0),
)
def test_curves_are_rounded_to_the_nearest_single(numerics: Any, a: float, b: float, c: float) -> None:
    status, _blob = opened(numerics, made(thermistors=(SteinhartHart(a, b, c),)).to_bytes())
    assert status == numerics.OK
    curve = np.zeros(3, np.float32)
    assert numerics.c.shim_correction_curve(ctypes.c_size_t(0), ctypes.c_void_p(curve.ctypes.data)) == 1
    wanted = np.float32([a, b, c])
    wanted[np.abs(wanted) < np.finfo(np.float32).tiny] = 0  # numbers too small for a normal one become 0
    np.testing.assert_array_equal(curve[np.abs([a, b, c]) > 1e-37], wanted[np.abs([a, b, c]) > 1e-37])
    np.testing.assert_allclose(curve, wanted, rtol=1e-6, atol=2e-38)


@given(
    offset=st.floats(-6, 6),
    pixel=st.floats(-14, 14),
    gain=st.floats(0.7, 1.4),
    slope=st.floats(-0.6, 0.6),
    bad=st.integers(90, 100),
    residual=st.floats(4, 6),
    warmer=st.none() | st.floats(-10, 10),
)
@example(offset=5.0, pixel=0.0, gain=1.0, slope=0.0, bad=0, residual=0.1, warmer=None)
@example(offset=-1000.0, pixel=0.0, gain=1.0, slope=0.0, bad=0, residual=0.1, warmer=None)
@example(offset=0.0, pixel=0.0, gain=1.0, slope=0.0, bad=0, residual=0.1, warmer=None)
def test_what_is_implausible_is_cores(
    numerics: Any,
    offset: float,
    pixel: float,
    gain: float,
    slope: float,
    bad: int,
    residual: float,
    warmer: float | None,
) -> None:
    """Both decide alike, and name the same pixel, place or channel."""
    maps = [np.full((24, 32), value, np.float32) for value in (offset, gain, slope)]
    maps[0][20, 30] += np.float32(pixel)
    mask = (np.arange(768) < bad).reshape(24, 32)
    ntc = Beta(10_000.0 * math.exp(3950 * (1 / 298.15 - 1 / (298.15 - (warmer or 0)))), 3950.0).steinhart_hart()
    made = Correction(*maps, mask, (None if warmer is None else ntc,), SENSOR, 1, residual)
    wanted = objection(made, (ThermistorSettings("skin"),))
    assert opened(numerics, made.to_bytes())[0] == numerics.OK
    sentence = ctypes.create_string_buffer(192)
    refused = bool(numerics.c.shim_correction_is_implausible(sentence, ctypes.c_size_t(192)))
    figures = [wanted, sentence.value.decode()]
    if bool(wanted) != refused:  # at a limit single precision may decide otherwise
        said = max(figures)
        assert re.search(r"[+-](3\.99|4\.00|9\.99|10\.00|4\.99|5\.00) K|a gain of (0\.5|2|2\.000|0\.500) ", said), said
        return
    for place in (
        r"row \d+, column \d+",
        r"picture at \d+ degC \(die at \d+ degC\)",
        r"calls \d+ of",
        r"leaves \d",
        "'skin'",
    ):
        assert [bool(re.search(place, figure)) for figure in figures] in ([True, True], [False, False])
        both = [re.search(place, figure) for figure in figures]
        assert both[0] is None or both[1] is None or both[0][0] == both[1][0]
