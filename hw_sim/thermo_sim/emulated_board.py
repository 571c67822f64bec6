"""A wearable's firmware on a microcontroller that is emulated in this process, behind a pseudo-terminal, at most in step with the wall.

Its time is the emulator's: what computes takes many times as long as on silicon. So the board is never ahead of the wall, and falls
behind it without catching up.
"""

import contextlib
import select
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol

from thermo_core.errors import ThermoError, UsageError
from thermo_sim.board import BoardOptions, described, hardware_of, kind_of, line_of, tap_of
from thermo_sim.control import ControlServer
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.laboratory import laboratory_commands
from thermo_sim.pump import CHUNK, Pump
from thermo_sim.wearable import Cable

_STEP_US = 5_000
_LONGEST_WAIT_S = 0.05
_BEHIND_S = 0.05
"""A board that is so far behind the wall takes up its pace from there."""
_END_S = 5.0


class Emulation(Protocol):
    """An emulated chip that runs a firmware, its sensors on its bus.

    `run`, `send` and `take` are called from one thread, the others from any.
    """

    def now_us(self) -> int:
        """Microseconds since it was made."""
        ...

    def run(self, most_us: int) -> None:
        """Run for about so much of its time."""
        ...

    def send(self, data: bytes) -> None:
        """Have bytes arrive on its serial line."""
        ...

    def take(self) -> bytes:
        """What it said there since the last time."""
        ...

    def status(self) -> Mapping[str, Any]:
        """How it fares."""
        ...

    def close(self) -> None:
        """Let go of files, and keep what is kept; more than once does nothing."""
        ...


Make = Callable[[BoardOptions, SimulatedHardware, EmulatedClock], Emulation]
"""Makes the chip; it binds the clock."""


class EmulatedBoard:
    """One board. Use it in a `with` block, or call `start` and `stop`.

    Args:
        options: what to run and simulate.
        make: of its chip.

    Attributes:
        options: as given.
        hardware: the simulated hardware, to look at the truth.
        control_path: the control socket.

    Raises:
        UsageError: an option is wrong, or the firmware is missing.
        EepromError: the EEPROM file is no healthy sensor's.
        StorageError: the state directory cannot be used.
    """

    def __init__(self, options: BoardOptions, make: Make) -> None:
        self.options = options
        if options.gdb is not None or options.counted:
            raise UsageError(f"The board {options.kind} has no debugger; leave out --gdb.")
        clock = EmulatedClock()
        self.hardware = hardware_of(options, clock)
        self._chip = make(options, self.hardware, clock)
        self.control_path = options.link.with_name(options.link.name + ".ctl")
        self._control = ControlServer(self.control_path, laboratory_commands(self.hardware, self._unplug, self.status))
        self._line, self._board_line = line_of(kind_of(options).line_buffer)
        self._cable = Cable(options.link)
        self._tap = tap_of(self.hardware)
        self._pump = Pump(self._cable, self._line, options.noise, options.seed, self._tap)
        self._ending = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=options.kind, daemon=True)
        self._ran_s = 0.0

    def __enter__(self) -> "EmulatedBoard":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make the link and the control socket and start the board; returns when both can be used.

        Raises:
            UsageError: the link or the socket cannot be made, or another board serves them.
        """
        try:
            self._control.start()
            if self.options.link.is_symlink():  # of a board that was killed: nobody serves its control socket
                with contextlib.suppress(OSError):  # somebody else's is said when the link is made
                    self.options.link.unlink()
            self._pump.start()
            self._board_line.setblocking(False)
            self._thread.start()
        except BaseException:
            self.stop()
            raise

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the board ends; True when `stop` ended it.

        Raises:
            ThermoError: it ended by itself.
        """
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        if self._error is not None and not self._ending.is_set():
            raise ThermoError(
                f"The emulator of the board {self.options.kind} ended ({self._error}); start it again."
            ) from self._error
        return True

    def stop(self) -> None:
        """End it and remove link and socket; with `--state`, its flash stays."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(_END_S)
        self._pump.stop()
        self._control.stop()
        for end in (self._line, self._board_line):
            end.close()
        self._chip.close()

    def describe(self) -> str:
        """One line for people: what runs, and where."""
        return described(self.options, self.hardware, self.control_path)

    def status(self) -> Mapping[str, Any]:
        """Where it is, what the wire did, and how the chip fares."""
        return {
            "link": str(self.options.link),
            "board": self.options.kind,
            "line_bytes_damaged": self._pump.damaged,
            "line_bytes_unread": self._pump.lost,
            "emulated_s": self._chip.now_us() / 1e6,
            "ran_s": self._ran_s,
            **self._chip.status(),
        }

    def _unplug(self, seconds: float) -> None:
        self._cable.pull(seconds, self._pump.wake)

    def _run(self) -> None:
        try:
            self._emulate()
        except ConnectionError:
            pass  # the pump has ended
        except BaseException as error:
            self._error = error
        finally:
            self._chip.close()

    def _emulate(self) -> None:
        began_s = time.monotonic()
        while not self._ending.is_set():
            self._hear()
            from_s = time.monotonic()
            self._chip.run(_STEP_US)
            self._ran_s += time.monotonic() - from_s
            self._say(self._chip.take())
            ahead_s = began_s + self._chip.now_us() / 1e6 - time.monotonic()
            if ahead_s > 0:
                select.select([self._board_line], [], [], min(ahead_s, _LONGEST_WAIT_S))
            elif ahead_s < -_BEHIND_S:
                began_s -= ahead_s

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = self._board_line.recv(CHUNK)
            if not data:
                raise ConnectionResetError
            self._chip.send(data)

    def _say(self, data: bytes) -> None:
        while data and not self._ending.is_set():
            with contextlib.suppress(BlockingIOError):
                data = data[self._board_line.send(data) :]
            if data:
                select.select([], [self._board_line], [], _LONGEST_WAIT_S)
