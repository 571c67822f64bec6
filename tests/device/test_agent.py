"""The agent's parts below the protocol: lease, queue, line, port, keys, and what the command line refuses."""

import contextlib
import os
import pty
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from thermo_core.errors import (
    BusTimeoutError,
    LinkLostError,
    PortBusyError,
    PortNotFoundError,
    StorageError,
    ThermoError,
    UsageError,
)
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.image import load_public_key
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame, encode_frame
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord
from thermo_core.wire.smp import encode_packets
from thermo_device import commands, machine
from thermo_device import line as line_module
from thermo_device.cli import main
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_device.keys import load_trusted, refuse_development_key, trusts_development_key
from thermo_device.line import Line
from thermo_device.port import SerialPort
from thermo_device.telemetry import FrameQueue, Lease, Outbox
from thermo_device.worker import Worker
from thermo_sim.pseudo_terminal import PseudoTerminal


class Time:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_runs_out_and_is_never_longer_than_allowed() -> None:
    time = Time()
    lease = Lease(10.0, time)
    assert (lease.held, lease.left_s) == (False, 0.0)
    assert lease.grant(3.0) == 3.0
    time.now += 2.0
    assert lease.left_s == pytest.approx(1.0)
    assert lease.grant(1e9) == 10.0
    time.now += 10.5
    assert (lease.held, lease.left_s) == (True, 0.0)
    lease.end()
    assert not lease.held


def test_a_full_queue_drops_the_oldest_and_counts_them() -> None:
    queue = FrameQueue(100)
    assert queue.put([bytes([n]) * 10 for n in range(10)]) == 0
    assert queue.put([b"x" * 25]) == 3
    assert queue.dropped == 3
    assert queue.take(25) == b"\x03" * 10 + b"\x04" * 10
    assert queue.take(1) == b"\x05" * 10, "a frame longer than asked for still leaves whole"
    queue.clear()
    assert queue.take(1000) == b"" and queue.dropped == 3
    assert queue.put([b"y" * 101]) == 1 and len(queue) == 0


def decoded(data: bytes) -> list[records.Record]:
    return [records.decode(f.record)[1] for f in Demultiplexer().feed(data) if isinstance(f, TelemetryFrame)]


def test_events_and_alerts_wait_for_a_host_and_clock_records_are_completed() -> None:
    time = Time()
    queue, lease = FrameQueue(), Lease(10.0, time)
    woken: list[int] = []
    outbox = Outbox(queue, lease, lambda: woken.append(1))
    clock = ClockRecord(5, 0, 0, 0, captured=7, lost=1)
    outbox.publish([clock])
    outbox.notice("request_refused", "No.", 6)
    outbox.notice("request_refused", "No again.", 7)
    alert = AlertRecord(8, AlertChange(0, AlertState.RAISED, 8, 0.75, 0))
    outbox.publish([alert])
    assert len(queue) == 0 and not woken
    lease.grant(4.0)
    outbox.publish([clock])
    first, second, raised, told = decoded(queue.take(1 << 16))
    assert raised == alert
    assert isinstance(first, EventRecord) and isinstance(second, EventRecord)
    assert [(e.code, e.count, e.text) for e in (first, second)] == [(100, 1, "No."), (100, 2, "No again.")]
    assert told == ClockRecord(5, 0, 4000, 0, 7, 1) and woken


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


class Stumbling:
    """A pipeline that fails at its first start and at its third step."""

    def __init__(self) -> None:
        self.starts = self.steps = self.resumes = 0

    def start(self) -> None:
        self.starts += 1
        if self.starts == 1:
            raise ThermoError("Not yet.")

    def resume(self) -> None:
        self.resumes += 1

    def step(self) -> list[int]:
        self.steps += 1
        if self.steps == 3:
            raise ThermoError("Stumbled.")
        return [self.steps]


