"""The camera's per-pixel correction: its equation, its bytes as documented, damage of every kind, and what none may be."""

import re
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from examples import few
from hypothesis import given, settings
from hypothesis import strategies as st
from random_corrections import pixel_correction

from thermo_core.errors import CorrectionError
from thermo_core.sensors.correction import LATEST_UNIX_S, Stamp, to_bytes
from thermo_core.sensors.kinds import correction_of
from thermo_core.sensors.mlx90640.bounds import objection
from thermo_core.sensors.mlx90640.correction import BODY_BYTES, PixelCorrection
from thermo_sim.chips.mlx90640.radiometry import ResponseError

SENSOR = bytes.fromhex("0d22d1850189")
STAMP = Stamp(SENSOR, 1_700_000_000, 0.0375, 0xDEADBEEF)
SIZE = 32 + BODY_BYTES + 4


def made(seed: int = 0, bad: int = 3) -> PixelCorrection:
    return pixel_correction(STAMP, seed, bad)


def resealed(data: bytes) -> bytes:
    """The blob with a CRC that holds."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


def test_the_equation_holds_at_every_good_pixel() -> None:
    correction = made(bad=0)
    celsius = np.random.default_rng(5).uniform(20, 45, (24, 32)).astype(np.float32)
    wanted = (
        correction.offset.astype(float) + correction.gain.astype(float) * celsius + correction.ta_slope * (31.5 - 25)
    )
    given_ = celsius.copy()
    np.testing.assert_allclose(correction.apply(celsius, 31.5), wanted, atol=2e-5)
    assert np.array_equal(celsius, given_)


def test_bad_pixels_are_filled_after_correcting() -> None:
    correction = made(bad=0)
    bad = correction.bad.copy()
    bad[7, 9] = True
    marked = replace(correction, bad=bad)
    celsius = np.full((24, 32), 30, np.float32)
    celsius[7, 9] = 500
    whole, filled = correction.apply(celsius, 25), marked.apply(celsius, 25)
    assert filled[7, 9] == pytest.approx(whole[[6, 8, 7, 7], [9, 9, 8, 10]].mean(), abs=1e-4)


def test_identity_changes_nothing() -> None:
    identity = PixelCorrection.identity(Stamp(SENSOR))
    celsius = np.random.default_rng(5).uniform(-40, 300, (24, 32)).astype(np.float32)
    assert np.array_equal(identity.apply(celsius, 47.0), celsius)
    assert identity.is_identity
    assert not made().is_identity
    assert correction_of(to_bytes(identity)).is_identity


@given(seed=st.integers(0, 1000), bad=st.integers(0, 384))
@settings(max_examples=40, deadline=None)
def test_bytes_bring_everything_back(seed: int, bad: int) -> None:
    before = made(seed, bad)
    after = correction_of(to_bytes(before))
    assert isinstance(after, PixelCorrection)
    for name in ("offset", "gain", "ta_slope", "bad"):
        assert np.array_equal(getattr(after, name), getattr(before, name))
    assert after.stamp == replace(STAMP, residual_rms=float(np.float32(0.0375)))
    assert to_bytes(after) == to_bytes(before)


def test_bytes_lie_where_the_documentation_says() -> None:
    correction = made()
    data = to_bytes(correction)
    assert len(data) == SIZE == 32 + 9312 + 4
    assert data[:8] == b"TCOR\x02\x01\x06\x00"
    assert data[8:16] == SENSOR + b"\0\0"
    assert struct.unpack_from("<Q", data, 16) == (1_700_000_000,)
    assert struct.unpack_from("<f", data, 24)[0] == pytest.approx(0.0375)
    assert struct.unpack_from("<I", data, 28) == (0xDEADBEEF,)
    for row, column in ((0, 0), (0, 31), (13, 5), (23, 31)):
        index = 4 * (32 * row + column)
        assert struct.unpack_from("<f", data, 32 + index) == (correction.offset[row, column],)
        assert struct.unpack_from("<f", data, 3104 + index) == (correction.gain[row, column],)
        assert struct.unpack_from("<f", data, 6176 + index) == (correction.ta_slope[row, column],)
    bits = [data[9248 + pixel // 8] >> (pixel % 8) & 1 for pixel in range(768)]
    assert bits == correction.bad.ravel().astype(int).tolist()
    assert struct.unpack("<I", data[-4:]) == (zlib.crc32(data[:-4]),)


@few(100, of=300)
@given(bit=st.integers(0, 8 * SIZE - 1))
def test_a_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(to_bytes(made()))
    data[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(CorrectionError):
        correction_of(bytes(data))


@few(80, of=200)
@given(length=st.integers(0, SIZE - 1), sealed=st.booleans())
def test_a_cut_is_noticed(length: int, sealed: bool) -> None:
    data = to_bytes(made())[:length]
    with pytest.raises(CorrectionError):
        correction_of(resealed(data) if sealed and length > 4 else data)


def test_bytes_after_the_end_are_noticed() -> None:
    with pytest.raises(CorrectionError):
        correction_of(resealed(to_bytes(made()) + bytes(8)))


@few(80, of=200)
@given(data=st.binary(max_size=200))
def test_anything_else_is_no_correction(data: bytes) -> None:
    for content in (data, b"TCOR" + data, resealed(b"TCOR" + data.ljust(9400, b"\0"))):
        with pytest.raises(CorrectionError):
            correction_of(content)


@pytest.mark.parametrize(
    ("place", "content", "says"),
    [
        (4, b"\x01", "format 1, which was never released"),
        (4, b"\x03", "format 3 and this software reads 2"),
        (5, b"\x00", "contradicts itself"),
        (5, b"\x63", "contradicts itself"),
        (6, b"\x09", "contradicts itself"),
        (6, b"\x03", "contradicts itself"),
        (7, b"\x01", "contradicts itself"),
        (16, struct.pack("<Q", LATEST_UNIX_S + 1), "impossible date"),
        (16, struct.pack("<Q", 1 << 63), "impossible date"),
        (24, struct.pack("<f", np.nan), "residual"),
        (24, struct.pack("<f", -1), "residual"),
        (32, struct.pack("<f", np.inf), "offset"),
        (3104, struct.pack("<f", 0), "gain"),
        (3104, struct.pack("<f", np.nan), "gain"),
        (6176, struct.pack("<f", 1e9), "ta_slope"),
        (9248, b"\xff" * 96, "384 bad pixels"),
    ],
)
def test_impossible_content_is_refused_though_its_crc_holds(place: int, content: bytes, says: str) -> None:
    data = bytearray(to_bytes(made()))
    data[place : place + len(content)] = content
    with pytest.raises(CorrectionError, match=says):
        correction_of(resealed(bytes(data)))


def test_wrong_shapes_are_refused() -> None:
    good = made()
    with pytest.raises(CorrectionError, match="gain"):
        replace(good, gain=good.gain.astype(np.float64))
    with pytest.raises(CorrectionError, match="offset"):
        replace(good, offset=good.offset[:2])
    with pytest.raises(CorrectionError, match="identity"):
        Stamp(bytes(9))


def flat(offset: float = 0.0, gain: float = 1.0, ta_slope: float = 0.0, bad: int = 0) -> PixelCorrection:
    mask = np.zeros(768, np.bool_)
    mask[:bad] = True
    offsets, gains, slopes = (np.full((24, 32), value, np.float32) for value in (offset, gain, ta_slope))
    return PixelCorrection(offsets, gains, slopes, mask.reshape(24, 32))


@pytest.mark.parametrize("seed", range(30))
def test_what_real_sensors_need_is_taken(seed: int) -> None:
    error = ResponseError.random(seed)
    needed = PixelCorrection(
        offset=(-error.offset_k * (1 + error.gain)).astype(np.float32),
        gain=(1 / (1 + error.gain)).astype(np.float32),
        ta_slope=(-error.slope_k_per_k).astype(np.float32),
        bad=np.zeros((24, 32), np.bool_),
        stamp=Stamp(residual_rms=0.05, created_unix_s=1_800_000_000),
    )
    assert objection(needed) == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (flat(offset=5.0), r"moves a picture at 20 degC \(die at 15 degC\) by \+5\.00 K on average"),
        (flat(offset=-1000.0), r"by -1000\.00 K on average"),
        (flat(gain=1.25), r"moves a picture at 20 degC .* by \+5\.00 K"),
        (flat(offset=-13.0, gain=1.4), r"moves a picture at 20 degC"),  # right at 32.5 degC alone
        (flat(ta_slope=0.45), r"moves a picture at 20 degC \(die at 15 degC\) by -4\.50 K"),
        (flat(ta_slope=-0.6), r"row 0, column 0 a slope with die temperature of -0\.6"),
        (flat(gain=0.4), r"row 0, column 0 a gain of 0\.4"),
        (flat(gain=9.0), r"a gain of 9"),
        (flat(bad=97), r"calls 97 of 768 pixels bad, and a picture needs 672"),
        (replace(flat(), stamp=Stamp(residual_rms=7.0)), r"leaves 7\.00 K"),
    ],
)
def test_what_none_needs_is_refused_with_the_figure(wrong: PixelCorrection, says: str) -> None:
    assert re.search(says, objection(wrong))


def test_one_wild_pixel_is_named_unless_it_is_called_bad() -> None:
    offset = np.zeros((24, 32), np.float32)
    offset[3, 7] = 12.0
    wild = replace(flat(), offset=offset)
    assert "row 3, column 7 at 20 degC (die at 15 degC) by +12.00 K" in objection(wild)
    assert objection(replace(wild, bad=offset > 0)) == ""
