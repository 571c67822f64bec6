"""The nRF52840's board code: whole firmware and probes in labwired, which nobody here wrote, and its flash on QEMU's microbit."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_probe import PROBE, RESET_POWER, RESET_WATCHDOG, ROOT, build
from numpy.typing import NDArray

from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import constants as extraction
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.wearable.file import read
from thermo_core.wearable.library import names, resolve
from thermo_core.wearable.profile import Profile
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame
from thermo_core.wire.management import Hello, StreamRequest
from thermo_core.wire.management import read as read_body
from thermo_core.wire.records import decode
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command, StreamOp
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.nrf52840.machine import WATCHDOG_SIZE, Machine, Settings, available, own_sensors

FIRMWARE = ROOT / "device" / "firmware"
PICTURES = "../../tests/firmware/probe/pictures.c core/float32.c core/mlx90640_decode.c core/mlx90640_fixed.c"
BOARD = "nrf52840_labwired"
SLOT, SLOT_BYTES = 0x10200, 0x3FE00
OK, NACK, STUCK, STORAGE, ARGUMENT = 0, 1, 2, 11, 14
VOLTS, COUNTS_A_VOLT = (0.9, 1.2, 1.5, 1.8), 8000
"""At the ADC's inputs; counts at the range of 4.096 V."""
LONGEST_MS = 4000
STARTS_IN_MS = 20
"""Until the line hears."""
SEED, PAGES = 4, 10
WATCHDOG_TICKS = 3277
"""0.1 s, of 4: what hangs takes labwired as long as what works."""
CAMERA, ADC, NOBODY = 0x33, 0x48, 0x50
AMBIENT_C, HOT_C, HOT_ROW, HOT_COLUMN, HOT_RADIUS = 25.0, 85.0, 9, 20, 2
SCENE: Settings = {
    "mlx90640": {
        "ambient_c": AMBIENT_C,
        "hot_row": HOT_ROW,
        "hot_col": HOT_COLUMN,
        "hot_radius": HOT_RADIUS,
        "hot_target_c": HOT_C,
        "tau_s": 0.001,
        "cooling_efficiency": 0.0,
        "cooling_fault_at_s": 1e6,
    }
}

pytestmark = [
    pytest.mark.lengthy,
    pytest.mark.skipif(not available(), reason="hardware absent: labwired is not installed"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], Path]:
    """Firmware for labwired: the whole one, or another application."""
    folder = tmp_path_factory.mktemp("nrf52840")
    found: dict[str | None, Path] = {}

    def get(application: str | None) -> Path:
        if application not in found:
            found[application] = build(BOARD, folder / str(len(found)), application)
        return found[application]

    return get


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read(resolve("breast-patch")).profile


@dataclass
class Line:
    """A board's serial line, in its own time."""

    board: Machine

    def until(self, is_over: Callable[[bytes], bool], say: bytes = b"", most_ms: int = LONGEST_MS) -> bytes:
        """What the board says until it has said enough."""
        said = b""
        self.board.send(say)
        for _ in range(most_ms):
            said += self.step()
            if is_over(said):
                return said
        raise AssertionError(f"no more than {said[-300:]!r} in {most_ms} ms")

    def step(self) -> bytes:
        """What it says in a millisecond."""
        self.board.run(1000)
        return self.board.take()

    def ask(self, command: str) -> str:
        """The probe's answer."""
        return self.until(lambda said: said.endswith(b"\n"), command.encode() + b"\n").decode().strip()


@contextmanager
def running(firmware: Path, profile: Profile, settings: Settings | None = None) -> Iterator[Line]:
    with Machine(firmware, own_sensors(profile, settings)) as board:
        board.run(1000 * STARTS_IN_MS)
        yield Line(board)


