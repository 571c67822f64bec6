"""Unmodified public drivers on the simulated chips: they read what is there, and where they are wrong the test shows how.

Their pauses pass in simulated time.
"""

from functools import partial
from types import SimpleNamespace
from typing import Any

import adafruit_lis3dh
import adafruit_mlx90614
import adafruit_mlx90632
import adafruit_sht4x
import adafruit_tca9548a
import adafruit_tmp117
import max30105
import mlx90614 as py_mlx90614
import numpy as np
import pytest
from chip_bus import DIE, SKIN, bus_of, pulse, still, wait
from sensor_bytes import push, reader

from thermo_core.sensors.mlx90632 import codec
from thermo_sim.adafruit import AdafruitI2C
from thermo_sim.chips.lis3dh import SimulatedLis3dh
from thermo_sim.chips.max3010x import SimulatedMax3010x
from thermo_sim.chips.mlx90614 import SimulatedMlx90614
from thermo_sim.chips.mlx90632 import NOMINAL, SimulatedMlx90632, eeprom
from thermo_sim.chips.sht4x import SimulatedSht4x
from thermo_sim.chips.tca9548a import SimulatedTca9548a
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.i2c import SimulatedBus
from thermo_sim.smbus import Smbus
from thermo_sim.surface import steady

GRAVITY = 9.806


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Lets `time.sleep` pass on the bus that the test names."""
    current = SimpleNamespace(bus=None)
    monkeypatch.setattr("time.sleep", lambda seconds: current.bus and wait(current.bus, seconds))
    return current


def _bus(pauses: SimpleNamespace, *chips: object, frequency_hz: int = 100_000) -> SimulatedBus:
    pauses.bus = bus_of(*chips, frequency_hz=frequency_hz)  # type: ignore[arg-type]
    wait(pauses.bus, 0.01)  # supplies come up
    return pauses.bus


def test_adafruit_mlx90614_reads_two_chips(pauses: Any) -> None:
    chips = [SimulatedMlx90614(steady(to), DIE, address=at, seed=at) for at, to in ((0x5A, 34.0), (0x5B, 36.5))]
    bus = _bus(pauses, *chips)
    wait(bus, 5)
    drivers = [adafruit_mlx90614.MLX90614(AdafruitI2C(bus), address) for address in (0x5A, 0x5B)]
    assert [driver.object_temperature for driver in drivers] == pytest.approx([34.0, 36.5], abs=0.1)
    assert [driver.ambient_temperature for driver in drivers] == pytest.approx([30.0, 30.0], abs=0.1)


def test_adafruit_mlx90614_takes_a_bus_without_pull_up_for_a_very_hot_object(pauses: Any) -> None:
    bus = _bus(pauses, SimulatedMlx90614(SKIN, DIE))
    wait(bus, 5)
    driver = adafruit_mlx90614.MLX90614(AdafruitI2C(bus))
    bus.add_faults("ones")
    assert driver.object_temperature == pytest.approx(1037.55)
    bus.add_faults("checksum")
    assert driver.object_temperature == pytest.approx(34.0, abs=0.1)  # it does not look


def test_py_mlx90614_reads_and_tries_again(pauses: Any) -> None:
    bus = _bus(pauses, SimulatedMlx90614(SKIN, DIE, second=steady(35.0)))
    wait(bus, 5)
    driver = py_mlx90614.MLX90614(Smbus(bus))
    bus.add_faults("nackx3")
    assert driver.get_obj_temp() == pytest.approx(34.0, abs=0.1)
    assert driver.get_amb_temp() == pytest.approx(30.0, abs=0.1)
    assert driver.get_object_2() == pytest.approx(35.0, abs=0.1)


def test_adafruit_mlx90632_reads_two_chips_of_different_constants(pauses: Any) -> None:
    chips = [SimulatedMlx90632(SKIN, DIE, address=at, seed=at, emissivity=1.0, noise_counts=0) for at in (0x3A, 0x3B)]
    bus = _bus(pauses, *chips, frequency_hz=400_000)
    drivers = [adafruit_mlx90632.MLX90632(AdafruitI2C(bus), address) for address in (0x3A, 0x3B)]
    assert drivers[0].product_id != drivers[1].product_id
    wait(bus, 2)
    for driver, chip in zip(drivers, chips, strict=True):
        for _ in range(3):
            theirs = driver.object_temperature
        assert theirs == pytest.approx(34.0, abs=0.02)
        assert driver.ambient_temperature == pytest.approx(30.0, abs=0.01)
        words = tuple(driver._read_register16_signed(0x4003 + place) for place in range(6))
        one = reader("mlx90632", constants=chip.constants, emissivity=1.0)
        (moment,) = push(one, codec.encode(codec.Reading(1 << 2, words)))
        assert moment["s"].values == pytest.approx(theirs, abs=0.005)


def test_adafruit_mlx90632_remembers_and_so_reads_the_same_words_differently(pauses: Any) -> None:
    """55.507 degC by the vendor; the driver's first answers are 55.500 and 55.551."""
    words = eeprom(0)
    for start, value in NOMINAL.items():
        words[start], words[start + 1] = value & 0xFFFF, value >> 16 & 0xFFFF
    chip = SimulatedMlx90632(steady(55.507), steady(48.724), emissivity=1.0, noise_counts=0, words=words)
    bus = _bus(pauses, chip)
    driver = adafruit_mlx90632.MLX90632(AdafruitI2C(bus))
    wait(bus, 2)
    said = [driver.object_temperature for _ in range(3)]
    assert said[:2] == pytest.approx([55.500, 55.551], abs=0.01)
    assert said[1] - said[0] > 0.04


