"""An emulated RP2040 on a bench: its firmware, and chips on its bus, all in emulated time; virtual_host.py has a host for it."""

from typing import Any

from virtual_host import ANSWER_US, Line

from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.rp2040.i2c_wires import I2cWires
from thermo_sim.rp2040.machine import Machine
from thermo_sim.rp2040.uart_line import UartLine

SEED = 4


class Bench:
    """A board that runs.

    Args:
        firmware: content of its flash from the beginning.
        seed: of it and its chips.
        options: of `SimulatedHardware.from_profile`.
    """

    def __init__(self, firmware: bytes, seed: int = SEED, **options: Any) -> None:
        clock = EmulatedClock()
        self.hardware = SimulatedHardware.from_profile(seed=seed, clock=clock, warm_up_tau_s=0, **options)
        self.machine = Machine(firmware, seed)
        clock.bind(self.machine.now_us)
        I2cWires(self.machine, self.hardware.bus, clock)
        uart = UartLine(self.machine)
        self.uart = Line(uart.send, uart.take)

    def pass_us(self, duration_us: int) -> None:
        """Let time pass."""
        self.machine.run_until(lambda: False, duration_us)


class Probe:
    """The probe application on a bench: a command is a line, its answer another."""

    def __init__(self, bench: Bench, line: Line | None = None) -> None:
        self.bench = bench
        self.line = bench.uart if line is None else line
        self._heard = b""

    def send(self, data: bytes) -> None:
        self.line.send(data)

    def ask(self, command: str) -> str:
        """The answer to one command."""
        self.send(command.encode() + b"\n")
        return self.answer()

    def answer(self) -> str:
        """The next line that it says."""

        def whole() -> bool:
            self._heard += self.line.take()
            return b"\n" in self._heard

        assert self.bench.machine.run_until(whole, ANSWER_US), f"no answer but {self._heard!r}"
        said, _, self._heard = self._heard.partition(b"\n")
        return said.decode()

    def restarted(self) -> None:
        """Wait until it was started once more."""
        before = self.bench.machine.starts
        assert self.bench.machine.run_until(lambda: self.bench.machine.starts > before, 2 * ANSWER_US)

    def read(self, address: int, register: int, size: int) -> tuple[int, int, bytes]:
        """Status, microseconds and data of one I2C read."""
        status, took, *data = self.ask(f"read {address} {register} {size}").split(" ")
        return int(status), int(took), bytes.fromhex("".join(data))
