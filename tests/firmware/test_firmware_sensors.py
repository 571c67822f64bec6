"""Decoders and codecs of sensors in C against thermo_core: the same bytes, whatever the chips say."""

import ctypes
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sensor_bytes import CONSTANTS, mlx90614_constants, mlx90632_constants, push, reader

from thermo_core.crc8 import crc8
from thermo_core.errors import CorrectionError, EepromError, SensorError
from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.linear_correction import Line, LinearCorrection
from thermo_core.sensors.lis3dh import decode as lis3dh
from thermo_core.sensors.lis3dh.correction import AxesCorrection
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x import decode as max3010x
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.mlx90614 import decode as mlx90614
from thermo_core.sensors.mlx90614 import kind as mlx90614_kind
from thermo_core.sensors.mlx90614.correction import Mlx90614Correction
from thermo_core.sensors.mlx90632 import codec as mlx90632
from thermo_core.sensors.mlx90632.correction import Mlx90632Correction
from thermo_core.sensors.own_identity import BYTES, own_identity
from thermo_core.sensors.repeats import Repeats
from thermo_core.sensors.samples import Format, Samples, pack
from thermo_core.sensors.sht4x import decode as sht4x
from thermo_core.sensors.sht4x import kind as sht4x_kind
from thermo_core.sensors.sht4x.correction import Sht4xCorrection
from thermo_core.sensors.tmp117 import kind as tmp117_kind
from thermo_core.sensors.tmp117.correction import Tmp117Correction
from thermo_core.signals import Sample

OK, BAD_EEPROM, UNDECODABLE, DAMAGED = 0, 5, 8, 9
WORD = st.integers(0, 0xFFFF)
LINES = st.builds(Line, st.floats(-50, 50, width=32), st.floats(0.5, 2, width=32), st.floats(-1, 1, width=32))
EDGES = [
    float(np.nextafter(np.float32(limit), np.float32(towards)))
    for limit in (-1, -0.25, 0.25, 0.75, 1, 1.25)
    for towards in (-2, limit, 2)
]
"""Each limit of an accelerometer's correction, and the numbers on both sides of it."""
FORMATS = st.sampled_from(
    [Format(1, 0, (1 << 18) - 1), Format(3, 0, (1 << 18) - 1), Format(3, -2048, 2047), Format(3, -128, 127)]
)


def floats(count: int) -> NDArray[np.float32]:
    return np.full(count, 99.0, np.float32)


def flags_of(count: int) -> NDArray[np.uint16]:
    return np.zeros(count, np.uint16)


def at(array: NDArray[Any]) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    return array.ctypes.data_as(ctypes.c_void_p)  # which keeps the array alive


def real(value: float | None) -> ctypes.c_float:
    return ctypes.c_float(math.nan if value is None else value)


def same(got: Any, flags: int, wanted: Sample) -> None:
    """Bit for bit, any NaN for any other."""
    found = np.asarray(got, np.float32)
    missing = np.isnan(wanted.values)
    assert np.array_equal(np.isnan(found), missing)
    assert found[~missing].tobytes() == wanted.values[~missing].tobytes()
    assert flags == wanted.flags & ~Quality.STALE


def correct(sensors: ctypes.CDLL, correction: LinearCorrection | None) -> int:
    """Give the lines to C; whether there are any."""
    if correction is None:
        return 0
    body = correction.body()
    assert sensors.sensors_lines(body, len(body), len(correction.lines)) == OK
    return 1


def test_flags_have_the_same_bits(sensors: ctypes.CDLL) -> None:
    assert sensors.sensors_quality_doubtful() == DOUBTFUL


@settings(max_examples=400, deadline=None)
@given(FORMATS, st.data())
def test_samples_pack_to_the_same_bytes(sensors: ctypes.CDLL, form: Format, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 64))
    if data.draw(st.booleans()):
        elements = st.integers(form.low, form.high) | st.sampled_from([form.low, form.high])
        values = data.draw(hnp.arrays(np.int32, (count, form.channels), elements=elements))
    else:
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        walk = rng.normal(0, 2 ** data.draw(st.floats(-1, 17)), (count, form.channels)).cumsum(axis=0)
        walk += rng.normal((form.low + form.high) / 2, 2 ** data.draw(st.floats(-1, 17)), (count, form.channels))
        values = np.clip(np.rint(walk), form.low, form.high).astype(np.int32)
    period_us, lost = data.draw(st.integers(1, 0xFFFFFF)), data.draw(st.integers(0, 300))
    status = data.draw(st.integers(0, 255))
    wanted = pack(Samples(values, period_us, lost, status), form)
    longest = form.longest(count)
    assert sensors.sensors_longest(form.channels, form.low, form.high, ctypes.c_size_t(count)) == longest
    to = np.full(longest + 64, 0xA5, np.uint8)
    size = sensors.sensors_pack(
        form.channels, form.low, form.high, period_us, lost, status, at(values), ctypes.c_size_t(count), at(to)
    )
    assert to[:size].tobytes() == wanted
    assert (to[longest:] == 0xA5).all()


