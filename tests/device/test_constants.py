"""Another sensor put in, or an EEPROM that rots, at any moment: every page is decoded with the constants of its own sensor.

The agent's acquisition and the firmware's stand the same tests.
"""

import random
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from examples import few
from firmware_camera import FirmwareCamera
from hypothesis import example, given
from hypothesis import strategies as st

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.mlx90640.registers import CONTROL_DEFAULT
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.chips.mlx90640.radiometry import Noise, ResponseError
from thermo_sim.hardware import SimulatedHardware

SEED, OTHER = 3, 77
BLACKBODY_C = 35.0
UNSEEN_K = 4.5
"""That a flipped bit may move a pixel by unseen: two smallest jumps and noise."""

MakeSensor = Callable[..., PictureSensor | FirmwareCamera]


@pytest.fixture(params=["agent", "firmware"])
def make_sensor(request: pytest.FixtureRequest) -> MakeSensor:
    """The acquisition of the agent, or that of the firmware compiled for this machine."""
    if request.param == "agent":
        return PictureSensor
    if shutil.which("gcc") is None:
        pytest.skip("gcc not found; install it")
    return partial(FirmwareCamera, request.getfixturevalue("camera_library"))


class Bench:
    """A sensor before a blackbody, without errors of its own, so that right constants give its temperature."""

    def __init__(self, make_sensor: MakeSensor, rate_hz: float = 16.0) -> None:
        self.hardware = SimulatedHardware.from_profile(
            seed=SEED, bus_hz=1_000_000, warm_up_tau_s=0, error=ResponseError.none(), noise=Noise.none()
        )
        self.hardware.set_blackbody(BLACKBODY_C)
        self.counters = Counters()
        settings = Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz)
        self.sensor = make_sensor(settings, Place(0, self.hardware.bus, self.hardware.clock, self.counters))
        self.known: dict[int, Words] = {}

    def capture(self, pages: int) -> list[Subpage]:
        """So many pages; the constants of each new generation are read as a host reads them, when it meets the number."""
        clock = self.hardware.clock
        found: list[Any] = []
        end_us = clock.now_us() + 60_000_000
        while len(found) < pages:
            assert clock.now_us() < end_us, self.counters.snapshot()
            page = self.sensor.capture(clock.now_us() + 250_000)
            if page is not None:
                if page.constants not in self.known:
                    assert not self.known or page.constants > max(self.known)
                    words = self.sensor.eeprom
                    assert words is not None
                    self.known[page.constants] = words
                found.append(page)
        return found

    def exchange(self, seed: int = OTHER) -> None:
        """Put another sensor in that has no errors either."""
        self.hardware.exchange_sensor(seed, error=ResponseError.none(), noise=Noise.none())

    def check(self, pages: list[Subpage], flips: int = 0) -> None:
        """Each page, decoded with the constants of its generation, shows the blackbody, but for a pixel a flip that passes unseen."""
        for page in pages:
            calibration = Constants.from_eeprom(self.known[page.constants])
            decoded = Decoder(calibration, 0.98, 25.0).decode(page.words)
            off = np.sort(np.abs(decoded.celsius[decoded.valid] - BLACKBODY_C))
            assert off[-1 - flips] < 0.3 and off[-1] < (UNSEEN_K if flips else 0.3), page.index

    def status(self) -> dict[str, int]:
        return {name: self.counters.get(name) for name in ("sensor_changed", "constants_changed", "sensor_reset")}


def test_a_sensor_that_stays_keeps_its_number(make_sensor: MakeSensor) -> None:
    bench = Bench(make_sensor)
    pages = bench.capture(4)
    bench.hardware.chip.power_on(bench.hardware.clock.now_us())  # a brown-out
    pages += bench.capture(4)
    bench.hardware.bus.unplug(500_000, address=0x33)
    pages += bench.capture(4)
    bench.sensor.resume()
    bench.sensor.set_rate(32.0)
    assert bench.sensor.verify_eeprom()
    pages += bench.capture(4)
    assert {page.constants for page in pages} == {1}
    bench.check(pages)
    assert bench.status() == {"sensor_changed": 0, "constants_changed": 0, "sensor_reset": 2}


def idle(bench: Bench) -> None:
    bench.exchange()
    bench.hardware.clock.sleep_until_us(bench.hardware.clock.now_us() + 5_000_000)
    bench.sensor.resume()


def idle_with_our_settings(bench: Bench) -> None:
    """Somebody else has set the other sensor up as ours was."""
    control = bench.hardware.chip._control
    bench.exchange()
    bench.hardware.chip._control = control
    bench.hardware.clock.sleep_until_us(bench.hardware.clock.now_us() + 5_000_000)
    bench.sensor.resume()


def brown_out(bench: Bench) -> None:
    bench.exchange()


def unplugged(bench: Bench) -> None:
    bench.hardware.bus.unplug(address=0x33)
    assert bench.sensor.capture(bench.hardware.clock.now_us() + 300_000) is None
    bench.exchange()


def late_page(bench: Bench) -> None:
    """The other one has our settings and takes its time."""
    control = bench.hardware.chip._control
    bench.exchange()
    chip = bench.hardware.chip
    chip._control = control
    chip._due_us = bench.hardware.clock.now_us() + 2_000_000


def nack(bench: Bench) -> None:
    bench.exchange()
    bench.hardware.bus.add_faults("nack@+0x8")


def new_rate(bench: Bench) -> None:
    bench.exchange()
    bench.sensor.set_rate(8.0)


def self_test(bench: Bench) -> None:
    bench.exchange()
    assert not bench.sensor.verify_eeprom()
    assert bench.sensor.verify_eeprom()


