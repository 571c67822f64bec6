"""What readers make of what chips say: right numbers, and no number where there is none."""

import math
import struct

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from sensor_bytes import CONSTANTS, mlx90614_constants, push, reader

from thermo_core.errors import CountsError, EepromError, SensorError, WireError
from thermo_core.quality import Quality
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.linear_correction import Line
from thermo_core.sensors.lis3dh import decode as lis3dh
from thermo_core.sensors.lis3dh.correction import AxesCorrection
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x import decode as max3010x
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.mlx90614 import decode as mlx90614
from thermo_core.sensors.mlx90614 import kind as mlx90614_kind
from thermo_core.sensors.samples import Samples, pack
from thermo_core.sensors.sht4x import decode as sht4x
from thermo_core.sensors.sht4x import kind as sht4x_kind
from thermo_core.sensors.sht4x.correction import Sht4xCorrection
from thermo_core.sensors.tmp117 import kind as tmp117_kind

READY = 0x2220


def test_the_packet_error_code_of_a_known_word() -> None:
    """SMBus 3.2 and every MLX90614: B4 07 B5 D2 3A has the code 30, and is 28.01 degC."""
    word = mlx90614.word_of(bytes.fromhex("d23a30"), 0x5A, 0x07)
    assert word == 0x3AD2
    assert mlx90614.celsius(word) == pytest.approx(28.01, abs=0.005)
    for bit in range(24):
        damaged = (int.from_bytes(bytes.fromhex("d23a30"), "big") ^ 1 << bit).to_bytes(3, "big")
        with pytest.raises(SensorError, match="packet error code"):
            mlx90614.word_of(damaged, 0x5A, 0x07)
    assert mlx90614.word_of(b"\xd2\x3a\x00", 0x5A, 0x07, check_pec=False) == 0x3AD2


def test_an_mlx90614_is_read() -> None:
    (moment,) = push(reader("mlx90614", emissivity=1.0, zones=1), mlx90614_kind.encode((0x3A00, 0x3AD2)))
    assert moment["s"].values == pytest.approx(28.01, abs=0.005)
    assert moment["s.ta"].values == pytest.approx(0x3A00 * 0.02 - 273.15, abs=0.005)


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ((0x3A00, 0x8000), Quality.MISSING),
        ((0x3A00, 0xFFFF), Quality.MISSING),
        ((0xFFFF, 0xFFFF), Quality.MISSING),
        ((0x3A00, 0x0000), Quality.IMPLAUSIBLE),
        ((0x0000, 0x3AD2), Quality.IMPLAUSIBLE),
        ((0x4DC5, 0x3AD2), Quality.IMPLAUSIBLE),
    ],
)
def test_what_an_mlx90614_says_instead_of_a_temperature(words: tuple[int, int], flag: Quality) -> None:
    """0xFFFF is 1037.55 degC to drivers that look at neither the error bit nor the code."""
    (moment,) = push(reader("mlx90614"), mlx90614_kind.encode(words))
    assert math.isnan(moment["s"].values)
    assert moment["s"].flags & flag


@pytest.mark.parametrize("written", [0xFFFF, 0xF000, 0x8000])
def test_emissivity_in_the_chip_is_calculated_out(written: int) -> None:
    """The chip solves for its own emissivity; the temperature of skin must not depend on what is written in it."""
    ta, to, emissivity = 30.0 + 273.15, 34.0 + 273.15, 0.98
    signal = emissivity * (to**4 - ta**4)
    chip = (ta**4 + signal / (written / 65535)) ** 0.25
    words = (round(ta / 0.02), round(chip / 0.02))
    constants = mlx90614_constants({0x04: written})
    (moment,) = push(reader("mlx90614", constants=constants, emissivity=emissivity), mlx90614_kind.encode(words))
    assert moment["s"].values == pytest.approx(34.0, abs=0.02)


def test_two_zones_need_a_chip_that_has_them() -> None:
    with pytest.raises(EepromError, match="has 1"):
        reader("mlx90614", zones=2)
    one = reader("mlx90614", zones=2, constants=mlx90614_constants({0x05: 0x9FF4}), emissivity=1.0)
    (moment,) = push(one, mlx90614_kind.encode((0x3A00, 0x3AD2, 0x3B00)))
    assert float(moment["s"].values) < float(moment["s.second"].values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict.fromkeys(range(28, 32), 65535), "no identity"),
        ({0x04: 0x0100}, "emissivity 0.004"),
        ({0x00: 0x1000}, "which is none"),
    ],
)
def test_impossible_constants_of_an_mlx90614(changes: dict[int, int], said: str) -> None:
    check = KINDS["mlx90614"].constants
    assert check is not None
    assert len(check.check(mlx90614_constants())) == 8
    with pytest.raises(EepromError, match=said):
        check.check(mlx90614_constants(changes))


