"""A device made of a script: whatever it answers and sends is up to the test, on the other side of a pseudo-terminal."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cbor2
from thermo_core.profile import Profile

from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, encode_frame
from thermo_core.wire.management import Command, Hello, ReadChunk, StreamOp
from thermo_core.wire.records import Record
from thermo_core.wire.smp import Group, Op, SmpMessage, encode_packets

Answer = Callable[[SmpMessage], list[SmpMessage]]
Body = Mapping[str, Any]


class Peer:
    """Answers each request with what `answer` makes of it; what it sends besides is up to the test."""

    def __init__(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.answer: Answer = lambda request: [request.respond(dict(request.body))]
        self.requests: list[SmpMessage] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Send bytes as they are; what nobody takes within the life of the peer is lost."""
        while data and not self._ended.is_set():
            if select.select([], [self.master], [], 0.01)[1]:
                data = data[os.write(self.master, data[:256]) :]

    def unplug(self) -> None:
        """Closing the master hangs the line up, as pulling a cable does."""
        if not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            os.close(self._slave)
            os.close(self.master)

    def heard(self, request: SmpMessage) -> None:
        """Answer one request."""
        self.requests.append(request)
        for answer in self.answer(request):
            self.send(encode_packets(answer.encode()))

    def idle(self) -> None:
        """Called now and then while nothing comes."""

    def _serve(self) -> None:
        demultiplexer = Demultiplexer()
        while not self._ended.is_set():
            self.idle()
            if not select.select([self.master], [], [], 0.01)[0]:
                continue
            data = os.read(self.master, 4096)
            # What a host sends to end a predecessor's line belongs to no frame.
            for frame in demultiplexer.feed(data[1:] if data[:1] == b"\n" else data):
                assert isinstance(frame, ManagementFrame)
                self.heard(SmpMessage.decode(frame.message))


class ScriptedWearable(Peer):
    """Answers as a wearable does, from data that a test may change, and streams given records while a lease lasts.

    Args:
        hello: who it is.
        eeprom: (832,) uint16.
        stream: records sent once after each start of the stream.

    Attributes:
        bodies: what to answer instead, by (group, command).
        sent: bytes to send raw after each start of the stream, after the records.
    """

    PART = 200

    def __init__(self, hello: Hello, eeprom: Words, stream: Iterable[Record] = (), calibration: bytes = b"") -> None:
        self.hello = hello
        self.stream = list(stream)
        self.sent = b""
        self.bodies: dict[tuple[int, int], Body | Callable[[Body], Body]] = {}
        self._blobs = {
            Command.EEPROM: eeprom.astype("<u2").tobytes(),
            Command.CALIBRATION: calibration,
            Command.PROFILE: cbor2.dumps(Profile.bare().to_dict(), canonical=True),
        }
        super().__init__()
        self.answer = self._answer

    def _answer(self, request: SmpMessage) -> list[SmpMessage]:
        head = request.header
        instead = self.bodies.get((head.group, head.command))
        if instead is not None:
            body = instead(request.body) if callable(instead) else instead
        else:
            body = self._usual(head.group, head.command, head.op, request.body)
        started = (head.group, head.command) == (Group.THERMO, Command.STREAM) and request.body["op"] == StreamOp.START
        answers = [request.respond(body)]
        if not started:
            return answers
        self.send(encode_packets(answers[0].encode()))
        self.send(b"".join(encode_frame(records.encode(record, at)) for at, record in enumerate(self.stream)))
        self.send(self.sent)
        return []

    def _usual(self, group: int, command: int, op: Op, asked: Body) -> Body:
        if group == Group.IMAGE:
            return {"images": [], "splitStatus": 0}
        if group == Group.OS:
            return {"r": asked["d"]} if "d" in asked else {"buf_size": 2048, "buf_count": 2}
        if command == Command.HELLO:
            return self.hello.to_map()
        if command == Command.STREAM:
            return {"lease_ms": 3000, "time_us": self.hello.time_us}
        if command in self._blobs and op == Op.READ:
            whole = self._blobs[Command(command)]
            at = ReadChunk.from_map(asked).offset
            return {"off": at, "len": len(whole), "data": whole[at : at + self.PART]}
        usual: dict[int, Body] = {
            Command.COUNTERS: {"counters": {"bus_nack": 1}},
            Command.SELF_TEST: {"results": [{"name": "bus", "passed": True, "detail": "fine"}]},
            Command.REFUSAL: {"reason": "", "time_us": 0},
            Command.RATE: {"rate_hz": 16.0},
        }
        return usual.get(command, {})
