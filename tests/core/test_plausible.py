"""EEPROM words that are no sensor's: refused, doubted or left out, and those of sensors in order are not."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import EepromError, ThermoError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Words
from thermo_sim.chips.mlx90640.eeprom import generate


def flipped(words: Words, address: int, bit: int) -> Words:
    changed = words.copy()
    changed[address - 0x2400] ^= 1 << bit
    return changed


@pytest.mark.parametrize("seed", range(60))
def test_a_simulated_sensor_gives_no_doubt(seed: int) -> None:
    calibration = Constants.from_eeprom(generate(seed))
    assert calibration.doubts == () and calibration.doubtful == ()


def test_a_real_sensor_gives_no_doubt(example: Any, recording: Any) -> None:
    for sensor in (example, recording):
        calibration = Constants.from_eeprom(sensor.eeprom)
        assert calibration.doubts == () and calibration.doubtful == ()


def test_vendors_vectors_lose_no_pixel(vectors: Any) -> None:
    """Their slopes and weights are drawn at random, which is doubted, and still decoded in full."""
    for words in vectors.eeprom:
        assert Constants.from_eeprom(words).doubtful == ()


@given(seed=st.integers(0, 50), first=st.integers(0, 823), length=st.integers(8, 60), value=st.integers(1, 0xFFFF))
def test_a_run_of_equal_words_is_refused(seed: int, first: int, length: int, value: int) -> None:
    words = generate(seed)
    words[first : first + length] = value
    with pytest.raises(EepromError):
        Constants.from_eeprom(words)


@pytest.mark.parametrize("address", [0x2410, 0x2418, 0x2420, 0x2430])
def test_a_few_words_written_over_are_refused(address: int) -> None:
    """Fewer in a row than a run, but more constants than chance makes strange at once."""
    words = generate(1)
    words[address - 0x2400 : address - 0x2400 + 6] = (0x1901, 0x0000, 0x1901, 0x1903, 0x1901, 0x1905)
    try:
        calibration = Constants.from_eeprom(words)
    except EepromError as error:
        assert error.address is not None
        return
    assert calibration.doubts


def test_what_is_impossible_names_word_and_value() -> None:
    words = generate(1)
    words[0x11] = 0x6FF5
    with pytest.raises(EepromError, match=r"EEPROM word 0x2411 = 0x6FF5: a mean offset of 28661 counts") as caught:
        Constants.from_eeprom(words)
    assert (caught.value.address, caught.value.value) == (0x2411, 0x6FF5)


@pytest.mark.parametrize(
    ("address", "bit", "what"),
    [
        (0x2410, 12, "Vbe weight"),
        (0x2410, 0, "pixel scale of the offsets"),
        (0x2411, 6, "mean offset"),
        (0x2420, 12, "scale of the sensitivities"),
        (0x2421, 14, "mean sensitivity"),
        (0x2430, 12, "gain"),
        (0x2431, 10, "PTAT reference of"),
        (0x2432, 5, "PTAT slope"),
        (0x2433, 14, "supply slope"),
        (0x2436, 15, "mean drifts"),
        (0x2438, 6, "mean drifts"),
        (0x2434, 15, "supply drifts"),
        (0x243C, 7, "weight of the compensation pixels"),
        (0x2414, 3, "row corrections of the offsets that jump"),
        (0x241A, 7, "column corrections of the offsets that jump"),
        (0x2424, 11, "row corrections of the sensitivities that jump"),
        (0x242B, 15, "column corrections of the sensitivities that jump"),
    ],
)
def test_a_flip_in_what_pixels_share_is_doubted(address: int, bit: int, what: str) -> None:
    doubts = Constants.from_eeprom(flipped(generate(3), address, bit)).doubts
    assert len(doubts) in (1, 2) and what in str(doubts[0])
    assert abs(doubts[0].address - address) <= 2 and f"0x{doubts[0].address:04X}" in str(doubts[0])


@pytest.mark.parametrize("seed", [0, 3])
def test_a_pixel_out_of_line_is_left_out(seed: int) -> None:
    """Every flip of an offset's highest bit, which moves a pixel by some 5 K."""
    words = generate(seed)
    for pixel in range(768):
        calibration = Constants.from_eeprom(flipped(words, 0x2440 + pixel, 15))
        assert calibration.doubtful == (pixel,) == calibration.bad
        assert "out of line" in str(calibration.doubts[0]) and calibration.doubts[0].address == 0x2440 + pixel


def test_many_pixels_out_of_line_are_no_sensors() -> None:
    words = generate(5)
    places = np.random.default_rng(1).choice(768, 9, replace=False)
    words[64 + places[:8]] ^= 0x8000
    assert len(Constants.from_eeprom(words).doubtful) == 8
    words[64 + places[8]] ^= 0x8000
    with pytest.raises(EepromError, match="9 pixel words of the EEPROM lie out of line"):
        Constants.from_eeprom(words)


def test_no_flip_moves_a_whole_real_picture_far_without_a_word(example: Any, recording: Any) -> None:
    """bench/eeprom.py has the figures; this holds the worst of them."""
    for sensor in (example, recording):
        right = Decoder(Constants.from_eeprom(sensor.eeprom)).picture(*sensor.frames).celsius
        for address in range(0x240A, 0x2440):
            for bit in range(16):
                try:
                    calibration = Constants.from_eeprom(flipped(sensor.eeprom, address, bit))
                    wrong = Decoder(calibration).picture(*sensor.frames).celsius
                except ThermoError:
                    continue
                assert calibration.doubts or np.median(np.abs(wrong - right)) < 4.0, (hex(address), bit)


def test_exchanged_bytes_are_said(recording: Any) -> None:
    serial = Constants.from_eeprom(recording.eeprom).device_id.hex().upper()
    with pytest.raises(EepromError, match=rf"two bytes of each EEPROM word are exchanged; .* sensor {serial}"):
        Constants.from_eeprom(recording.eeprom.byteswap())
