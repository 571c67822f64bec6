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

from thermo_core.errors import CorrectionError
from thermo_core.sensors.ads1115_ntc import bounds as curve_bounds
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.ads1115_ntc.thermistor import Beta, SteinhartHart
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kinds import correction_of
from thermo_core.sensors.mlx90640.bounds import objection
from thermo_core.sensors.mlx90640.correction import PixelCorrection

SENSOR = bytes.fromhex("0d22d1850189")
CURVE = SteinhartHart(1.129241e-3, 2.341077e-4, 8.775468e-8)


def made(seed: int = 0, bad: int = 3) -> PixelCorrection:
    rng = np.random.default_rng(seed)
    mask = np.zeros(768, dtype=np.bool_)
    mask[rng.choice(768, bad, replace=False)] = True
    return PixelCorrection(
        offset=rng.normal(0, 1, (24, 32)).astype(np.float32),
        gain=rng.normal(1, 0.02, (24, 32)).astype(np.float32),
        ta_slope=rng.normal(0, 0.01, (24, 32)).astype(np.float32),
        bad=mask.reshape(24, 32),
        stamp=Stamp(SENSOR, 1_700_000_000, 0.0375, 0xDECAF),
    )


def curves(*found: SteinhartHart | None) -> CurveCorrection:
    return CurveCorrection(found or (CURVE, None), Stamp(SENSOR, 1_700_000_000, 0.01))


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


def curve_of(numerics: Any) -> NDArray[np.float32] | None:
    """The curve in use instead of the profile's."""
    curve = np.zeros(3, np.float32)
    return curve if numerics.c.shim_correction_curve(ctypes.c_void_p(curve.ctypes.data)) else None


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), bad=st.integers(0, 384), ta=st.floats(-20, 80))
def test_pictures_come_out_as_in_core(numerics: Any, seed: int, bad: int, ta: float) -> None:
    correction = made(seed, bad)
    status, _blob = opened(numerics, to_bytes(correction))
    assert status == numerics.OK
    celsius = np.random.default_rng(seed).uniform(20, 45, (24, 32)).astype(np.float32)
    np.testing.assert_allclose(applied(numerics, celsius, ta), correction.apply(celsius, ta), rtol=0, atol=2e-5)
    assert not numerics.c.shim_correction_is_identity()
    sensor_id = np.zeros(8, np.uint8)
    assert numerics.c.shim_correction_id(ctypes.c_void_p(sensor_id.ctypes.data)) == 6
    assert sensor_id.tobytes() == SENSOR + b"\0\0"


@given(count=st.integers(1, 4), first=st.booleans())
def test_a_channel_has_the_curve_that_was_found_or_keeps_its_own(numerics: Any, count: int, first: bool) -> None:
    status, _blob = opened(numerics, to_bytes(curves(*(CURVE if first else None,) * count)))
    assert status == numerics.OK
    found = curve_of(numerics)
    assert (found is not None) == first
    assert found is None or found.tolist() == np.float32([CURVE.a, CURVE.b, CURVE.c]).tolist()


def test_half_of_the_pixels_may_be_bad_and_no_more(numerics: Any) -> None:
    data = bytearray(to_bytes(made(bad=0)))
    data[9248 : 9248 + 48] = b"\xff" * 48
    assert opened(numerics, resealed(bytes(data)))[0] == numerics.OK
    data[9248 + 48] = 0x10
    check_same(numerics, resealed(bytes(data)))
    assert opened(numerics, resealed(bytes(data)))[0] == numerics.DAMAGED


def test_a_bad_pixel_alone_is_no_identity(numerics: Any) -> None:
    data = bytearray(to_bytes(PixelCorrection.identity(Stamp(SENSOR))))
    data[9248] = 1
    status, _blob = opened(numerics, resealed(bytes(data)))
    assert status == numerics.OK and not numerics.c.shim_correction_is_identity()
    celsius = np.full((24, 32), 30, np.float32)
    celsius[0, 0] = 500
    assert applied(numerics, celsius, 25.0)[0, 0] == 30


def test_identity_changes_nothing(numerics: Any) -> None:
    status, _blob = opened(numerics, to_bytes(PixelCorrection.identity(Stamp(SENSOR))))
    assert status == numerics.OK and numerics.c.shim_correction_is_identity()
    celsius = np.random.default_rng(5).uniform(-40, 300, (24, 32)).astype(np.float32)
    assert np.array_equal(applied(numerics, celsius, 47.0), celsius)


