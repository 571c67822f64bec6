"""Constants constants against the vendor's worked example, and corrupt EEPROMs against the rule that each is named."""

from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import BadPixelsError, EepromError, ThermoError, UsageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Words

NAMES = {
    "alphaPTAT": "alpha_ptat",
    "cpKta": "cp_kta",
    "cpKv": "cp_kv",
    "cpOffset": "cp_offset",
    "ct": "ct",
    "gainEE": "gain",
    "ilChessC": "il_chess_c",
    "KsTa": "ks_ta",
    "ksTo": "ks_to",
    "KtPTAT": "kt_ptat",
    "kta": "kta",
    "kv": "kv",
    "kVdd": "k_vdd",
    "KvPTAT": "kv_ptat",
    "offset": "offset",
    "resolutionEE": "resolution_ee",
    "tgc": "tgc",
    "vdd25": "vdd25",
    "vPTAT25": "v_ptat25",
}
PRINTED_DECIMALS = {"KsTa": 6, "KvPTAT": 6, "cpKta": 6, "kta": 8, "ksTo": 4}
"""The example prints these rounded; all others exactly."""


def changed(eeprom: Words, **words: int) -> Words:
    """The EEPROM with words replaced, named by address: changed(eeprom, x2430=0)."""
    copy = eeprom.copy()
    for name, value in words.items():
        copy[int(name[1:], 16) - 0x2400] = value
    return copy


def pixels_changed(eeprom: Words, value: int, *pixels: int) -> Words:
    copy = eeprom.copy()
    copy[64 + np.array(pixels)] = value
    return copy


@pytest.mark.parametrize("name", NAMES)
def test_parameters_equal_the_worked_example(example: Any, name: str) -> None:
    ours = np.asarray(getattr(Constants.from_eeprom(example.eeprom), NAMES[name]), dtype=np.float64).ravel()
    wanted = example.more[f"exp_{name}"].ravel()
    if name in PRINTED_DECIMALS:
        ours = np.round(ours, PRINTED_DECIMALS[name])
    assert np.array_equal(ours, wanted)


def test_sensitivities_equal_the_worked_example(example: Any) -> None:
    calibration = Constants.from_eeprom(example.eeprom)
    # printed with 14 digits
    np.testing.assert_allclose(calibration.alpha.ravel(), example.more["exp_alpha"], rtol=1e-11)
    np.testing.assert_allclose(calibration.cp_alpha, example.more["exp_cpAlpha"], rtol=1e-10)
    assert calibration.chess_calibrated is bool(example.more["exp_calibrationModeEE"])


def test_device_id_is_what_the_recording_names(recording: Any) -> None:
    assert Constants.from_eeprom(recording.eeprom).device_id.hex().upper() == "0D22D1850189"


def test_bad_pixels_are_those_the_vendor_finds(vectors: Any) -> None:
    for case, eeprom in enumerate(vectors.eeprom):
        calibration = Constants.from_eeprom(eeprom)
        for ours, theirs in ((calibration.broken, "broken"), (calibration.outlier, "outlier")):
            assert list(ours) == [pixel for pixel in vectors.more[theirs][case] if pixel != 0xFFFF]


def test_two_sensors_share_nothing(example: Any, recording: Any) -> None:
    first = Constants.from_eeprom(example.eeprom)
    before = first.alpha.copy(), first.offset.copy(), first.ks_to
    second = Constants.from_eeprom(recording.eeprom)
    assert not np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.alpha, before[0]) and np.array_equal(first.offset, before[1])
    assert first.ks_to == before[2]


def test_constants_cannot_be_changed(example: Any) -> None:
    source = example.eeprom.copy()
    calibration = Constants.from_eeprom(source)
    source[:] = 0
    assert calibration.eeprom.any()
    with pytest.raises(ValueError, match="read-only"):
        calibration.alpha[0, 0] = 0


@pytest.mark.parametrize("word", [0x0000, 0xFFFF, 0x1234])
def test_a_silent_bus_is_told_from_a_sensor(word: int) -> None:
    with pytest.raises(EepromError, match=f"0x{word:04X}") as caught:
        Constants.from_eeprom(np.full(832, word, dtype=np.uint16))
    assert caught.value.address == 0x2400 and caught.value.value == word


