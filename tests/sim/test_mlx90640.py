"""The simulated MLX90640 against its datasheet: registers, measurement cycle, flags, memory."""

import errno
from typing import Any

import numpy as np
import pytest
from smbus2 import i2c_msg

from thermo_core.errors import EepromError, UsageError
from thermo_core.sensors.mlx90640.registers import subpage_mask
from thermo_sim.chips.mlx90640.radiometry import Noise, ResponseError
from thermo_sim.hardware import SimulatedHardware

STATUS, CONTROL, RAM, EEPROM = 0x8000, 0x800D, 0x0400, 0x2400
NEW_DATA, OVERWRITE, START = 0x08, 0x10, 0x20
PERIODS_US = [2_000_000, 1_000_000, 500_000, 250_000, 125_000, 62_500, 31_250, 15_625]

ROW, COLUMN = np.mgrid[0:24, 0:32]
CHESS_1 = ((ROW + COLUMN) % 2 == 1).ravel()
ROWS_1 = (ROW % 2 == 1).ravel()


def _quiet(**options: Any) -> SimulatedHardware:
    return SimulatedHardware.from_profile(
        seed=1, warm_up_tau_s=0, **{"bus_hz": 400_000, "error": ResponseError.none(), "noise": Noise.none(), **options}
    )


def _flag_at(hardware: SimulatedHardware, time_us: int) -> int:
    """Status at a time, straight from the chip, so that no bus time is in the way."""
    hardware.clock.sleep_until_us(time_us)
    hardware.chip.write(b"\x80\x00", time_us, 400_000)
    status = int.from_bytes(hardware.chip.read(2, time_us, 400_000), "big")
    hardware.chip.stop()
    return status


def _clear(hardware: SimulatedHardware) -> None:
    hardware.chip.write(b"\x80\x00\x00\x10", hardware.clock.now_us(), 400_000)
    hardware.chip.stop()


def test_power_on_defaults(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    assert chip.word(CONTROL) == 0x1901
    assert chip.word(0x800F) == 0x0000
    assert chip.word(0x8010) == 0xBE33
    assert not chip.word(STATUS) & NEW_DATA
    assert not chip.read(RAM, 768).any()


def test_the_first_subpage_is_0_and_comes_80_ms_plus_a_period_after_power_on() -> None:
    hardware = _quiet()
    assert not _flag_at(hardware, 579_999) & NEW_DATA
    status = _flag_at(hardware, 580_000)
    assert status & NEW_DATA
    assert status & 7 == 0


@pytest.mark.parametrize("code", range(8))
def test_subpages_alternate_at_every_refresh_rate(code: int, master: Any) -> None:
    hardware = _quiet()
    master(hardware.bus).rate(code)
    # The rate holds from the subpage after the one in progress, which ends at 580 ms.
    due_us, number = 580_000, 0
    for _ in range(6):
        assert not _flag_at(hardware, due_us - 1) & NEW_DATA
        status = _flag_at(hardware, due_us)
        assert status & (NEW_DATA | 7) == NEW_DATA | number
        _clear(hardware)
        due_us, number = due_us + PERIODS_US[code], 1 - number


def test_a_long_silence_keeps_the_rhythm_and_the_alternation(master: Any) -> None:
    hardware = _quiet()
    master(hardware.bus).rate(7)
    for subpages in (1, 2, 3, 1_000_000, 1_000_001):
        _flag_at(hardware, hardware.clock.now_us() + 1_000_000)
        _clear(hardware)
        phase_us = (hardware.clock.now_us() - 580_000) % 15_625
        now_us = hardware.clock.now_us() - phase_us + 15_625 * subpages
        number = ((now_us - 580_000) // 15_625) % 2
        assert _flag_at(hardware, now_us) & (NEW_DATA | 7) == NEW_DATA | number


def test_the_host_clears_the_new_data_flag_but_cannot_raise_it(master: Any) -> None:
    hardware = _quiet()
    chip = master(hardware.bus)
    chip.write(STATUS, NEW_DATA | OVERWRITE | 1)
    assert chip.word(STATUS) == OVERWRITE
    chip.wait()
    chip.write(STATUS, NEW_DATA | OVERWRITE)
    assert chip.word(STATUS) & NEW_DATA
    chip.write(STATUS, OVERWRITE)
    assert not chip.word(STATUS) & NEW_DATA


def test_one_subpage_can_be_repeated(master: Any) -> None:
    hardware = _quiet()
    chip = master(hardware.bus)
    chip.write(CONTROL, 0x1B89 | 1 << 4)
    chip.frame()
    assert [int(chip.frame()[833]) for _ in range(4)] == [1, 1, 1, 1]
    chip.write(CONTROL, 0x1B81)
    chip.frame()
    assert sorted(int(chip.frame()[833]) for _ in range(2)) == [0, 1]


def test_without_subpages_only_page_0_is_measured(master: Any) -> None:
    hardware = _quiet()
    chip = master(hardware.bus)
    chip.write(CONTROL, 0x1B80)
    chip.frame()
    assert [int(chip.frame()[833]) for _ in range(3)] == [0, 0, 0]


def test_data_hold_keeps_ram_until_overwriting_is_allowed(master: Any) -> None:
    hardware = SimulatedHardware.from_profile(seed=1, bus_hz=400_000)
    chip = master(hardware.bus)
    chip.write(CONTROL, 0x1B85)
    chip.frame()
    chip.frame()
    chip.write(STATUS, 0x0000)
    held = chip.read(RAM, 832)
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 1_000_000)
    assert not chip.word(STATUS) & NEW_DATA
    assert np.array_equal(chip.read(RAM, 832), held)
    chip.write(STATUS, OVERWRITE)
    assert not np.array_equal(chip.frame()[:832], held)


@pytest.mark.parametrize("by", ["status bit 5", "control bit 15"])
def test_step_mode_measures_once_when_told(by: str, master: Any) -> None:
    hardware = _quiet()
    chip = master(hardware.bus)
    chip.write(CONTROL, 0x1B83)
    chip.frame()
    numbers = []
    for _ in range(3):
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 5_000_000)
        assert not chip.word(STATUS) & NEW_DATA
        if by == "status bit 5":
            chip.write(STATUS, OVERWRITE | START)
            assert chip.word(STATUS) & START
        else:
            chip.write(CONTROL, 0x9B83)
            assert chip.word(CONTROL) == 0x1B83
        before_us = hardware.clock.now_us()
        numbers.append(chip.wait())
        assert hardware.clock.now_us() - before_us == pytest.approx(15_625, abs=500)
        assert not chip.word(STATUS) & START
        chip.write(STATUS, OVERWRITE)
    assert numbers == [1, 0, 1]
    chip.write(CONTROL, 0x1B81)
    resumed = []
    for _ in range(3):
        resumed.append(chip.wait())
        chip.write(STATUS, OVERWRITE)
    assert resumed == [0, 1, 0]


