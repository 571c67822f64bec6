"""`thermo-sim` as users and CI run it: a stable port, a control socket, nothing left behind."""

import dataclasses
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_sessions import camera_eeprom
from patience import WAIT_S

from thermo_core.errors import RefusedError, UsageError
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.mlx90640.kind import words_of
from thermo_core.sensors.mlx90640.registers import subpage_mask
from thermo_core.signals import Values
from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.records import EventRecord
from thermo_core.wire.smp import Op, SmpHeader, SmpMessage, encode_packets
from thermo_host.link.items import Item
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen
from thermo_host.stream.playback import Recording
from thermo_sim import application, control
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.faults import FaultKind

SIM = [sys.executable, "-m", "thermo_sim.cli"]


def ctl(link: Path) -> Path:
    return link.with_name(link.name + ".ctl")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SIM, *arguments], capture_output=True, text=True, check=False)


def test_a_wearable_says_what_it_is_and_leaves_nothing_behind(
    start_wearable: Callable[..., Any], tmp_path: Path
) -> None:
    wearable = start_wearable("--seed", "3")
    link = wearable.link
    assert link.is_symlink() and ctl(link).is_socket()
    for told in ("breast-patch", "mlx90640 and ads1115-ntc", "seed 3", str(link), str(ctl(link))):
        assert told in wearable.ready
    with Wearable.open(str(link)) as host:
        hello = host.hello()
        assert hello.simulated and hello.development_key and hello.serial == "SIM-00000003"
        assert hello.sensors[0].id == device_id(eeprom_of(host))
        assert _failed(host) == []
    assert wearable.terminate() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def _failed(host: Wearable) -> list[str]:
    """Failed self-tests but for the refresh rate, which a busy machine can spoil in real time."""
    return [result.name for result in host.self_test() if not result.passed and result.name != "refresh rate"]


def test_what_is_in_the_way_of_a_link(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    refused = run("wearable", "--link", str(precious))
    assert refused.returncode == 2 and "not a link" in refused.stderr and refused.stderr.count("\n") == 1
    assert precious.read_text() == "data"

    first = start_wearable(link=tmp_path / "thermo0")
    second = run("wearable", "--link", str(first.link))
    assert second.returncode == 2 and "Another simulated wearable" in second.stderr
    with Wearable.open(str(first.link)) as host:
        assert host.echo("mine") == "mine"

    first.kill()
    assert first.link.is_symlink(), "a killed process cannot tidy up"
    third = start_wearable(link=first.link)
    with Wearable.open(str(third.link)) as host:
        assert host.echo("again") == "again"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--wearable", "toaster"], "no wearable 'toaster'"),
        (["--world", "moon"], "no world 'moon'"),
        (["--faults", "moo"], "unknown kind 'moo'"),
        (["--speed", "-1"], "0.2 or more"),
        (["--speed", "0.1"], "0.2 or more"),
        (["--speed", "fast"], "no number"),
        (["--seed", "-1"], "negative"),
        (["--eeprom", "/nowhere.npz"], "/nowhere.npz"),
        (["--trust", "/nowhere.pem"], "/nowhere.pem"),
    ],
)
def test_wrong_options_give_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = 9 if "/nowhere" in sentence else 2
    assert application.run(["wearable", "--link", str(tmp_path / "thermo"), *arguments]) == code
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_exec_runs_a_command_and_returns_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import os, sys; from thermo_host.link.wearable import Wearable; port, control = sys.argv[1:]\n"
        "with Wearable.open(port) as host: print(host.hello().serial, os.path.exists(control), port)\n"
        "sys.exit(7)"
    )
    told = run("exec", "--seed", "5", "--speed", "max", "--", sys.executable, "-c", program, "{port}", "{control}")
    assert told.returncode == 7, told.stderr
    serial, there, port = told.stdout.split()
    assert (serial, there) == ("SIM-00000005", "True")
    assert not Path(port).parent.exists()
    assert run("exec", "--", "/no/such/program").returncode == 127
    assert run("exec").returncode == 2
    killed = run("exec", "--speed", "max", "--", "sh", "-c", "kill -9 $$")
    assert killed.returncode == 137


