"""`thermo-sim board nrf52840`: an emulated board behind a pseudo-terminal, the simulator's chips on its bus, its flash in a file."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_probe import PROBE, RESET_POWER, Kind, Probe, build, running

from thermo_core.errors import DamagedFileError, UsageError
from thermo_sim import control
from thermo_sim.any_board import board_of
from thermo_sim.board import BoardOptions
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.nrf52840.machine import available
from thermo_sim.transaction import NACK, OK, SHORT, STUCK

CAMERA, EEPROM, NOBODY = 0x33, 0x2400, 0x50
WORDS = 32
STORES_BYTES = 32 * 4096

pytestmark = pytest.mark.skipif(not available(), reason="hardware absent: labwired is not installed")


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Kind:
    return Kind("nrf52840", build("nrf52840_labwired", tmp_path_factory.mktemp("nrf52840"), PROBE))


@pytest.fixture
def probe(kind: Kind, tmp_path: Path) -> Iterator[Probe]:
    with running(kind, tmp_path) as probe:
        yield probe


def test_the_simulators_chips_answer_and_fail_as_the_laboratory_wants(probe: Probe) -> None:
    path = probe.board.control_path
    wanted = generate(0)[:WORDS].astype(">u2").tobytes()
    assert probe.read(CAMERA, EEPROM, 2 * WORDS) == (OK, wanted)
    assert probe.read(CAMERA, EEPROM, 2 * WORDS - 1) == (OK, wanted[:-1])
    assert probe.read(NOBODY, 0, 2)[0] == NACK
    for fault, status in (("nack@+0", NACK), ("stuck@+0", STUCK)):
        control.request(path, {"cmd": "fault", "spec": fault})
        assert probe.read(CAMERA, EEPROM, 2)[0] == status
        assert probe.ask("recover") == "recovered"
        assert probe.read(CAMERA, EEPROM, 2) == (OK, wanted[:2])
    control.request(path, {"cmd": "fault", "spec": "short@+0"})
    assert probe.read(CAMERA, EEPROM, 2)[0] == SHORT
    said, took, _ = probe.ask(f"read {CAMERA} {EEPROM} 1664").split(" ")
    assert int(said) == OK and 38_000 < int(took) < 42_000  # 15,000 bits at 383 kHz


def test_its_flash_stays_in_its_state(kind: Kind, tmp_path: Path) -> None:
    options = BoardOptions(tmp_path / "line", kind="nrf52840", firmware=kind.firmware, state=tmp_path / "state")
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("program 64 90") == "0"
    stored = tmp_path / "state" / "nrf52840.flash"
    assert len(stored.read_bytes()) == STORES_BYTES and stored.read_bytes()[64:72] == b"\x5a" * 8
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("peek 64") == "5a" * 8 and probe.ask("cause") == RESET_POWER
    stored.write_bytes(b"notes")
    with pytest.raises(DamagedFileError, match="no board's flash"):
        board_of(options)
    assert stored.read_bytes() == b"notes"


def test_what_it_cannot_start_is_refused_in_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "other.s"
    source.write_text(".text\n.global _start\n_start: nop\n")
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-nostdlib", "-Ttext=0x10000000", str(source)]
    subprocess.run([*command, "-o", str(tmp_path / "other.elf")], check=True)
    for path, says in (
        (tmp_path / "other.elf", "where an nRF52840 has no flash"),
        (source, "is no ELF file"),
        (tmp_path / "nowhere.elf", "There is no firmware at"),
    ):
        with pytest.raises(UsageError, match=says):
            board_of(BoardOptions(tmp_path / "line", kind="nrf52840", firmware=path))


def test_a_firmware_of_another_wearable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = tmp_path / "nrf52840_labwired" / "wearable.elf"
    built.parent.mkdir()
    built.write_bytes(b"\x7fELF....dname\x6cbreast-patch")
    monkeypatch.setattr("thermo_sim.board.BUILD", tmp_path)
    with pytest.raises(UsageError, match=r"another wearable than neuro-band; build it with .*WEARABLE=neuro-band"):
        board_of(BoardOptions(tmp_path / "line", kind="nrf52840", wearable="neuro-band"))


def test_a_debugger_is_refused(kind: Kind, tmp_path: Path) -> None:
    words = ["board", "nrf52840", "--firmware", str(kind.firmware), "--gdb", "x", "--link", str(tmp_path / "line")]
    command = [sys.executable, "-m", "thermo_sim.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "has no debugger" in done.stderr and done.stderr.count("\n") == 1, done.stderr