@pytest.mark.parametrize("by", ["trigger", "general call"])
def test_a_measurement_can_be_started_anew(by: str, master: Any) -> None:
    hardware = _quiet()
    chip = master(hardware.bus)
    hardware.clock.sleep_until_us(500_000)
    if by == "trigger":
        chip.write(CONTROL, 0x9901)
    else:
        hardware.bus.i2c_rdwr(i2c_msg.write(0x00, b"\x06"))
    started_us = hardware.clock.now_us()
    assert not _flag_at(hardware, started_us + 499_000) & NEW_DATA
    assert _flag_at(hardware, started_us + 500_000) & (NEW_DATA | 7) == NEW_DATA


@pytest.mark.parametrize(("control", "ones"), [(0x1B81, CHESS_1), (0x0B81, ROWS_1)])
def test_a_subpage_changes_its_own_pixels_and_auxiliary_row(control: int, ones: Any, master: Any) -> None:
    hardware = SimulatedHardware.from_profile(seed=1, bus_hz=1_000_000)
    chip = master(hardware.bus)
    chip.write(CONTROL, control)
    for _ in range(3):
        before = chip.frame()
    for _ in range(4):
        after = chip.frame()
        changed = before[:832] != after[:832]
        own = ones if after[833] else ~ones
        assert not changed[:768][~own].any()
        assert changed[:768][own].mean() > 0.5
        first_row, second_row = changed[768:800].any(), changed[800:832].any()
        assert (first_row, second_row) == ((False, second_row) if after[833] else (first_row, False))
        before = after


