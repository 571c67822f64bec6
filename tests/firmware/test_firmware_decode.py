"""The firmware's constants and temperatures against thermo_core, which is tested against the vendor's C library."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core.errors import AuxiliaryDataError, BadPixelsError, EepromError, SensorError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.interpolate import fill_invalid
from thermo_core.sensors.mlx90640.registers import UNUSED_AUXILIARY, ControlRegister
from thermo_sim.chips.mlx90640.eeprom import encode, generate, random_parameters
from thermo_sim.chips.mlx90640.radiometry import Noise, Radiometry, pattern
from thermo_sim.surroundings import Conditions


def compare(
    numerics: Any, eeprom: Words, frames: NDArray[np.uint16], emissivity: float, reflected: float | None
) -> None:
    """Both subpages of a picture, pixel by pixel, against the float64 decoder."""
    calibration = Constants.from_eeprom(eeprom)
    decoder = Decoder(calibration, emissivity, reflected)
    doubt = calibration.doubts[0].address if calibration.doubts else None
    assert numerics.extract(eeprom) == (numerics.OK, calibration.device_id, calibration.bad, doubt)
    for words in frames:
        got = numerics.decode(words, emissivity, reflected)
        try:
            wanted = decoder.decode(words)
        except SensorError:
            assert got.status == numerics.UNDECODABLE
            continue
        assert got.status == numerics.OK
        # Of a temperature at an end of the sensor's range rounding decides whether it is one.
        celsius = np.where(wanted.valid, wanted.celsius, got.celsius)
        limit = np.where(celsius < 45, *numerics.parity_k)
        at_an_end = np.minimum(np.abs(celsius + 40), np.abs(celsius - 300)) <= 2 * limit
        assert at_an_end[got.valid != wanted.valid].all()
        both = got.valid & wanted.valid
        assert (np.abs(got.celsius - wanted.celsius) <= limit)[both].all()
        assert not got.celsius[wanted.measured & ~got.valid].any()
        assert (got.celsius[~wanted.measured] == numerics.UNTOUCHED).all()
        assert got.readings[0] == pytest.approx(wanted.ta, abs=1e-3)
        assert got.readings[1] == pytest.approx(wanted.vdd, abs=1e-5)


def load(path: Any) -> dict[str, NDArray[Any]]:
    with np.load(path) as data:
        return {name: data[name] for name in data.files}


@pytest.mark.parametrize("case", range(40))
def test_parity_on_the_vendors_vectors(either_numerics: Any, golden_dir: Any, case: int) -> None:
    vectors = load(golden_dir / "vendor_vectors.npz")
    reflected = float(vectors["tr"][case])
    emissivity = float(vectors["emissivity"][case])
    compare(
        either_numerics,
        vectors["eeprom"][case],
        vectors["frames"][case],
        emissivity,
        None if np.isnan(reflected) else reflected,
    )
    calibration = Constants.from_eeprom(vectors["eeprom"][case])
    good = np.ones(768, np.bool_)
    good[list(calibration.bad)] = False
    good &= vectors["to"][case] < 150
    for words in vectors["frames"][case]:
        got = either_numerics.decode(words, emissivity, None if np.isnan(reflected) else reflected)
        own = good & got.valid.ravel()
        assert own.any()
        assert np.abs(got.celsius.ravel() - vectors["to"][case])[own].max() < 0.02


@pytest.mark.parametrize("name", ["s1_melexis_example", "s2_signaloid"])
@pytest.mark.parametrize(("emissivity", "reflected"), [(0.95, None), (1.0, 21.5), (0.1, -20.0)])
def test_parity_on_real_sensors(
    either_numerics: Any, golden_dir: Any, name: str, emissivity: float, reflected: float | None
) -> None:
    recording = load(golden_dir / f"{name}.npz")
    compare(either_numerics, recording["eeprom"], recording["frames"], emissivity, reflected)


def simulated(
    eeprom: Words, scene: NDArray[np.float64], conditions: Conditions, control: ControlRegister
) -> NDArray[np.uint16]:
    """Both subpages of a scene, (2, 834), as a sensor with this EEPROM measures them, without noise."""
    radiometry = Radiometry(Constants.from_eeprom(eeprom), noise=Noise.none())
    halves = [radiometry.measure(scene, number, number, control, conditions) for number in (0, 1)]
    frames = np.zeros((2, 834), np.uint16)
    for number, half in enumerate(halves):
        frames[number, pattern(number, control.chess)] = half.pixels
        frames[:, 768 + 32 * number : 800 + 32 * number] = half.auxiliary
        frames[number, 832:] = control.to_word(), number
    return frames


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    centre=st.sampled_from([-30.0, 5.0, 34.0, 120.0, 240.0, 300.0]),
    spread=st.sampled_from([0.5, 5.0, 40.0]),
    emissivity=st.floats(0.3, 1.0),
    reflected=st.none() | st.floats(-20, 80),
    die=st.floats(-20, 70),
    control=st.builds(ControlRegister, chess=st.booleans(), resolution_code=st.integers(0, 3)),
    chess_calibrated=st.booleans(),
    tgc=st.sampled_from([0.0, 1.0, -2.5]),
)
@example(  # one pixel gives -141 degC
    seed=300,
    centre=-30.0,
    spread=0.5,
    emissivity=0.3046875,
    reflected=None,
    die=0.0,
    control=ControlRegister(chess=False, resolution_code=0),
    chess_calibrated=False,
    tgc=0.0,
)
def test_parity_on_made_sensors_in_both_patterns_and_all_ranges(
    either_numerics: Any,
    seed: int,
    centre: float,
    spread: float,
    emissivity: float,
    reflected: float | None,
    die: float,
    control: ControlRegister,
    chess_calibrated: bool,
    tgc: float,
) -> None:
    eeprom = encode(replace(random_parameters(seed), chess_calibrated=chess_calibrated, tgc=tgc, outlier=(33, 700)))
    rng = np.random.default_rng(seed)
    scene = centre + spread * rng.standard_normal((24, 32))
    frames = simulated(eeprom, scene, Conditions(ta=die), control)
    frames[0, pattern(0, control.chess)[rng.integers(0, 384)]] = 0x7FFF
    compare(either_numerics, eeprom, frames, emissivity, reflected)


def both_ways(
    numerics: Any, whole_numerics: Any, eeprom: Words, frames: NDArray[np.uint16], *optics: Any
) -> list[tuple[Any, Any]]:
    """Each subpage in single precision and as a processor without floats decodes it."""
    assert numerics.extract(eeprom)[0] == numerics.OK
    return [(numerics.decode(words, *optics), whole_numerics.decode(words, *optics)) for words in frames]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    centre=st.floats(-20, 200),
    spread=st.sampled_from([0.5, 5.0, 20.0]),
    emissivity=st.floats(0.5, 1.0),
    die=st.floats(-20, 70),
    vdd=st.floats(3.0, 3.6),
    chess=st.booleans(),
    gain=st.floats(0.7, 1.4),
)
def test_whole_numbers_hold_sensors_in_order(
    numerics: Any, whole_numerics: Any, seed: int, centre: float, spread: float, emissivity: float, die: float, vdd: float,
    chess: bool, gain: float,
) -> None:  # fmt: skip
    """They are taken, as the last bits show, and are as near to single precision as mlx90640_fixed.h says."""
    parameters = random_parameters(seed)
    eeprom = encode(replace(parameters, gain=round(parameters.gain * gain)))
    scene = centre + spread * np.random.default_rng(seed).standard_normal((24, 32))
    frames = simulated(eeprom, scene, Conditions(ta=die, vdd=vdd), ControlRegister(chess=chess))
    for single, whole in both_ways(numerics, whole_numerics, eeprom, frames, emissivity):
        assert single.status == whole.status
        both = single.valid & whole.valid
        assert (single.celsius != whole.celsius)[both].any() or not both.any()
        limit = np.where(single.celsius < 45, 0.005, 0.02)
        assert (np.abs(single.celsius - whole.celsius) <= limit)[both].all()
        celsius = np.where(single.valid, single.celsius, whole.celsius)
        at_an_end = np.minimum(np.abs(celsius + 40), np.abs(celsius - 300)) <= 0.02
        assert at_an_end[single.valid != whole.valid].all()


RAMP = np.linspace(-39.9, 299.9, 768).reshape(24, 32)
"""Passes through every part of the table of fourth roots that a temperature can lie in."""


@pytest.mark.parametrize("shift", np.linspace(0, 0.4, 5))
def test_whole_numbers_are_even_over_the_whole_range(numerics: Any, whole_numerics: Any, shift: float) -> None:
    eeprom = generate(seed=8)
    frames = simulated(eeprom, RAMP + shift - 0.2, Conditions(), ControlRegister())
    for single, whole in both_ways(numerics, whole_numerics, eeprom, frames):
        both = single.valid & whole.valid
        assert (np.abs(single.celsius - whole.celsius) <= np.where(single.celsius < 45, 0.001, 0.004))[both].all()


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (16, 0x021E),  # a pixel's own part of the offset in steps of 2^14 counts
        (33, 0x110B),  # a mean sensitivity so low that some pixels have next to none
        (61, 0xE88B),  # a sensitivity that halves or doubles within the range of temperatures
        (63, 0x2848),  # the same, by its unit
    ],
)
def test_what_whole_numbers_do_not_hold_is_decoded_in_single_precision(
    numerics: Any, whole_numerics: Any, place: int, word: int
) -> None:
    eeprom = generate(seed=5)
    frames = simulated(eeprom, np.full((24, 32), 34.0), Conditions(), ControlRegister())
    eeprom[place] = word
    for single, whole in both_ways(numerics, whole_numerics, eeprom, frames):
        assert single.status == whole.status == numerics.OK and single.valid.any()
        np.testing.assert_array_equal(single.celsius, whole.celsius)
        np.testing.assert_array_equal(single.valid, whole.valid)


def test_a_picture_nobody_can_decode_is_refused(either_numerics: Any) -> None:
    eeprom = generate(seed=4)
    frames = simulated(eeprom, np.full((24, 32), 34.0), Conditions(), ControlRegister())
    frames[:, :768] = 0x7FFF
    assert either_numerics.extract(eeprom)[0] == either_numerics.OK
    got = either_numerics.decode(frames[0])
    assert got.status == either_numerics.UNDECODABLE
    assert not got.valid.any()


@pytest.mark.parametrize(("emissivity", "reflected"), [(0.0, None), (1.01, None), (float("nan"), None), (0.9, 298.0)])
def test_impossible_optics_are_refused(either_numerics: Any, emissivity: float, reflected: float | None) -> None:
    eeprom = generate(seed=4)
    frames = simulated(eeprom, np.full((24, 32), 34.0), Conditions(), ControlRegister())
    assert either_numerics.extract(eeprom)[0] == either_numerics.OK
    assert either_numerics.decode(frames[0], emissivity, reflected).status == either_numerics.ARGUMENT


def status_of(numerics: Any, eeprom: Words) -> int:
    """What core says of an EEPROM, as a status."""
    try:
        Constants.from_eeprom(eeprom)
    except BadPixelsError:
        return int(numerics.BAD_PIXELS)
    except EepromError:
        return int(numerics.BAD_EEPROM)
    return int(numerics.OK)


SHARED = [*range(10, 64)]
"""Words of constants that all pixels share."""


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 20),
    changes=st.lists(st.tuples(st.sampled_from(SHARED) | st.integers(64, 831), st.integers(0, 0xFFFF)), max_size=3),
)
def test_the_same_eeproms_are_refused_and_the_others_decode_alike(
    either_numerics: Any, seed: int, changes: list[tuple[int, int]]
) -> None:
    eeprom = generate(seed)
    for place, word in changes:
        eeprom[place] = word
    status = status_of(either_numerics, eeprom)
    found = either_numerics.extract(eeprom)
    assert found[0] == status
    if status != either_numerics.OK:
        return
    calibration = Constants.from_eeprom(eeprom)
    assert found[2:] == (calibration.bad, calibration.doubts[0].address if calibration.doubts else None)
    rng = np.random.default_rng(seed)
    try:
        frames = simulated(eeprom, 34 + 3 * rng.standard_normal((24, 32)), Conditions(ta=30), ControlRegister())
        decoder = Decoder(Constants.from_eeprom(eeprom))
        for words in frames:
            decoder.decode(words)
    except (SensorError, ZeroDivisionError):
        return
    check_alike(either_numerics, decoder, frames)


def check_alike(numerics: Any, decoder: Decoder, frames: NDArray[np.uint16]) -> None:
    """As `compare`, for constants so far from any sensor's that a pixel may be at the edge of being decodable."""
    for words in frames:
        wanted, got = decoder.decode(words), numerics.decode(words)
        plausible = wanted.valid & (wanted.celsius > -40) & (wanted.celsius < 150)
        assert (got.valid | ~plausible).all()
        np.testing.assert_allclose(got.celsius[plausible], wanted.celsius[plausible], rtol=0, atol=0.02)


