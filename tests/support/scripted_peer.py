"""A device made of a script: whatever it answers and sends is up to the test, on the other side of a pseudo-terminal."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from thermo_core import schema
from thermo_core.recording.session import Session
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, encode_frame
from thermo_core.wire.records import Record
from thermo_core.wire.smp import Group, Op, SmpMessage, encode_packets
from thermo_core.wire.table import Command, GroupError, StreamOp

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
        session: who it is and what it has.
        stream: records sent once after each start of the stream.

    Attributes:
        session: as given; a test may put another in its place.
        bodies: what to answer instead, by (group, command).
        sent: bytes to send raw after each start of the stream, after the records.
        fed: samples it was given, (sensor, bytes).
        person: what it knows of its wearer.
        alerts: states of its alerts.
        corrections: blobs by sensor, that came in whole.
        baselines: how far its stages have learned.
        forgotten: signals whose stages it was told to let know nothing; None stands for all.
    """

    PART = 200

    def __init__(self, session: Session, stream: Iterable[Record] = ()) -> None:
        self.session = session
        self.stream = list(stream)
        self.sent = b""
        self.bodies: dict[tuple[int, int], Body | Callable[[Body], Body]] = {}
        self.fed: list[tuple[int, bytes]] = []
        self.person: dict[str, float] = dict(session.person)
        self.alerts = [0] * len(session.profile.alerts)
        self.corrections = dict(session.corrections)
        self.baselines: list[Body] = []
        self.forgotten: list[int | None] = []
        self._incoming = bytearray()
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
        sensor = asked.get("sensor", 0)
        if command == Command.PROFILE:
            return self.part(asked, schema.to_cbor(self.session.profile))
        if command == Command.CONSTANTS:
            constants = self.session.constants.get(sensor)
            if constants is None:
                return refusal(GroupError.NO_SENSOR)
            return self.part(asked, constants.data) | {"sensor": sensor, "constants": constants.number}
        if command == Command.CORRECTION and op == Op.READ:
            blob = self.corrections.get(sensor, b"") if asked.get("slot", 0) == 0 else b""
            return self.part(asked, blob) if blob else refusal(GroupError.NO_CORRECTION)
        if command == Command.CORRECTION:
            return self._take(asked)
        if command == Command.FEED:
            self.fed.append((sensor, asked["values"]))
            return {}
        if command == Command.PERSON:
            self.person |= asked.get("person", {})
            return {"person": self.person}
        if command == Command.ALERTS:
            if op == Op.WRITE and asked["alert"] < len(self.alerts):
                self.alerts[asked["alert"]] = 3
            return {"alerts": [{"state": state, "time_us": 7} for state in self.alerts]}
        if command == Command.LEARNED:
            return self.part(asked, self.session.learned)
        if command == Command.BASELINE:
            if op == Op.WRITE:
                self.forgotten.append(asked.get("signal"))
            return {"stages": self.baselines}
        usual: dict[int, Body] = {
            Command.HELLO: self.session.hello.to_map(),
            Command.STREAM: {"lease_ms": 3000, "time_us": self.session.hello.time_us},
            Command.COUNTERS: {"counters": {"bus_nack": 1}},
            Command.SELF_TEST: {"results": [{"name": "bus", "passed": True, "detail": "fine"}]},
            Command.REFUSAL: {"reason": "", "time_us": 0},
            Command.RATE: {"rate_hz": 16.0, "sensor": sensor},
            Command.SIGNALS: dict(asked),
        }
        return usual.get(command, {})

    def _take(self, asked: Body) -> Body:
        """A part of a correction."""
        if asked["off"] == 0:
            self._incoming.clear()
        self._incoming += asked["data"]
        if len(self._incoming) == asked["len"]:
            self.corrections[asked["sensor"]] = bytes(self._incoming)
        return {"off": len(self._incoming)}

    def part(self, asked: Body, whole: bytes) -> dict[str, Any]:
        """The part of something longer that is asked for."""
        at = asked.get("off", 0)
        return {"off": at, "len": len(whole), "data": whole[at : at + self.PART]}


def refusal(code: GroupError) -> Body:
    """The body of an answer that refuses."""
    return {"err": {"group": int(Group.THERMO), "rc": int(code)}}