def test_the_board_gives_the_core_what_it_promises(built: Callable[[str | None], Path], profile: Profile) -> None:
    with running(built(PROBE), profile) as line:
        assert line.ask("cause") == RESET_POWER
        words = [line.board.sim.read_u32(0x10000060 + 4 * i) for i in range(2)]
        assert line.ask("serial") == f"{words[1]:08X}{words[0]:08X}"
        assert line.ask("echo " + "x" * 900) == "x" * 900
        assert line.ask("fill 100") == "x" * 6400 + "filled"
        begin_us = int(line.ask("time"))
        late_us, _ = map(int, line.ask("sleep 20").split())
        assert 0 <= late_us < 1000
        assert 20_000 <= int(line.ask("time")) - begin_us < 60_000

        status, _, data = line.ask(f"read {CAMERA} {0x2430} 8").split()
        assert int(status) == OK and data[:4] == "1770"  # of 6000, a gain
        assert int(line.ask(f"read {NOBODY} 0 2").split()[0]) == NACK
        assert line.ask("recover") == "recovered"
        assert int(line.ask(f"read {ADC} 256 2").split()[0]) == OK

        assert line.ask("erase 0") == str(OK) and line.ask("peek 0") == "ff" * 8
        assert line.ask("program 8 15") == str(OK) and line.ask("peek 8") == "0f" * 8
        assert line.ask("erase 32") == str(ARGUMENT) and line.ask("program 4093 1") == str(ARGUMENT)
        assert 0 < int(line.ask("stack")) < 4096


def test_a_reset_by_the_software_keeps_flash_and_goes_on_in_time(
    built: Callable[[str | None], Path], profile: Profile
) -> None:
    with running(built(PROBE), profile) as line:
        assert line.ask("program 16 170") == str(OK)
        before_us = int(line.ask("time"))
        line.until(lambda said: True, b"reset\n")
        line.board.run(1000 * STARTS_IN_MS)
        assert line.ask("peek 16") == "aa" * 8
        assert int(line.ask("time")) > before_us


def test_lines_that_are_held_low_are_a_stuck_bus(built: Callable[[str | None], Path], profile: Profile) -> None:
    """The controller would hear an acknowledgement and zeros."""
    with running(built(PROBE), profile) as line:
        for pin in ("sda", "scl"):
            line.board.sim.set_pin(pin, False)
            assert int(line.ask(f"read {CAMERA} {0x2400} 2").split()[0]) == STUCK
            line.board.sim.set_pin(pin, True)
            assert int(line.ask(f"read {CAMERA} {0x2400} 2").split()[0]) == OK


@pytest.fixture
def any_eeprom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants of labwired's EEPROM, which no device could have: all pixels alike, no number, scales of 0."""
    monkeypatch.setattr(extraction, "doubts", lambda word, doubtful: ())
    monkeypatch.setattr(extraction, "bad_pixels", lambda word: ((), ()))
    monkeypatch.setattr(extraction, "doubtful_pixels", lambda word, bad: ())