@pytest.mark.parametrize(
    "swap", [idle, idle_with_our_settings, brown_out, unplugged, late_page, nack, new_rate, self_test]
)
def test_another_sensor_brings_its_own_constants(make_sensor: MakeSensor, swap: Callable[[Bench], None]) -> None:
    bench = Bench(make_sensor)
    pages = bench.capture(6)
    swap(bench)
    pages += bench.capture(6)
    assert [page.constants for page in pages] == [1] * 6 + [2] * 6
    np.testing.assert_array_equal(bench.known[2], generate(OTHER))
    bench.check(pages)
    assert bench.status()["sensor_changed"] == 1 and bench.status()["constants_changed"] == 0


@pytest.mark.parametrize("after_ms", [1, 150, 300, 480])
def test_settings_that_are_a_sensors_defaults_hide_no_exchange(make_sensor: MakeSensor, after_ms: int) -> None:
    """At 2 Hz nothing but its identity tells a sensor that has just been powered from the one before."""
    bench = Bench(make_sensor, 2.0)
    pages = bench.capture(4)
    assert bench.hardware.chip._control == CONTROL_DEFAULT
    bench.hardware.clock.sleep_until_us(bench.hardware.clock.now_us() + 1000 * after_ms)
    bench.exchange()
    pages += bench.capture(4)
    assert {page.constants for page in pages[-3:]} == {2}
    bench.check(pages)


def test_an_eeprom_that_changed_under_the_same_identity_is_told(make_sensor: MakeSensor) -> None:
    bench = Bench(make_sensor)
    bench.capture(4)
    bench.hardware.change("rot", {"address": 0x2440 + 100, "bit": 12})
    bench.hardware.chip.power_on(bench.hardware.clock.now_us())
    pages = bench.capture(4)
    assert {page.constants for page in pages} == {2}
    assert bench.status() == {"sensor_changed": 0, "constants_changed": 1, "sensor_reset": 0}
    bench.hardware.change("rot", {"address": 0x2440 + 100, "bit": 12})
    bench.hardware.chip.power_on(bench.hardware.clock.now_us())
    assert {page.constants for page in bench.capture(4)} == {3}
    assert bench.status()["constants_changed"] == 1


def test_an_exchange_for_one_without_constants_gives_no_page_until_it_is_gone(make_sensor: MakeSensor) -> None:
    bench = Bench(make_sensor)
    bench.capture(4)
    bench.exchange()
    bench.hardware.chip.cells.words[0x30] = 0
    end_us = bench.hardware.clock.now_us() + 4_000_000
    while bench.hardware.clock.now_us() < end_us:
        assert bench.sensor.capture(end_us) is None
    assert bench.counters.get("constants_invalid") >= 1 and bench.counters.get("sensor_changed") == 1
    bench.exchange(5)
    pages = bench.capture(4)
    assert device_id(bench.known[pages[0].constants]) == device_id(generate(5))
    bench.check(pages)
    assert bench.counters.get("sensor_changed") == 2


STEPS = st.lists(
    st.sampled_from(["exchange", "brown-out", "unplug", "pause", "nack", "stuck", "flip", "page", "rate"]), max_size=12
)


@few(40)
@given(steps=STEPS, seed=st.integers(0, 1000))
@example(steps=["pause", "exchange", "nack", "exchange", "flip"], seed=1)
@example(steps=["stuck", "flip", "flip", "flip"], seed=43)
def test_whatever_happens_each_page_is_its_own_sensors(
    request: pytest.FixtureRequest, camera_library: Any, steps: list[str], seed: int
) -> None:
    for make_sensor in (PictureSensor, partial(FirmwareCamera, camera_library)):
        rng = random.Random(seed)
        bench = Bench(make_sensor)
        pages = bench.capture(3)
        for step in steps:
            if step == "exchange":
                bench.exchange(rng.randrange(100, 104))
            elif step == "brown-out":
                bench.hardware.chip.power_on(bench.hardware.clock.now_us())
            elif step == "unplug":
                bench.hardware.bus.unplug(rng.randrange(1_000_000), address=0x33)
            elif step == "pause":
                bench.hardware.clock.sleep_until_us(bench.hardware.clock.now_us() + rng.randrange(3_000_000))
                bench.sensor.resume()
            elif step == "rate":
                bench.hardware.clock.sleep_until_us(bench.hardware.clock.now_us() + rng.randrange(200_000))
            elif step == "page":
                pages += bench.capture(1)
            else:
                bench.hardware.bus.add_faults(f"{step}@+{rng.randrange(6)}")
        pages += bench.capture(3)
        assert [page.constants for page in pages] == sorted(page.constants for page in pages)
        bench.check(pages, steps.count("flip"))


@pytest.mark.parametrize("pause_ms", [0, 100, 400])
def test_whoever_resumes_waits_for_the_slow_page_that_is_in_the_making(make_sensor: MakeSensor, pause_ms: int) -> None:
    """A new rate holds from the page after the one in the making, whichever way the wait for that one began."""
    bench = Bench(make_sensor, 32.0)
    clock = bench.hardware.clock

    def resume() -> None:
        clock.sleep_until_us(clock.now_us() + 1000 * pause_ms)
        bench.sensor.resume()

    while not bench.sensor.running:
        bench.sensor.capture(clock.now_us() + 1000)
    resume()  # it makes its first page at the rate of its defaults, 2 Hz
    pages = bench.capture(4)
    bench.sensor.set_rate(0.5)
    pages += bench.capture(2)
    bench.sensor.set_rate(32.0)
    resume()
    bench.sensor.set_rate(16.0)
    pages += bench.capture(4)
    bench.check(pages)
    assert bench.counters.get("page_late") == bench.counters.get("blocks_lost") == 0, bench.counters.snapshot()
    assert [page.index for page in pages[1:]] == [page.index + 1 for page in pages[:-1]]