@pytest.mark.parametrize(
    ("values", "period_us"),
    [
        (np.zeros((0, 1)), 1),
        (np.zeros((65, 1)), 1),
        (np.zeros((1, 1)), 0),
        (np.zeros((1, 1)), 1 << 24),
        ([[-1]], 1),
        ([[1 << 18]], 1),
    ],
)
def test_what_no_block_holds_is_not_packed(sensors: ctypes.CDLL, values: Any, period_us: int) -> None:
    array = np.asarray(values, np.int32)
    to = np.zeros(4096, np.uint8)
    count = ctypes.c_size_t(len(array))
    assert sensors.sensors_pack(1, 0, (1 << 18) - 1, period_us, 0, 0, at(array), count, at(to)) == 0


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([Mlx90632Correction, Mlx90614Correction]), st.data())
def test_the_same_corrections_are_refused(
    sensors: ctypes.CDLL, kind: type[LinearCorrection], data: st.DataObject
) -> None:
    size = data.draw(st.sampled_from([0, 11, 12, 24]))
    body = data.draw(
        st.binary(min_size=size, max_size=size) | st.just(np.array([0, 1, 0] * 2, np.float32).tobytes()[:size])
    )
    try:
        kind.from_body(kind((Line(),) * len(kind.numbers)).stamp, body)
        wanted = OK
    except CorrectionError:
        wanted = DAMAGED
    assert sensors.sensors_lines(body, len(body), len(kind.numbers)) == wanted


VECTORS = [
    (609, 611, 1.0, None, 55.507, 0),
    (149, 151, 1.0, None, 51.123, 0),
    (-149, -151, 1.0, None, 48.171, 0),
    (-5000, -5000, 1.0, None, -16.653, 0),
    (609, 611, 0.1, 49.66, 98.141, 1),
    (609, 611, 0.1, 40.0, 143.956, 1),
]


@pytest.mark.parametrize(("first", "second", "emissivity", "reflected", "celsius", "whole"), VECTORS)
def test_the_vendors_vectors(
    sensors: ctypes.CDLL,
    first: int,
    second: int,
    emissivity: float,
    reflected: float | None,
    celsius: float,
    whole: int,
) -> None:
    """To 0.001 K; those at an emissivity of 0.1 with the whole numbers that the vendor's functions take."""
    words, found = np.frombuffer(mlx90632_constants(), "<u2"), floats(5)
    assert sensors.sensors_mlx90632_extract(at(words), at(np.zeros(6, np.uint8))) == OK
    objects = real((first + second) / 2)
    sensors.sensors_mlx90632_formulas(
        objects, real(22454), real(23030), real(emissivity), real(reflected), whole, at(found)
    )
    assert found[4] == pytest.approx(celsius, abs=0.001)
    assert whole or found[1] == pytest.approx(48.724, abs=0.001)


@settings(max_examples=500, deadline=None)
@given(
    status=WORD | st.sampled_from([5, 9]),
    near=st.booleans(),
    data=st.data(),
    emissivity=st.floats(0.0625, 1, width=32),
    reflected=st.none() | st.floats(-100, 150, width=32),
    line=st.none() | LINES,
)
def test_mlx90632_readings(
    sensors: ctypes.CDLL,
    status: int,
    near: bool,
    data: st.DataObject,
    emissivity: float,
    reflected: float | None,
    line: Line | None,
) -> None:
    if near:
        ranges = [(-3000, 3000), (-3000, 3000), (17_000, 23_000), (-3000, 3000), (-3000, 3000), (22_000, 24_000)]
        words = [data.draw(st.integers(*one)) for one in ranges]
    else:
        words = data.draw(st.lists(st.integers(-32768, 32767), min_size=6, max_size=6))
    correction = None if line is None else Mlx90632Correction((line,))
    corrected = correct(sensors, correction)
    sensors.sensors_mlx90632_extract(at(np.frombuffer(CONSTANTS["mlx90632"], "<u2")), at(np.zeros(6, np.uint8)))
    values, flags = floats(2), flags_of(2)
    array = np.array(words, np.int16)
    done = sensors.sensors_mlx90632_decode(
        real(emissivity), real(reflected), corrected, status, at(array), at(values), at(flags)
    )
    one = reader("mlx90632", correction, emissivity=emissivity, reflected_celsius=reflected)
    try:
        (moment,) = push(one, mlx90632.encode(mlx90632.Reading(status, tuple(words))))
    except SensorError:
        assert done == UNDECODABLE
        return
    assert done == OK
    same(values[0], int(flags[0]), moment["s"])
    same(values[1], int(flags[1]), moment["s.ta"])


