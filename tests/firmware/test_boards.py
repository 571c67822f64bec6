"""What the boards offer the firmware's core, asked by a small application: bus, clock, line, flash, watchdog."""

import contextlib
import ctypes
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from board_probe import PROBE, RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG, ROOT, Gdb, Kind, Probe, build, running

from thermo_core.errors import DamagedFileError, ThermoError, UsageError
from thermo_core.exit_codes import ExitCode
from thermo_sim import application, control, mailbox, pump
from thermo_sim.board import Board, BoardOptions
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.mailbox import MailboxServer, SharedFile
from thermo_sim.pump import LineNoise
from thermo_sim.transaction import BUS, NACK, OK, SHORT, STUCK

CAMERA, NOBODY, EEPROM, EEPROM_BYTES = 0x33, 0x11, 0x2400, 1664
PAGE, ERASED = mailbox.FLASH_BLOCK_SIZE, "ff" * 8
STATUS_ARGUMENT, STATUS_STORAGE = "14", "11"
ENDLESS_LOOP = bytes.fromhex("fee7")


@pytest.fixture(scope="session")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Kind]:
    """Boards with the probe, built when they are first asked for; the program runs under sanitizers."""
    folder = tmp_path_factory.mktemp("boards")
    found: dict[str, Kind] = {}

    def get(name: str) -> Kind:
        if name not in found:
            found[name] = Kind(name, build({"host": "host_sanitized"}.get(name, "mps2_an386"), folder, PROBE))
        return found[name]

    return get


@pytest.fixture(params=["mps2-an386", "host"])
def kind(request: pytest.FixtureRequest, probes: Callable[[str], Kind]) -> Kind:
    return probes(request.param)


@pytest.fixture
def probe(kind: Kind, tmp_path: Path) -> Iterator[Probe]:
    """A board of either kind."""
    with running(kind, tmp_path) as probe:
        yield probe


@pytest.fixture
def emulated(probes: Callable[[str], Kind]) -> Kind:
    return probes("mps2-an386")


@pytest.fixture
def program(probes: Callable[[str], Kind]) -> Kind:
    return probes("host")


def layout() -> Iterator[str]:
    """Python's picture of the shared memory as C's assertions."""
    for structure, name in (
        (mailbox.Mailbox, "struct mailbox"),
        (mailbox.RetainedTime, "struct retained_time"),
        (mailbox.BoardReport, "struct board_report"),
        (mailbox.SharedMemory, "struct shared_memory"),
    ):
        yield f"sizeof({name}) == {ctypes.sizeof(structure)}"
        for field, *_ in structure._fields_:
            where = getattr(structure, field)
            yield f"offsetof({name}, {field}) == {where.offset}"
            yield f"sizeof((({name} *)0)->{field}) == {where.size}"
    for macro, value in (
        ("SHARED_MAGIC", mailbox.MAGIC),
        ("SHARED_VERSION", mailbox.VERSION),
        ("SHARED_SIZE", mailbox.SIZE),
        ("MAILBOX_TRANSFER", mailbox.TRANSFER),
        ("MAILBOX_RECOVER", mailbox.RECOVER),
        ("MAILBOX_MAX_WRITE", mailbox.MAX_WRITE),
        ("MAILBOX_MAX_READ", mailbox.MAX_READ),
        ("FLASH_BLOCK_SIZE", mailbox.FLASH_BLOCK_SIZE),
        ("FLASH_BLOCKS", mailbox.FLASH_BLOCKS),
    ):
        yield f"{macro} == {value}"
    for name, value in (("OK", OK), ("NACK", NACK), ("STUCK", STUCK), ("SHORT", SHORT), ("BUS", BUS)):
        yield f"STATUS_{name} == {value}"