def _words(text: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(bytes.fromhex(text), kind)


@pytest.mark.usefixtures("any_eeprom")
def test_pictures_of_labwireds_camera_are_decoded_alike_and_to_its_scene(
    built: Callable[[str | None], Path], profile: Profile
) -> None:
    with running(built(PICTURES), profile, SCENE) as line:
        said = line.until(lambda said: said.count(b"\n") == 3).decode().splitlines()
    assert said[0].split()[0] == "eeprom"
    constants = extraction.Constants.from_eeprom(_words(said[0].split()[1], "<u2"))
    decoder = Decoder(constants, 1.0, AMBIENT_C)
    seen = np.zeros((24, 32), np.bool_)
    for number, row in enumerate(said[1:]):
        name, *fields = row.split()
        page, control, ram = (_words(fields[i], "<u2") for i in (0, 1, 3))
        assert name == "page" and int(fields[2], 16) == OK and page[0] == 1 - number
        decoded = decoder.decode(np.concatenate([ram, control, page]))
        celsius = _words(fields[4], "<f4").reshape(24, 32)
        valid = _words(fields[5], "<u4")[:, None] >> np.arange(32, dtype=np.uint32) & 1
        np.testing.assert_array_equal(valid.astype(np.bool_), decoded.valid)
        assert decoded.ta == pytest.approx(AMBIENT_C, abs=0.05) and decoded.vdd == pytest.approx(3.3, abs=0.001)
        assert np.abs(celsius - decoded.celsius)[decoded.valid].max() < 0.001
        hot = np.zeros((24, 32), np.bool_)
        hot[HOT_ROW - HOT_RADIUS : HOT_ROW + HOT_RADIUS + 1, HOT_COLUMN - HOT_RADIUS : HOT_COLUMN + HOT_RADIUS + 1] = (
            True
        )
        np.testing.assert_allclose(celsius[hot & decoded.valid], HOT_C, atol=0.1)
        np.testing.assert_allclose(celsius[~hot & decoded.valid], AMBIENT_C, atol=0.1)
        seen |= decoded.valid
    assert seen.all()


@dataclass
class Host:
    """What a host hears of a whole firmware."""

    line: Line
    demultiplexer: Demultiplexer = field(default_factory=Demultiplexer)
    blocks: list[Block] = field(default_factory=list)

    def ask(self, op: Op, command: Command, body: Mapping[str, Any], sequence: int) -> Mapping[str, Any]:
        """The answer to a request."""
        say = encode_packets(SmpMessage(SmpHeader(op, Group.THERMO, command, sequence), body).encode())
        self.line.board.send(say)
        for _ in range(LONGEST_MS):
            for frame in self.hear():
                if isinstance(frame, ManagementFrame):
                    return SmpMessage.decode(frame.message).body
        raise AssertionError("no answer")

    def hear(self) -> list[ManagementFrame | TelemetryFrame]:
        """A millisecond."""
        frames = self.demultiplexer.feed(self.line.step())
        for frame in frames:
            if isinstance(frame, TelemetryFrame) and isinstance(record := decode(frame.record)[1], Block):
                self.blocks.append(record)
        return frames


def test_the_whole_firmware_says_hello_and_reads_the_thermistors(
    built: Callable[[str | None], Path], profile: Profile
) -> None:
    """labwired's camera is refused for its EEPROM; its ADC's counts arrive on the line as the volts that it was given."""
    with running(built(None), profile) as line:
        for channel, level in enumerate(VOLTS):
            line.board.sim.set_input(f"a{channel}", level)
        host = Host(line)
        start = StreamRequest(op=StreamOp.START, lease_ms=10_000).to_map()
        assert host.ask(Op.WRITE, Command.STREAM, start, 1)["lease_ms"] == 10_000
        for _ in range(LONGEST_MS):
            host.hear()
            if host.blocks:
                break
        hello = read_body(Hello, host.ask(Op.READ, Command.HELLO, {}, 2))
    assert (hello.name, hello.profile, hello.simulated) == ("thermo-edge nrf52840", "breast-patch", True)
    assert "EEPROM" in hello.sensors[0].fault and not hello.sensors[1].fault
    block = host.blocks[0]
    counts = np.frombuffer(block.data, "<i2")
    assert block.sensor == 1
    np.testing.assert_allclose(counts / COUNTS_A_VOLT, VOLTS, atol=1 / COUNTS_A_VOLT)


def test_the_whole_firmware_reads_the_simulators_chips_at_their_rate(built: Callable[[str | None], Path]) -> None:
    clock = EmulatedClock()
    hardware = SimulatedHardware.from_profile(seed=SEED, clock=clock, warm_up_tau_s=0)
    with Machine(built(None), chips=(hardware.bus, clock)) as board:
        clock.bind(board.now_us)
        board.run(1000 * STARTS_IN_MS)
        host = Host(Line(board))
        start = StreamRequest(op=StreamOp.START, lease_ms=10_000).to_map()
        assert host.ask(Op.WRITE, Command.STREAM, start, 1)["lease_ms"] == 10_000
        for _ in range(LONGEST_MS):
            host.hear()
            if sum(block.sensor == 0 for block in host.blocks) == PAGES and host.blocks[-1].sensor == 0:
                break
        hello = read_body(Hello, host.ask(Op.READ, Command.HELLO, {}, 2))
    camera, spots = hello.sensors
    assert camera.id == generate(SEED)[7:10].astype(">u2").tobytes() and not camera.fault and not spots.fault
    pages = [block for block in host.blocks if block.sensor == 0]
    assert np.diff([page.index for page in pages]).tolist() == [1] * (PAGES - 1)
    np.testing.assert_allclose(np.diff([page.time_us for page in pages]), 62_500, rtol=0.1)  # 16 a second
    assert any(block.sensor == 1 for block in host.blocks)


def test_a_firmware_that_hangs_is_started_anew_with_ram_and_flash_as_they_were(
    built: Callable[[str | None], Path],
) -> None:
    clock = EmulatedClock()
    hardware = SimulatedHardware.from_profile(seed=SEED, clock=clock, warm_up_tau_s=0)
    with Machine(built(PROBE), chips=(hardware.bus, clock)) as board:
        clock.bind(board.now_us)
        board.run(1000 * STARTS_IN_MS)
        line = Line(board)
        assert line.ask("cause") == RESET_POWER and line.ask("program 64 90") == "0"
        before_us = int(line.ask("time"))
        board.sim.write_u32(WATCHDOG_SIZE, WATCHDOG_TICKS)
        line.until(lambda _: board.starts == 2, b"hang\n")
        board.run(1000 * STARTS_IN_MS)
        assert line.ask("cause") == RESET_WATCHDOG and line.ask("peek 64") == "5a" * 8
        assert int(line.ask("time")) > before_us and line.ask("read 51 9216 2").startswith(f"{OK} ")


@pytest.mark.parametrize("wearable", [name for name in names() if name != "breast-patch"])
def test_every_wearable_is_built_for_the_chip(wearable: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With its FPU, and within flash and RAM."""
    folder = tmp_path_factory.getbasetemp() / "nrf52840-wearables"
    assert build("nrf52840", folder, wearable=wearable).is_file()


def test_the_firmware_is_linked_where_a_slot_begins(tmp_path: Path) -> None:
    elf = build("nrf52840", tmp_path, PROBE, nrf52840_ORIGIN=f"{SLOT:#x}", nrf52840_ROOM=f"{SLOT_BYTES:#x}")
    symbols = subprocess.run(["arm-none-eabi-nm", str(elf)], capture_output=True, text=True, check=True).stdout
    places = {row.split()[2]: int(row.split()[0], 16) for row in symbols.splitlines()}
    assert places["vectors"] == SLOT
    assert SLOT < places["reset_handler"] < SLOT + SLOT_BYTES
    assert places["stack_bottom"] == 0x20000000


def test_the_flash_controller_is_driven_as_it_wants(tmp_path: Path) -> None:
    """QEMU's microbit only clears bits, ignores stores that nobody allowed, and erases pages: as the nRF52840 does."""
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if not shutil.which(program):
            pytest.skip(f"hardware absent: no emulated microcontroller ({program} is not installed)")
    here = ROOT / "tests" / "firmware" / "nvmc"
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Os"]
    command += ["-ffreestanding", "-nostartfiles", "--specs=nano.specs", f"-I{FIRMWARE}/core"]
    command += [
        f"-I{FIRMWARE}/boards/nrf52840",
        f"-I{FIRMWARE}/boards/cortex_m",
        "-T",
        str(here / "microbit.ld"),
        str(here / "microbit.c"),
    ]
    elf = tmp_path / "microbit.elf"
    subprocess.run([*command, f"{FIRMWARE}/boards/nrf52840/nvmc.c", "-o", str(elf)], check=True)
    qemu = ["qemu-system-arm", "-M", "microbit", "-nographic", "-semihosting", "-monitor", "none", "-serial", "stdio"]
    done = subprocess.run([*qemu, "-kernel", str(elf)], capture_output=True, text=True, check=True)
    said = {row.split()[0]: (int(row.split()[1], 16), row.split()[2]) for row in done.stdout.splitlines()}
    assert said == {
        "erase-first": (OK, "ffffffff"),
        "erase-second": (OK, "ffffffff"),
        "program": (OK, "12345678"),
        "second-word": (OK, "ffff0000"),
        "clear-bits": (OK, "12340000"),
        "same-again": (OK, "12340000"),
        "set-bits": (STORAGE, "12340000"),
        "locked": (OK, "ffffffff"),
        "last": (OK, "12345678"),
        "erase-other": (OK, "12345678"),
        "erased": (OK, "ffffffff"),
        "read": (OK, "ffffffff"),
        "no-page": (ARGUMENT, "ffffffff"),
        "half-word": (ARGUMENT, "ffffffff"),
        "over-end": (ARGUMENT, "ffffffff"),
        "read-right": (OK, "ffffffff"),
    }
