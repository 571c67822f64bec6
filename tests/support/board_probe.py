"""Boards that run the probe application (tests/firmware/probe), a line to talk to it, and a debugger's wire."""

import contextlib
import hashlib
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from compiled_once import shared
from patience import WAIT_S

from thermo_sim.any_board import board_of
from thermo_sim.board import Board, BoardOptions

ROOT = Path(__file__).resolve().parents[2]
PROBE = "../../tests/firmware/probe/application.c"
PATIENCE_S = 0.5
RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG = "012"


PROGRAMS = {
    "mps2_an386": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "nrf52840": ("arm-none-eabi-gcc",),
    "nrf52840_labwired": ("arm-none-eabi-gcc",),
    "rp2040": ("arm-none-eabi-gcc",),
}
"""What a microcontroller's board needs."""
BUILT = dict.fromkeys(PROGRAMS, "wearable.elf") | {"rp2040": "wearable.bin"}


def build(
    target: str, folder: Path, application: str | None = None, wearable: str = "breast-patch", **variables: str
) -> Path:
    """Build a board with make and return its file; skips where the compiler is missing.

    Args:
        target: of device/firmware/Makefile.
        folder: for everything that is built.
        application: instead of the wearable.
        wearable: by name or file.
        variables: of the makefile.
    """
    for program in PROGRAMS.get(target, ()):
        if not shutil.which(program):
            pytest.skip(f"hardware absent: no emulated microcontroller ({program} is not installed)")
    if target not in PROGRAMS and not shutil.which("cc"):
        pytest.skip("hardware absent: no C compiler")
    given = [f"{name}={value}" for name, value in variables.items()]
    given += [f"WEARABLE={wearable}"] if application is None else [f"APPLICATION={application}"]
    quantize = f"QUANTIZE={sys.executable} -c 'from thermo_quantize.cli import main; main()'"
    command = [
        "make",
        "-C",
        str(ROOT / "device/firmware"),
        f"BUILD={folder}",
        f"GENERATED={folder}/generated",
        quantize,
    ]
    done = subprocess.run([*command, *given, target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / target / BUILT.get(target, "wearable")


def build_once(target: str, folder: Path, wearable: str) -> tuple[Path, Path]:
    """Build a wearable's firmware, once for all tests that want it; returns the folder of the build, and the file.

    Args:
        target: of device/firmware/Makefile.
        folder: a temporary one of pytest's, beside which all builds of a run lie.
        wearable: by name or file.
    """
    file = Path(wearable)
    name = hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else wearable
    with shared(folder, f"{name}-{target}") as built:
        if not (built / "file").is_file():
            (built / "file").write_text(str(build(target, built, wearable=wearable)))
        return built, Path((built / "file").read_text())


@dataclass(frozen=True)
class Kind:
    """A kind of board and what it runs."""

    name: str
    firmware: Path

    @property
    def emulated(self) -> bool:
        return self.name == "mps2-an386"


class Probe:
    """A running board and the serial line to its probe."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.port = self._open()

    def close(self) -> None:
        os.close(self.port)

    def reopen(self) -> None:
        self.close()
        self.port = self._open()

    def _open(self) -> int:
        return os.open(self.board.options.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def send(self, data: bytes) -> None:
        end = time.monotonic() + WAIT_S
        while data:
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self.port, data) :]
            if data:
                assert time.monotonic() < end, "the line takes nothing"
                select.select([], [self.port], [], 1.0)

    def receive(self, wait_s: float) -> bytes:
        """What has arrived, b"" where nothing does within the time."""
        if not select.select([self.port], [], [], wait_s)[0]:
            return b""
        return os.read(self.port, 65536)

    def ask(self, command: str) -> str:
        """The answer to one command."""
        self.send(command.encode() + b"\n")
        return self.line()

    def line(self) -> str:
        """The next whole line."""
        said, end = b"", time.monotonic() + WAIT_S
        while not said.endswith(b"\n"):
            said += self.receive(1.0)
            assert time.monotonic() < end, f"no answer but {said!r}"
        return said.decode(errors="replace").rstrip("\n")

    def revive(self, command: str) -> str:
        """Ask until the board answers again, and then what it says to a command."""
        end, said, tries = time.monotonic() + WAIT_S, b"", 0
        while True:
            tries += 1
            self.send(b"\necho alive-%d.\n" % tries)
            until = time.monotonic() + tries * PATIENCE_S
            while b"alive-%d." % tries not in said and time.monotonic() < until:
                said += self.receive(0.1)
            if b"alive-%d." % tries in said:
                while not said.endswith(b"\n"):
                    said += self.receive(0.1)
                return self.ask(command)
            assert time.monotonic() < end, f"the board stays dead; last {said!r}"

    def read(self, address: int, register: int, size: int) -> tuple[int, bytes]:
        """Status and data of one I2C read."""
        status, _, data = self.ask(f"read {address} {register} {size}").partition(" ")
        return int(status), bytes.fromhex(data.partition(" ")[2])


@contextlib.contextmanager
def running(kind: Kind, folder: Path, options: BoardOptions | None = None) -> Iterator[Probe]:
    """A board that has said its first word."""
    options = options if options is not None else BoardOptions(folder / "line")
    options = replace(options, kind=kind.name, firmware=kind.firmware, warm_up=False)
    with board_of(options) as running_board:
        board: Any = running_board
        probe = Probe(board)
        try:
            probe.revive("echo ready")
            yield probe
        finally:
            probe.close()


class Gdb:
    """As much of GDB's remote protocol as stopping a processor and changing it takes."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WAIT_S)
        end = time.monotonic() + WAIT_S
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        self._buffer = b""

    def __enter__(self) -> "Gdb":
        self._socket.sendall(b"\x03")
        self._packet()
        self.command("qXfer:features:read:target.xml:0,fff")  # without which registers cannot be written one by one
        return self

    def __exit__(self, *problem: object) -> None:
        self.command("D")
        self._socket.close()

    def command(self, text: str) -> str:
        """The answer to one packet."""
        data = text.encode()
        self._socket.sendall(b"$%s#%02x" % (data, sum(data) % 256))
        return self._packet()

    def write(self, address: int, data: bytes) -> None:
        assert self.command(f"M{address:x},{len(data):x}:{data.hex()}") == "OK"

    def set_pc(self, address: int) -> None:
        assert self.command(f"Pf={address.to_bytes(4, 'little').hex()}") == "OK"

    def _packet(self) -> str:
        while not (found := re.search(rb"\$([^#]*)#[0-9a-f]{2}", self._buffer)):
            more = self._socket.recv(4096)
            assert more, "the emulator closed the debugger's line"
            self._buffer += more
        self._buffer = self._buffer[found.end() :]
        self._socket.sendall(b"+")
        return found[1].decode()
