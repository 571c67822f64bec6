"""A wearable's firmware on an emulated microcontroller or as a program, on simulated sensors, behind a pseudo-terminal."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import cbor2

from thermo_core.clock import Clock
from thermo_core.errors import ImageFormatError, SignatureError, ThermoError, UsageError
from thermo_core.files import read_file
from thermo_core.firmware.archive import FirmwareFile, unpack
from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_sim.clock import WallClock
from thermo_sim.control import ControlServer
from thermo_sim.factory import provision
from thermo_sim.hardware import DEFAULT_WEARABLE, SimulatedHardware
from thermo_sim.laboratory import laboratory_commands
from thermo_sim.launch import BUILD, KINDS, Kind, Launch
from thermo_sim.mailbox import MailboxServer, SharedFile
from thermo_sim.pump import LineNoise, Pump
from thermo_sim.tap import Tap
from thermo_sim.wearable import Cable, outside_of, said_of, wearer_of

_PR_SET_PDEATHSIG = 1
_END_S = 2.0
_TOLD_S = 5.0
"""In which a board has long started and been told of its wearer."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What to run and simulate; see `wearable.WearableOptions` for what both have.

    Attributes:
        kind: a key of KINDS.
        firmware: file to run; what `make firmware` builds where None. A signed firmware for slots (.zip) is written into a
            board that has none, and the bootloader is run.
        state: directory of flash and clock; None makes one that goes away with the board.
        noise: of the serial line.
        gdb: socket to listen at for a debugger.
        counted: its clock counts instructions; see `launch.Launch`.
    """

    link: Path
    kind: str = "mps2-an386"
    wearable: str = DEFAULT_WEARABLE
    world: str | None = None
    seed: int = 0
    eeprom: Path | None = None
    replay: Path | None = None
    faults: str = ""
    firmware: Path | None = None
    state: Path | None = None
    noise: LineNoise = field(default_factory=LineNoise)
    warm_up: bool = True
    script: str | None = None
    person: int | None = None
    happenings: str = ""
    gdb: Path | None = None
    counted: bool = False


def kind_of(options: BoardOptions) -> Kind:
    """The kind of board; raises UsageError where there is none of that name."""
    if options.kind not in KINDS:
        raise UsageError(f"There is no board {options.kind!r}; choose one of {', '.join(KINDS)}.")
    return KINDS[options.kind]


_OF_THE_SIMULATOR = ("world", "eeprom", "replay", "faults", "script", "person", "happenings", "state", "gdb")
"""Options that nothing would come of where an emulator has sensors and memory of its own."""


def _check(options: BoardOptions, kind: Kind) -> None:
    """Raise UsageError where a board's emulator does not heed an option that is given."""
    given = [f"--{name}" for name in _OF_THE_SIMULATOR if kind.own_sensors and getattr(options, name) not in (None, "")]
    if given:
        raise UsageError(
            f"The board {options.kind} has the sensors and the memory of {kind.own_sensors}, which heed no "
            f"{', '.join(given)}; leave that out, or take the board mps2-an386."
        )


def firmware_of(options: BoardOptions) -> Path:
    """The file to run; raises UsageError where there is none, or where what was built last is another wearable's."""
    firmware = options.firmware or BUILD / kind_of(options).firmware
    if not firmware.is_file():
        raise UsageError(
            f"There is no firmware at {firmware}; build it with make firmware, or name one with --firmware."
        )
    if options.firmware is None:
        _check_built(firmware, options.wearable)
    return firmware


def _check_built(firmware: Path, wearable: str) -> None:
    """A wearable's firmware has its profile in it, which begins with the name."""
    name = read(resolve(wearable)).profile.name
    if cbor2.dumps("name") + cbor2.dumps(name) not in read_file(firmware):
        raise UsageError(
            f"{firmware} was built for another wearable than {name}; "
            f"build it with make firmware BOARD={firmware.parent.name} WEARABLE={wearable}, or name one with --firmware."
        )


def hardware_of(options: BoardOptions, clock: Clock) -> SimulatedHardware:
    """What is on its bus; raises UsageError and EepromError."""
    return SimulatedHardware.of_real(
        options.wearable,
        options.seed,
        options.eeprom,
        options.replay,
        world=options.world,
        clock=clock,
        faults=options.faults,
        warm_up_tau_s=None if options.warm_up else 0.0,
        script=options.script,
        person=options.person,
        happenings=options.happenings,
    )