def test_adafruit_mlx90632_cannot_change_the_rate_and_says_nothing(pauses: Any) -> None:
    bus = _bus(pauses, SimulatedMlx90632(SKIN, DIE))
    driver = adafruit_mlx90632.MLX90632(AdafruitI2C(bus))
    driver.refresh_rate = adafruit_mlx90632.REFRESH_64HZ
    assert driver.refresh_rate == adafruit_mlx90632.REFRESH_2HZ


def test_adafruit_tmp117_reads_two_chips(pauses: Any) -> None:
    chips = [SimulatedTmp117(steady(to), address=at, seed=at) for at, to in ((0x48, 33.0), (0x49, 35.0))]
    bus = _bus(pauses, *chips, frequency_hz=400_000)
    drivers = [adafruit_tmp117.TMP117(AdafruitI2C(bus), address) for address in (0x48, 0x49)]
    assert [driver.temperature for driver in drivers] == pytest.approx([33.0, 35.0], abs=0.1)
    assert [driver.serial_number for driver in drivers] == [chip.serial for chip in chips]
    drivers[0].temperature_offset = 10.0
    drivers[0].averaged_measurements = adafruit_tmp117.AverageCount.AVERAGE_64X
    assert drivers[0].take_single_measurement() == pytest.approx(43.0, abs=0.1)
    drivers[1].high_limit = 34.0
    wait(bus, 2)
    assert drivers[1].alert_status == (True, False)


def test_a_tmp117_says_minus_256_before_its_first_conversion(pauses: Any) -> None:
    bus = _bus(pauses, SimulatedTmp117(SKIN))
    driver = adafruit_tmp117.TMP117(AdafruitI2C(bus))
    driver.reset()
    assert driver.temperature == -256


def test_adafruit_sht4x_reads_two_chips_and_sees_a_wrong_check_byte(pauses: Any) -> None:
    chips = [SimulatedSht4x(steady(to), steady(rh), at, at) for at, to, rh in ((0x44, 23.0, 40.0), (0x45, 31.0, 75.0))]
    bus = _bus(pauses, *chips, frequency_hz=400_000)
    drivers = [adafruit_sht4x.SHT4x(AdafruitI2C(bus), address) for address in (0x44, 0x45)]
    for driver, chip, wanted in zip(drivers, chips, ((23.0, 40.0), (31.0, 75.0)), strict=True):
        assert driver.serial_number == chip.serial
        celsius, humidity = driver.measurements
        assert celsius == pytest.approx(wanted[0], abs=0.3)
        assert humidity == pytest.approx(wanted[1], abs=3)
    bus.add_faults("checksum:addr=0x44")
    with pytest.raises(RuntimeError, match="CRC"):
        _ = drivers[0].measurements
    drivers[0].mode = adafruit_sht4x.Mode.HIGHHEAT_1S
    assert drivers[0].temperature > 60


@pytest.mark.parametrize("range_g", [2, 4, 8, 16])
def test_adafruit_lis3dh_reads_all_ranges_two_hundredths_low(pauses: Any, range_g: int) -> None:
    """It divides by 16380 counts a g and their like where the chip has 16000 (1 mg in 12 bits): 2.3 % less than there is."""
    chips = [
        SimulatedLis3dh(still(*g), at, noise=False) for at, g in ((0x18, (0.0, 0.25, 1.0)), (0x19, (1.0, -0.25, 0.0)))
    ]
    bus = _bus(pauses, *chips, frequency_hz=400_000)
    for address, wanted in ((0x18, (0, 0.25, 1)), (0x19, (1, -0.25, 0))):
        driver = adafruit_lis3dh.LIS3DH_I2C(AdafruitI2C(bus), address=address)
        driver.range = (2, 4, 8, 16).index(range_g)
        assert driver.data_rate == adafruit_lis3dh.DATARATE_400_HZ
        wait(bus, 0.01)
        step = {2: 0.001, 4: 0.002, 8: 0.004, 16: 0.012}[range_g]
        low = 16000 / 16380 if range_g != 16 else 16000 / 12 / 1365
        assert np.array(driver.acceleration) / GRAVITY == pytest.approx(low * np.array(wanted), abs=step)