def _extracts(sensors: ctypes.CDLL, kind: str, data: bytes) -> None:
    check = KINDS[kind].constants
    assert check is not None
    words, found = np.frombuffer(data, "<u2"), np.zeros(8, np.uint8)
    if kind == "mlx90632":
        done = sensors.sensors_mlx90632_extract(at(words), at(found))
    else:
        emissivity, zones = floats(1), np.zeros(1, np.uint8)
        done = sensors.sensors_mlx90614_extract(at(words), at(found), at(emissivity), at(zones))
    try:
        identity = check.check(data)
    except EepromError:
        assert done == BAD_EEPROM
        return
    assert done == OK
    assert found[: len(identity)].tobytes() == identity


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["mlx90632", "mlx90614"]), st.data())
def test_the_same_eeproms_are_refused(sensors: ctypes.CDLL, kind: str, data: st.DataObject) -> None:
    words = np.frombuffer(CONSTANTS[kind], "<u2").copy()
    for _ in range(data.draw(st.integers(1, 3))):
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(
            st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF]) | WORD
        )
    _extracts(sensors, kind, words.tobytes())


@pytest.mark.parametrize(
    ("kind", "word"), [("mlx90632", 0), ("mlx90632", 0xFFFF), ("mlx90614", 0), ("mlx90614", 0xFFFF)]
)
def test_a_bus_without_a_chip_gives_no_constants(sensors: ctypes.CDLL, kind: str, word: int) -> None:
    _extracts(sensors, kind, word.to_bytes(2, "little") * (len(CONSTANTS[kind]) // 2))


@pytest.mark.parametrize("emissivity", [3275, 3276, 3277, 3278])
def test_the_least_emissivity_is_cores(sensors: ctypes.CDLL, emissivity: int) -> None:
    _extracts(sensors, "mlx90614", mlx90614_constants({0x04: emissivity}))


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=3, max_size=3), st.integers(8, 0x77), st.integers(0, 255), st.booleans(), st.booleans())
def test_smbus_words(sensors: ctypes.CDLL, answer: bytes, address: int, command: int, right: bool, check: bool) -> None:
    if right:
        answer = answer[:2] + bytes((crc8(bytes((address << 1, command, address << 1 | 1, *answer[:2]))),))
    word = np.zeros(1, np.uint16)
    done = sensors.sensors_mlx90614_word(answer, address, command, int(check), at(word))
    try:
        wanted = mlx90614.word_of(answer, address, command, check)
    except SensorError:
        assert done == DAMAGED
    else:
        assert (done, int(word[0])) == (OK, wanted)
        message = np.zeros(4, np.uint8)
        sensors.sensors_mlx90614_write(address, command, wanted, at(message))
        assert message.tobytes() == mlx90614.write_message(address, command, wanted)