def described(options: BoardOptions, hardware: SimulatedHardware, control_path: Path) -> str:
    """One line for people: what runs, and where."""
    real = options.eeprom or options.replay
    source = f"seed {options.seed}" if real is None else f"EEPROM of {real.name}"
    if options.replay is not None:
        source += f", frames of {options.replay.name}"
    faults = f", faults {options.faults}" if options.faults else ""
    if emulator := kind_of(options).own_sensors:
        return (
            f"ready: {firmware_of(options).name} on {options.kind} ({kind_of(options).summary}) with those sensors of "
            f"{options.wearable} that {emulator} has models of, slower than real time; port {options.link}"
        )
    return (
        f"ready: {firmware_of(options).name} on {options.kind} ({kind_of(options).summary}) with "
        f"{said_of(hardware.profile)} ({source}){faults}{outside_of(hardware)}; port {options.link}, control {control_path}"
    )


class Board:
    """One board whose processor is a process of its own. Use it in a `with` block, or call `start` and `stop`; the thread that starts it must outlive it.

    Args:
        options: what to run and simulate.

    Attributes:
        options: as given.
        hardware: the simulated hardware, to look at the truth.
        control_path: the control socket.
        memory: what it shares with the simulator.
        doorbell: socket over which both say that there is something to look at.
        mailbox: serves its I2C transactions.

    Raises:
        UsageError: an option is wrong, or firmware or emulator are missing.
        EepromError: the EEPROM file is no healthy sensor's.
        StorageError: the state directory cannot be used.
    """

    def __init__(self, options: BoardOptions) -> None:
        self.options = options
        self._kind = kind_of(options)
        slots = None
        if options.firmware is not None and options.firmware.suffix == ".zip":
            slots, self._firmware = for_slots(options.firmware, self._kind, options.kind)
        else:
            self._firmware = firmware_of(options)
        _check(options, self._kind)
        self.hardware = hardware_of(options, WallClock())
        self.control_path = options.link.with_name(options.link.name + ".ctl")
        self._control = ControlServer(self.control_path, laboratory_commands(self.hardware, self._unplug, self.status))
        self._child: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._temporary = tempfile.mkdtemp(prefix="thermo-sim-") if options.state is None else None
        with contextlib.ExitStack() as undo:
            undo.callback(self._remove_state)
            self._file = SharedFile(
                Path(self._temporary or options.state or ".").absolute() / "board.memory", f"SIM-{options.seed:08d}"
            )
            self.memory = self._file.memory
            if slots is not None:
                provision(self.memory.slots, slots)
            undo.pop_all()
        self._line, self._board_line = line_of(self._kind.line_buffer)
        doorbell, self._board_doorbell = socket.socketpair()
        self.doorbell = doorbell
        self.mailbox = MailboxServer(self.memory, self.hardware.bus, doorbell)
        self._cable = Cable(options.link)
        self._tap = tap_of(self.hardware)
        self._pump = Pump(self._cable, self._line, options.noise, options.seed, self._tap)

    def __enter__(self) -> "Board":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process of the emulator or program."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Make the link and the control socket and start the board; returns when both can be used.

        Raises:
            UsageError: the link or the socket cannot be made, another board serves them, or there is no emulator.
        """
        try:
            self._control.start()
            if self.options.link.is_symlink():  # of a board that was killed: nobody serves its control socket
                with contextlib.suppress(OSError):  # somebody else's is said when the link is made
                    self.options.link.unlink()
            self._pump.start()
            self.mailbox.start()
            self._child = self._launch()
            if self._tap is not None:
                self._tap.told.wait(_TOLD_S)
        except BaseException:
            self.stop()
            raise

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the board's process ends; True when `stop` ended it.

        Raises:
            ThermoError: it ended by itself, with what it said last.
        """
        assert self._child is not None
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        if self._ending.is_set():
            return True
        assert self._child.stderr is not None
        said = self._child.stderr.read().decode(errors="replace")
        what = f"with code {code}" if code >= 0 else f"of {signal.Signals(-code).name}"
        raise ThermoError(f"The board {self.options.kind} ended {what}{_reason(said)}; start it again.")

    def stop(self) -> None:
        """End the board's process and remove link, socket and a temporary state directory."""
        self._ending.set()
        child = self._child
        if child is not None:
            child.terminate()
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stderr is not None:
                child.stderr.close()
        self.mailbox.stop()
        self._pump.stop()
        self._control.stop()
        for end in (self._line, self._board_line, self.doorbell, self._board_doorbell):
            end.close()
        del self.memory
        self._file.close()
        self._remove_state()

    def describe(self) -> str:
        """One line for people: what runs, and where."""
        return described(self.options, self.hardware, self.control_path)

    def _launch(self) -> "subprocess.Popen[bytes]":
        inherited = self._board_line.fileno(), self._board_doorbell.fileno()
        assert self._kind.command is not None
        command = self._kind.command(
            Launch(
                self._firmware,
                self._file.path,
                *inherited,
                self.options.gdb,
                self.options.wearable,
                self.options.counted,
            )
        )
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=inherited,
                start_new_session=True,  # Ctrl-C in a terminal is for us, who end it in order
                preexec_fn=_end_with_parent(),
            )
        except OSError as error:
            raise UsageError(
                f"{command[0]} cannot be run ({error.strerror}); build it with make firmware, or name another."
            ) from error
        self._board_line.close()
        self._board_doorbell.close()
        return child

    def _unplug(self, seconds: float) -> None:
        self._cable.pull(seconds, self._pump.wake)

    def status(self) -> Mapping[str, Any]:
        """Where it is, what the wire did, and what the board reports."""
        report = self.memory.report
        fault = {name: getattr(report, name) for name in ("exception", "pc", "lr", "cfsr")} if report.faults else None
        return {
            "link": str(self.options.link),
            "board": self.options.kind,
            "line_bytes_damaged": self._pump.damaged,
            "line_bytes_unread": self._pump.lost,
            "starts": report.starts,
            "stack_bytes_used": report.stack_used,
            "faults": report.faults,
            "last_fault": fault,
        }

    def _remove_state(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def for_slots(path: Path, kind: Kind, name: str) -> tuple[FirmwareFile, Path]:
    """A signed firmware, and the bootloader that starts it."""
    if not kind.loader:
        raise UsageError(f"The board {name} has no bootloader; give a program with --firmware.")
    try:
        firmware = unpack(read_file(path))
    except (ImageFormatError, SignatureError) as error:
        raise type(error)(f"{path} cannot be used: {error}") from error
    if firmware.board != name:
        raise UsageError(f"{path} is for the board {firmware.board}; give one for {name}.")
    return firmware, BUILD / kind.loader


def programmed(options: BoardOptions, name: str) -> tuple[FirmwareFile | None, Path]:
    """The firmware for a bootloader's slots and that bootloader, or None and the program that stands alone."""
    firmware = firmware_of(options)
    if firmware.suffix != ".zip":
        return None, firmware
    slots, loader = for_slots(firmware, kind_of(options), name)
    if not loader.is_file():
        raise UsageError(
            f"There is no bootloader at {loader}; build it with make -C device/firmware update BOARD={name}."
        )
    return slots, loader


def tap_of(hardware: SimulatedHardware) -> Tap | None:
    """What gives the board what comes from outside; None where nothing does."""
    wearer = wearer_of(hardware)
    if not (hardware.giver.names or wearer):
        return None
    return Tap([one.name for one in hardware.profile.sensors], hardware.giver, wearer, hardware.clock.now_us)


def _reason(said: str) -> str:
    """The line of an emulator's, a sanitizer's or a program's last words that says what happened."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search("fatal|error", line, re.IGNORECASE)] or lines[-1:]
    return f" ({telling[0][:200]})" if telling else ""


def line_of(buffer: int) -> tuple[socket.socket, socket.socket]:
    """Both ends of a serial line, for which the kernel holds no more than so many bytes."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    return ours, theirs


def _end_with_parent() -> Callable[[], None]:
    """What a child runs before its program, so that it does not outlive us, not even a kill -9."""
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
