"""Acquisition in simulated time: no page lost at 64 Hz, every other loss counted, the sensor found again."""

import ctypes
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from firmware_camera import FirmwareCamera

from thermo_core.clock import Clock
from thermo_core.errors import BusTimeoutError, EepromError, NackError, UsageError
from thermo_core.sensors.mlx90640.frames import PIXELS, ROWS, Subpage
from thermo_core.sensors.mlx90640.registers import ControlRegister
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_device.sensors.mlx90640.plausibility import SMALLEST_JUMP, suspicious
from thermo_device.sensors.page_schedule import PageSchedule
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.scenes import blackbody


class SkewedClock:
    """A device's clock that runs fast or slow against the sensor's oscillator, and wakes up late."""

    def __init__(self, clock: Clock, factor: float, late_us: int = 0) -> None:
        self._clock = clock
        self._factor = factor
        self._late_us = late_us

    def now_us(self) -> int:
        return int(self._clock.now_us() * self._factor)

    def sleep_until_us(self, time_us: int) -> None:
        if time_us > self.now_us():
            self._clock.sleep_until_us(int((time_us + self._late_us) / self._factor) + 1)


def _sensor(
    rate_hz: float = 16,
    bus_hz: int = 1_000_000,
    faults: str = "",
    clock_factor: float = 1.0,
    late_us: int = 0,
    max_read_bytes: int = 8192,
    **settings: Any,
) -> tuple[PictureSensor, SimulatedHardware, Counters]:
    hardware = SimulatedHardware.from_profile(seed=2, bus_hz=bus_hz, faults=faults, warm_up_tau_s=0)
    counters = Counters()
    clock = SkewedClock(hardware.clock, clock_factor, late_us)
    wanted = Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz, **settings)
    place = Place(0, hardware.bus, clock, counters, max_read_bytes=max_read_bytes)
    return PictureSensor(wanted, place), hardware, counters


def _capture(sensor: PictureSensor, pages: int) -> list[Subpage]:
    return [sensor.next_subpage() for _ in range(pages)]


@pytest.mark.parametrize(
    ("rate_hz", "bus_hz", "pages"),
    [(64, 1_000_000, 2000), (32, 1_000_000, 300), (16, 400_000, 300), (8, 400_000, 60), (0.5, 400_000, 8)],
)
def test_no_page_is_lost_at_any_rate(rate_hz: float, bus_hz: int, pages: int) -> None:
    sensor, hardware, counters = _sensor(rate_hz, bus_hz)
    sensor.start()
    before = hardware.bus.transactions
    captured = _capture(sensor, pages)
    assert [page.index for page in captured] == list(range(captured[0].index, captured[0].index + pages))
    assert all(a.number != b.number for a, b in pairwise(captured))
    assert counters.get("blocks_lost") == 0
    assert counters.get("bus_nack") == 0
    if pages >= 60:
        settled = [b.time_us - a.time_us for a, b in pairwise(captured[30:])]
        assert np.allclose(settled, 1e6 / rate_hz, rtol=0, atol=200)
        assert (hardware.bus.transactions - before) / pages < 9, "polls by schedule, not in a loop"


MakeCamera = Callable[[Mlx90640Settings, Place], PictureSensor | FirmwareCamera]


@pytest.fixture(params=["agent", "firmware"])
def make_camera(request: pytest.FixtureRequest) -> MakeCamera:
    if request.param == "agent":
        return PictureSensor
    library: ctypes.CDLL = request.getfixturevalue("camera_library")
    return partial(FirmwareCamera, library)


def _interleaved(
    make_camera: MakeCamera, rate_hz: float, bus_hz: int
) -> tuple[PictureSensor | FirmwareCamera, SimulatedHardware, Counters]:
    hardware = SimulatedHardware.from_profile(seed=2, bus_hz=bus_hz, warm_up_tau_s=0)
    counters = Counters()
    settings = Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz, pattern="interleaved")
    return make_camera(settings, Place(0, hardware.bus, hardware.clock, counters)), hardware, counters


def _pages(camera: PictureSensor | FirmwareCamera, hardware: SimulatedHardware, count: int) -> list[Subpage]:
    """So many pages that come in a row; whatever is lost between them shows in their indices."""
    found: list[Subpage] = []
    end_us = hardware.clock.now_us() + 20_000_000 + count * 40_000
    while len(found) < count and hardware.clock.now_us() < end_us:
        page = camera.capture(hardware.clock.now_us() + 1_000_000)
        found += [] if page is None else [page]
    assert len(found) == count
    return found