@pytest.mark.parametrize(
    ("address", "value", "about"),
    [
        (0x2430, 0x0000, "gain"),
        (0x2430, 0xFFFF, "gain"),
        (0x2431, 0x0000, "PTAT"),
        (0x2432, 0x0000, "PTAT slope"),
        (0x2433, 0x00A0, "supply slope"),
        (0x2433, 0x7F00, "supply slope"),
        (0x2438, 0x2052, "volt"),
        (0x2438, 0x240F, "kelvin"),
        (0x243C, 0x7F00, "ambient"),
        (0x243D, 0x0080, "below 0"),
        (0x243E, 0x007F, "above 300"),
        (0x243F, 0x0AFB, "ranges"),
        (0x243F, 0x20FB, "ranges"),
        (0x2421, 0x0000, "sensitivity"),
    ],
)
def test_an_impossible_word_is_named(example: Any, address: int, value: int, about: str) -> None:
    # a coarse scale makes the slopes of sensitivity reach beyond what they can be
    others = {0x243D: {"x243F": 0x2AF0}, 0x243E: {"x243F": 0x2AF0, "x243D": 0}}.get(address, {})
    words = changed(example.eeprom, **(others | {f"x{address:04X}": value}))
    with pytest.raises(EepromError, match=about) as caught:
        Constants.from_eeprom(words)
    assert (caught.value.address, caught.value.value) == (address, value)
    assert f"0x{address:04X} = 0x{value:04X}" in str(caught.value)


def test_one_pixel_without_sensitivity_is_named(example: Any) -> None:
    words = changed(example.eeprom, x2420=example.eeprom[0x20] | 0x000F)
    with pytest.raises(EepromError, match="sensitivity") as caught:
        Constants.from_eeprom(words)
    assert caught.value.address == 0x2421 or 0x2440 <= (caught.value.address or 0) <= 0x273F


def test_up_to_four_bad_pixels_are_allowed(example: Any) -> None:
    broken = pixels_changed(example.eeprom, 0, 0, 100, 767)
    both = broken.copy()
    both[64 + 400] |= 1
    calibration = Constants.from_eeprom(both)
    assert calibration.broken == (0, 100, 767) and calibration.outlier == (400,)
    assert calibration.bad == (0, 100, 400, 767)


def test_a_fifth_bad_pixel_is_refused_and_named(example: Any) -> None:
    words = pixels_changed(example.eeprom, 0, 10, 20, 30, 40)
    words[64 + 300] |= 1
    with pytest.raises(BadPixelsError, match="4 broken and 1 outlier") as caught:
        Constants.from_eeprom(words)
    assert caught.value.address == 0x2440 + 300


@pytest.mark.parametrize("other", [101, 131, 132, 133])
def test_touching_bad_pixels_are_refused(example: Any, other: int) -> None:
    words = pixels_changed(example.eeprom, 0, 100)
    words[64 + other] |= 1
    with pytest.raises(BadPixelsError, match=f"100 and {other} touch"):
        Constants.from_eeprom(words)


@pytest.mark.parametrize("pair", [(31, 32), (100, 102), (100, 164)])
def test_pixels_that_do_not_touch_are_no_pair(example: Any, pair: tuple[int, int]) -> None:
    assert Constants.from_eeprom(pixels_changed(example.eeprom, 0, *pair)).broken == pair


@pytest.mark.parametrize(
    "words", [np.zeros(831, np.uint16), np.zeros(832), np.full(832, -1), np.full(832, 70000), [1, 2]]
)
def test_what_is_no_eeprom_is_a_usage_error(words: Any) -> None:
    with pytest.raises(UsageError):
        Constants.from_eeprom(words)


@few(100, of=300)
@given(
    flips=st.lists(st.tuples(st.integers(0, 831), st.integers(0, 15)), min_size=1, max_size=12), frame=st.integers(0, 1)
)
def test_flipped_bits_give_finite_temperatures_or_a_typed_error(
    example: Any, flips: list[tuple[int, int]], frame: int
) -> None:
    words = example.eeprom.copy()
    for word, bit in flips:
        words[word] ^= 1 << bit
    _decodes_or_refuses(words, example.frames)


@few(100, of=300)
@given(
    header=st.lists(st.tuples(st.integers(16, 63), st.integers(0, 0xFFFF)), min_size=1, max_size=3),
)
def test_any_header_word_gives_finite_temperatures_or_a_typed_error(
    example: Any, header: list[tuple[int, int]]
) -> None:
    words = example.eeprom.copy()
    for word, value in header:
        words[word] = value
    _decodes_or_refuses(words, example.frames)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_noise_instead_of_an_eeprom_is_refused(seed: int) -> None:
    words = np.random.default_rng(seed).integers(0, 0x10000, 832, dtype=np.uint16)
    with pytest.raises(ThermoError):
        Constants.from_eeprom(words)


@pytest.mark.filterwarnings("error")
def _decodes_or_refuses(words: Words, frames: Words) -> None:
    try:
        decoder = Decoder(Constants.from_eeprom(words))
        celsius = [decoder.decode(frame).celsius for frame in frames]
        celsius += [decoder.picture(*frames).celsius, decoder.uncompensated_image(frames[0])]
    except ThermoError as error:
        assert str(error)
        return
    assert all(np.isfinite(values).all() for values in celsius)