def test_adafruit_tca9548a_reaches_equal_addresses_behind_its_channels(pauses: Any) -> None:
    mux = SimulatedTca9548a()
    bus = _bus(pauses, mux, frequency_hz=400_000)
    for number in range(8):
        for address in (0x48, 0x49):
            bus.attach(SimulatedTmp117(steady(30.0 + number + (address & 1) / 2), address=address), mux.channel(number))
    wait(bus, 0.01)
    tca = adafruit_tca9548a.TCA9548A(AdafruitI2C(bus))
    for number in (0, 3, 7):
        for address in (0x48, 0x49):
            driver = adafruit_tmp117.TMP117(tca[number], address)
            before = bus.transactions
            assert driver.temperature == pytest.approx(30.0 + number + (address & 1) / 2, abs=0.1)
            assert bus.transactions - before == 3  # its mask before and 0x00 after each lock
            assert mux.mask == 0


def _pulse_driver(pauses: SimpleNamespace, **setup: object) -> tuple[max30105.MAX30105, SimulatedBus]:
    bus = _bus(pauses, SimulatedMax3010x(pulse, DIE, green=True), frequency_hz=400_000)
    driver = max30105.MAX30105(i2c_dev=Smbus(bus))
    driver.setup(**setup)
    return driver, bus


def test_max30105_reads_a_pulse(pauses: Any) -> None:
    driver, bus = _pulse_driver(
        pauses, leds_enable=2, sample_average=4, sample_rate=100, pulse_width=411, adc_range=4096
    )
    assert driver.get_chip_id() == (3, 0x15)
    assert driver.get_temperature() == pytest.approx(30.0, abs=0.07)
    driver.set_led_pulse_amplitude(1, 6.4)
    driver.set_led_pulse_amplitude(2, 6.4)
    driver.clear_fifo()
    beats = 0
    heart = max30105.HeartRate(driver)
    for _ in range(150):
        wait(bus, 0.08)
        samples = driver.get_samples() or []
        for sample in samples[1::2]:
            assert 40_000 < sample < 80_000
            beats += heart.check_for_beat(sample)
    assert 8 <= beats <= 18  # 14 in 12 s; the driver loses samples, see below


def test_max30105_takes_a_full_fifo_for_an_empty_one_and_drops_it(pauses: Any) -> None:
    driver, bus = _pulse_driver(
        pauses, leds_enable=2, sample_average=1, sample_rate=100, pulse_width=411, adc_range=4096
    )
    driver.clear_fifo()
    wait(bus, 0.325)
    assert Smbus(bus).read_i2c_block_data(0x57, 0x04, 3) == [0, 0, 0]  # 32 samples wait
    assert not driver.get_samples()


def test_max30105_tears_samples_across_its_blocks_of_32_bytes(pauses: Any) -> None:
    """20 samples of 6 bytes are no multiple of 32; each new block begins with the sample that the last one cut."""
    driver, bus = _pulse_driver(
        pauses, leds_enable=2, sample_average=1, sample_rate=100, pulse_width=411, adc_range=4096
    )
    driver.set_led_pulse_amplitude(1, 0)
    driver.set_led_pulse_amplitude(2, 6.4)
    driver.clear_fifo()
    wait(bus, 0.205)
    samples = driver.get_samples()
    dark, lit = samples[0::2], samples[1::2]
    assert max(dark[:5]) < 200 < 40_000 < min(lit[:5])
    assert max(dark) > 40_000 or min(lit) < 200


def test_two_pulse_sensors_of_the_one_address_behind_two_channels(pauses: Any) -> None:
    mux = SimulatedTca9548a()
    bus = _bus(pauses, mux, frequency_hz=400_000)
    for number in (0, 1):
        bus.attach(
            SimulatedMax3010x(partial(lambda n, times_s: (1 + n) * pulse(times_s), number), seed=number),
            mux.channel(number),
        )
    levels = []
    for number in (0, 1):
        Smbus(bus).write_i2c_block_data(0x70, 1 << number, [])
        driver = max30105.MAX30105(i2c_dev=Smbus(bus))
        driver.setup(leds_enable=2, sample_average=4, sample_rate=100, pulse_width=411, adc_range=4096)
        driver.clear_fifo()
        wait(bus, 0.2)
        levels.append(np.mean(driver.get_samples()))
    assert levels[1] / levels[0] == pytest.approx(2.0, abs=0.1)