def test_an_output_that_is_full_or_has_no_reader_gives_no_traceback() -> None:
    for sink, code, words in ((">/dev/full", 9, "No space left on device"), ("| true", 0, "")):
        script = f"set -o pipefail; {' '.join(SIM)} wearables {sink}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (code, int(bool(words)))
        assert words in done.stderr


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("wearables", {"breast-patch", "mlx90640"}),
        ("worlds", {"breast-patch", "rest"}),
        ("faults", {kind.value for kind in FaultKind}),
    ],
)
def test_what_can_be_simulated_is_listed(command: str, names: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert application.run([command]) == 0
    told = capsys.readouterr().out
    assert names <= set(re.findall(r"[a-z0-9-]+", told))
    assert application.run([command, "--json"]) == 0
    told = capsys.readouterr().out
    assert isinstance(json.loads(told), dict) and names <= set(re.findall(r"[a-z0-9-]+", told))


def test_the_control_socket_steers_and_refuses(
    start_wearable: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    wearable = start_wearable("--speed", "20")
    path = ctl(wearable.link)
    assert control.request(path, {"cmd": "blackbody", "celsius": 37.0}) == {"celsius": 37.0}
    status = control.request(path, {"cmd": "status"})
    assert status["scene_mean_celsius"] == pytest.approx(37.0) and status["touched_celsius"] == {"spots": [37.0] * 4}
    control.request(path, {"cmd": "bath", "celsius": 20.0})
    control.request(path, {"cmd": "ambient", "celsius": 22.0})
    status = control.request(path, {"cmd": "status"})
    assert status["touched_celsius"] == {"spots": [20.0] * 4} and status["ambient_celsius"] == 22.0
    control.request(path, {"cmd": "scene"})
    assert control.request(path, {"cmd": "status"})["scene_mean_celsius"] != pytest.approx(37.0)
    for wrong in (
        {"cmd": "explode"},
        {},
        {"cmd": "blackbody"},
        {"cmd": "blackbody", "celsius": 1e9},
        {"cmd": "blackbody", "celsius": "37"},
        {"cmd": "ambient", "celsius": True},
        {"cmd": "fault", "spec": "moo"},
        {"cmd": "fault", "spec": 7},
        {"cmd": "unplug", "seconds": -1},
        {"cmd": "exchange", "seed": 3, "sensor": "nobody"},
        {"cmd": "rot", "address": 1, "bit": 1},
        {"cmd": "wiring", "channel": 9, "state": "open"},
        {"cmd": "wiring", "channel": 0, "state": "cut"},
        {"cmd": "wiring", "channel": 0, "state": "open", "sensor": "skin"},
    ):
        with pytest.raises(UsageError):
            control.request(path, wrong)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(b'\xff\xfe nonsense\n[1, 2]\n{"cmd": "status"}\n')
        with raw.makefile() as answers:
            read = [json.loads(answers.readline()) for _ in range(3)]
    assert [answer["ok"] for answer in read] == [False, False, True]
    assert application.run(["control", str(wearable.link), "blackbody", "celsius=30"]) == 0
    assert json.loads(capsys.readouterr().out) == {"celsius": 30}
    assert application.run(["control", str(wearable.link), "blackbody", "celsius=warm"]) == 2
    assert application.run(["control", str(wearable.link.parent / "none"), "status"]) == 2


def test_bus_faults_reach_the_counters(start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable("--faults", "nack@2,short@4", "--speed", "10")
    with Wearable.open(str(wearable.link)) as host:
        counters = host.counters()
        assert counters["bus_nack"] == 1 and counters["bus_short_read"] == 1
        control.request(ctl(wearable.link), {"cmd": "fault", "spec": "nack@+5"})
        with host.stream() as stream:
            heard = [stream.get(5.0) for _ in range(10)]
        assert all(heard) and host.counters()["bus_nack"] == 2


def test_as_fast_as_the_machine_without_loss(start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable("--speed", "max")
    with Wearable.open(str(wearable.link)) as host:
        with host.stream() as stream:
            heard = [stream.get(5.0) for _ in range(200)]
            assert all(heard) and stream.lost == 0
        assert host.counters()["telemetry_dropped"] == 0


def test_state_is_kept_where_it_is_told(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    wearable = start_wearable("--state", str(state))
    taken = run("wearable", "--link", str(tmp_path / "other"), "--state", str(state))
    assert taken.returncode == 2 and "Another agent" in taken.stderr
    assert wearable.terminate() == 0
    assert (state / "state.json").exists()


def test_an_agent_without_sensors_says_so_and_takes_them_when_they_come(
    start_wearable: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    wearable = start_wearable("--faults", "unplug@0+20s", "--speed", "5")
    with Wearable.open(str(wearable.link)) as host:
        assert host.hello().sensors[0].id == b""
        with pytest.raises(RefusedError, match=r"not there|does not answer"):
            eeprom_of(host)
        assert not all(result.passed for result in host.self_test())
        with host.stream(lease_s=10.0) as stream:
            wait_until(lambda: host.hello().sensors[0].id != b"", "the sensor's return")
            wait_until(lambda: isinstance(getattr(stream.get(5.0), "record", None), Block), "a block")
        assert _failed(host) == []
        assert eeprom_of(host).size == 832


def test_events_tell_what_was_refused_while_nobody_listened(start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable()
    with Wearable.open(str(wearable.link)) as host:
        with pytest.raises(RefusedError, match="rate"):
            host.set_rate(0, 7.0)
        with pytest.raises(RefusedError):
            host.rollback(0)
        with host.stream() as stream:
            heard = [stream.get(5.0) for _ in range(8)]
        events = [seen.record for seen in heard if seen is not None and isinstance(seen.record, EventRecord)]
        assert [event.code for event in events][:2] == [100, 100]


def test_a_calibration_is_checked_stored_used_and_rolled_back(start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable()
    with Wearable.open(str(wearable.link)) as host:
        assert host.correction(0) is None and not host.hello().sensors[0].corrected
        mine = host.hello().sensors[0].id
        first, second = (
            dataclasses.replace(PixelCorrection.identity(Stamp(mine)), offset=np.full((24, 32), offset, np.float32))
            for offset in (0.5, -0.5)
        )
        with pytest.raises(RefusedError, match="of sensor"):
            host.write_correction(0, PixelCorrection.identity(Stamp(b"others")))
        host.write_correction(0, first)
        assert host.hello().sensors[0].corrected
        host.write_correction(0, second)
        assert host.correction_bytes(0) == to_bytes(second) and host.correction_bytes(0, 1) == to_bytes(first)
        host.reset()
        assert host.hello().sensors[0].corrected and host.correction_bytes(0) == to_bytes(second)
        host.rollback(0)
        assert host.correction_bytes(0) == to_bytes(first)


def test_a_stream_begins_with_the_present(start_wearable: Callable[..., Any]) -> None:
    """Pictures that a self-test took while nobody listened are no news for the next listener."""
    wearable = start_wearable("--speed", "20")
    with Wearable.open(str(wearable.link)) as host:
        host.self_test()
        asked_us = host.hello().time_us
        pages: list[Block] = []
        with host.stream() as stream:
            while len(pages) < 3:
                seen = stream.get(WAIT_S)
                assert seen is not None
                if isinstance(seen.record, Block) and seen.record.sensor == 0:
                    pages.append(seen.record)
        assert all(page.time_us > asked_us for page in pages)
        assert codec.decode(pages[0].data, pages[0].index).key


def test_requests_are_served_while_simulated_time_waits_for_the_line(
    start_wearable: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    wearable = start_wearable("--speed", "max")
    descriptor = os.open(wearable.link, os.O_RDWR | os.O_NOCTTY)
    demultiplexer = Demultiplexer()

    def ask(command: int, body: dict[str, Any]) -> SmpMessage:
        os.write(descriptor, encode_packets(SmpMessage(SmpHeader(Op.WRITE, 65, command, 9), body).encode()))
        while select.select([descriptor], [], [], 30.0)[0]:
            for frame in demultiplexer.feed(os.read(descriptor, 512)):
                if isinstance(frame, ManagementFrame):
                    return SmpMessage.decode(frame.message)
        raise AssertionError("the agent fell silent")

    def stands_still() -> bool:
        before = control.request(ctl(wearable.link), {"cmd": "status"})["time_s"]
        time.sleep(0.3)
        return bool(control.request(ctl(wearable.link), {"cmd": "status"})["time_s"] == before)

    for rate in (32.0, 16.0):
        ask(1, {"op": 1, "lease_ms": 10_000})
        wait_until(stands_still, "a full line")
        assert ask(7, {"rate_hz": rate}).body["rate_hz"] == rate
    os.close(descriptor)


def test_real_frames_are_replayed_instead_of_the_scene(start_wearable: Callable[..., Any], golden_dir: Path) -> None:
    path = golden_dir / "s1_melexis_example.npz"
    with np.load(path) as recorded:
        words, frames = recorded["eeprom"], recorded["frames"]
    # As fast as possible: in real time a busy machine reads pages late, with the auxiliary words of the next ones.
    wearable = start_wearable("--replay", str(path), "--speed", "max")
    assert path.name in wearable.ready
    decoder = Decoder(Constants.from_eeprom(words), emissivity=0.98)
    wanted = decoder.picture(frames[0], frames[1]).celsius
    with Wearable.open(str(wearable.link)) as host:
        session = fetch(host)
        assert np.array_equal(camera_eeprom(session), words)
        monitor = Monitor(session)
        picture = next(pictures_in(monitor, listen(host, session)))
    assert np.abs(picture - wanted).max() < 0.01


def test_a_recording_is_replayed_as_the_sensor_said_it(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    first = start_wearable("--seed", "8", link=tmp_path / "first")
    with Wearable.open(str(first.link)) as host:
        session = fetch(host)
        with Recorder(tmp_path / "r.mcap", session) as recorder:
            for number, item in enumerate(listen(host, session)):
                if item is not None:
                    recorder.add(item)
                if number > 60:
                    break
    recorded = recorded_pictures(tmp_path / "r.mcap")
    again = start_wearable("--replay", str(tmp_path / "r.mcap"), "--speed", "max", link=tmp_path / "again")
    assert "r.mcap" in again.ready
    with Wearable.open(str(again.link)) as host:
        replayed = fetch(host)
        assert np.array_equal(camera_eeprom(replayed), camera_eeprom(session))
        monitor = Monitor(replayed)
        shown = list(islice(pictures_in(monitor, listen(host, replayed)), 4))
    # Halves of the recording's pictures may be paired otherwise, so each half is looked for.
    halves = [subpage_mask(number, True) for number in (0, 1)]
    for picture in shown:
        for half in halves:
            assert min(np.abs(picture - other)[half].max() for other in recorded) < 0.01


def recorded_pictures(path: Path) -> list[Values]:
    recording = Recording(path)
    return list(pictures_in(Monitor(recording.session), recording))


def pictures_in(monitor: Monitor, items: Iterable[Item | None]) -> Iterator[Values]:
    for item in items:
        outcome = None if item is None else monitor.push(item)
        for samples in () if outcome is None else outcome.passes:
            if "skin" in samples:
                yield samples["skin"].values


def eeprom_of(host: Wearable) -> Words:
    """(832,) uint16 of its camera."""
    return words_of(host.constants(0, "mlx90640").data)


def test_a_wearable_takes_the_eeprom_it_is_given(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    words = eeprom.generate(99)
    np.savez(tmp_path / "sensor.npz", eeprom=words)
    wearable = start_wearable("--eeprom", str(tmp_path / "sensor.npz"), "--seed", "1")
    assert "EEPROM of sensor.npz" in wearable.ready
    with Wearable.open(str(wearable.link)) as host:
        assert np.array_equal(eeprom_of(host), words)
