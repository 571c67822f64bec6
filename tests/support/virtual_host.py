"""A host on a line of a board on a bench, all in emulated time: whoever waits makes the board run."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.management import Hello, StreamRequest, read
from thermo_core.wire.records import Record, decode
from thermo_core.wire.smp import encode_packets
from thermo_core.wire.table import Command, StreamOp
from thermo_host.link.management import Management
from thermo_host.link.requests import Requests

ANSWER_US = 5_000_000
"""Emulated time in which everything is answered, a bus that hangs and a watchdog that has to bite among it."""
WALL_S = 600.0
"""Of the wall clock, which counts for nothing."""


@dataclass
class Line:
    """One end of a line: how bytes get in and out."""

    send: Callable[[bytes], None]
    take: Callable[[], bytes]


class Runs(Protocol):
    """A machine whose time passes while it runs."""

    def run_until(self, condition: Callable[[], bool], within_us: int) -> bool:
        """Run until a condition holds; False where it does not within so much emulated time."""
        ...


class OnBench(Protocol):
    """A board on a bench."""

    @property
    def machine(self) -> Runs:
        """What runs."""
        ...

    @property
    def uart(self) -> Line:
        """Its serial line."""
        ...


class VirtualLine:
    """A host's line to a board on a bench, as thermo_host has one to a port: whoever waits makes emulated time pass."""

    def __init__(self, bench: OnBench, line: Line) -> None:
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

    def __init__(self, bench: OnBench, line: Line | None = None) -> None:
        self.line = VirtualLine(bench, bench.uart if line is None else line)
        over: Any = self.line
        super().__init__(self.line.port, Requests(over, WALL_S))

    def hello(self) -> Hello:
        """What the board says it is."""
        return read(Hello, self._requests.read(Command.HELLO, {}))

    def reset(self) -> None:
        """Have it restart."""
        self._requests.standard.reset()

    def stream(self, until: Callable[[list[Record]], bool], within_us: int, patient: bool = True) -> list[Record]:
        """Records of a fresh stream until they suffice; or of that time, where they need not."""
        self.line.records.clear()
        request = StreamRequest(op=StreamOp.START, lease_ms=self.LEASE_MS)
        self._requests.write(Command.STREAM, request.to_map())
        try:
            return self.line.listen(until, within_us, patient)
        finally:
            self._requests.write(Command.STREAM, StreamRequest(op=StreamOp.STOP).to_map())