@pytest.mark.parametrize(("rate_hz", "bus_hz", "pages"), [(64, 1_000_000, 1000), (32, 400_000, 500)])
def test_interleaved_pages_come_at_twice_the_rate_of_whole_ones(
    make_camera: MakeCamera, rate_hz: float, bus_hz: int, pages: int
) -> None:
    camera, hardware, counters = _interleaved(make_camera, rate_hz, bus_hz)
    captured = _pages(camera, hardware, pages)
    assert [page.index for page in captured] == list(range(captured[0].index, captured[0].index + pages))
    assert all(a.number != b.number for a, b in pairwise(captured))
    assert captured[-1].time_us - captured[-2].time_us == pytest.approx(1e6 / rate_hz, abs=200)
    assert counters.get("blocks_lost") == counters.get("rate_lowered") == counters.get("word_corrected") == 0


def test_interleaved_pages_are_set_to_the_fastest_rate_without_a_loss(make_camera: MakeCamera) -> None:
    camera, hardware, counters = _interleaved(make_camera, 16, 1_000_000)
    first = _pages(camera, hardware, 10)[-1]
    camera.set_rate(64)
    captured = _pages(camera, hardware, 100)
    assert [page.index for page in captured] == list(range(first.index + 1, first.index + 101))
    assert captured[-1].time_us - captured[-2].time_us == pytest.approx(1e6 / 64, abs=200)
    assert counters.get("blocks_lost") == 0


def test_a_bus_that_cannot_carry_interleaved_pages_lowers_their_rate(make_camera: MakeCamera) -> None:
    """21 ms of 15.6 at 400 kHz: the rate is that of half pages, not of whole ones."""
    camera, hardware, counters = _interleaved(make_camera, 64, 400_000)
    captured = _pages(camera, hardware, 40)
    assert captured[-1].time_us - captured[-2].time_us == pytest.approx(1e6 / 32, abs=200)
    assert counters.get("rate_lowered") == 1
    assert counters.get("blocks_lost") == 0
    assert camera.verify_eeprom()
    camera.set_rate(32)


def test_an_interleaved_page_is_its_own_rows_beside_those_of_the_page_before(make_camera: MakeCamera) -> None:
    camera, hardware, _ = _interleaved(make_camera, 16, 1_000_000)
    first = _pages(camera, hardware, 12)
    assert camera.verify_eeprom()
    captured = [*first, *_pages(camera, hardware, 6)]
    shown = np.stack([page.words[:PIXELS].reshape(ROWS, -1) for page in captured])
    for n, page in enumerate(captured[1:], 1):
        own, other = page.number, 1 - page.number
        if page.index == captured[n - 1].index + 1:
            np.testing.assert_array_equal(shown[n, other::2], shown[n - 1, other::2])
        assert (shown[n, own::2] != shown[n - 1, own::2]).any(axis=1).all()
    hardware.chip._settle(hardware.clock.now_us())
    in_chip = hardware.chip._ram[:PIXELS].reshape(ROWS, -1)
    np.testing.assert_array_equal(shown[-1], in_chip)
    np.testing.assert_array_equal(captured[-1].words[PIXELS:832], hardware.chip._ram[PIXELS:])


@pytest.mark.parametrize("factor", [0.96, 0.99, 1.01, 1.04])
@pytest.mark.parametrize("rate_hz", [2, 16, 32])
def test_it_follows_an_oscillator_that_is_off_by_some_percent(rate_hz: float, factor: float) -> None:
    sensor, hardware, counters = _sensor(rate_hz, clock_factor=factor, late_us=80)
    sensor.start()
    _capture(sensor, 40)
    before = hardware.bus.transactions
    captured = _capture(sensor, 40)
    assert counters.get("blocks_lost") == 0
    assert captured[-1].index - captured[0].index == 39
    assert sensor.measured_rate_hz == pytest.approx(rate_hz / factor, rel=2e-3)
    assert (hardware.bus.transactions - before) / 40 < 9


def test_64_hz_survives_a_sensor_that_is_one_percent_fast_and_a_machine_that_wakes_late() -> None:
    sensor, _, counters = _sensor(64, clock_factor=1.01, late_us=100)
    sensor.start()
    captured = _capture(sensor, 1000)
    assert counters.get("blocks_lost") == 0
    assert captured[-1].index - captured[0].index == 999


def test_pages_are_read_in_pieces_where_the_adapter_wants_that() -> None:
    sensor, hardware, _ = _sensor(8, max_read_bytes=256)
    other, _, _ = _sensor(8)
    sensor.start()
    other.start()
    np.testing.assert_array_equal(np.asarray(sensor.eeprom), hardware.chip.cells.words)
    pieces, whole = _capture(sensor, 4), _capture(other, 4)
    for one, two in zip(pieces, whole, strict=True):
        np.testing.assert_array_equal(one.words[[0, 2, 64, 320]] != 0, two.words[[0, 2, 64, 320]] != 0)
        assert one.number == two.number