def test_sht4x_words_and_their_check_bytes() -> None:
    """Sensirion's example: 0xBEEF has the check byte 0x92."""
    assert sht4x.answer_of(0xBEEF, 0xBEEF) == bytes.fromhex("beef92beef92")
    assert sht4x.words_of(bytes.fromhex("beef92beef92")) == (0xBEEF, 0xBEEF)
    with pytest.raises(SensorError, match="5 bytes"):
        sht4x.words_of(b"12345")
    with pytest.raises(SensorError, match="2 bytes"):
        mlx90614.word_of(b"12", 0x5A, 0x07)
    for answer in (b"\xff" * 6, b"\x00" * 6):
        with pytest.raises(SensorError, match="check byte"):
            sht4x.words_of(answer)
    for bit in range(48):
        damaged = (int.from_bytes(bytes.fromhex("beef92beef92"), "big") ^ 1 << bit).to_bytes(6, "big")
        with pytest.raises(SensorError, match="check byte"):
            sht4x.words_of(damaged)


def test_an_sht4x_is_read_and_corrected() -> None:
    words = (round((23.5 + 45) / 175 * 65535), round((48 + 6) / 125 * 65535))
    (moment,) = push(reader("sht4x"), sht4x_kind.encode(words))
    assert moment["s"].values == pytest.approx(23.5, abs=0.002)
    assert moment["s.rh"].values == pytest.approx(48.0, abs=0.002)
    correction = Sht4xCorrection((Line(0.2), Line(-1.0, 1.05)))
    (moment,) = push(reader("sht4x", correction), sht4x_kind.encode(words))
    assert moment["s"].values == pytest.approx(23.7, abs=0.002)
    assert moment["s.rh"].values == pytest.approx(49.4, abs=0.002)
    (moment,) = push(reader("sht4x"), sht4x_kind.encode((30_000, 65_535)))
    assert moment["s.rh"].values == 100


@pytest.mark.parametrize(
    ("configuration", "result", "celsius", "flag"),
    [
        (READY, 0x0C80, 25.0, 0),
        (READY, 0xFFFF, -0.0078125, 0),
        (READY, 0x8000, math.nan, Quality.MISSING),
        (0x0220, 0x8000, math.nan, Quality.MISSING),
        (0x0220, 0x0C80, math.nan, Quality.STALE),
        (0x0000, 0x0000, math.nan, Quality.STALE),
        (0xFFFF, 0xFFFF, math.nan, Quality.IMPLAUSIBLE),
        (READY, 0x7000, math.nan, Quality.IMPLAUSIBLE),
    ],
)
def test_a_tmp117_is_read(configuration: int, result: int, celsius: float, flag: int) -> None:
    (moment,) = push(reader("tmp117"), tmp117_kind.encode(configuration, result))
    assert moment["s"].values == pytest.approx(celsius, nan_ok=True)
    assert moment["s"].flags == flag | Quality.UNCALIBRATED


def test_a_tmp117_that_stands_still_is_stale() -> None:
    one = reader("tmp117", rate_hz=1.0)
    flags = [push(one, tmp117_kind.encode(READY, 0x0C80))[0]["s"].flags for _ in range(310)]
    assert not any(flag & Quality.STALE for flag in flags[:290])
    assert flags[-1] & Quality.STALE