@pytest.mark.parametrize("compiler", ["cc", "arm-none-eabi-gcc"])
def test_both_sides_of_the_mailbox_have_one_layout(compiler: str, tmp_path: Path) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"hardware absent: {compiler} is not installed")
    source = tmp_path / "layout.c"
    includes = '#include <stddef.h>\n#include "shared_memory.h"\n#include "status.h"\n'
    source.write_text(includes + "".join(f'_Static_assert({claim}, "layout");\n' for claim in layout()))
    firmware = ROOT / "device/firmware"
    include = [f"-I{firmware}/core", f"-I{firmware}/boards/simulated"]
    done = subprocess.run(
        [compiler, "-std=c11", "-fsyntax-only", *include, str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_bus_gives_what_the_simulated_chips_hold(probe: Probe) -> None:
    contents = generate(0)
    for _ in range(3):
        status, data = probe.read(CAMERA, EEPROM, EEPROM_BYTES)
        assert status == OK
        np.testing.assert_array_equal(np.frombuffer(data, ">u2"), contents)
    assert probe.read(CAMERA, EEPROM + 7, 2) == (OK, int(contents[7]).to_bytes(2, "big"))
    assert probe.ask("serial") == "SIM-00000000"


@pytest.mark.parametrize(
    ("fault", "status"), [("nack@+0", NACK), ("short@+0", SHORT), ("stuck@+0", STUCK)], ids=["nack", "short", "stuck"]
)
def test_faults_of_the_bus_have_statuses_and_end(probe: Probe, fault: str, status: int) -> None:
    assert probe.read(NOBODY, 0, 2) == (NACK, b"")
    probe.board.hardware.bus.add_faults(fault)
    assert probe.read(CAMERA, EEPROM, 2) == (status, b"")
    assert probe.ask("recover") == "recovered"
    assert probe.read(CAMERA, EEPROM, 2)[0] == OK


def test_more_than_the_mailbox_holds_is_refused_by_the_board(probe: Probe) -> None:
    before = probe.board.mailbox.served
    assert probe.ask(f"read {CAMERA} {EEPROM} {mailbox.MAX_READ + 1}").split()[0] == STATUS_ARGUMENT
    assert probe.board.mailbox.served == before


def test_a_mailbox_that_nobody_serves_is_a_stuck_bus(probe: Probe) -> None:
    board = probe.board
    board.mailbox.stop()
    assert probe.read(CAMERA, EEPROM, 2) == (STUCK, b"")
    assert probe.ask("echo alive") == "alive"
    board.mailbox = MailboxServer(board.memory, board.hardware.bus, board.doorbell)
    board.mailbox.start()
    status, data = probe.read(CAMERA, EEPROM, EEPROM_BYTES)
    assert status == OK
    np.testing.assert_array_equal(np.frombuffer(data, ">u2"), generate(0))


def test_an_answer_that_comes_too_late_is_nobodys(probe: Probe) -> None:
    probe.board.hardware.bus.add_faults("delay@+0+2s")
    assert probe.read(CAMERA, EEPROM, 64) == (STUCK, b"")
    statuses = []
    for _ in range(4):
        status, data = probe.read(CAMERA, EEPROM + 16, 64)
        statuses.append(status)
        if status == OK:
            np.testing.assert_array_equal(np.frombuffer(data, ">u2"), generate(0)[16:48])
    assert set(statuses) <= {OK, STUCK} and statuses[-1] == OK


def test_a_hostile_board_only_gets_an_error(tmp_path: Path) -> None:
    """The server reads sizes and kinds that a board gone wild may have written."""
    shared = SharedFile(tmp_path / "board.memory", "wild")
    ours, theirs = socket.socketpair()
    server = MailboxServer(shared.memory, SimulatedHardware.from_profile().bus, ours)
    server.start()
    box = shared.memory.mailbox
    theirs.settimeout(30)
    try:
        for kind, address, write, read in itertools.product(
            (0, 1, 77), (CAMERA, 0xFFFFFFFF), (0, 257, 1 << 31), (0, 4097, 1 << 31)
        ):
            box.kind, box.address, box.write_size, box.read_size = kind, address, write, read
            box.request += 1
            theirs.send(b"\1")
            assert theirs.recv(1) and box.response == box.request and box.status == BUS
    finally:
        server.stop()
        del box
        shared.close()
        ours.close()
        theirs.close()


def test_every_way_down_leads_back_up_with_its_cause(probe: Probe, kind: Kind) -> None:
    assert probe.ask("cause") == RESET_POWER
    times = [int(probe.ask("time"))]
    ways = [("reset", RESET_SOFTWARE), ("hang", RESET_WATCHDOG)]
    if kind.emulated:  # a fault ends a program, and with it thermo-sim: see below
        ways += [("fault", RESET_WATCHDOG), ("overflow", RESET_WATCHDOG)]
    for way, cause in ways:
        probe.send(way.encode() + b"\n")
        assert probe.revive("cause") == cause
        times.append(int(probe.ask("time")))
        assert probe.read(CAMERA, EEPROM, 2)[0] == OK
    assert times == sorted(times)
    status = probe.board.status()
    assert status["starts"] == 1 + len(ways)
    if kind.emulated:
        assert 0 < int(probe.ask("stack")) < 4096 and 0 < status["stack_bytes_used"] < 4096
        assert status["faults"] == 3 and status["last_fault"]["exception"] == 3


def test_a_loop_that_nothing_interrupts_is_found_by_the_watchdog(emulated: Kind, tmp_path: Path) -> None:
    """A debugger sends the processor astray; the board comes back and remembers where it was."""
    with running(emulated, tmp_path, BoardOptions(tmp_path / "line", gdb=tmp_path / "gdb")) as probe:
        astray = 0x20000000 + 65536 + 4096  # RAM of the machine that the firmware does not use
        with Gdb(tmp_path / "gdb") as gdb:
            gdb.write(astray, ENDLESS_LOOP)
            gdb.set_pc(astray)
        assert probe.revive("cause") == RESET_WATCHDOG
        status = probe.board.status()
        assert (status["faults"], status["starts"]) == (1, 2)
        assert status["last_fault"]["exception"] == 2 and status["last_fault"]["pc"] == astray


def test_the_watchdog_bites_where_even_its_warning_goes_astray(emulated: Kind, tmp_path: Path) -> None:
    """The handler of the NMI is overwritten, so only the watchdog itself can reset the board, which loads it anew."""
    nm = subprocess.run(["arm-none-eabi-nm", str(emulated.firmware)], capture_output=True, text=True, check=True)
    (handler,) = (int(row.split()[0], 16) for row in nm.stdout.splitlines() if row.endswith(" fault_handler"))
    with running(emulated, tmp_path, BoardOptions(tmp_path / "line", gdb=tmp_path / "gdb")) as probe:
        with Gdb(tmp_path / "gdb") as gdb:
            gdb.write(handler, ENDLESS_LOOP)
            gdb.set_pc(handler)
        assert probe.revive("cause") == RESET_WATCHDOG
        assert probe.board.status()["faults"] == 0 and probe.board.status()["starts"] == 2


def test_the_firmware_ends_where_its_64_kb_end(emulated: Kind, tmp_path: Path) -> None:
    """Nothing the linker placed lies beyond the RAM of the microcontroller that is meant."""
    size = subprocess.run(
        ["arm-none-eabi-size", "-A", str(emulated.firmware)], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in size.stdout.splitlines() if line.startswith(".") and not line.startswith(".debug")]
    ends = [int(row[2]) + int(row[1]) for row in rows if len(row) == 3 and int(row[2]) >= 0x20000000]
    assert ends and max(ends) <= 0x20000000 + 65536


def test_flash_erases_to_ones_and_programs_to_zeros(probe: Probe) -> None:
    last = (mailbox.FLASH_BLOCKS - 1) * PAGE
    assert probe.ask("peek 0") == ERASED and probe.ask(f"peek {last}") == ERASED
    assert probe.ask("program 8 15") == "0" and probe.ask("peek 8") == "0f" * 8
    assert probe.ask("peek 0") == ERASED and probe.ask("peek 16") == ERASED
    assert probe.ask("program 8 3") == "0" and probe.ask("peek 8") == "03" * 8
    assert probe.ask("program 8 240") == STATUS_STORAGE and probe.ask("peek 8") == "00" * 8
    assert probe.ask(f"program {PAGE} 1") == "0"
    assert probe.ask("erase 0") == "0" and probe.ask("peek 8") == ERASED and probe.ask(f"peek {PAGE}") == "01" * 8
    for wrong in (f"erase {mailbox.FLASH_BLOCKS}", "program 4 0", f"program {last + PAGE} 0", "program 4294967288 0"):
        assert probe.ask(wrong) == STATUS_ARGUMENT


def test_flash_and_clock_outlive_resets_and_restarts(kind: Kind, tmp_path: Path) -> None:
    options = BoardOptions(tmp_path / "line", state=tmp_path / "state")
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("program 64 90") == "0"
        probe.send(b"reset\n")
        assert probe.revive("peek 64") == "5a" * 8
        before_us = int(probe.ask("time"))
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("peek 64") == "5a" * 8 and int(probe.ask("time")) > before_us
        assert probe.ask("cause") == RESET_POWER
    stored = (tmp_path / "state" / "board.memory").stat()
    assert stored.st_size == mailbox.SIZE and stored.st_blocks * 512 < mailbox.SIZE / 4


def test_two_boards_do_not_share_a_state(program: Kind, tmp_path: Path) -> None:
    options = BoardOptions(tmp_path / "line", state=tmp_path / "state", kind="host", firmware=program.firmware)
    with running(program, tmp_path, options), pytest.raises(UsageError, match="Another board uses"):
        Board(replace(options, link=tmp_path / "other"))
    (tmp_path / "state" / "board.memory").write_bytes(b"notes")
    with pytest.raises(DamagedFileError, match="no board's memory"):
        Board(options)
    assert (tmp_path / "state" / "board.memory").read_bytes() == b"notes"


def test_the_line_carries_everything_both_ways(probe: Probe) -> None:
    rng = np.random.default_rng(5)
    for size in (1, 2, 900, 1000):
        text = "".join(map(chr, rng.integers(0x21, 0x7F, size)))
        assert probe.ask(f"echo {text}") == text
    assert probe.ask("fill 200") == "x" * 64 * 200 + "filled"


def test_what_nobody_reads_is_lost_and_the_board_goes_on(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "NOBODY_READS_S", 0.2)
    with running(kind, tmp_path) as probe:
        probe.send(b"fill 2000\n")  # 128 kB, which no buffer holds
        end = time.monotonic() + 60
        while probe.board.status()["line_bytes_unread"] < 32_000:
            assert time.monotonic() < end, probe.board.status()
            time.sleep(0.05)
        probe.reopen()
        assert probe.revive("echo here") == "here"


def test_a_noisy_line_damages_by_seed_and_counts(program: Kind, tmp_path: Path) -> None:
    heard = []
    for run in range(2):
        options = BoardOptions(tmp_path / f"line{run}", seed=3, noise=LineNoise(flip=0.02, drop=0.02))
        with Board(replace(options, kind="host", firmware=program.firmware)) as board:
            probe = Probe(board)
            probe.send(b"fill 100\n" * 5)
            said = b""
            while more := probe.receive(2.0):
                said += more
            heard.append(said)
            damaged = board.status()["line_bytes_damaged"]
            probe.close()
        assert said.count(b"x") > 6000
        assert damaged >= sum(byte not in b"xfiled\n" for byte in said) > 0
    assert heard[0] == heard[1]


@pytest.mark.parametrize("text", ["flip", "flip=x", "flip=2", "drop=-1", "flip=0.1,flip=0.1", "noise=1", "flip=nan"])
def test_impossible_noise_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="line noise"):
        LineNoise.parse(text)


def test_an_unplugged_board_keeps_running(probe: Probe) -> None:
    before_us = int(probe.ask("time"))
    control.request(probe.board.control_path, {"cmd": "unplug", "seconds": 0.3})
    with pytest.raises(OSError):
        for _ in range(1000):
            os.write(probe.port, b"\n")
            time.sleep(0.001)
    end = time.monotonic() + 30
    while not probe.board.options.link.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    probe.reopen()
    assert int(probe.revive("time")) > before_us
    assert probe.ask("cause") == RESET_POWER


def test_the_laboratory_reaches_a_board_too(probe: Probe) -> None:
    control.request(probe.board.control_path, {"cmd": "blackbody", "celsius": 37.5})
    status = control.request(probe.board.control_path, {"cmd": "status"})
    assert status["scene_mean_celsius"] == pytest.approx(37.5, abs=0.1) and status["board"] == probe.board.options.kind
    assert status["touched_celsius"] == {"spots": [37.5] * 4}


def test_a_program_that_dies_says_why(program: Kind, tmp_path: Path) -> None:
    with running(program, tmp_path) as probe:
        probe.send(b"fault\n")
        with pytest.raises(ThermoError, match=r"The board host ended .*AddressSanitizer.*; start it again"):
            probe.board.wait(60)


def thermo_sim(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "thermo_sim.cli", *map(str, words)]


@pytest.mark.parametrize(
    ("words", "path", "sentence"),
    [
        (("mps2-an386", "--firmware", "nowhere.elf"), None, "no firmware at nowhere.elf; build it with make firmware"),
        (("mps2-an386", "--firmware", __file__), "", "qemu-system-arm is not installed"),
        (("host", "--firmware", __file__), None, "cannot be run"),
        (("host", "--firmware", __file__, "--gdb", "x"), None, "without --gdb"),
        (("host", "--firmware", __file__, "--line-noise", "loud"), None, "line noise 'loud'"),
        (("host", "--firmware", __file__, "--wearable", "sock"), None, "no wearable 'sock'"),
    ],
    ids=["firmware", "emulator", "program", "gdb", "noise", "wearable"],
)
def test_what_is_missing_is_one_sentence(
    words: tuple[str, ...], path: str | None, sentence: str, tmp_path: Path
) -> None:
    environment = os.environ | ({} if path is None else {"PATH": path})
    command = thermo_sim("board", *words, "--link", tmp_path / "line")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_board_outlives_its_simulator(kind: Kind, tmp_path: Path, how: signal.Signals) -> None:
    link = tmp_path / "line"
    command = thermo_sim("board", kind.name, "--link", link, "--firmware", kind.firmware, "--state", tmp_path / "state")
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert simulator.stdout is not None and simulator.stdout.readline().startswith("ready: wearable")
        children = Path(f"/proc/{simulator.pid}/task/{simulator.pid}/children")
        (child,) = map(int, children.read_text().split())
        simulator.send_signal(how)
        code = simulator.wait(60)
    finally:
        simulator.kill()
        simulator.communicate()
    end = time.monotonic() + 30
    while _lives(child):
        assert time.monotonic() < end, "the board outlived its simulator"
        time.sleep(0.02)
    if how is not signal.SIGKILL:
        assert code == (0 if how is signal.SIGTERM else 130)
        assert not link.is_symlink() and not link.with_name("line.ctl").exists()


def _lives(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def test_exec_runs_a_command_against_a_board(program: Kind) -> None:
    status = "import json, sys; from thermo_sim import control; from pathlib import Path; "
    status += "print(json.dumps(control.request(Path(sys.argv[1]), {'cmd': 'status'}) | {'port': sys.argv[2]}))"
    command = thermo_sim("exec", "--board", "host", "--firmware", program.firmware, "--seed", "5", "--")
    command += [sys.executable, "-c", status, "{control}", "{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["board"] == "host" and said["seed"] == 5 and said["link"] == said["port"]


@pytest.mark.parametrize(
    "words", [["wearable", "--link", "{link}"], ["exec", "--", "true"]], ids=lambda words: words[0]
)
def test_a_board_is_an_option_wherever_a_wearable_is_started(
    words: list[str], program: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = (word.replace("{link}", str(tmp_path / "line")) for word in words)
    for given, reason in (
        (["--board", "host", "--speed", "2"], "leave out --speed"),
        (["--line-noise", "flip=1e-4"], "add --board"),
        (["--board", "m3"], "choose one of"),
    ):
        assert application.run([name, *given, *more]) == ExitCode.USAGE
        assert reason in capsys.readouterr().err
    if name == "wearable":
        command = thermo_sim(name, "--board", "host", "--firmware", program.firmware, *more)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None and running.stdout.readline().startswith("ready: ")
            running.terminate()
            assert running.wait(60) == 0