@settings(max_examples=500, deadline=None)
@given(
    ta=st.integers(0x2DE0, 0x4DC8) | WORD,
    first=st.integers(0x27A8, 0x7FFF) | WORD,
    second=st.integers(0x27A8, 0x7FFF) | WORD,
    zones=st.integers(1, 2),
    written=st.integers(3277, 0xFFFF),
    emissivity=st.floats(0.0625, 1, width=32),
    reflected=st.none() | st.floats(-100, 150, width=32),
    lines=st.none() | st.tuples(LINES, LINES),
)
def test_mlx90614_readings(
    sensors: ctypes.CDLL,
    ta: int,
    first: int,
    second: int,
    zones: int,
    written: int,
    emissivity: float,
    reflected: float | None,
    lines: tuple[Line, Line] | None,
) -> None:
    correction = None if lines is None else Mlx90614Correction(lines)
    corrected = correct(sensors, correction)
    constants = mlx90614_constants({0x04: written, 0x05: 0x9FF4})
    eeprom = np.frombuffer(constants, "<u2")
    sensors.sensors_mlx90614_extract(at(eeprom), at(np.zeros(8, np.uint8)), at(floats(1)), at(np.zeros(1, np.uint8)))
    words = (ta, first, second)[: 1 + zones]
    values, flags, array = floats(3), flags_of(3), np.array(words, np.uint16)
    sensors.sensors_mlx90614_decode(
        real(emissivity), real(reflected), corrected, at(array), zones, at(values), at(flags)
    )
    options: dict[str, object] = {"zones": zones, "emissivity": emissivity, "reflected_celsius": reflected}
    (moment,) = push(reader("mlx90614", correction, constants, **options), mlx90614_kind.encode(words))
    for name, place in (("s", 0), ("s.ta", 1), ("s.second", 2)):
        if name in moment:
            same(values[place], int(flags[place]), moment[name])


