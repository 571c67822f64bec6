"""The nRF52840's own firmware, with its FPU, on unicorn's processor and devices of ours: every way down and up, flash, bus, and the loader's place."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from board_probe import PROBE, RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG, Kind, build, running
from nrf52840_bench import Bench
from rp2040_bench import Probe

from thermo_core.errors import DamagedFileError, UsageError
from thermo_core.firmware import elf
from thermo_sim.any_board import board_of
from thermo_sim.board import BoardOptions
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.nrf52840.chip import FLASH_BYTES
from thermo_sim.transaction import NACK, OK, SHORT, STUCK

CAMERA, EEPROM, NOBODY = 0x33, 0x2400, 0x50
SEED = 4
STORES = 0xD0000
WATCHDOG_US = 4_000_000
STARTS_US = 20_000
"""Bytes that come before it has switched its line on are lost."""


def programmed(firmware: Path) -> Bench:
    """The chip with a firmware at the beginning of its flash."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    for segment in elf.segments(firmware.read_bytes()):
        flash[segment.address : segment.address + len(segment.data)] = segment.data
    return Bench(bytes(flash), SEED)


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("hardware absent: no emulated microcontroller (arm-none-eabi-gcc is not installed)")
    return build("nrf52840", tmp_path_factory.mktemp("nrf52840"), PROBE)


@pytest.fixture
def probe(firmware: Path) -> Iterator[Probe]:
    bench: Any = programmed(firmware)
    bench.machine.run(STARTS_US)
    yield Probe(bench)


def test_every_way_down_leads_back_up_with_its_cause(probe: Probe) -> None:
    machine: Any = probe.bench.machine
    assert probe.ask("cause") == RESET_POWER and machine.fault_address == 0
    times = [int(probe.ask("time"))]
    ways = [
        ("reset", RESET_SOFTWARE),
        ("hang", RESET_WATCHDOG),
        ("fault", RESET_WATCHDOG),
        ("overflow", RESET_WATCHDOG),
    ]
    for way, cause in ways:
        from_us = machine.now_us()
        probe.send(way.encode() + b"\n")
        probe.restarted()
        assert way != "hang" or machine.now_us() - from_us >= WATCHDOG_US
        machine.run(STARTS_US)
        assert bool(machine.fault_address) == (way in ("fault", "overflow"))
        assert probe.ask("cause") == cause
        times.append(int(probe.ask("time")))
        assert probe.read(CAMERA, EEPROM, 2)[0] == OK
    assert times == sorted(times) and machine.starts == 5
    assert 0 < int(probe.ask("stack")) < 4096 and int(probe.ask("serial"), 16) == SEED
    machine.power_on()
    machine.run(STARTS_US)
    assert probe.ask("cause") == RESET_POWER


def test_a_firmware_that_feeds_its_watchdog_goes_on(probe: Probe) -> None:
    for _ in range(2):
        late_us, _wakes = map(int, probe.ask("sleep 2500").split())
        assert late_us < 1000
    assert probe.bench.machine.starts == 1 and probe.bench.machine.now_us() > WATCHDOG_US


def test_the_bus_gives_what_the_chips_hold_and_fails_as_the_laboratory_wants(probe: Probe) -> None:
    wanted = generate(SEED)[:32].astype(">u2").tobytes()
    assert probe.read(CAMERA, EEPROM, 64)[::2] == (OK, wanted)
    assert probe.read(NOBODY, 0, 2)[0] == NACK
    for fault, status in (("nack@+0", NACK), ("short@+0", SHORT), ("stuck@+0", STUCK)):
        probe.bench.hardware.bus.add_faults(fault)
        assert probe.read(CAMERA, EEPROM, 2)[0] == status
        assert probe.ask("recover") == "recovered" and probe.read(CAMERA, EEPROM, 2)[0] == OK


def test_flash_clears_bits_and_outlives_resets_and_the_supply(probe: Probe) -> None:
    machine: Any = probe.bench.machine
    assert probe.ask("program 64 90") == "0" and probe.ask("peek 64") == "5a" * 8
    assert probe.ask("program 64 255") != "0" and probe.ask("peek 64") == "5a" * 8
    machine.power_on()
    machine.run(STARTS_US)
    assert probe.ask("peek 64") == "5a" * 8
    assert probe.ask("erase 0") == "0" and probe.ask("peek 64") == "ff" * 8


def test_behind_a_pseudo_terminal_its_flash_stays_in_its_state(firmware: Path, tmp_path: Path) -> None:
    kind = Kind("nrf52840-fast", firmware)
    options = BoardOptions(tmp_path / "line", kind=kind.name, firmware=firmware, state=tmp_path / "state")
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("program 64 90") == "0"
    stored = tmp_path / "state" / "nrf52840-fast.flash"
    assert stored.read_bytes()[STORES + 64 :][:8] == b"\x5a" * 8
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("peek 64") == "5a" * 8 and probe.ask("cause") == RESET_POWER
        probe.send(b"fault\n")
        assert probe.revive("cause") == RESET_WATCHDOG
        status: Callable[[], Any] = probe.board.status
        assert status()["starts"] == 2 and status()["last_fault"]["pc"] > 0
    stored.write_bytes(b"notes")
    with pytest.raises(DamagedFileError, match="no board's flash"):
        board_of(options)


def test_what_it_cannot_start_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.elf").write_text("no firmware")
    for name, says in (("text.elf", "is no ELF file"), ("nowhere.elf", "There is no firmware at")):
        with pytest.raises(UsageError, match=says):
            board_of(BoardOptions(tmp_path / "line", kind="nrf52840-fast", firmware=tmp_path / name))