def test_settings_reach_the_sensor_and_the_words() -> None:
    sensor, hardware, _ = _sensor(32, resolution_bits=17, pattern="interleaved")
    sensor.start()
    page = sensor.next_subpage()
    control = ControlRegister.from_word(int(page.words[832]))
    assert (control.refresh_hz, control.resolution_bits, control.chess) == (32, 17, False)
    assert hardware.chip._control == page.words[832]
    assert not page.words.flags.writeable


def test_a_slow_reader_counts_what_it_missed() -> None:
    sensor, hardware, counters = _sensor(16)
    sensor.start()
    first = _capture(sensor, 20)[-1]
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 1_000_000)
    later = sensor.next_subpage()
    missed = later.index - first.index - 1
    assert missed in (15, 16)
    assert counters.get("blocks_lost") == missed
    assert later.time_us - first.time_us == pytest.approx((missed + 1) * 62_500, abs=2_000)
    assert (later.number != first.number) == ((later.index - first.index) % 2 == 1)


def test_a_pause_on_purpose_is_no_loss() -> None:
    sensor, hardware, counters = _sensor(16)
    sensor.start()
    first = _capture(sensor, 20)[-1]
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 3_000_000)
    sensor.resume()
    assert sensor.next_subpage().index == first.index + 1
    assert counters.get("blocks_lost") == 0


@pytest.mark.parametrize(("before_hz", "after_hz"), [(16, 32), (32, 2), (2, 64), (64, 64)])
def test_a_new_rate_holds_without_a_loss(before_hz: float, after_hz: float) -> None:
    sensor, _, counters = _sensor(before_hz)
    sensor.start()
    first = _capture(sensor, 10)[-1]
    assert sensor.set_rate(after_hz) == after_hz
    captured = _capture(sensor, 20)
    assert [page.index for page in captured] == list(range(first.index + 1, first.index + 21))
    assert captured[-1].time_us - captured[-2].time_us == pytest.approx(1e6 / after_hz, rel=0.02)
    assert counters.get("blocks_lost") == 0


def test_rates_that_sensor_or_bus_do_not_have_are_refused() -> None:
    sensor, _, _ = _sensor(8, bus_hz=400_000)
    sensor.start()
    with pytest.raises(UsageError, match="refresh rate of 5 Hz"):
        sensor.set_rate(5)
    with pytest.raises(UsageError, match="38 ms"):
        sensor.set_rate(64)
    assert sensor.rate_hz == 8


def test_a_rate_the_bus_cannot_carry_is_lowered_and_counted() -> None:
    sensor, _, counters = _sensor(64, bus_hz=400_000)
    sensor.start()
    _capture(sensor, 20)
    assert sensor.rate_hz == 16
    assert counters.get("rate_lowered") == 1
    assert counters.get("blocks_lost") == 0


def test_the_eeprom_is_voted_on_when_reads_differ() -> None:
    for at in (0, 1):
        sensor, hardware, counters = _sensor(faults=f"eeprom@{at}:bits=40")
        sensor.start()
        np.testing.assert_array_equal(np.asarray(sensor.eeprom), hardware.chip.cells.words)
        assert counters.get("constants_mismatch") == 1


def test_an_eeprom_that_never_reads_the_same_is_refused_with_its_address() -> None:
    sensor, _, _ = _sensor(faults="flip@0x3:bits=6000")
    with pytest.raises(EepromError, match="0x24") as caught:
        sensor.start()
    assert caught.value.address is not None
    assert sensor.eeprom is None


def test_a_damaged_eeprom_gives_no_constants_and_is_counted() -> None:
    sensor, _, counters = _sensor(faults="eeprom@0:bits=9000:permanent")
    assert sensor.capture(1_000_000) is None
    assert sensor.constants is None
    assert "EEPROM" in sensor.fault or "0x2" in sensor.fault
    assert counters.get("constants_invalid") >= 1


def test_a_sensor_that_is_not_there_is_found_when_it_comes() -> None:
    sensor, hardware, counters = _sensor()
    hardware.bus.unplug(address=0x33)
    with pytest.raises(NackError, match="0x33"):
        sensor.start()
    with pytest.raises(BusTimeoutError, match="does not acknowledge"):
        sensor.next_subpage()
    assert not sensor.running
    assert counters.get("sensor_lost") == 1
    hardware.bus.plug()
    assert sensor.next_subpage().index == 2
    assert sensor.fault == ""