@settings(max_examples=300, deadline=None)
@given(
    leds=st.integers(1, 3),
    range_na=st.sampled_from([2048, 4096, 8192, 16384]),
    pulse_us=st.sampled_from([69, 118, 215, 411]),
    contact=st.floats(0, 16384, width=32),
    status=st.integers(0, 255),
    data=st.data(),
)
def test_pulse_samples(
    sensors: ctypes.CDLL, leds: int, range_na: int, pulse_us: int, contact: float, status: int, data: st.DataObject
) -> None:
    names = ["red", "ir", "green"][:leds]
    plain: dict[str, Any] = {
        "variant": "max30101",
        "leds": names,
        "range_na": range_na,
        "pulse_us": pulse_us,
        "contact_na": contact,
    }
    plain |= {"rate_hz": 25.0, "averages": 4}
    counts = [data.draw(st.integers(0, 0x3FFFF) | st.sampled_from([0, 0x3FFF8, 0x3FFFF])) for _ in names]
    sensor = Max3010xSettings(name="s", path=(0x57,), **(plain | {"leds": tuple(names)}))
    block = pack(Samples(np.array([counts], np.int32), 40_000, status=status), sensor.format)
    (moment,) = push(reader("max3010x", **plain), block)
    values = floats(3)
    array = np.array(counts, np.int32)
    flags = sensors.sensors_max3010x_decode(
        leds, range_na, sensor.full_count, real(contact), at(array), status, at(values)
    )
    same(values[:leds], flags, moment["s"])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["high-resolution", "normal", "low-power"]),
    st.sampled_from([2, 4, 8, 16]),
    st.none() | st.tuples(*[st.floats(-0.125, 0.125, width=32)] * 12),
    st.data(),
)
def test_acceleration(
    sensors: ctypes.CDLL, mode: str, range_g: int, changes: tuple[float, ...] | None, data: st.DataObject
) -> None:
    sensor = Lis3dhSettings(name="s", path=(0x18,), mode=mode, range_g=range_g)  # type: ignore[arg-type]
    form = sensor.format
    counts = [data.draw(st.integers(form.low, form.high) | st.sampled_from([0, form.low, form.high])) for _ in range(3)]
    correction = None
    if changes is not None:
        matrix = tuple(float(place % 4 == 0) + change for place, change in enumerate(changes[3:]))
        correction = AxesCorrection(changes[:3], matrix)
        assert sensors.sensors_axes(correction.body(), 48) == OK
    block = pack(Samples(np.array([counts], np.int32), 40_000), form)
    (moment,) = push(reader("lis3dh", correction, mode=mode, range_g=range_g), block)
    values = floats(3)
    array = np.array(counts, np.int32)
    shift = {"high-resolution": 4, "normal": 6, "low-power": 8}[mode]
    flags = sensors.sensors_lis3dh_decode(shift, sensor.mg_a_count, int(correction is not None), at(array), at(values))
    same(values, flags, moment["s"])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_same_axes_are_refused(sensors: ctypes.CDLL, data: st.DataObject) -> None:
    sound = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], np.float32)
    sound[data.draw(st.integers(0, 11))] = data.draw(
        st.floats(-1.5, 1.5, width=32) | st.sampled_from([math.nan, *EDGES])
    )
    body = sound.tobytes()[: data.draw(st.sampled_from([48, 48, 47]))]
    try:
        AxesCorrection.from_body(AxesCorrection((0.0, 0.0, 0.0)).stamp, body)
        wanted = OK
    except CorrectionError:
        wanted = DAMAGED
    assert sensors.sensors_axes(body, len(body)) == wanted


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=18, max_size=18), st.sampled_from([0, 0x3F, 0xFFF0]))
def test_bytes_of_fifos(sensors: ctypes.CDLL, data: bytes, mask: int) -> None:
    """Whole samples of both kinds, and what neither chip gives."""
    words = struct.unpack("<9H", data)
    for mode, shift in (("high-resolution", 4), ("normal", 6), ("low-power", 8)):
        kept = struct.pack("<9H", *(word & 0x10000 - (1 << shift) if mask else word for word in words))
        counts = np.zeros(9, np.int32)
        done = sensors.sensors_lis3dh_counts(kept, ctypes.c_size_t(3), shift, at(counts))
        try:
            wanted = lis3dh.counts_of(kept, mode)
        except SensorError:
            assert done == DAMAGED
        else:
            assert done == OK
            assert np.array_equal(counts.reshape(3, 3), wanted)
    masked = bytes(byte & 3 if mask and place % 3 == 0 else byte for place, byte in enumerate(data))
    for leds in (1, 2, 3):
        counts = np.zeros(6, np.int32)
        done = sensors.sensors_max3010x_counts(masked, ctypes.c_size_t(6 // leds), leds, at(counts))
        try:
            wanted = max3010x.counts_of(masked, leds)
        except SensorError:
            assert done == DAMAGED
        else:
            assert done == OK
            assert np.array_equal(counts.reshape(-1, leds), wanted)


@settings(max_examples=300, deadline=None)
@given(st.tuples(WORD, WORD), st.integers(0, 48), st.none() | st.tuples(LINES, LINES))
def test_sht4x_answers(sensors: ctypes.CDLL, said: tuple[int, int], flip: int, lines: tuple[Line, Line] | None) -> None:
    answer = sht4x.answer_of(*said)
    if flip < 48:
        answer = (int.from_bytes(answer, "big") ^ 1 << flip).to_bytes(6, "big")
    words = np.zeros(2, np.uint16)
    done = sensors.sensors_sht4x_words(answer, at(words))
    assert done == (OK if flip == 48 else DAMAGED)
    correction = None if lines is None else Sht4xCorrection(lines)
    corrected = correct(sensors, correction)
    values, array = floats(2), np.array(said, np.uint16)
    flags = sensors.sensors_sht4x_decode(corrected, at(array), at(values))
    (moment,) = push(reader("sht4x", correction), sht4x_kind.encode(said))
    same(values[0], flags, moment["s"])
    same(values[1], flags, moment["s.rh"])


@settings(max_examples=300, deadline=None)
@given(WORD | st.just(0x2220), WORD | st.integers(0x0C00, 0x1400), st.none() | LINES)
def test_tmp117_results(sensors: ctypes.CDLL, configuration: int, result: int, line: Line | None) -> None:
    correction = None if line is None else Tmp117Correction((line,))
    corrected = correct(sensors, correction)
    value = floats(1)
    flags = sensors.sensors_tmp117_decode(corrected, configuration, result, at(value))
    (moment,) = push(reader("tmp117", correction), tmp117_kind.encode(configuration, result))
    assert flags == moment["s"].flags
    same(value[0], flags & ~Quality.STALE, moment["s"])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4), st.lists(st.sampled_from([b"aaaa", b"aaab", b"baaa"]), max_size=20))
def test_repeats_are_counted_alike(sensors: ctypes.CDLL, limit: int, readings: list[bytes]) -> None:
    wanted = Repeats(limit)
    sensors.sensors_repeats_start(limit)
    for reading in readings:
        assert bool(sensors.sensors_repeats_push(reading, ctypes.c_size_t(4))) == wanted.push(reading)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40), st.integers(0, 255))
def test_a_chip_without_an_identity_has_the_agents(sensors: Any, serial: str, number: int) -> None:
    found = ctypes.create_string_buffer(BYTES)
    sensors.own_identity(serial.encode(), ctypes.c_uint8(number), found)
    assert found.raw == own_identity(serial, number)


def test_the_identity_is_the_published_hash() -> None:
    """Of "foobar", as its authors give it."""
    assert own_identity("fooba", ord("r")).hex() == "85944171f73967e8"
