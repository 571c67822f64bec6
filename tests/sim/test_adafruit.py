"""The unmodified `adafruit_mlx90640` driver against the simulator: its pictures agree with thermo_core's decoder.

The driver keeps the EEPROM in a module global and its calibration lists as class attributes, so within one process a
second sensor overwrites the first (kelvins of error; a test below shows it). Two sensors at once are therefore served
by two copies of the unmodified module, each loaded under a name of its own.
"""

import importlib.util
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_sim.adafruit import AdafruitI2C
from thermo_sim.chips.mlx90640.chip import SimulatedMlx90640
from thermo_sim.chips.mlx90640.eeprom import encode, generate, random_parameters
from thermo_sim.chips.mlx90640.radiometry import ResponseError
from thermo_sim.clock import VirtualClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.i2c import SimulatedBus
from thermo_sim.scenes import breast_patch

RAM, STATUS, CONTROL = 0x0400, 0x8000, 0x800D


class Tap(AdafruitI2C):
    """Remembers what the driver read: the words of its last two subpages."""

    def __init__(self, bus: SimulatedBus, address: int = 0x33) -> None:
        super().__init__(bus)
        self.frames: list[NDArray[Any]] = []
        self._ram = np.zeros(832, dtype=np.uint16)
        self._status = 0
        self._address = address

    def writeto_then_readfrom(self, address: Any, buffer_out: Any, buffer_in: Any, **limits: Any) -> None:
        super().writeto_then_readfrom(address, buffer_out, buffer_in, **limits)
        if address != self._address:
            return
        register = int.from_bytes(buffer_out[:2], "big")
        words = np.frombuffer(bytes(buffer_in[: limits["in_end"]]), dtype=">u2")
        if register == RAM:
            self._ram = words.astype(np.uint16)
        elif register == STATUS:
            self._status = int(words[0])
        elif register == CONTROL:
            self.frames.append(np.concatenate([self._ram, [words[0], self._status & 1]]).astype(np.uint16))


@pytest.fixture(autouse=True)
def _no_real_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def _load_driver(name: str) -> ModuleType:
    spec = importlib.util.find_spec("adafruit_mlx90640")
    assert spec is not None
    assert spec.origin is not None
    copy = importlib.util.spec_from_file_location(name, spec.origin)
    assert copy is not None
    assert copy.loader is not None
    module = importlib.util.module_from_spec(copy)
    copy.loader.exec_module(module)
    return module


def _difference(tap: Tap, theirs: NDArray[Any], calibration: Constants) -> NDArray[Any]:
    """Their picture minus ours of the same words, on good pixels."""
    decoder = Decoder(calibration, emissivity=0.95)
    ours = merge(decoder.decode(tap.frames[-2]), decoder.decode(tap.frames[-1]))
    return (theirs.reshape(24, 32) - ours.celsius)[ours.valid]


def _picture(driver: Any) -> NDArray[Any]:
    picture = [0.0] * 768
    driver.getFrame(picture)
    return np.array(picture)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_its_pictures_agree_with_ours(seed: int) -> None:
    module = _load_driver("adafruit_mlx90640_alone")
    hardware = SimulatedHardware.from_profile(seed=seed, bus_hz=400_000)
    tap = Tap(hardware.bus)
    driver = module.MLX90640(tap)
    assert b"".join(word.to_bytes(2, "big") for word in driver.serial_number) == (
        hardware.chip.radiometry.calibration.device_id
    )
    driver.refresh_rate = module.RefreshRate.REFRESH_8_HZ
    assert driver.refresh_rate == module.RefreshRate.REFRESH_8_HZ
    _picture(driver)
    for _ in range(3):
        theirs = _picture(driver)
        assert {int(frame[833]) for frame in tap.frames[-2:]} == {0, 1}
        assert np.abs(_difference(tap, theirs, hardware.chip.radiometry.calibration)).max() < 0.05
        scene = hardware.scene.celsius(0.0)
        assert np.corrcoef(theirs, scene.ravel())[0, 1] > 0.3


def test_it_reads_a_calibrated_blackbody_as_hot_as_it_is() -> None:
    module = _load_driver("adafruit_mlx90640_blackbody")
    hardware = SimulatedHardware.from_profile(seed=1, bus_hz=400_000, error=ResponseError.none(), warm_up_tau_s=0)
    hardware.set_blackbody(36.0)
    driver = module.MLX90640(Tap(hardware.bus))
    driver.refresh_rate = module.RefreshRate.REFRESH_8_HZ
    # The driver takes an emissivity of 0.95 where the blackbody has 0.98: 0.03 of what it emits above its surroundings.
    excess = 0.03 / 0.95 * (309.15**4 - 298.15**4) / (4 * 309.15**3)
    pictures = np.stack([_picture(driver) for _ in range(12)][2:])
    assert pictures.mean() == pytest.approx(36.0 + excess, abs=0.08)


def test_bad_pixels_read_absolute_zero_as_documented() -> None:
    module = _load_driver("adafruit_mlx90640_bad")
    hardware = SimulatedHardware.from_profile(seed=1, bus_hz=400_000, eeprom=generate(1, broken=(100,), outlier=(500,)))
    tap = Tap(hardware.bus)
    theirs = _picture(module.MLX90640(tap))
    assert sorted(np.flatnonzero(theirs == -273.15)) == [100, 500]
    assert np.abs(_difference(tap, theirs, hardware.chip.radiometry.calibration)).max() < 0.05


def _two_sensors() -> tuple[SimulatedBus, list[Constants]]:
    """Two different sensors at 0x33 and 0x32 on one bus, looking at different scenes."""
    bus = SimulatedBus(VirtualClock(), 400_000)
    calibrations = []
    for number, address in enumerate((0x33, 0x32)):
        parameters = random_parameters(10 + number)
        words = encode(parameters)
        words[0x0F] = 0xBE00 | address
        chip = SimulatedMlx90640(words, breast_patch(number).celsius, seed=number)
        bus.attach(chip)
        calibrations.append(chip.radiometry.calibration)
    return bus, calibrations


def test_two_sensors_at_once_with_a_copy_of_the_driver_each() -> None:
    bus, calibrations = _two_sensors()
    taps = [Tap(bus, 0x33), Tap(bus, 0x32)]
    modules = [_load_driver("adafruit_mlx90640_first"), _load_driver("adafruit_mlx90640_second")]
    drivers = [module.MLX90640(tap, tap._address) for module, tap in zip(modules, taps, strict=True)]
    for driver in drivers:
        driver.refresh_rate = modules[0].RefreshRate.REFRESH_4_HZ
    for _ in range(3):
        for driver, tap, calibration in zip(drivers, taps, calibrations, strict=True):
            theirs = _picture(driver)
            assert np.abs(_difference(tap, theirs, calibration)).max() < 0.05


def test_one_copy_of_the_driver_confuses_two_sensors_and_our_decoders_do_not() -> None:
    bus, calibrations = _two_sensors()
    tap = Tap(bus, 0x33)
    module = _load_driver("adafruit_mlx90640_shared")
    first = module.MLX90640(tap, 0x33)
    alone = _difference(tap, _picture(first), calibrations[0])
    module.MLX90640(tap, 0x32)
    confused = _difference(tap, _picture(first), calibrations[0])
    assert np.abs(alone).max() < 0.05
    assert np.abs(confused).max() > 1.0

    first_decoder = Decoder(calibrations[0])
    before = first_decoder.decode(tap.frames[-1]).celsius.copy()
    Decoder(calibrations[1]).decode(tap.frames[-1])
    assert np.array_equal(first_decoder.decode(tap.frames[-1]).celsius, before)
