"""Counts from temperatures, against closed-form physics and against the decoder."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.frames import FRAME_WORDS, PIXELS
from thermo_core.sensors.mlx90640.registers import ControlRegister
from thermo_sim.chips.mlx90640.eeprom import encode, generate, random_parameters
from thermo_sim.chips.mlx90640.radiometry import Measurement, Noise, Radiometry, ResponseError, pattern
from thermo_sim.surroundings import Conditions

SKIN = Conditions(ta=33.0, vdd=3.31, reflected=25.0, emissivity=0.98)


def _frames(measured: list[Measurement], control: ControlRegister) -> list[NDArray[Any]]:
    frame = np.zeros(FRAME_WORDS, dtype=np.uint16)
    for number, measurement in enumerate(measured):
        frame[pattern(number, control.chess)] = measurement.pixels
        frame[768 + 32 * number : 800 + 32 * number] = measurement.auxiliary
    frame[832] = control.to_word()
    return [np.concatenate([frame[:833], [number]]).astype(np.uint16) for number in (0, 1)]


def _picture(
    radiometry: Radiometry, celsius: NDArray[Any], index: int = 0, conditions: Any = SKIN, control: Any = None
) -> NDArray[Any]:
    control = control or ControlRegister()
    measured = [radiometry.measure(celsius, n, index + n, control, conditions) for n in (0, 1)]
    decoder = Decoder(radiometry.calibration, emissivity=conditions.emissivity, reflected=conditions.reflected)
    first, second = _frames(measured, control)
    return merge(decoder.decode(first), decoder.decode(second)).celsius


@pytest.mark.parametrize(
    ("celsius", "conditions", "chess"),
    [
        (36.6, SKIN, True),
        (36.6, SKIN, False),
        (-15.0, SKIN, True),
        (150.0, Conditions(ta=45.0, vdd=3.2, reflected=20.0, emissivity=0.9), True),
        (290.0, Conditions(ta=20.0, vdd=3.4, reflected=12.0, emissivity=0.8), False),
    ],
)
def test_counts_are_the_datasheets_formula(celsius: float, conditions: Conditions, chess: bool) -> None:
    c = Constants.from_eeprom(generate(4))
    radiometry = Radiometry(c, noise=Noise.none())
    control = ControlRegister(chess=chess)
    measured = [radiometry.measure(np.full((24, 32), celsius), n, 0, control, conditions) for n in (0, 1)]
    counts = _frames(measured, control)[0].astype(np.int16)
    gain = c.gain / counts[0x70A - 0x400]

    kelvin = {
        name: value + 273.15 for name, value in (("to", celsius), ("ta", conditions.ta), ("tr", conditions.reflected))
    }
    e = conditions.emissivity
    radiation = e * kelvin["to"] ** 4 + (1 - e) * kelvin["tr"] ** 4 - kelvin["ta"] ** 4
    k0, k1, k2, k3 = c.ks_to
    ct2, ct3 = c.ct[2:]
    if celsius < 0:
        factor = (1 + k0 * (celsius + 40)) / (1 + k0 * 40)
    elif celsius < ct2:
        factor = 1 + k1 * celsius
    elif celsius < ct3:
        factor = (1 + k1 * ct2) * (1 + k2 * (celsius - ct2))
    else:
        factor = (1 + k1 * ct2) * (1 + k2 * (ct3 - ct2)) * (1 + k3 * (celsius - ct3))
    for row, column in ((0, 0), (11, 16), (12, 15), (23, 31), (7, 2)):
        alpha, offset = c.alpha[row, column], c.offset[row, column]
        kta, kv = c.kta[row, column], c.kv[row, column]
        expected = alpha * (1 + c.ks_ta * (conditions.ta - 25)) * factor * radiation
        expected += offset * (1 + kta * (conditions.ta - 25)) * (1 + kv * (conditions.vdd - 3.3))
        if not chess:
            odd = row % 2
            shape = (column + 2) // 4 - (column + 3) // 4 + (column + 1) // 4 - column // 4
            expected -= c.il_chess_c[2] * (2 * odd - 1) - c.il_chess_c[1] * shape * (1 - 2 * odd)
        assert counts[32 * row + column] == pytest.approx(expected / gain, abs=0.5001)


@pytest.mark.parametrize("code", [0, 1, 2, 3])
@pytest.mark.parametrize("chess", [True, False])
def test_an_ideal_blackbody_decodes_to_itself_within_quantisation(code: int, chess: bool) -> None:
    control = ControlRegister(resolution_code=code, chess=chess)
    for seed in (1, 2, 3):
        c = Constants.from_eeprom(generate(seed))
        radiometry = Radiometry(c, noise=Noise.none())
        for celsius in (25.0, 31.3, 36.6, 39.2):
            error = _picture(radiometry, np.full((24, 32), celsius), control=control) - celsius
            per_kelvin = c.alpha * (1 + c.ks_ta * 8) * (1 + c.ks_to[1] * celsius) * 0.98 * 4 * (celsius + 273.15) ** 3
            step_k = 2.0 ** (2 - code) / 0.99 / per_kelvin
            assert np.sqrt((error**2).mean()) == pytest.approx(np.sqrt((step_k**2 / 12).mean()), rel=0.1)
            assert (np.abs(error) < 0.55 * step_k + 0.01).all()


def test_with_tgc_the_compensation_pixels_rounding_comes_on_top_alike_for_all_pixels() -> None:
    c = Constants.from_eeprom(generate(3, tgc=1.0))
    assert c.tgc == 1.0
    error = _picture(Radiometry(c, noise=Noise.none()), np.full((24, 32), 36.6)) - 36.6
    one_count_k = 1 / (c.alpha * (1 + c.ks_ta * 8) * 4 * 298.15**3)
    assert (np.abs(error) < 1.1 * one_count_k).all()


def test_a_scene_decodes_to_itself_pixel_by_pixel() -> None:
    radiometry = Radiometry(Constants.from_eeprom(generate(1)), noise=Noise.none())
    scene = np.linspace(28, 40, PIXELS).reshape(24, 32)
    assert np.abs(_picture(radiometry, scene) - scene).max() < 0.16


@pytest.mark.parametrize(("code", "hz"), [(1, 1.0), (4, 8.0), (7, 64.0)])
def test_noise_is_the_netd_asked_for_and_grows_with_the_root_of_the_rate(code: int, hz: float) -> None:
    radiometry = Radiometry(Constants.from_eeprom(generate(1)), noise=Noise(0.1, 0.0, 0.0), seed=3)
    conditions = dataclasses.replace(SKIN, emissivity=1.0)
    control = ControlRegister(refresh_code=code)
    scene = np.full((24, 32), 25.0)
    pictures = np.stack([_picture(radiometry, scene, 2 * n, conditions, control) for n in range(300)])
    deviation = pictures.std(axis=0, ddof=1)
    assert deviation[10:14, 14:18].mean() == pytest.approx(0.1 * hz**0.5, rel=0.06)
    # A kelvin is fewer counts where the sensitivity is lower.
    alpha = radiometry.calibration.alpha
    if hz >= 8:
        corner, centre = deviation[:3, :3].mean(), deviation[10:14, 14:18].mean()
        assert corner / centre == pytest.approx(alpha[10:14, 14:18].mean() / alpha[:3, :3].mean(), rel=0.08)
        assert corner / centre > 1.3


def test_all_pixels_of_a_subpage_share_an_offset() -> None:
    radiometry = Radiometry(Constants.from_eeprom(generate(1)), noise=Noise(0.0, 0.3, 0.0), seed=1)
    scene = np.full((24, 32), 25.0)
    conditions = dataclasses.replace(SKIN, emissivity=1.0)
    pictures = [_picture(radiometry, scene, 2 * n, conditions)[10:14, 14:18] for n in range(400)]
    first = np.stack([picture[::2, ::2].mean() for picture in pictures])
    second = np.stack([picture[::2, 1::2].mean() for picture in pictures])
    assert first.std() == pytest.approx(0.3, rel=0.12)
    assert second.std() == pytest.approx(0.3, rel=0.12)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_before_calibration_a_blackbody_shows_about_0_7_k_most_of_it_a_fixed_line_per_pixel() -> None:
    before, after = [], []
    for seed in range(16):
        radiometry = Radiometry(Constants.from_eeprom(generate(seed)), ResponseError.random(seed), Noise.none())
        at = {t: _picture(radiometry, np.full((24, 32), t)) for t in (28.0, 31.3, 34.7, 36.9, 39.2, 41.0)}
        gain = (41.0 - 28.0) / (at[41.0] - at[28.0])
        hold_out = (31.3, 34.7, 36.9, 39.2)
        before += [at[t] - t for t in hold_out]
        after += [28.0 + gain * (at[t] - at[28.0]) - t for t in hold_out]
    assert np.sqrt(np.mean(np.square(before))) == pytest.approx(0.69, abs=0.06)
    assert np.sqrt(np.mean(np.square(after))) < 0.09


def test_die_temperature_and_supply_decode_to_what_was_given() -> None:
    radiometry = Radiometry(Constants.from_eeprom(generate(9)), noise=Noise.none())
    decoder = Decoder(radiometry.calibration)
    for ta in (-20.0, 5.0, 25.0, 60.0):
        for vdd in (3.0, 3.3, 3.6):
            conditions = Conditions(ta=ta, vdd=vdd)
            control = ControlRegister()
            measured = [radiometry.measure(np.full((24, 32), 30.0), n, n, control, conditions) for n in (0, 1)]
            decoded = decoder.decode(_frames(measured, control)[1])
            assert decoded.ta == pytest.approx(ta, abs=0.06)
            assert decoded.vdd == pytest.approx(vdd, abs=0.001)


def test_broken_pixels_see_nothing_and_outliers_are_restless() -> None:
    words = encode(dataclasses.replace(random_parameters(1), broken=(100,), outlier=(500,)))
    radiometry = Radiometry(Constants.from_eeprom(words), noise=Noise(0.1, 0.0, 0.0))

    def counts(celsius: float, pixel: int, index: int) -> int:
        number = (pixel // 32 + pixel) % 2
        measured = radiometry.measure(np.full((24, 32), celsius), number, index, ControlRegister(), SKIN)
        return int(measured.pixels.view(np.int16)[np.searchsorted(pattern(number, True), pixel)])

    assert abs(counts(20.0, 100, 0) - counts(80.0, 100, 0)) <= 1
    assert abs(counts(20.0, 102, 0) - counts(80.0, 102, 0)) > 100
    restless = np.std([counts(30.0, 500, n) for n in range(200)])
    calm = np.std([counts(30.0, 502, n) for n in range(200)])
    assert restless > 3 * calm