def test_a_worker_survives_failures_and_does_work_in_between() -> None:
    pipeline = Stumbling()
    published: list[int] = []
    failures: list[str] = []
    enough = threading.Event()

    def publish(new: Sequence[Any]) -> None:
        published.extend(new)
        if len(published) >= 5:
            enough.set()

    worker = Worker(pipeline, publish, lambda: True, lambda error: failures.append(str(error)))
    worker.start()
    assert enough.wait(30)
    assert worker.call(lambda: threading.current_thread().name, 30.0) == "pipeline"

    def broken() -> None:
        raise UsageError("No.")

    with pytest.raises(UsageError):
        worker.call(broken, 30.0)
    worker.stop()
    assert failures == ["Not yet.", "Stumbled."] and pipeline.starts == 3
    assert published[:4] == [1, 2, 4, 5]


def test_a_worker_rests_while_nobody_listens() -> None:
    pipeline = Stumbling()
    pipeline.starts = 1
    listening = threading.Event()
    published = threading.Event()
    worker = Worker(pipeline, lambda new: published.set(), listening.is_set, lambda error: None)
    worker.start(5.0)
    assert worker.call(lambda: pipeline.steps, 30.0) == 0
    listening.set()
    worker.wake()
    assert published.wait(30) and pipeline.resumes == 1
    worker.stop()


def test_what_waits_for_a_bus_that_hangs_is_bounded() -> None:
    pipeline = Stumbling()
    hangs, entered = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        hangs.wait(60)

    worker = Worker(pipeline, lambda new: None, lambda: False, lambda error: None)
    worker.start(5.0)
    threading.Thread(target=lambda: worker.call(hang, 60.0), daemon=True).start()
    assert entered.wait(30)
    for _ in range(10_000):
        worker.wake()
    refused = 0
    for _ in range(100):
        with pytest.raises(BusTimeoutError) as raised:
            worker.call(lambda: None, 0.001)
        refused += "before" in str(raised.value)
    assert worker._work.qsize() < 20 and refused > 80
    hangs.set()
    worker.stop()


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_keys_are_read_and_the_development_key_is_known(tmp_path: Path) -> None:
    own = tmp_path / "keys"
    own.mkdir()
    for name in ("a", "b"):
        (own / f"{name}.pem").write_bytes(public_pem(Ed25519PrivateKey.generate()))
    trusted = load_trusted([own])
    assert len(trusted) == 2 and not trusts_development_key(trusted)
    refuse_development_key(trusted)
    both = load_trusted([own, DEVELOPMENT_PUBLIC_KEY])
    assert trusts_development_key(both)
    with pytest.raises(UsageError, match="--allow-development-key"):
        refuse_development_key(both)
    with pytest.raises(StorageError):
        load_trusted([tmp_path / "none.pem"])
    (own / "c.pem").write_text("no key")
    with pytest.raises(UsageError, match=r"c\.pem"):
        load_trusted([own])


def test_all_keys_of_a_file_are_trusted(tmp_path: Path) -> None:
    made = [Ed25519PrivateKey.generate() for _ in range(3)]
    file = tmp_path / "keys.pem"
    file.write_bytes(b"first\n" + public_pem(made[0]) + b"# and the other one\n\n" + public_pem(made[1]))
    (tmp_path / "again.pem").write_bytes(public_pem(made[1]) + public_pem(made[2]))
    trusted = load_trusted([file, tmp_path / "again.pem"])
    assert [key.public_bytes_raw() for key in trusted] == [key.public_key().public_bytes_raw() for key in made]
    with pytest.raises(UsageError, match="2 keys where one is used"):
        load_public_key(file.read_bytes())
    file.write_bytes(public_pem(made[0]) + b"-----BEGIN PUBLIC KEY-----\nAAAA\n")
    with pytest.raises(UsageError, match=r"keys\.pem"):
        load_trusted([file])
    file.write_bytes(public_pem(made[0]) + DEVELOPMENT_PUBLIC_KEY.read_bytes())
    with pytest.raises(UsageError, match="--allow-development-key"):
        refuse_development_key(load_trusted([file]))
    file.write_bytes(b"x" * 100_000)
    with pytest.raises(UsageError, match="65536 bytes"):
        load_trusted([file])


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def read() -> str:
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("thermo-device:")]
        assert len(errors) == 1
        return errors[0]

    return read