def test_unplugging_costs_the_pages_of_that_time_and_the_settings_come_back() -> None:
    sensor, hardware, counters = _sensor(16, resolution_bits=19)
    sensor.start()
    first = _capture(sensor, 20)[-1]
    hardware.bus.unplug(5_000_000, 0x33)
    with pytest.raises(BusTimeoutError):
        sensor.next_subpage()
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 4_000_000)
    later = sensor.next_subpage()
    assert later.index - first.index - 1 == counters.get("blocks_lost")
    assert later.time_us - first.time_us == pytest.approx((later.index - first.index) * 62_500, rel=0.02)
    assert counters.get("sensor_reset") == 1
    assert ControlRegister.from_word(int(later.words[832])).resolution_bits == 19
    assert hardware.chip._control == later.words[832]


def test_a_short_loss_of_power_is_seen_even_where_settings_are_the_defaults() -> None:
    sensor, hardware, counters = _sensor(2)
    sensor.start()
    first = _capture(sensor, 6)[-1]
    hardware.chip.power_on(hardware.clock.now_us())
    pages = _capture(sensor, 6)
    assert all(page.words[:768].any() for page in pages)
    assert [page.index - first.index for page in pages] == sorted(page.index - first.index for page in pages)
    assert counters.get("blocks_captured") == 12


def test_another_sensor_at_the_address_brings_its_own_constants() -> None:
    sensor, hardware, counters = _sensor()
    sensor.start()
    _capture(sensor, 4)
    other = SimulatedHardware.from_profile(seed=77, clock=hardware.clock, warm_up_tau_s=0)
    hardware.bus.unplug(address=0x33)
    assert sensor.capture(hardware.clock.now_us() + 300_000) is None
    hardware.bus.exchange(hardware.chip, other.chip)
    sensor.next_subpage()
    np.testing.assert_array_equal(np.asarray(sensor.eeprom), other.chip.cells.words)
    assert counters.get("sensor_changed") == 1


def test_random_faults_of_every_kind_for_a_minute_leave_it_running() -> None:
    sensor, hardware, counters = _sensor(
        32, faults="nack:p=0.005,stuck:p=0.0005,flip:p=0.005,short:p=0.002,stale:p=0.01,unplug:p=0.0003"
    )
    captured = []
    while hardware.clock.now_us() < 60_000_000:
        page = sensor.capture(hardware.clock.now_us() + 250_000)
        if page is not None:
            captured.append(page)
    assert len(captured) > 500
    hardware.bus.faults.clear()
    hardware.bus.plug()
    end = _capture(sensor, 64)
    counts = counters.snapshot()
    assert end[-1].index + 1 == counts["blocks_captured"] + counts["blocks_lost"] + counts["pages_settling"]
    assert counts["sensor_reset"] > 0
    assert end[-1].index - end[-33].index == 32


def test_a_scene_that_jumps_is_no_damage() -> None:
    sensor, hardware, counters = _sensor(16)
    sensor.start()
    _capture(sensor, 10)
    hardware.set_scene(blackbody(120.0))
    first = sensor.next_subpage()
    _capture(sensor, 10)
    hardware.set_scene()
    _capture(sensor, 10)
    assert counters.get("blocks_lost") == 0
    assert counters.get("word_corrected") == 0
    assert first.index >= 0


def test_a_word_is_suspicious_where_it_jumps_alone() -> None:
    rng = np.random.default_rng(0)
    control = ControlRegister()
    before = rng.integers(-60, 60, 832).astype(np.int16).view(np.uint16)
    noise = rng.normal(0, 1.5, 832).round().astype(np.int16).view(np.uint16)
    page = before + noise
    assert not suspicious(page, before, 0, control).size
    for bit in range(16):
        for index in (0, 2, 65, 767 - 31, 0x70A - 0x400, 0x72A - 0x400):
            damaged = page.copy()
            damaged[index] ^= 1 << bit
            found = suspicious(damaged, before, 0, control)
            own = index >= 768 or (index // 32 + index) % 2 == 0
            limit = 60 if index >= 768 else SMALLEST_JUMP + 8
            if own and 1 << bit > limit:
                assert index in found
            elif not own:
                assert not found.size
    moved = page.copy().reshape(26, 32)
    moved[4:12, 5:20] += np.uint16(400)
    assert suspicious(moved.ravel(), before, 0, control).size == 0


def test_the_schedule_locks_to_a_jittering_period() -> None:
    rng = np.random.default_rng(5)
    period, schedule = 62_500 * 1.03, PageSchedule(62_500)
    schedule.restart(0, 62_500, 62_500)
    polls = 0
    for page in range(1, 200):
        end_us = page * period
        now_us = max(schedule.poll_us, 0)
        while now_us < end_us:
            schedule.unseen(now_us)
            now_us = schedule.poll_us + int(rng.exponential(60))
            polls += page > 100
        assert schedule.arrived(now_us, odd=True) == 1
        if page > 20:
            assert schedule.end_us is not None and abs(schedule.end_us - end_us) < 700
    assert schedule.period_us == pytest.approx(period, rel=1e-3)
    assert polls < 4 * 100
