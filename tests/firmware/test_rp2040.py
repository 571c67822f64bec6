"""The RP2040's board, from its boot ROM on, in emulated time: what it offers the core, asked by the probe application."""

import binascii
import struct
from collections.abc import Callable

import numpy as np
import pytest
from board_probe import RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG
from boot_rom import BootRom, Disk
from rp2040_bench import SEED, Bench, Probe
from virtual_host import ANSWER_US

from thermo_core.firmware import uf2
from thermo_core.firmware.segments import Segment
from thermo_sim.chips.mlx90640.eeprom import generate

CAMERA, NOBODY, EEPROM, EEPROM_BYTES = 0x33, 0x11, 0x2400, 1664
OK, NACK, STUCK, SHORT, STORAGE, ARGUMENT = 0, 1, 2, 3, 11, 14
KEPT, BLOCK, BLOCKS = 0x150000, 4096, 32
ERASED = "ff" * 8
VECTORS, SLOT_A = 0x100, 0x10000
RAM = range(0x20000000, 0x20040000)


@pytest.fixture
def image(rp2040: Callable[..., bytes]) -> bytes:
    return rp2040()


@pytest.fixture
def probe(image: bytes) -> Probe:
    return Probe(Bench(image))


def test_the_boot_rom_takes_our_second_stage_and_no_damaged_one(image: bytes) -> None:
    """The CRC is the boot ROM's own business: with a flipped bit it waits for a USB host instead."""
    assert Probe(Bench(image)).ask("cause") == RESET_POWER
    for place in (0, 100, 251, 255):
        damaged = bytearray(image)
        damaged[place] ^= 0x10
        bench = Bench(bytes(damaged))
        bench.uart.send(b"echo here\n")
        bench.pass_us(300_000)
        assert bench.uart.take() == b"" and bench.machine.chip.core.pc < 0x4000


def test_what_goes_to_the_boot_roms_drive_starts(image: bytes) -> None:
    """The first flash: a blank board takes the firmware as UF2 from its drive, and runs it."""
    blank = BootRom()
    Disk(blank).write(1000, uf2.encode((Segment(0x10000000, image),), uf2.FAMILIES["rp2040"]))
    blank.wait(lambda: blank.restarts == 1)
    programmed = bytes(blank.flash[:0x200000])
    assert programmed.startswith(image)
    assert Probe(Bench(programmed)).ask("echo started") == "started"


def test_vectors_lie_behind_the_second_stage_and_lead_into_the_image(image: bytes) -> None:
    stack, reset = struct.unpack_from("<II", image, VECTORS)
    assert stack in RAM and reset & 1 and 0x10000100 < reset < 0x10000000 + len(image)


def test_the_bus_gives_what_the_simulated_chips_hold_at_the_clock_they_bear(probe: Probe) -> None:
    contents = generate(SEED)
    status, took_us, data = probe.read(CAMERA, EEPROM, EEPROM_BYTES)
    assert status == OK
    np.testing.assert_array_equal(np.frombuffer(data, ">u2"), contents)
    shortest_us = 9 * (EEPROM_BYTES + 4) * 2.5
    assert shortest_us <= took_us < 1.05 * shortest_us
    for size in (1, 2, 3, 15, 16, 17, 33):
        assert probe.read(CAMERA, EEPROM + 7, size)[::2] == (OK, contents[7:].astype(">u2").tobytes()[:size])
    assert probe.ask("serial") == f"SIM-{SEED:08d}"


@pytest.mark.parametrize(
    ("fault", "status"), [("nack@+0", NACK), ("short@+0", SHORT), ("stuck@+0", STUCK)], ids=["nack", "short", "stuck"]
)
def test_faults_of_the_bus_have_statuses_and_end(probe: Probe, fault: str, status: int) -> None:
    assert probe.read(NOBODY, 0, 2)[0] == NACK
    probe.bench.hardware.bus.add_faults(fault)
    failed, took_us, data = probe.read(CAMERA, EEPROM, 2)
    assert (failed, data) == (status, b"") and took_us < 1_200_000
    assert probe.ask("recover") == "recovered"
    assert probe.read(CAMERA, EEPROM, 2)[0] == OK


def test_a_bus_that_is_held_stays_stuck_until_it_is_clocked_free(probe: Probe) -> None:
    probe.bench.hardware.bus.add_faults("stuck@+0")
    assert [probe.read(CAMERA, EEPROM, 2)[0] for _ in range(3)] == [STUCK] * 3
    probe.ask("recover")
    assert probe.read(CAMERA, EEPROM, EEPROM_BYTES)[0] == OK


def test_a_chip_that_stretches_the_clock_too_long_is_left(probe: Probe) -> None:
    probe.bench.hardware.bus.add_faults("delay@+0+2s")
    assert probe.read(CAMERA, EEPROM, 64)[0] == STUCK
    probe.bench.pass_us(2_000_000)
    assert probe.read(CAMERA, EEPROM, 64)[0] == OK
    probe.bench.hardware.bus.add_faults("delay@+0+5ms")
    status, took_us, _ = probe.read(CAMERA, EEPROM, 64)
    assert status == OK and took_us >= 5_000