def test_auxiliary_words_stand_where_the_datasheet_has_them(master: Any) -> None:
    hardware = _quiet()
    frame = master(hardware.bus).frame()
    c = hardware.chip.radiometry.calibration
    signed = frame.astype(np.int16)
    unused = [0x702, 0x704, 0x706, 0x713, 0x717, 0x721, 0x723, 0x725, 0x727]
    assert [int(frame[address - RAM]) for address in unused] == [0x7FFF] * len(unused)
    used = [a for a in range(0x700, 0x740) if a not in unused]
    assert all(frame[address - RAM] != 0x7FFF for address in used)

    vdd = (signed[0x72A - RAM] - c.vdd25) / c.k_vdd + 3.3
    assert vdd == pytest.approx(3.31, abs=0.5 / abs(c.k_vdd))
    ptat, vbe = float(signed[0x720 - RAM]), float(signed[0x700 - RAM])
    art = ptat / (ptat * c.alpha_ptat + vbe) * 2**18
    ta = (art / (1 + c.kv_ptat * (vdd - 3.3)) - c.v_ptat25) / c.kt_ptat + 25
    assert ta == pytest.approx(33.0, abs=0.01)
    assert frame[0x70A - RAM] == pytest.approx(c.gain, rel=0.03)


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_resolution_scales_pixels_gain_compensation_and_supply_but_not_ptat(code: int, master: Any) -> None:
    frames = []
    for resolution in (2, code):
        hardware = _quiet()
        chip = master(hardware.bus)
        chip.write(CONTROL, 0x1381 | resolution << 10)
        for _ in range(3):
            frame = chip.frame()
        frames.append(frame.view(np.int16).astype(float))
    scale = 2.0 ** (code - 2)
    assert np.abs(frames[1][:768] - frames[0][:768] * scale).max() <= 0.5 + 0.5 * scale + 1e-3 * 800 * scale
    for address in (0x708, 0x70A, 0x728, 0x72A):
        assert frames[1][address - RAM] == pytest.approx(frames[0][address - RAM] * scale, abs=0.5 + 0.5 * scale)
    for address in (0x700, 0x720):
        assert frames[1][address - RAM] == frames[0][address - RAM]


def test_a_read_across_an_update_is_torn_where_time_says(master: Any) -> None:
    hardware = SimulatedHardware.from_profile(seed=1, bus_hz=400_000)
    chip = master(hardware.bus)
    chip.rate(5)
    due_us = 580_000 + 4 * 62_500
    hardware.clock.sleep_until_us(due_us)
    before = chip.read(RAM, 832)
    hardware.clock.sleep_until_us(due_us + 40_000)
    first_word_us = hardware.clock.now_us() + (2 + 9 * 4) / 0.4
    torn = chip.read(RAM, 832)
    after = chip.read(RAM, 832)
    arrived = round((due_us + 62_500 - first_word_us) / 45)
    assert 300 < arrived < 768
    assert np.array_equal(torn[:arrived], before[:arrived])
    assert np.array_equal(torn[arrived:], after[arrived:])
    assert (torn != before).sum() > 30
    assert (torn != after).sum() > 30


def test_subpages_nobody_looks_at_change_nothing_in_the_others(master: Any) -> None:
    frames = []
    for reads in (range(40), (38, 39)):
        hardware = SimulatedHardware.from_profile(seed=5, bus_hz=1_000_000)
        chip = master(hardware.bus)
        chip.rate(6)
        kept = []
        for index in range(40):
            hardware.clock.sleep_until_us(580_000 + 31_250 * index + 5_000)
            if index in reads:
                kept.append(chip.frame())
        frames.append(kept[-2:])
    assert np.array_equal(frames[0], frames[1])


def test_noise_is_of_the_seed_the_subpage_and_the_power_cycle(master: Any) -> None:
    def frame(seed: int, unplugged: bool = False) -> Any:
        hardware = SimulatedHardware.from_profile(
            seed=seed, bus_hz=400_000, eeprom=_quiet().chip.cells.words, error=ResponseError.none(), warm_up_tau_s=0
        )
        if unplugged:
            hardware.bus.unplug(1)
            hardware.clock.sleep_until_us(1)
        return master(hardware.bus).frame()

    assert np.array_equal(frame(1), frame(1))
    assert not np.array_equal(frame(1), frame(2))
    assert not np.array_equal(frame(1), frame(1, unplugged=True))


def test_eeprom_cells_are_erased_then_written_with_pauses(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    old = chip.word(EEPROM + 0x20)

    def pause() -> None:
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 5_000)

    chip.write(EEPROM + 0x20, 0x0000)
    for access in (lambda: chip.write(EEPROM + 0x20, 0x1234), lambda: chip.word(EEPROM)):
        with pytest.raises(OSError) as caught:
            access()
        assert caught.value.errno == errno.EREMOTEIO
    assert chip.word(CONTROL) == 0x1901
    pause()
    assert chip.word(EEPROM + 0x20) == 0
    chip.write(EEPROM + 0x20, 0x1234)
    pause()
    assert chip.word(EEPROM + 0x20) == 0x1234
    chip.write(EEPROM + 0x20, 0x4321)
    pause()
    assert chip.word(EEPROM + 0x20) == 0x1234 | 0x4321
    assert old not in (0, 0x1234)


