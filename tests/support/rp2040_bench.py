"""An emulated RP2040 on a bench: its firmware, chips on its bus, and a host on a line of it, all in emulated time."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from smpclient.requests.os_management import ResetWrite

from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.management import Hello, StreamRequest, read
from thermo_core.wire.records import Record, decode
from thermo_core.wire.smp import encode_packets
from thermo_core.wire.table import Command, StreamOp
from thermo_host.link.management import Management
from thermo_host.link.requests import Requests
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.rp2040.i2c_wires import I2cWires
from thermo_sim.rp2040.machine import Machine
from thermo_sim.rp2040.uart_line import UartLine

ANSWER_US = 5_000_000
"""Emulated time in which everything is answered, a bus that hangs and a watchdog that has to bite among it."""
WALL_S = 600.0
"""Of the wall clock, which counts for nothing."""
SEED = 4


@dataclass
class Line:
    """One end of a line: how bytes get in and out."""

    send: Callable[[bytes], None]
    take: Callable[[], bytes]


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


class VirtualLine:
    """A host's line to a board on a bench, as thermo_host has one to a port: whoever waits makes emulated time pass."""

    def __init__(self, bench: Bench, line: Line) -> None:
        self.port = "the bench"
        self.records: list[Record] = []
        self._bench, self._line = bench, line
        self._demultiplexer = Demultiplexer()
        self._answers: list[bytes] = []

    def begin(self, message: bytes) -> "Future[bytes]":
        self._answers.clear()
        self._line.send(encode_packets(message))
        assert self._bench.machine.run_until(lambda: self._hear() and bool(self._answers), ANSWER_US), "no answer"
        answer: Future[bytes] = Future()
        answer.set_result(self._answers.pop())
        return answer

    def exchange(self, message: bytes, timeout_s: float) -> bytes:
        return self.begin(message).result(0)

    def listen(self, until: Callable[[list[Record]], bool], within_us: int, patient: bool = True) -> list[Record]:
        """What came until that suffices; or within that time, where it need not."""
        came = self._bench.machine.run_until(lambda: self._hear() and until(self.records), within_us)
        assert came or not patient, [type(one).__name__ for one in self.records]
        heard, self.records = self.records, []
        return heard

    def _hear(self) -> bool:
        for frame in self._demultiplexer.feed(self._line.take()):
            if isinstance(frame, ManagementFrame):
                self._answers.append(frame.message)
            else:
                self.records.append(decode(frame.record)[1])
        return True


class Host(Management):
    """What a host may ask of a board on a bench."""

    LEASE_MS = 10_000

    def __init__(self, bench: Bench, line: Line | None = None) -> None:
        self.line = VirtualLine(bench, bench.uart if line is None else line)
        over: Any = self.line
        super().__init__(self.line.port, Requests(over, WALL_S))

    def hello(self) -> Hello:
        """What the board says it is."""
        return read(Hello, self._requests.read(Command.HELLO, {}))

    def reset(self) -> None:
        """Have it restart."""
        self._requests.standard(ResetWrite())

    def stream(self, until: Callable[[list[Record]], bool], within_us: int, patient: bool = True) -> list[Record]:
        """Records of a fresh stream until they suffice; or of that time, where they need not."""
        self.line.records.clear()
        request = StreamRequest(op=StreamOp.START, lease_ms=self.LEASE_MS)
        self._requests.write(Command.STREAM, request.to_map())
        try:
            return self.line.listen(until, within_us, patient)
        finally:
            self._requests.write(Command.STREAM, StreamRequest(op=StreamOp.STOP).to_map())