BYTES = [0, 1, 2, 4, 5, 16, 32, 48, 63, 64, 65, 66, 67, 127, 128, 129, 189, 190, 191, 192, 254, 255]
"""Each side of every limit that a field of up to 8 bits has, of either sign."""


@pytest.mark.parametrize(
    ("place", "base"),
    [
        *((place, {}) for place in (48, 49, 50, 51, 56, 57, 58, 59, 60, 63)),
        (52, {56: 0x2052}),
        (54, {56: 0x2402}),
        (55, {56: 0x2402}),
        *((place, {61: 0, 62: 0, 63: 0x2440 | scale}) for place in (61, 62) for scale in (0, 1, 2)),
        (62, {61: 0, 63: 0x3F10}),
    ],
)
def test_limits_of_the_constants_are_cores(numerics: Any, place: int, base: dict[int, int]) -> None:
    eeprom = generate(3)
    for other, word in base.items():
        eeprom[other] = word
    seen = set()
    values = {high << 8 | low for high in BYTES for low in BYTES}
    for value in values.union(range(256), range(0, 0x10000, 256)):
        eeprom[place] = value
        status = status_of(numerics, eeprom)
        found = numerics.extract(eeprom)
        assert found[0] == status, f"word {place} = {value:#06x}"
        if status == numerics.OK:
            doubts = Constants.from_eeprom(eeprom).doubts
            assert found[3] == (doubts[0].address if doubts else None), f"word {place} = {value:#06x}"
        seen.add(status)
    assert place in (57, 58, 59) or seen == {numerics.OK, numerics.BAD_EEPROM}


