"""Requests that make no sense are refused alike, and whatever arrives costs nothing but itself."""

import os
import select
import struct
import time

import numpy as np
import pytest
from conformance import CAMERA, asked, request
from hypothesis import given, settings
from hypothesis import strategies as st
from running import PATIENCE, Running, hear, of

from thermo_core.errors import RefusedError
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame
from thermo_core.wire.records import (
    EventRecord,
    Record,
)
from thermo_core.wire.smp import Op, ReturnCode, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command, GroupError
from thermo_host.link.wearable import Wearable


def test_what_it_refuses_has_a_reason(host: Wearable) -> None:
    before = host.counters().get("requests_refused", 0)
    with pytest.raises(RefusedError, match="rate"):
        host.set_rate(CAMERA, 7.0)
    with pytest.raises(RefusedError, match="lease"), host.stream(lease_s=0.01):
        pass
    assert host.counters()["requests_refused"] >= before + 2

    def told(records: list[Record]) -> bool:
        return any(event.code == 100 and "lease" in event.text for event in of(EventRecord, records))

    hear(host, told, "the event of a refusal")


def test_the_line_is_quiet_once_the_lease_has_run_out(wearable: Running) -> None:
    """A host that vanished leaves nothing for whoever opens the port next."""
    start = {"op": 1, "lease_ms": 500}
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        os.write(port, encode_packets(SmpMessage(SmpHeader(Op.WRITE, 65, 1, 7), start).encode()))
        heard: list[object] = []
        while select.select([port], [], [], 4.0 * PATIENCE)[0]:
            heard += demultiplexer.feed(os.read(port, 4096))
        answers = [one for one in heard if isinstance(one, ManagementFrame)]
        assert len(answers) == 1 and any(isinstance(one, TelemetryFrame) for one in heard)


def test_rubbish_on_the_line_costs_nothing_but_itself(wearable: Running, host: Wearable) -> None:
    host.close()
    rng = np.random.default_rng(9)
    with wearable.raw() as port:
        for size in (1, 64, 700):
            os.write(port, rng.bytes(size) + b"\n")
            time.sleep(0.05)
        for piece in (b"\x06\x09AAAA", b"\x04\x14" + b"A" * 120 + b"\n", b"\x06\x09" + b"A" * 3000 + b"\n"):
            os.write(port, piece)
            time.sleep(0.05)
    with wearable.open() as again:
        assert again.echo("still here") == "still here"


@pytest.mark.parametrize("version", [0, 1])
def test_unknown_commands_are_refused_in_the_version_asked(wearable: Running, version: int) -> None:
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        header = SmpHeader(Op.READ, 65, 99, 5, version=version)
        os.write(port, encode_packets(SmpMessage(header, {}).encode()))
        frames: list[object] = []
        while not frames and select.select([port], [], [], 30.0 * PATIENCE)[0]:
            frames += demultiplexer.feed(os.read(port, 4096))
        (frame,) = frames
        assert isinstance(frame, ManagementFrame)
        answer = SmpMessage.decode(frame.message)
        assert (answer.header.sequence, answer.header.version) == (5, version)
        assert answer.body.get("rc", dict(answer.body.get("err", {})).get("rc", 0)) != 0


def malformed(body: bytes) -> bytes:
    return struct.pack("!BBHHBB", 0x08, 0, len(body), 65, 1, 0) + body


INVALID, UNSUPPORTED = (None, ReturnCode.INVALID), (None, ReturnCode.NOT_SUPPORTED)
REFUSED: dict[str, tuple[bytes, tuple[int | None, int]]] = {
    "unknown group": (request(Op.READ, 0, {}, group=99), UNSUPPORTED),
    "unknown command": (request(Op.READ, 77, {}), UNSUPPORTED),
    "wrong operation": (request(Op.WRITE, 0, {}), UNSUPPORTED),
    "no CBOR": (malformed(b"\xff\xff\xff"), INVALID),
    "no map": (malformed(b"\x01"), INVALID),
    "missing field": (request(Op.WRITE, Command.RATE, {}), INVALID),
    "wrong type": (request(Op.WRITE, Command.RATE, {"rate_hz": "16"}), INVALID),
    "no such rate": (request(Op.WRITE, Command.RATE, {"rate_hz": 5.0}), (65, GroupError.BAD_RATE)),
    "no such sensor": (request(Op.READ, Command.CONSTANTS, {"off": 0, "sensor": 3}), (65, GroupError.NO_SENSOR)),
    "beyond the end": (request(Op.READ, Command.CONSTANTS, {"off": 5000}), (65, GroupError.BAD_OFFSET)),
    "beyond the profile": (request(Op.READ, Command.PROFILE, {"off": 90_000}), (65, GroupError.BAD_OFFSET)),
    "no such slot": (request(Op.READ, Command.CORRECTION, {"slot": 2}), INVALID),
    "short lease": (request(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 1}), INVALID),
    "no lease": (request(Op.WRITE, Command.STREAM, {"op": 2, "lease_ms": 1000}), (65, GroupError.NO_LEASE)),
    "signals without a lease": (request(Op.WRITE, Command.SIGNALS, {"signals": [0]}), (65, GroupError.NO_LEASE)),
    "no such signal": (request(Op.WRITE, Command.SIGNALS, {"signals": [200]}), (65, GroupError.NO_SUCH)),
    "part out of turn": (
        request(Op.WRITE, Command.CORRECTION, {"off": 10, "len": 9348, "data": b"1234"}),
        (65, GroupError.BAD_OFFSET),
    ),
    "part too long": (request(Op.WRITE, Command.CORRECTION, {"off": 0, "len": 4, "data": b"12345"}), INVALID),
    "no correction": (
        request(Op.WRITE, Command.CORRECTION, {"off": 0, "len": 4, "data": b"1234"}),
        (65, GroupError.DAMAGED),
    ),
    "no such alert": (request(Op.WRITE, Command.ALERTS, {"alert": 9}), (65, GroupError.NO_SUCH)),
}


def test_requests_that_make_no_sense_are_refused_alike(wearable: Running) -> None:
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        told = {name: asked(port, demultiplexer, message).error for name, (message, _) in REFUSED.items()}
    assert told == {name: code for name, (_, code) in REFUSED.items()}


def test_whatever_arrives_it_goes_on_answering(wearable: Running) -> None:
    marks = st.sampled_from([b"\x06\x09", b"\x04\x14", b"\n", b"\0", b"AAAA"])

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.one_of(st.binary(max_size=300), marks), max_size=8))
    def attempt(pieces: list[bytes]) -> None:
        os.write(port, b"".join(pieces) + b"\n")
        assert asked(port, Demultiplexer(), request(Op.READ, 0, {"d": "here"}, group=0)).body == {"r": "here"}

    with wearable.raw() as port:
        attempt()