def test_every_way_down_leads_back_up_with_its_cause(probe: Probe) -> None:
    machine = probe.bench.machine
    assert probe.ask("cause") == RESET_POWER and machine.fault_address == 0
    times = [int(probe.ask("time"))]
    flash, nowhere = range(0x10000100, 0x10020000), range(0xFFFFFFFF, 0x100000000)  # a used up stack tells nothing
    ways = [
        ("reset", RESET_SOFTWARE, range(1)),
        ("hang", RESET_WATCHDOG, range(1)),
        ("fault", RESET_WATCHDOG, flash),
        ("overflow", RESET_WATCHDOG, nowhere),
    ]
    for way, cause, where in ways:
        probe.send(way.encode() + b"\n")
        if way == "hang":
            probe.bench.pass_us(10_000)
            machine.skip(3_900_000)
        probe.restarted()
        assert probe.ask("cause") == cause and machine.fault_address in where
        times.append(int(probe.ask("time")))
        assert probe.read(CAMERA, EEPROM, 2)[0] == OK
    assert times == sorted(times) and machine.starts == 5
    assert 0 < int(probe.ask("stack")) < 8192
    machine.power_on()
    assert probe.ask("cause") == RESET_POWER and machine.fault_address == 0


def test_a_processor_that_sleeps_wakes_in_time_and_for_the_line(probe: Probe) -> None:
    late_us, wakes = map(int, probe.ask("sleep 1500").split())
    assert 0 <= late_us < 100 and wakes <= 3
    machine = probe.bench.machine
    for _ in range(20):
        assert machine.run_until(lambda: machine.sleeps, 10_000)
        from_us = machine.now_us()
        assert probe.ask("echo awake") == "awake" and machine.now_us() - from_us < 3_000


def test_flash_erases_to_ones_and_programs_to_zeros(probe: Probe) -> None:
    last = (BLOCKS - 1) * BLOCK
    assert probe.ask("peek 0") == ERASED and probe.ask(f"peek {last}") == ERASED
    assert probe.ask("program 8 15") == "0" and probe.ask("peek 8") == "0f" * 8
    assert probe.ask("peek 0") == ERASED and probe.ask("peek 16") == ERASED
    assert probe.ask("program 8 3") == "0" and probe.ask("peek 8") == "03" * 8
    assert probe.ask("program 8 240") == str(STORAGE) and probe.ask("peek 8") == "00" * 8
    assert probe.ask(f"program {last + BLOCK - 8} 1") == "0"
    assert probe.ask("erase 0") == "0" and probe.ask("peek 8") == ERASED
    assert probe.ask(f"peek {last + BLOCK - 8}") == "01" * 8
    for wrong in (f"erase {BLOCKS}", "program 4 0", f"program {last + BLOCK} 0", "program 4294967288 0"):
        assert probe.ask(wrong) == str(ARGUMENT)
    touched = {address for _, address in probe.bench.machine.flash_writes}
    assert touched and all(KEPT <= address < KEPT + BLOCKS * BLOCK for address in touched)


def test_flash_outlives_resets_and_the_supply(probe: Probe) -> None:
    assert probe.ask("program 64 90") == "0"
    probe.send(b"reset\n")
    probe.restarted()
    assert probe.ask("peek 64") == "5a" * 8
    probe.bench.machine.power_on()
    assert probe.ask("peek 64") == "5a" * 8


def test_the_uart_carries_everything_both_ways(probe: Probe) -> None:
    rng = np.random.default_rng(5)
    for size in (1, 2, 900, 1000):
        text = "".join(map(chr, rng.integers(0x21, 0x7F, size)))
        assert probe.ask(f"echo {text}") == text
    assert probe.ask("fill 200") == "x" * 64 * 200 + "filled"


def test_the_pins_of_another_board_are_the_other_controllers(rp2040: Callable[..., bytes]) -> None:
    probe = Probe(Bench(rp2040(PINS="xiao")))
    assert probe.read(CAMERA, EEPROM, 2)[::2] == (OK, int(generate(SEED)[0]).to_bytes(2, "big"))
    chip = probe.bench.machine.chip
    assert [chip.gpio[pin].function_select for pin in (4, 5, 6, 7)] == [0x1F, 0x1F, 3, 3]
    probe.bench.hardware.bus.add_faults("stuck@+0")
    assert probe.read(CAMERA, EEPROM, 2)[0] == STUCK
    probe.ask("recover")
    assert probe.read(CAMERA, EEPROM, 2)[0] == OK


def test_an_image_for_a_slot_starts_where_a_loader_jumps_to_it(rp2040: Callable[..., bytes], image: bytes) -> None:
    """A loader of two words: the second stage goes to the vectors behind it, which are the slot's."""
    slot = rp2040(SLOT="a")
    stack, reset = struct.unpack_from("<II", slot)
    assert reset in range(0x10010100, 0x10010100 + len(slot))
    flash = image[:VECTORS] + struct.pack("<II", stack, reset)
    flash = flash.ljust(SLOT_A + VECTORS, b"\xff") + slot
    assert Probe(Bench(flash)).ask("echo from a slot") == "from"


def test_the_crc_of_the_second_stage_is_the_one_that_is_documented(image: bytes) -> None:
    """CRC-32/MPEG-2 over 252 bytes: by binascii's, which runs the other way round and inverts."""
    reflected = bytes(int(f"{byte:08b}"[::-1], 2) for byte in image[:252])
    crc = binascii.crc32(reflected) ^ 0xFFFFFFFF
    assert int(f"{crc:032b}"[::-1], 2).to_bytes(4, "little") == image[252:256]


def test_a_line_that_nobody_reads_costs_nothing(probe: Probe) -> None:
    probe.send(b"fill 2000\n")
    probe.bench.pass_us(ANSWER_US // 5)
    while probe.bench.uart.take():
        probe.bench.pass_us(10_000)
    assert probe.ask("echo alive") == "alive"
