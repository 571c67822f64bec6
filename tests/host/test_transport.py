"""The line and the requests on it, against a scripted peer on the other side of a pseudo-terminal."""

import os
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY

import pytest
from interrupted import at_each_instruction
from scripted_peer import Peer

from thermo_core.entry import Terminated, interruption
from thermo_core.errors import (
    LinkLostError,
    LinkTimeoutError,
    PortBusyError,
    PortNotFoundError,
    ProtocolVersionError,
    RefusedError,
)
from thermo_core.wire.framing import encode_frame
from thermo_core.wire.smp import Group, SmpMessage
from thermo_core.wire.table import Command
from thermo_host.link import standard, transport
from thermo_host.link.requests import Requests
from thermo_host.link.transport import BACKLOG, SerialLine
from thermo_host.link.wearable import Wearable


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.unplug()


@pytest.fixture
def line(peer: Peer) -> Iterator[SerialLine]:
    opened = SerialLine(peer.port)
    yield opened
    opened.close()


def test_requests_and_telemetry_share_the_line(peer: Peer, line: SerialLine) -> None:
    noise = [bytes([2, number]) + os.urandom(200) for number in range(50)]

    def between(request: SmpMessage) -> list[SmpMessage]:
        peer.send(b"".join(encode_frame(record) for record in noise[: len(peer.requests)]))
        return [request.respond({"r": request.body["d"]})]

    peer.answer = between
    requests = Requests(line, 2.0)
    for number in range(5):
        assert requests.standard.echo(f"echo {number}") == f"echo {number}"
    expected = [record for count in range(1, 6) for record in noise[:count]]
    received = [line.take(1.0) for _ in expected]
    assert [taken[1] for taken in received if taken] == expected
    assert line.counters.frames == len(expected)
    assert line.counters.bad_frames == 0


def test_many_threads_get_their_own_answers(peer: Peer, line: SerialLine) -> None:
    requests = Requests(line, 5.0)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: requests.read(Command.RATE, {"n": number}), range(60)))
    assert [answer["n"] for answer in answers] == list(range(60))


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(peer: Peer, line: SerialLine) -> None:
    late: list[SmpMessage] = []

    def slow(request: SmpMessage) -> list[SmpMessage]:
        late.append(request.respond({"n": len(late)}))
        return [] if len(late) == 1 else late

    peer.answer = slow
    requests = Requests(line, 0.2)
    with pytest.raises(LinkTimeoutError, match="Nothing answered"):
        requests.write(Command.RATE, {})
    assert requests.write(Command.RATE, {})["n"] == 1


def test_a_read_is_repeated_and_a_write_is_not(peer: Peer, line: SerialLine) -> None:
    peer.answer = lambda request: [request.respond({})] if len(peer.requests) == 3 else []
    requests = Requests(line, 0.1)
    assert requests.read(Command.COUNTERS) == {}
    assert len(peer.requests) == 3
    peer.answer = lambda request: []
    with pytest.raises(LinkTimeoutError):
        requests.write(Command.ROLLBACK, {})
    assert len(peer.requests) == 4


def test_the_reason_of_a_refusal_is_fetched(peer: Peer, line: SerialLine) -> None:
    def refuse(request: SmpMessage) -> list[SmpMessage]:
        if request.header.group == Group.THERMO and request.header.command == Command.REFUSAL:
            return [request.respond({"reason": "The slot is on trial.", "time_us": 5})]
        return [request.refuse(3, Group.IMAGE)]

    peer.answer = refuse
    requests = Requests(line, 1.0)
    for ask in (lambda: requests.standard.images(), lambda: requests.write(Command.ROLLBACK, {})):
        with pytest.raises(RefusedError, match=r"^The wearable refused: The slot is on trial\.$") as caught:
            ask()
        assert (caught.value.reason, caught.value.code, caught.value.group) == ("The slot is on trial.", 3, Group.IMAGE)


def test_a_refusal_by_a_server_without_reasons_names_its_code(peer: Peer, line: SerialLine) -> None:
    peer.answer = lambda request: [request.refuse(8)]
    with pytest.raises(RefusedError, match="NOT_SUPPORTED"):
        Requests(line, 1.0).read(Command.COUNTERS)


