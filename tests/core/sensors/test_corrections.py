"""Corrections of every kind through their blob, and what none may be."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import CorrectionError
from thermo_core.sensors import correction as envelope
from thermo_core.sensors.correction import Correction, Stamp, fingerprint
from thermo_core.sensors.kinds import KINDS, correction_of
from thermo_core.sensors.linear_correction import Line, LinearCorrection
from thermo_core.sensors.lis3dh.correction import AxesCorrection
from thermo_core.sensors.mlx90614.correction import Mlx90614Correction
from thermo_core.sensors.mlx90632.correction import Mlx90632Correction
from thermo_core.sensors.sht4x.correction import Sht4xCorrection
from thermo_core.sensors.tmp117.correction import Tmp117Correction

LINEAR = [Mlx90632Correction, Mlx90614Correction, Sht4xCorrection, Tmp117Correction]
STAMP = Stamp(b"\x01\x02\x03\x04\x05\x06", 1_800_000_000, 0.03125, 0xFEDCBA98)


@st.composite
def corrections(draw: st.DrawFn) -> Correction:
    """Of any kind."""
    small = st.floats(-0.125, 0.125, width=32)
    if draw(st.booleans()):
        offset = tuple(draw(small) for _ in range(3))
        matrix = tuple(float(place % 4 == 0) + draw(small) for place in range(9))
        return AxesCorrection(offset, matrix, STAMP)
    kind = draw(st.sampled_from(LINEAR))
    line = st.builds(Line, st.floats(-100, 100, width=32), st.floats(0.5, 2.0, width=32), st.floats(-2, 2, width=32))
    return kind(tuple(draw(line) for _ in kind.numbers), STAMP)


@few(80, of=200)
@given(corrections())
def test_a_correction_comes_back_from_its_blob(made: Correction) -> None:
    blob = envelope.to_bytes(made)
    assert correction_of(blob) == made
    assert envelope.to_bytes(correction_of(blob)) == blob


@few(80, of=200)
@given(corrections(), st.data())
def test_a_damaged_blob_is_refused(made: Correction, data: st.DataObject) -> None:
    blob = bytearray(envelope.to_bytes(made))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CorrectionError):
        correction_of(bytes(blob))


def test_numbers_are_never_used_for_two_kinds() -> None:
    assert len(set(envelope.KINDS.values())) == len(envelope.KINDS)
    corrected = {kind for kind, row in KINDS.items() if row.correction is not None}
    assert corrected <= set(envelope.KINDS)


@pytest.mark.parametrize("line", [Line(101.0), Line(gain=0.4), Line(gain=2.1), Line(slope=2.1), Line(float("nan"))])
@pytest.mark.parametrize("kind", LINEAR)
def test_lines_beyond_a_sound_sensor_are_refused(kind: type[LinearCorrection], line: Line) -> None:
    with pytest.raises(CorrectionError, match="beyond what a sound sensor needs"):
        kind((line,) * len(kind.numbers))
    assert kind((Line(),) * len(kind.numbers)).is_identity


@pytest.mark.parametrize("kind", LINEAR)
def test_lines_of_another_kind_are_refused(kind: type[LinearCorrection]) -> None:
    with pytest.raises(CorrectionError, match=r"has .* lines"):
        kind((Line(),) * (len(kind.numbers) + 1))
    with pytest.raises(CorrectionError, match="bytes, not 5"):
        kind.from_body(Stamp(), b"12345")


@pytest.mark.parametrize("matrix", [(1.3, 0, 0, 0, 1, 0, 0, 0, 1), (1, 0.3, 0, 0, 1, 0, 0, 0, 1)])
def test_axes_beyond_a_sound_chip_are_refused(matrix: tuple[float, ...]) -> None:
    with pytest.raises(CorrectionError, match="six positions"):
        AxesCorrection((0, 0, 0), matrix)
    with pytest.raises(CorrectionError, match="six positions"):
        AxesCorrection((1.1, 0, 0))
    assert AxesCorrection((0.0, 0.0, 0.0)).is_identity
    unchanged = np.array([[0.1, 0.2, 0.9]], np.float32)
    assert np.array_equal(AxesCorrection((0.0, 0.0, 0.0)).apply(unchanged), unchanged)


def test_a_correction_is_of_a_sensor_and_the_constants_it_was_made_with() -> None:
    constants = bytes(range(64))
    stamp = replace(STAMP, constants_crc32=zlib.crc32(constants))
    assert stamp.fits(STAMP.sensor_id, constants)
    assert not stamp.fits(b"other", constants)
    assert not stamp.fits(STAMP.sensor_id, constants[:-1] + b"\xff")
    assert replace(STAMP, constants_crc32=0).fits(STAMP.sensor_id, constants), "what was held to no constants fits any"
    assert fingerprint(b"") == 0, "a kind without constants is held to none"
    for impossible in (-1, 1 << 32):
        with pytest.raises(CorrectionError, match="CRC-32"):
            replace(STAMP, constants_crc32=impossible)