@pytest.mark.parametrize("mode", ["high-resolution", "normal", "low-power"])
@pytest.mark.parametrize("range_g", [2, 4, 8, 16])
def test_one_g_is_one_g_in_every_mode_and_range(mode: str, range_g: int) -> None:
    wanted = {"high-resolution": (1, 2, 4, 12), "normal": (4, 8, 16, 48), "low-power": (16, 32, 64, 192)}
    mg = wanted[mode][(2, 4, 8, 16).index(range_g)]
    shift = {"high-resolution": 4, "normal": 6, "low-power": 8}[mode]
    sensor = Lis3dhSettings(name="s", path=(0x18,), mode=mode, range_g=range_g)  # type: ignore[arg-type]
    counts = lis3dh.counts_of(struct.pack("<3h", 0, -(1 << shift), (1000 // mg) << shift), mode)
    block = pack(Samples(counts, 40_000), sensor.format)
    (moment,) = push(reader("lis3dh", mode=mode, range_g=range_g), block)
    assert moment["s"].values == pytest.approx([0, -mg / 1000, 1000 // mg * mg / 1000], abs=1e-6)


@pytest.mark.parametrize("data", [b"\xff" * 6, b"", b"\x00" * 5, struct.pack("<3h", 16, 16, 17)])
def test_bytes_that_no_lis3dh_gives(data: bytes) -> None:
    with pytest.raises(SensorError):
        lis3dh.counts_of(data, "high-resolution")


def test_saturated_and_impossible_acceleration() -> None:
    form = Lis3dhSettings(name="s", path=(0x18,)).format
    block = pack(Samples(np.array([[0, 0, 500], [0, 0, 0], [2047, 3, 500], [-2048, 3, 500]], np.int32), 40_000), form)
    flags = [moment["s"].flags for moment in push(reader("lis3dh"), block)]
    assert [flag & ~Quality.UNCALIBRATED for flag in flags] == [
        0,
        Quality.IMPLAUSIBLE,
        Quality.SATURATED,
        Quality.SATURATED,
    ]


def test_an_accelerometer_is_corrected_by_offset_and_matrix() -> None:
    form = Lis3dhSettings(name="s", path=(0x18,)).format
    block = pack(Samples(np.array([[100, -50, 500]], np.int32), 40_000), form)
    matrix = (1.02, 0.01, 0.0, 0.0, 0.98, -0.02, 0.003, 0.0, 1.0)
    correction = AxesCorrection((0.02, -0.01, 0.03), matrix)
    (moment,) = push(reader("lis3dh", correction), block)
    wanted = np.reshape(matrix, (3, 3)) @ (np.array([0.2, -0.1, 1.0]) - [0.02, -0.01, 0.03])
    assert moment["s"].values == pytest.approx(wanted, abs=1e-6)


def test_samples_of_a_burst_lie_before_its_end_at_the_measured_period() -> None:
    sensor = Max3010xSettings(name="s", path=(0x57,), leds=("red", "ir"))
    counts = np.arange(10, dtype=np.int32).reshape(5, 2) * 1000 + 60_000
    moments = push(
        reader("max3010x", leds=["red", "ir"]), pack(Samples(counts, 39_000, lost=3), sensor.format), 1_000_000
    )
    assert [moment["s"].time_us for moment in moments] == [844_000, 883_000, 922_000, 961_000, 1_000_000]
    assert [moment["s"].fresh for moment in moments] == [True, False, False, False, False]
    assert np.array([moment["s"].values for moment in moments]) == pytest.approx(counts * 4096 / 2**18)


@pytest.mark.parametrize(("period_us", "time_us"), [(10_000, 10_000_000), (100_000, 10_000_000), (40_000, 100_000)])
def test_a_burst_at_an_impossible_time_is_refused(period_us: int, time_us: int) -> None:
    sensor = Max3010xSettings(name="s", path=(0x57,))
    block = pack(Samples(np.full((5, 1), 60_000, np.int32), period_us), sensor.format)
    with pytest.raises(SensorError):
        push(reader("max3010x"), block, time_us)


def test_light_that_says_off_skin_or_too_much() -> None:
    sensor = Max3010xSettings(name="s", path=(0x57,), leds=("red", "ir"))
    counts = np.array([[60_000, 70_000], [900, 800], [900, 70_000], [60_000, 0x3FFFF]], np.int32)
    one = reader("max3010x", leds=["red", "ir"])
    flags = [moment["s"].flags for moment in push(one, pack(Samples(counts, 40_000), sensor.format))]
    assert flags == [0, Quality.OFF_SKIN, 0, Quality.SATURATED]
    flags = [moment["s"].flags for moment in push(one, pack(Samples(counts[:1], 40_000, status=0x20), sensor.format))]
    assert flags == [Quality.SATURATED]


@pytest.mark.parametrize("data", [b"\xff" * 3, b"", b"\x00" * 4, b"\x04\x00\x00"])
def test_bytes_that_no_pulse_sensor_gives(data: bytes) -> None:
    with pytest.raises(SensorError):
        max3010x.counts_of(data, 1)


def test_light_that_stands_still_is_stale() -> None:
    sensor = Max3010xSettings(name="s", path=(0x57,))
    one = reader("max3010x")
    block = pack(Samples(np.full((16, 1), 60_000, np.int32), 40_000), sensor.format)
    flags = [moment["s"].flags for _ in range(5) for moment in push(one, block)]
    assert [bool(flag & Quality.STALE) for flag in flags] == [False] * 63 + [True] * 17


@few(120, of=400)
@given(st.sampled_from(sorted(set(KINDS) - {"external"})), st.binary(min_size=1, max_size=80))
def test_any_bytes_are_moments_of_rising_time_or_refused(kind: str, data: bytes) -> None:
    try:
        moments = push(reader(kind), data)
    except (WireError, CountsError, SensorError) as error:
        assert str(error).endswith(".")
        return
    times = [next(iter(moment.values())).time_us for moment in moments]
    assert times == sorted(set(times))
    for moment in moments:
        assert len({sample.time_us for sample in moment.values()}) == 1
        assert not any(np.isinf(sample.values).any() for sample in moment.values())


def test_every_kind_reads_its_own_signals() -> None:
    for kind, row in KINDS.items():
        assert (row.constants is not None) == (kind in CONSTANTS)