def test_an_eeprom_cell_wears_out_after_ten_cycles(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)

    def write(word: int) -> int:
        for value in (0x0000, word):
            chip.write(EEPROM + 0x01, value)
            hardware.clock.sleep_until_us(hardware.clock.now_us() + 5_000)
        return chip.word(EEPROM + 0x01)

    assert [write(1 << cycle) for cycle in range(10)] == [1 << cycle for cycle in range(10)]
    assert write(0x8000) == 0x8000 | 1 << 9


def test_the_eeprom_takes_no_writes_above_400_khz(master: Any) -> None:
    hardware = _quiet(bus_hz=1_000_000)
    chip = master(hardware.bus)
    old = chip.word(EEPROM + 1)
    chip.write(EEPROM + 1, 0x0000)
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 5_000)
    assert chip.word(EEPROM + 1) == old != 0


def test_a_new_i2c_address_holds_from_the_next_power_on(hardware: Any, master: Any) -> None:
    chip = master(hardware.bus)
    for word in (0x0000, 0xBE3A):
        chip.write(EEPROM + 0x0F, word)
        hardware.clock.sleep_until_us(hardware.clock.now_us() + 5_000)
    assert chip.word(CONTROL) == 0x1901
    hardware.bus.unplug(1_000)
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 10_000)
    with pytest.raises(OSError):
        chip.word(CONTROL)
    assert master(hardware.bus, 0x3A).word(CONTROL) == 0x1901


def test_without_fast_mode_plus_the_chip_is_deaf_at_1_mhz(master: Any) -> None:
    hardware = _quiet(bus_hz=1_000_000)
    chip = master(hardware.bus)
    chip.write(0x800F, 0x0001)
    with pytest.raises(OSError):
        chip.word(CONTROL)


def test_recorded_frames_are_shown_in_turn_with_their_resolution_and_pattern(golden_dir: Any, master: Any) -> None:
    with np.load(golden_dir / "s2_signaloid.npz") as recording:
        eeprom, frames = recording["eeprom"], recording["frames"]
    hardware = _quiet(eeprom=eeprom, replay=frames, bus_hz=1_000_000)
    chip = master(hardware.bus)
    chip.rate(5)
    for turn in range(5):
        shown = chip.frame()
        assert np.array_equal(shown[:832], frames[turn % 2][:832])
        assert shown[833] == frames[turn % 2][833]
        assert shown[832] & 0x1C00 == frames[turn % 2][832] & 0x1C00
        assert shown[832] >> 7 & 7 == 5


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
def test_pixels_of_a_recorded_page_stay_until_its_subpage_comes_again(golden_dir: Any, pages: int) -> None:
    """A page is whole for a period longer, as of a sensor, though the first of two frames was not taken after the last."""
    with np.load(golden_dir / "s1_melexis_example.npz") as recording:
        eeprom, frames = recording["eeprom"], recording["frames"]
    first, second = (subpage_mask(number, True).ravel() for number in (0, 1))
    assert (frames[0] != frames[1])[:768][second].any()
    hardware = _quiet(eeprom=eeprom, replay=frames)
    at_us = 80_000 + pages * 500_000 + 1000
    hardware.clock.sleep_until_us(at_us)
    hardware.chip.write(b"\x04\x00", at_us, 400_000)
    ram = np.frombuffer(hardware.chip.read(2 * 832, at_us, 400_000), ">u2")
    assert np.array_equal(ram[:768][first], frames[0][:768][first])
    assert np.array_equal(ram[:768][second], frames[min(pages - 1, 1)][:768][second])
    assert np.array_equal(ram[768:], frames[(pages - 1) % 2][768:832])


def test_frames_of_another_shape_are_refused() -> None:
    with pytest.raises(UsageError, match="834"):
        _quiet(replay=np.zeros((2, 832), dtype=np.uint16))


def test_an_eeprom_no_sensor_has_is_refused() -> None:
    with pytest.raises(EepromError):
        _quiet(eeprom=np.full(832, 0xFFFF, dtype=np.uint16))
