"""The agent's line: what it carries first, what it survives, and ports that come and go."""

import contextlib
import os
import pty
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from thermo_core.errors import (
    LinkLostError,
    PortBusyError,
    PortNotFoundError,
    UsageError,
)
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame, encode_frame
from thermo_core.wire.smp import encode_packets
from thermo_device import line as line_module
from thermo_device.line import Line
from thermo_device.port import SerialPort
from thermo_device.telemetry import FrameQueue
from thermo_sim.pseudo_terminal import PseudoTerminal


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "thermo"


@pytest.fixture
def counts() -> Counter[str]:
    return Counter()


@pytest.fixture
def queue() -> FrameQueue:
    return FrameQueue()


@pytest.fixture
def line(link: Path, queue: FrameQueue, counts: Counter[str]) -> Iterator[Line]:
    served = Line(PseudoTerminal(link), queue, lambda name, count: counts.update({name: count}))
    served.poll(0.0)
    yield served
    served.close()


def host_end(link: Path) -> int:
    return os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def read_all(descriptor: int) -> bytes:
    data = b""
    while True:
        try:
            data += os.read(descriptor, 65536)
        except BlockingIOError:
            return data


def test_answers_overtake_telemetry(line: Line, link: Path, queue: FrameQueue) -> None:
    host = host_end(link)
    queue.put([encode_frame(b"\x01" + os.urandom(900)) for _ in range(6)])
    line.send(b"12345678answer")
    line.poll(0.0)
    frames = Demultiplexer().feed(read_all(host))
    assert isinstance(frames[0], ManagementFrame) and frames[0].message == b"12345678answer"
    assert len(frames) == 7
    os.close(host)


def test_requests_are_heard_between_garbage(line: Line, link: Path, counts: Counter[str]) -> None:
    host = host_end(link)
    os.write(host, b"AT\r\n\x00\x06\x09cut off" + encode_packets(b"12345678hello") + b"\x00")
    assert line.poll(1.0) == [b"12345678hello"]
    assert counts["line_bytes_discarded"] > 0
    os.close(host)


def test_a_line_nobody_reads_never_blocks_and_falls_quiet_at_once(line: Line, link: Path, queue: FrameQueue) -> None:
    for _ in range(200):
        queue.put([encode_frame(b"\x01" + os.urandom(900)) for _ in range(10)])
        line.poll(0.0)
    assert queue.dropped > 0
    line.send(b"12345678 answer for a host that died")
    line.hush()
    line.drain(0.1)
    host = host_end(link)
    read_all(host)
    line.poll(0.0)
    assert read_all(host) == b""
    os.write(host, encode_packets(b"12345678hello"))
    assert line.poll(1.0) == [b"12345678hello"]
    line.send(b"12345678world")
    line.poll(0.0)
    assert Demultiplexer().feed(read_all(host)) == [ManagementFrame(b"12345678world")]
    os.close(host)


def ask(line: Line, host: int, requests: int, answer: bytes) -> int:
    """Send requests as long as the line takes them and have them answered; how many were."""
    answered = 0
    for _ in range(requests):
        with contextlib.suppress(BlockingIOError):
            os.write(host, encode_packets(b"12345678ask"))
        heard = line.poll(0.0)
        for _ in heard:
            line.send(answer)
        answered += len(heard)
    return answered


def test_a_host_that_asks_and_does_not_read_is_not_heard_before_it_reads(
    line: Line, link: Path, counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, answer = host_end(link), b"12345678" + os.urandom(400)
    answered = ask(line, host, 3000, answer)
    assert 10 < answered < 400
    assert line._answer_bytes < line_module.ANSWER_BYTES + 10_000
    received, demultiplexer = 0, Demultiplexer()
    while received < answered:
        received += len(demultiplexer.feed(read_all(host)))
        answered += ask(line, host, int(received < 500), answer)
        line.poll(0.0)
    assert received >= 500
    ask(line, host, 3000, answer)
    monkeypatch.setattr(line_module, "NOBODY_READS_S", 0.0)
    line.poll(0.0)
    assert counts["answers_dropped"] > 0
    assert not line._answers
    os.close(host)


def test_a_frame_cut_by_silence_does_not_damage_what_follows(line: Line, link: Path, queue: FrameQueue) -> None:
    host = host_end(link)
    heard = Demultiplexer()
    while not queue.dropped:  # until the kernel's buffer is full and a chunk is half sent
        queue.put([encode_frame(b"\x01" + os.urandom(900)) for _ in range(10)])
        line.poll(0.0)
    part = os.read(host, 1500)
    heard.feed(part)
    line.hush()
    line.send(b"12345678after")
    queue.put([encode_frame(b"\x01after")])
    line.poll(0.0)
    frames = heard.feed(read_all(host))
    assert ManagementFrame(b"12345678after") in frames and TelemetryFrame(b"\x01after") in frames
    os.close(host)


def test_a_vanished_port_is_opened_again(tmp_path: Path, queue: FrameQueue, counts: Counter[str]) -> None:
    """A real tty by path, whose far end goes away and comes back under the same name."""
    path = tmp_path / "ttyGS0"
    line = Line(SerialPort(str(path)), queue, lambda name, count: counts.update({name: count}))
    line.poll(0.0)
    assert not line.is_open
    for cycle in range(3):
        far, near = pty.openpty()
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(near))
        os.close(near)
        while not line.is_open:
            line.poll(0.05)
        os.write(far, encode_packets(b"12345678hello"))
        assert line.poll(5.0) == [b"12345678hello"]
        line.send(b"12345678answer")
        line.poll(0.0)
        assert Demultiplexer().feed(os.read(far, 4096)) == [ManagementFrame(b"12345678answer")]
        os.close(far)
        path.unlink()
        while line.is_open:
            line.poll(0.05)
        assert (counts["port_lost"], counts["port_reopened"]) == (cycle + 1, cycle)
    line.close()


def test_a_port_says_why_it_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(PortNotFoundError, match="not there"):
        SerialPort(str(tmp_path / "none")).open()
    plain = tmp_path / "file"
    plain.write_text("")
    with pytest.raises(UsageError, match="serial port"):
        SerialPort(str(plain)).open()
    far, near = pty.openpty()
    first, second = SerialPort(os.ttyname(near)), SerialPort(os.ttyname(near))
    first.open()
    with pytest.raises(PortBusyError, match="another program"):
        second.open()
    os.close(far)
    with pytest.raises(LinkLostError):
        first.read()
    first.close()
    os.close(near)


def test_a_pseudo_terminal_takes_no_file_away(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    with pytest.raises(UsageError, match="not a link"):
        PseudoTerminal(precious).open()
    assert precious.read_text() == "data"
    with pytest.raises(UsageError, match="cannot be made"):
        PseudoTerminal(tmp_path / "no" / "such" / "folder").open()
