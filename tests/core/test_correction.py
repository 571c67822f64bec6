"""The per-pixel correction: its equation, its bytes as documented, and damage of every kind."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thermo_core.correction import Correction

from thermo_core.errors import CorrectionError
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart

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
        fingerprint=0xDEADBEEF,
    )


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
    marked = Correction(correction.offset, correction.gain, correction.ta_slope, bad)
    celsius = np.full((24, 32), 30, dtype=np.float32)
    celsius[7, 9] = 500
    whole, filled = correction.apply(celsius, 25), marked.apply(celsius, 25)
    assert filled[7, 9] == pytest.approx(whole[[6, 8, 7, 7], [9, 9, 8, 10]].mean(), abs=1e-4)


def test_identity_changes_nothing() -> None:
    identity = Correction.identity(SENSOR)
    celsius = np.random.default_rng(5).uniform(-40, 300, (24, 32)).astype(np.float32)
    assert np.array_equal(identity.apply(celsius, 47.0), celsius)
    assert identity.is_identity and not made().is_identity
    assert Correction.from_bytes(identity.to_bytes()).is_identity


@given(seed=st.integers(0, 1000), bad=st.integers(0, 384), channels=st.integers(0, 16))
@settings(max_examples=40, deadline=None)
def test_bytes_bring_everything_back(seed: int, bad: int, channels: int) -> None:
    curves = tuple(CURVE if (seed >> (channel % 8)) & 1 else None for channel in range(channels))
    before = made(seed, bad, curves)
    after = Correction.from_bytes(before.to_bytes())
    for name in ("offset", "gain", "ta_slope", "bad"):
        assert np.array_equal(getattr(after, name), getattr(before, name))
    assert after.thermistors == curves
    assert (after.sensor_id, after.created_unix_s) == (SENSOR, 1_700_000_000)
    assert after.residual_rms_k == np.float32(0.0375) and after.fingerprint == 0xDEADBEEF
    assert after.to_bytes() == before.to_bytes()


def test_bytes_lie_where_the_documentation_says() -> None:
    correction = made()
    data = correction.to_bytes()
    assert len(data) == 9344 + 2 * 24 + 4
    assert data[:8] == b"TCOR\x02\x06\x02\x00" and data[8:16] == SENSOR + b"\0\0"
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
    assert struct.unpack_from("<6d", data, 9344) == (CURVE.a, CURVE.b, CURVE.c, 0, 0, 0)
    assert struct.unpack("<I", data[-4:]) == (zlib.crc32(data[:-4]),)


@settings(max_examples=300, deadline=None)
@given(bit=st.integers(0, 8 * (9344 + 48 + 4) - 1))
def test_a_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(made().to_bytes())
    data[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(CorrectionError):
        Correction.from_bytes(bytes(data))


@settings(max_examples=200, deadline=None)
@given(length=st.integers(0, 9344 + 48 + 3), sealed=st.booleans())
def test_a_cut_is_noticed(length: int, sealed: bool) -> None:
    data = made().to_bytes()[:length]
    with pytest.raises(CorrectionError):
        Correction.from_bytes(resealed(data) if sealed and length > 4 else data)


def test_bytes_after_the_end_are_noticed() -> None:
    with pytest.raises(CorrectionError):
        Correction.from_bytes(resealed(made().to_bytes() + bytes(8)))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_anything_else_is_no_correction(data: bytes) -> None:
    for content in (data, b"TCOR" + data, resealed(b"TCOR" + data.ljust(9400, b"\0"))):
        with pytest.raises(CorrectionError):
            Correction.from_bytes(content)


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (4, b"\x01"),
        (5, b"\x09"),
        (5, b"\x03"),
        (6, b"\x03"),
        (7, b"\x01"),
        (16, struct.pack("<Q", 253_402_300_800)),
        (16, struct.pack("<Q", 1 << 63)),
        (24, struct.pack("<f", np.nan)),
        (24, struct.pack("<f", -1)),
        (32, struct.pack("<f", np.inf)),
        (3104, struct.pack("<f", 0)),
        (3104, struct.pack("<f", np.nan)),
        (6176, struct.pack("<f", 1e9)),
        (9248, b"\xff" * 96),
        (9344, struct.pack("<3d", 1, -1, 0)),
        (9344, struct.pack("<3d", np.nan, 1, 0)),
    ],
)
def test_impossible_content_is_refused_though_its_crc_holds(place: int, content: bytes) -> None:
    data = bytearray(made().to_bytes())
    data[place : place + len(content)] = content
    with pytest.raises(CorrectionError):
        Correction.from_bytes(resealed(bytes(data)))


def test_wrong_shapes_are_refused() -> None:
    good = made()
    with pytest.raises(CorrectionError, match="gain"):
        Correction(good.offset, good.gain.astype(np.float64), good.ta_slope, good.bad)
    with pytest.raises(CorrectionError, match="offset"):
        Correction(good.offset[:2], good.gain, good.ta_slope, good.bad)
    with pytest.raises(CorrectionError, match="identity"):
        Correction(good.offset, good.gain, good.ta_slope, good.bad, sensor_id=bytes(9))
