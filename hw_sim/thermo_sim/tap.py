"""A second host on a board's serial line, which gives it what its world has from outside; the first one never notices.

Requests go in between those of the host, and their answers are taken out of what the board says. All else passes byte for byte.
"""

import binascii
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermo_core.errors import ThermoError
from thermo_core.signals import Values
from thermo_core.wire.framing import CONTINUE, LINE_END, START, Demultiplexer, ManagementFrame
from thermo_core.wire.management import Feed, Person, StreamAnswer, read
from thermo_core.wire.smp import HEADER_BYTES, Group, Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command
from thermo_sim.given import Giver

QUIET_S = 0.05
"""A host that says nothing for so long is in the midst of nothing."""
ANSWER_S = 0.5
LONGEST_LINE = 4096
_SEQUENCES = 256


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked of the board, and who is told what it answers."""

    command: Command
    op: Op
    body: Mapping[str, Any]
    answered: Callable[[Mapping[str, Any]], None] = lambda body: None


class Tap:
    """One line's. All methods belong to one thread.

    Args:
        sensors: names of the wearable's sensors, by their numbers.
        giver: of samples.
        wearer: what a wearable that knows nothing of its wearer is told.
        now_us: time by which samples are given.

    Attributes:
        told: set once the wearable knows of its wearer what the world has.
    """

    def __init__(
        self, sensors: Sequence[str], giver: Giver, wearer: Mapping[str, float], now_us: Callable[[], int]
    ) -> None:
        self.told = threading.Event()
        self._sensors = {name: number for number, name in enumerate(sensors)}
        self._giver, self._wearer, self._now_us = giver, wearer, now_us
        self._host = Demultiplexer()
        self._host_said_s = 0.0
        self._host_is_done = True
        self._host_sequence = 0
        self._host_feeds: set[int] = set()
        self._live_until_s = 0.0
        self._waiting: deque[_Request] = deque()
        if wearer:
            self._waiting.append(_Request(Command.PERSON, Op.READ, {}, self._tell))
        else:
            self.told.set()
        self._asked: tuple[_Request, int] | None = None
        self._asked_s = 0.0
        self._held = bytearray()
        self._in_frame = False
        self._packet = bytearray()
        self._ours = False

    @property
    def wait_s(self) -> float | None:
        """How long nothing has to be looked at; None where nothing ever has."""
        if self._waiting or self._asked:
            return QUIET_S / 10
        due_us = self._giver.due_us()
        return None if due_us is None else max(0.0, (due_us - self._now_us()) / 1e6)

    def from_host(self, data: bytes) -> bytes:
        """What the host says, on its way to the board."""
        self._host_said_s = time.monotonic()
        frames = self._host.feed(data)
        self._host_is_done = bool(frames) and data[-1] == LINE_END
        for frame in frames:
            if isinstance(frame, ManagementFrame) and len(frame.message) >= HEADER_BYTES:
                self._notice(frame.message)
        return data

    def to_board(self) -> bytes:
        """What is asked of the board now, between two requests of the host; often nothing."""
        now_s = time.monotonic()
        if self._asked is not None and now_s - self._asked_s > ANSWER_S:
            request, self._asked = self._asked[0], None
            if not self.told.is_set():  # a board that has just begun to start
                self._waiting.appendleft(request)
        due_us = self._giver.due_us()
        if not self._waiting and due_us is not None and due_us <= self._now_us():
            self._giver.give(self._now_us(), now_s < self._live_until_s, self._take)
        if self._asked is not None or not self._waiting:
            return b""
        if not self._host_is_done and now_s - self._host_said_s < QUIET_S:
            return b""
        request = self._waiting.popleft()
        sequence = (self._host_sequence + _SEQUENCES // 2) % _SEQUENCES  # far from those the host awaits an answer to
        self._asked, self._asked_s = (request, sequence), now_s
        header = SmpHeader(request.op, Group.THERMO, request.command, sequence)
        return encode_packets(SmpMessage(header, request.body).encode())

    def from_board(self, data: bytes) -> bytes:
        """What the host hears of what the board says."""
        heard = bytearray()
        held = self._held
        held += data
        while held:
            if self._in_frame:
                end = held.find(0) + 1
                self._in_frame = not end
                heard += held[: end or len(held)]
                del held[: end or len(held)]
            elif bytes(held[:2]) in (START, CONTINUE):
                end = held.find(LINE_END) + 1
                if not end and len(held) < LONGEST_LINE:
                    break
                line = bytes(held[: end or len(held)])
                del held[: len(line)]
                heard += self._line(line)
            elif len(held) == 1 and held[0] in (START[0], CONTINUE[0]):
                break
            else:  # a frame, whose second byte is the version of the protocol, or the zero before or after one
                self._in_frame = held[0] != 0
                heard += held[:1]
                del held[:1]
        return bytes(heard)

    def _notice(self, message: bytes) -> None:
        """A request of the host."""
        self._host_sequence = message[6]
        try:
            request = SmpMessage.decode(message)
            if (request.header.group, request.header.command) == (Group.THERMO, Command.FEED):
                self._host_feeds.add(read(Feed, request.body).sensor)
        except ThermoError:
            return

    def _line(self, line: bytes) -> bytes:
        """A line of an answer, or nothing where the answer is ours."""
        try:
            data = binascii.a2b_base64(line[2:].strip(), strict_mode=True)
        except binascii.Error:
            return line
        if line[:2] == START:
            self._packet = bytearray(data)
            self._ours = self._asked is not None and _is_answer(data[2:], *self._asked)
        else:
            self._packet += data
        ours = self._ours
        if len(self._packet) >= 2 + int.from_bytes(self._packet[:2], "big"):
            self._answer(bytes(self._packet[2:-2]), ours)
            self._packet.clear()
            self._ours = False
        return b"" if ours else line

    def _answer(self, message: bytes, ours: bool) -> None:
        try:
            answer = SmpMessage.decode(message)
            if ours:
                assert self._asked is not None
                request, self._asked = self._asked[0], None
                request.answered(answer.body)
            elif (answer.header.group, answer.header.command) == (Group.THERMO, Command.STREAM):
                self._stream(read(StreamAnswer, answer.body).lease_ms / 1000)
        except ThermoError:
            return

    def _stream(self, lease_s: float) -> None:
        now_s = time.monotonic()
        if lease_s and now_s >= self._live_until_s:
            self._host_feeds.clear()
        self._live_until_s = now_s + lease_s

    def _tell(self, answer: Mapping[str, Any]) -> None:
        """Tell of the wearer what is not known."""
        known = read(Person, answer).person
        untold = {name: value for name, value in self._wearer.items() if name not in known}
        if not untold:
            self.told.set()
            return
        body = Person(person=untold).to_map()
        self._waiting.appendleft(_Request(Command.PERSON, Op.WRITE, body, lambda answer: self.told.set()))

    def _take(self, sensor: str, values: Values) -> None:
        number = self._sensors[sensor]
        if number not in self._host_feeds:
            body = Feed(sensor=number, values=np.asarray(values, "<f4").tobytes()).to_map()
            self._waiting.append(_Request(Command.FEED, Op.WRITE, body))


def _is_answer(message: bytes, request: _Request, sequence: int) -> bool:
    """Whether the beginning of a message answers a request."""
    return (
        len(message) >= HEADER_BYTES
        and message[0] & 7 == request.op + 1
        and int.from_bytes(message[4:6], "big") == Group.THERMO
        and message[6] == sequence
        and message[7] == request.command
    )