@settings(max_examples=300, deadline=None)
@given(bit=st.integers(0, 8 * (9344 + 4) - 1))
def test_a_flipped_bit_is_noticed(numerics: Any, bit: int) -> None:
    data = bytearray(to_bytes(made()))
    data[bit // 8] ^= 1 << (bit % 8)
    assert opened(numerics, bytes(data))[0] == numerics.DAMAGED
    assert numerics.c.shim_correction_is_identity()


@settings(max_examples=200, deadline=None)
@given(
    camera=st.booleans(),
    length=st.integers(0, 9344 + 30) | st.integers(0, 140),
    changes=st.lists(
        st.tuples(st.integers(0, 30) | st.integers(9236, 9348) | st.integers(0, 9348), st.binary(max_size=8)),
        max_size=3,
    ),
    cut=st.booleans(),
)
def test_the_same_bytes_are_refused_though_their_crc_holds(
    numerics: Any, camera: bool, length: int, changes: list[tuple[int, bytes]], cut: bool
) -> None:
    blob = to_bytes(made() if camera else curves(CURVE, None, CURVE))
    data = bytearray(blob)
    for place, content in changes:
        at = place % len(blob)
        data[at : at + len(content)] = content
    whole = bytes(data[:length].ljust(length, b"\0")) if cut else bytes(data)
    check_same(numerics, resealed(whole) if len(whole) > 4 else whole)


def check_same(numerics: Any, data: bytes) -> None:
    """Both refuse, or neither; but single precision cannot hold every curve."""
    try:
        correction = correction_of(data)
    except CorrectionError:
        assert opened(numerics, data)[0] == numerics.DAMAGED
        return
    if not isinstance(correction, PixelCorrection | CurveCorrection):
        return  # of kinds that test_firmware_sensors has
    for curve in correction.curves if isinstance(correction, CurveCorrection) else ():
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
    ],
)
def test_impossible_content_is_refused_though_its_crc_holds(numerics: Any, place: int, content: bytes) -> None:
    data = bytearray(to_bytes(made()))
    data[place : place + len(content)] = content
    assert opened(numerics, resealed(bytes(data)))[0] == numerics.DAMAGED


@pytest.mark.parametrize(
    "constants", [(1, -1, 0), (0, 1, -1), (np.nan, 1, 0), (1e300, 1, 0), (0, 0, 1e-9), (-0.0, 0, 0)]
)
@pytest.mark.parametrize("channel", [0, 1])
def test_curves_that_no_ntc_has_are_refused_though_their_crc_holds(
    numerics: Any, constants: tuple[float, float, float], channel: int
) -> None:
    data = bytearray(to_bytes(curves(CURVE, CURVE)))
    data[32 + 24 * channel : 56 + 24 * channel] = struct.pack("<3d", *constants)
    check_same(numerics, resealed(bytes(data)))
    if any(constants):
        assert opened(numerics, resealed(bytes(data)))[0] == numerics.DAMAGED


@pytest.mark.parametrize("steps", [1.0, 1.5, 2.5, 3.0, 2.0**24 - 1.5])
def test_halves_between_two_singles_round_to_even(numerics: Any, steps: float) -> None:
    b = 1 + steps * 2.0**-23
    status, _blob = opened(numerics, to_bytes(curves(SteinhartHart(0.0, b, 0.0))))
    assert status == numerics.OK
    curve = curve_of(numerics)
    assert curve is not None and curve[1] == np.float32(b)


@settings(max_examples=300, deadline=None)
@given(
    a=st.floats(-1e30, 1e30) | st.floats(5e-4, 2e-3),
    b=st.floats(1e-20, 1e30) | st.floats(1e-4, 4e-4),
    c=st.floats(0, 1e-6) | st.just(0.0),
)
def test_curves_are_rounded_to_the_nearest_single(numerics: Any, a: float, b: float, c: float) -> None:
    status, _blob = opened(numerics, to_bytes(curves(SteinhartHart(a, b, c))))
    assert status == numerics.OK
    curve = curve_of(numerics)
    assert curve is not None
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
)
@example(offset=5.0, pixel=0.0, gain=1.0, slope=0.0, bad=0, residual=0.1)
@example(offset=-1000.0, pixel=0.0, gain=1.0, slope=0.0, bad=0, residual=0.1)
@example(offset=0.0, pixel=0.0, gain=1.0, slope=0.0, bad=0, residual=0.1)
def test_what_is_implausible_is_cores(
    numerics: Any,
    offset: float,
    pixel: float,
    gain: float,
    slope: float,
    bad: int,
    residual: float,
) -> None:
    """Both decide alike, and name the same pixel or place."""
    maps = [np.full((24, 32), value, np.float32) for value in (offset, gain, slope)]
    maps[0][20, 30] += np.float32(pixel)
    mask = (np.arange(768) < bad).reshape(24, 32)
    correction = PixelCorrection(*maps, mask, Stamp(SENSOR, 1, residual))
    compare(numerics, to_bytes(correction), objection(correction))


@given(warmer=st.floats(-10, 10))
@example(warmer=5.0)
@example(warmer=0.0)
def test_curves_that_are_implausible_are_cores(numerics: Any, warmer: float) -> None:
    """Both decide alike, and name the same channel."""
    ntc = Beta(10_000.0 * math.exp(3950 * (1 / 298.15 - 1 / (298.15 - warmer))), 3950.0).steinhart_hart()
    correction = curves(ntc)
    spots = Ads1115NtcSettings(name="spots", path=(0x48,), channels=(Thermistor(name="skin"),))
    compare(numerics, to_bytes(correction), curve_bounds.objection(spots, correction))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_curves_of_more_channels_than_there_are_do_not_fit(numerics: Any, count: int) -> None:
    correction = curves(*(None,) * count)
    spots = Ads1115NtcSettings(name="spots", path=(0x48,), channels=(Thermistor(name="skin"),))
    assert curve_bounds.objection(spots, correction)
    assert opened(numerics, to_bytes(correction))[0] == numerics.OK
    sentence = ctypes.create_string_buffer(192)
    assert numerics.c.shim_correction_is_implausible(sentence, ctypes.c_size_t(192))
    assert f"curves of {count} thermistors" in sentence.value.decode()


def compare(numerics: Any, blob: bytes, wanted: str) -> None:
    status, _blob = opened(numerics, blob)
    assert status == numerics.OK
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
