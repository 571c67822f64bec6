"""Corrections of thermistors: their bytes as documented, and what none may be."""

import re
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import CorrectionError
from thermo_core.sensors.ads1115_ntc.bounds import objection
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.ads1115_ntc.thermistor import Beta, SteinhartHart
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kinds import correction_of

CURVE = SteinhartHart(1.129241e-3, 2.341077e-4, 8.775468e-8)
ONE = Ads1115NtcSettings(name="spots", path=(0x48,), channels=(Thermistor(name="skin"),))
TWO = Ads1115NtcSettings(name="spots", path=(0x48,), channels=(Thermistor(name="skin"), Thermistor(name="back")))


def curve(moved_k: float) -> SteinhartHart:
    """The usual NTC's curve, so many kelvin too warm at 25 degC."""
    return Beta(10_000.0 * np.exp(3950 * (1 / (298.15 - moved_k) - 1 / 298.15)).item(), 3950.0).steinhart_hart()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([None, CURVE, curve(1.5)]), min_size=1, max_size=4).map(tuple))
def test_bytes_bring_every_curve_back(curves: tuple[SteinhartHart | None, ...]) -> None:
    correction = CurveCorrection(curves, Stamp(b"12345678", 5, 0.5))
    data = to_bytes(correction)
    assert correction_of(data) == correction
    assert len(data) == 32 + 24 * len(curves) + 4
    for place, one in enumerate(curves):
        wanted = (0.0, 0.0, 0.0) if one is None else (one.a, one.b, one.c)
        assert struct.unpack_from("<3d", data, 32 + 24 * place) == wanted
    assert correction.is_identity == all(one is None for one in curves)


@pytest.mark.parametrize("constants", [(1, -1, 0), (np.nan, 1, 0), (1e-3, np.inf, 1e-7)])
def test_a_curve_that_no_thermistor_has_is_refused(constants: tuple[float, float, float]) -> None:
    data = bytearray(to_bytes(CurveCorrection((CURVE,))))
    struct.pack_into("<3d", data, 32, *constants)
    with pytest.raises(CorrectionError, match="impossible thermistor curve"):
        correction_of(bytes(data[:-4]) + struct.pack("<I", zlib.crc32(data[:-4])))


@pytest.mark.parametrize("count", [0, 5])
def test_other_numbers_of_curves_than_a_chip_has_are_refused(count: int) -> None:
    with pytest.raises(CorrectionError, match=f"not {count}"):
        CurveCorrection((CURVE,) * count)
    with pytest.raises(CorrectionError, match=f"not {count}"):
        CurveCorrection.from_body(Stamp(), bytes(24 * count))
    with pytest.raises(CorrectionError, match="do not fill"):
        CurveCorrection.from_body(Stamp(), bytes(25))


@pytest.mark.parametrize(
    ("moved_k", "says"),
    [
        (1.5, ""),
        (20.0, r"moves thermistor 'skin' at .* degC by \+"),
        (-20.0, r"moves thermistor 'skin' at .* degC by -"),
    ],
)
def test_what_no_thermistor_needs_is_refused_with_the_figure(moved_k: float, says: str) -> None:
    found = objection(ONE, CurveCorrection((curve(moved_k),)))
    assert (found == "") == (says == "")
    assert re.search(says, found)


def test_curves_are_held_to_the_thermistors_of_the_wearable() -> None:
    assert objection(TWO, CurveCorrection((None, curve(1.0)))) == ""
    assert "thermistor 'back'" in objection(TWO, CurveCorrection((None, curve(30.0))))
    assert "curves of 1 thermistors, and spots has 2" in objection(TWO, CurveCorrection((curve(1.0),)))