def test_a_device_on_a_real_bus_refuses_the_development_key(tmp_path: Path, told: Callable[[], str]) -> None:
    arguments = ["run", "--bus", str(tmp_path / "i2c"), "--port", str(tmp_path / "tty"), "--state", str(tmp_path)]
    assert main([*arguments, "--trust", str(DEVELOPMENT_PUBLIC_KEY)]) == 2
    assert "development key" in told()
    assert main([*arguments, "--trust", str(DEVELOPMENT_PUBLIC_KEY), "--allow-development-key"]) == 2
    assert "I2C bus" in told(), "the key is accepted and the bus is the next thing missing"


@pytest.mark.parametrize("word", ["--allow-development", "--allow", "--trus", "--st"])
def test_no_option_is_abbreviated(word: str, told: Callable[[], str]) -> None:
    assert main(["run", "--port", "x", word]) == 2
    assert f"No such option: {word}" in told()


@pytest.mark.parametrize("baud", ["0", "-5", "fast", "1e6", "99999999999999999999", "٣"])
def test_a_rate_that_is_none_is_a_wrong_argument(baud: str, told: Callable[[], str]) -> None:
    assert main(["run", "--port", "x", f"--baud={baud}"]) == 2
    assert "no baud rate" in told()


def test_the_baud_rate_comes_from_the_environment_too(told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERMO_BAUD", "slow")
    assert main(["run", "--port", "x"]) == 2
    assert "'slow' is no baud rate" in told()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("thermo-device ")


def test_a_wearable_that_is_none_is_a_wrong_argument(tmp_path: Path, told: Callable[[], str]) -> None:
    assert main(["self-test", "--bus", str(tmp_path / "i2c"), "--wearable", "breast-path"]) == 2
    assert "breast-patch" in told()


def test_state_lies_where_the_user_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "DEFAULT_STATE", tmp_path / "service")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert commands.default_state() == tmp_path / "own" / "thermo-edge"
    (tmp_path / "service").mkdir()
    assert commands.default_state() == tmp_path / "service"
    monkeypatch.setenv("STATE_DIRECTORY", "/run/a:/run/b")
    assert commands.default_state() == Path("/run/a")


def test_what_the_system_calls_itself_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model"
    assert machine._said(path) == ""
    for content, wanted in (
        (b"Raspberry Pi 4\0", "Raspberry Pi 4"),
        (b"\xff\xfe\x1b]52;x\x07\0", "\ufffd\ufffd"),
        (b"x" * 10_000, "x" * 63 + "\u2026"),
        (b"\0", ""),
    ):
        path.write_bytes(content)
        assert machine._said(path) == wanted
    monkeypatch.setattr("socket.gethostname", lambda: "\udcff\x1b[2J")
    assert machine.host_name().isprintable()
    assert machine.serial_number() and machine.platform_name()


def test_the_command_line_gives_a_sentence_and_a_code(tmp_path: Path, told: Callable[[], str]) -> None:
    assert main(["self-test", "--bus", str(tmp_path / "i2c")]) == 2
    assert "raspi-config" in told()
    assert main(["info", "--state", str(tmp_path / "none")]) == 9
    assert "--state" in told()
    assert main(["info", "--state", str(tmp_path), "--trust", str(tmp_path / "none.pem")]) == 9


def test_info_tells_what_the_device_holds(tmp_path: Path) -> None:
    pem = tmp_path / "own.pub.pem"
    pem.write_bytes(public_pem(Ed25519PrivateKey.generate()))
    command = [sys.executable, "-m", "thermo_device.cli", "info", "--state", str(tmp_path), "--trust", str(pem)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "trusted keys: 1\n" in shown and "no bundle" in shown and "Not a medical device" in shown