def test_a_port_that_vanishes_wakes_whoever_waits(peer: Peer, line: SerialLine) -> None:
    peer.answer = lambda request: []
    requests = Requests(line, 30.0)
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(requests.write, Command.ROLLBACK, {})
        listening = pool.submit(line.take, 30.0)
        while not peer.requests:
            time.sleep(0.005)
        peer.unplug()
        for waiting in (asked, listening):
            with pytest.raises(LinkLostError, match="vanished"):
                waiting.result(20)
    with pytest.raises(LinkLostError):
        requests.read(Command.HELLO)


def test_a_flush_by_the_other_side_is_no_lost_port(peer: Peer, line: SerialLine) -> None:
    """As when a simulated wearable hushes its line: what `select` announced is gone when it is read."""
    descriptor = os.open(line.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        for _ in range(50_000):
            peer.send(b"x")
            termios.tcflush(descriptor, termios.TCIFLUSH)
    finally:
        os.close(descriptor)
    peer.answer = lambda request: [request.respond({"r": request.body["d"]})]
    assert Requests(line, 5.0).standard.echo("still here") == "still here"


def test_a_second_opener_is_told_who_holds_the_port(peer: Peer, line: SerialLine) -> None:
    with pytest.raises(PortBusyError, match=rf"\(process {os.getpid()}\)"):
        SerialLine(peer.port)
    line.close()
    SerialLine(peer.port).close()


def test_what_is_no_port_is_refused(tmp_path: os.PathLike[str]) -> None:
    for path in ("/dev/null", str(tmp_path), "/dev/does-not-exist"):
        with pytest.raises(PortNotFoundError, match="thermo-host ports"):
            SerialLine(path)


def test_a_slow_listener_loses_the_oldest_and_it_is_counted(peer: Peer, line: SerialLine) -> None:
    count = BACKLOG + 100
    assert line.waiting_since_ns is None
    began_ns = time.monotonic_ns()
    for number in range(count):
        peer.send(encode_frame(number.to_bytes(4, "little") + b"x"))
    # A frame is counted before it is put where listeners take it.
    while line.overflow < 100:
        time.sleep(0.005)
    oldest_ns = line.waiting_since_ns
    taken = line.take(1.0)
    assert taken is not None and oldest_ns is not None
    assert began_ns < oldest_ns == taken[0] <= time.monotonic_ns()
    assert int.from_bytes(taken[1][:4], "little") == 100
    assert line.overflow == 100


@pytest.mark.parametrize(
    ("spoken", "older"), [(0, "update the device"), (1, "never released; install"), (9, "update the host")]
)
def test_another_protocol_version_says_which_side_to_upgrade(peer: Peer, spoken: int, older: str) -> None:
    peer.answer = lambda request: [request.respond({"protocol": spoken, "shape": "unknown to us"})]
    with pytest.raises(ProtocolVersionError, match=older):
        Wearable.open(peer.port)
    SerialLine(peer.port).close()


def test_a_request_interrupted_anywhere_leaves_a_line_that_answers(line: SerialLine) -> None:
    # Ctrl-C in a calibration is followed by the requests that leave the device quiet.
    requests = Requests(line, 5.0)
    for error in at_each_instruction(lambda: requests.read(Command.RATE, {"n": 1}), transport):
        assert type(error) is Terminated
        assert requests.read(Command.RATE, {"n": 2})["n"] == 2
    assert not line._pending


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_standard_request_interrupted_anywhere_leaves_a_line_that_answers(peer: Peer, line: SerialLine) -> None:
    peer.answer = lambda request: [request.respond({"r": request.body["d"]})]
    requests = Requests(line, 5.0)
    requests.standard.echo("loads smpclient")
    for count, error in enumerate(at_each_instruction(lambda: requests.standard.echo("one"), standard, transport)):
        assert interruption(error)
        if count % 8 == 0:
            assert requests.standard.echo("two") == "two"
    assert requests.standard.echo("two") == "two"


def test_waiting_for_a_record_interrupted_anywhere_leaves_a_line_that_gives_the_next(
    peer: Peer, line: SerialLine
) -> None:
    def wait() -> None:
        line.take(0.001)
        line.drop_records()
        assert line.waiting_since_ns is None

    record = encode_frame(bytes(40))
    for error in at_each_instruction(wait, transport):
        assert type(error) is Terminated
        peer.send(record)
        assert line.take(5.0) == (ANY, bytes(40))