@pytest.mark.parametrize("tgc_and_ks_ta", [0x0000, 0xF020, 0xF0B0])
def test_the_least_sensitivity_is_cores(numerics: Any, tgc_and_ks_ta: int) -> None:
    eeprom = generate(3)
    eeprom[60] = tgc_and_ks_ta

    def refused(mean: int) -> bool:
        eeprom[33] = mean
        return status_of(numerics, eeprom) != numerics.OK

    low, high = 0, 0xFFFF
    assert refused(low) and not refused(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if refused(middle) else (low, middle)
    for mean in range(max(0, low - 3), high + 4):
        eeprom[33] = mean
        assert numerics.extract(eeprom)[0] == status_of(numerics, eeprom)


@pytest.mark.parametrize("resolution", range(4))
@pytest.mark.parametrize("place", [0x00, 0x0A, 0x20, 0x2A])
def test_limits_of_the_auxiliary_words_are_cores(numerics: Any, place: int, resolution: int) -> None:
    """Walks to each place where core's verdict changes and compares on both sides."""
    eeprom = encode(replace(random_parameters(1), k_vdd=-3200, gain=6000))
    decoder = Decoder(Constants.from_eeprom(eeprom))
    control = ControlRegister(resolution_code=resolution)
    words = simulated(eeprom, np.full((24, 32), 34.0), Conditions(), control)[0]
    assert numerics.extract(eeprom)[0] == numerics.OK

    def allowed(value: int) -> bool:
        words[768 + place] = value & 0xFFFF
        try:
            decoder.check(words)
        except AuxiliaryDataError:
            return False
        return True

    coarse = range(-32768, 32768, 97)
    verdicts = list(map(allowed, coarse))
    limits = 0
    for first, before, after in zip(coarse, verdicts, verdicts[1:], strict=False):
        if before != after:
            limits += 1
            for value in range(first, first + 98):
                wanted = allowed(value)
                refused = numerics.decode(words).status == numerics.BAD_AUXILIARY
                assert refused != wanted, f"word {place:#x} = {value}"
    assert limits >= 1


@pytest.mark.parametrize("word", [0x0000, 0xFFFF, 0x1234])
def test_a_bus_without_a_sensor_gives_no_constants(numerics: Any, word: int) -> None:
    assert numerics.extract(np.full(832, word, np.uint16))[0] == numerics.BAD_EEPROM


@pytest.mark.parametrize(
    ("broken", "outlier", "allowed"),
    [
        ((0, 100), (300, 767), True),
        ((0, 100, 200), (300, 767), False),
        ((31, 64), (), True),
        ((31, 62), (), False),
        ((5,), (38,), False),
        ((5,), (6,), False),
    ],
)
def test_bad_pixels_are_counted_and_may_not_touch(
    numerics: Any, broken: tuple[int, ...], outlier: tuple[int, ...], allowed: bool
) -> None:
    eeprom = generate(7, broken=broken, outlier=outlier)
    assert status_of(numerics, eeprom) == (numerics.OK if allowed else numerics.BAD_PIXELS)
    status, _, bad, _ = numerics.extract(eeprom)
    assert status == (numerics.OK if allowed else numerics.BAD_PIXELS)
    assert not allowed or bad == tuple(sorted((*broken, *outlier)))


@settings(max_examples=300, deadline=None)
@given(
    place=st.sampled_from([0x00, 0x08, 0x0A, 0x20, 0x28, 0x2A]) | st.integers(0, 63),
    word=st.integers(0, 0xFFFF) | st.just(0x7FFF),
    control=st.integers(0, 0xFFFF),
    number=st.integers(0, 2),
)
def test_the_same_auxiliary_words_are_refused(numerics: Any, place: int, word: int, control: int, number: int) -> None:
    eeprom = generate(seed=2)
    calibration = Constants.from_eeprom(eeprom)
    words = simulated(eeprom, np.full((24, 32), 34.0), Conditions(), ControlRegister())[number % 2]
    words[768 + place], words[832], words[833] = word, control, number
    assert numerics.extract(eeprom)[0] == numerics.OK
    got = numerics.decode(words)
    try:
        wanted = Decoder(calibration).decode(words)
    except AuxiliaryDataError:
        assert got.status == numerics.BAD_AUXILIARY
    except SensorError:
        assert got.status == (numerics.ARGUMENT if number > 1 else numerics.UNDECODABLE)
    else:
        assert got.status == numerics.OK
        assert got.readings[0] == pytest.approx(wanted.ta, abs=2e-3)
        assert got.readings[1] == pytest.approx(wanted.vdd, abs=1e-5)


def test_unused_auxiliary_words_may_read_anything_and_the_others_not(numerics: Any) -> None:
    eeprom = generate(seed=2)
    frames = simulated(eeprom, np.full((24, 32), 34.0), Conditions(), ControlRegister())
    assert numerics.extract(eeprom)[0] == numerics.OK
    for place in range(64):
        words = frames[0].copy()
        words[768 + place] = 0x7FFF
        unused = 0x0700 + place in UNUSED_AUXILIARY
        assert (numerics.decode(words).status == numerics.OK) == unused, f"{place:#x}"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.003, 0.05, 0.5, 0.95, 0.999]))
def test_invalid_pixels_are_filled_as_core_fills_them(numerics: Any, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    celsius = rng.uniform(-20, 300, (24, 32)).astype(np.float32)
    valid = rng.random((24, 32)) >= share
    valid[rng.integers(24), rng.integers(32)] = True
    wanted, got = celsius.copy(), celsius.copy()
    fill_invalid(wanted, valid)
    assert numerics.interpolate(got, valid) == numerics.OK
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(got[valid], celsius[valid])


def test_a_picture_without_a_valid_pixel_cannot_be_filled(numerics: Any) -> None:
    celsius = np.ones((24, 32), np.float32)
    assert numerics.interpolate(celsius, np.zeros((24, 32), np.bool_)) == numerics.UNDECODABLE


def test_constants_take_little_memory(numerics: Any) -> None:
    assert numerics.c.shim_size_of_constants() <= 5_400
