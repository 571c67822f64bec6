"""`thermo-host` against the real agent on simulated sensors: every command, one session after the other on one wearable."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import items_so_far

from thermo_core.errors import (
    DowngradeError,
    LinkLostError,
    PortBusyError,
    RefusedError,
)
from thermo_core.image import load_private_key
from thermo_core.recording.layout import Gap
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.wire.smp import Group
from thermo_core.wire.table import GroupError
from thermo_host import flash
from thermo_host.application import run
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen
from thermo_host.stream.playback import Recording
from thermo_sim import control

HOST = [sys.executable, "-m", "thermo_host.cli"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def port(start_wearable: Callable[..., Any]) -> str:
    return str(start_wearable("--seed", "5").link)


@pytest.fixture
def wearable(port: str) -> Iterator[Wearable]:
    with Wearable.open(port) as opened:
        yield opened


@pytest.fixture
def image(tmp_path: Path, make_image: Callable[..., bytes]) -> Callable[[str], Path]:
    def make(version: str) -> Path:
        path = tmp_path / f"{version}.img"
        path.write_bytes(make_image(version))
        return path

    return make


def answer(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return int(code), json.loads(capsys.readouterr().out.splitlines()[-1])


def listen_for(wearable: Wearable, pictures: int) -> Monitor:
    """Listen until so many pictures came."""
    session = fetch(wearable)
    monitor = Monitor(session)
    items = listen(wearable, session)
    for item in items:
        if item is not None:
            monitor.push(item)
        if monitor.statistics().moments["skin"] >= pictures:
            break
    items.close()
    return monitor


def test_a_session_from_hello_to_replay(
    port: str, image: Callable[[str], Path], tmp_path: Path, capsys: Capture
) -> None:
    code, info = answer(capsys, "info", port)
    assert code == 0
    assert info["hello"]["simulated"]
    assert info["sensors"][0]["corrections"] == {"current": None, "previous": None}
    assert not info["images"]

    code, flashed = answer(capsys, "flash", port, str(image("1.2.0")))
    assert code == 0
    assert (flashed["version"], flashed["confirmed"], flashed["unchanged"]) == ("1.2.0", True, False)
    assert all(result["passed"] for result in flashed["self_test"])
    code, again = answer(capsys, "flash", port, str(image("1.2.0")))
    assert (code, again["unchanged"], again["uploaded"]) == (0, True, 0)
    code, refused = answer(capsys, "flash", port, str(image("1.1.0")))
    assert (code, refused["error"]["kind"]) == (7, "DowngradeError")

    for seconds in (4, 12, 40):  # on a busy machine pictures pass without a verdict
        path = tmp_path / f"session-{seconds}.mcap"
        code, recorded = answer(capsys, "record", port, "--output", str(path), "--seconds", str(seconds))
        assert code == 0
        code, replayed = answer(capsys, "replay", str(path), "--summary")
        assert code == 0
        assert replayed["complete"]
        assert replayed["moments"] == recorded["moments"]
        if sum(replayed["labels"].get("lesion", {}).values()) > 5:
            break
    assert sum(replayed["labels"]["lesion"].values()) > 5
    assert recorded["moments"]["skin"] > 5
    assert 28 < replayed["signals"]["skin"]["mean"] < 38
    assert all(replayed["signals"][f"thermistor {number}"]["samples"] for number in range(1, 5))
    code, again = answer(capsys, "rerun", str(path), "--bundle", str(image("1.2.0")))
    lesion = again["models"]["lesion"]
    assert code == 0 and lesion["both"] > 5 and lesion["same"] == lesion["both"] and lesion["greatest"] == 0
    code, _ = answer(capsys, "export", str(path), str(tmp_path / "out.npz"))
    assert len(np.load(tmp_path / "out.npz")["skin"]) == recorded["moments"]["skin"]

    code, rate = answer(capsys, "rate", port, "4")
    assert (code, rate["rate_hz"]) == (0, 4.0)
    code, refused = answer(capsys, "rate", port, "5")
    assert code == 6
    assert "5" in refused["error"]["message"]
    code, reset = answer(capsys, "reset", port)
    assert (code, reset["bundle"]) == (0, "1.2.0")
    code, tested = answer(capsys, "self-test", port)
    assert (code, tested["passed"]) == (0, True)


def test_the_host_decodes_as_the_device_says_it_does(wearable: Wearable) -> None:
    control.request(Path(wearable.port + ".ctl"), {"cmd": "blackbody", "celsius": 34.0})
    monitor = listen_for(wearable, 12)
    picture = monitor.signals["skin"]
    assert abs(float(np.median(picture.sample.values)) - 34.0) < 1.0
    clock = wearable.clock
    assert clock.synchronised
    assert abs(picture.utc_ns - time.time_ns()) < 60e9
    latency_s = monitor.statistics().latency_s
    assert latency_s is not None
    assert latency_s > -clock.uncertainty_s


def test_requests_work_while_telemetry_flows(wearable: Wearable) -> None:
    constants = wearable.constants(0, "mlx90640")
    with wearable.stream() as stream:
        for _ in range(5):
            assert wearable.constants(0, "mlx90640") == constants
            assert stream.get(5.0) is not None
        assert wearable.echo("still here") == "still here"
        assert stream.lost == 0


def test_a_calibration_is_stored_applied_and_taken_back(wearable: Wearable) -> None:
    assert wearable.correction(0) is None
    with pytest.raises(RefusedError) as caught:
        wearable.rollback(0)
    assert (caught.value.group, caught.value.code) == (Group.THERMO, GroupError.NO_CORRECTION)
    identity = PixelCorrection.identity(Stamp(wearable.hello().sensors[0].id))
    offset = np.full((ROWS, COLUMNS), 2.5, np.float32)
    shifted = replace(identity, offset=offset, stamp=replace(identity.stamp, created_unix_s=1000, residual_rms=0.01))
    plain = listen_for(wearable, 6)
    done: list[tuple[int, int]] = []
    wearable.write_correction(0, identity)
    wearable.write_correction(0, shifted, lambda at, total: done.append((at, total)))
    assert done[-1][0] == done[-1][1] == len(to_bytes(shifted))
    assert wearable.correction_bytes(0) == to_bytes(shifted)
    assert wearable.correction_bytes(0, 1) == to_bytes(identity)
    moved = listen_for(wearable, 6)
    assert moved.decoding.corrected
    medians = [float(np.median(one.signals["skin"].sample.values)) for one in (moved, plain)]
    assert medians[0] - medians[1] == pytest.approx(2.5, abs=0.3)
    wearable.rollback(0)
    assert wearable.correction_bytes(0) == to_bytes(identity)
    with pytest.raises(RefusedError) as caught:
        wearable.write_correction(0, PixelCorrection.identity(Stamp(bytes(6))))
    assert caught.value.code == GroupError.WRONG_SENSOR


def test_an_unconfirmed_image_is_gone_after_a_reset(wearable: Wearable, image: Callable[[str], Path]) -> None:
    flash.flash(wearable, flash.load(image("1.0.0")))
    steps: list[str] = []
    done = flash.flash(wearable, flash.load(image("1.1.0")), confirm=False, step=steps.append)
    assert steps == ["check", "upload", "test", "reset", "self-test"]
    assert (done.previous, done.version, done.confirmed) == ("1.0.0", "1.1.0", False)
    assert wearable.hello().bundle == "1.1.0"
    assert wearable.reset().bundle == "1.0.0"
    with pytest.raises(DowngradeError, match=r"0\.9\.0.*1\.0\.0"):
        flash.flash(wearable, flash.load(image("0.9.0")))


def test_a_refused_image_comes_with_the_devices_reason(
    port: str, tmp_path: Path, make_image: Callable[..., bytes], capsys: Capture
) -> None:
    assert run(["keygen", str(tmp_path / "other")]) == 0
    key = load_private_key((tmp_path / "other.pem").read_bytes())
    path = tmp_path / "foreign.img"
    path.write_bytes(make_image("3.0.0", key=key))
    code, told = answer(capsys, "flash", port, str(path))
    assert code == 6
    assert told["error"]["kind"] == "RefusedError"
    assert "key" in told["error"]["message"]
    code, info = answer(capsys, "info", port)
    assert (code, info["hello"]["bundle"]) == (0, "")


@pytest.mark.parametrize("set_back_s", [0, 3600])
def test_a_recording_goes_on_after_an_unplug_and_holds_the_gap(
    wearable: Wearable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_back_s: int
) -> None:
    """Also when somebody sets the computer's clock back meanwhile."""
    real = time.time_ns
    session = fetch(wearable)
    path = tmp_path / "r.mcap"
    after = 0
    with Recorder(path, session) as recorder:
        items = listen(wearable, session, reconnect=True)
        gap_seen = False
        for number, item in enumerate(items):
            if number == 20:
                control.request(Path(wearable.port + ".ctl"), {"cmd": "unplug", "seconds": 1.0})
                monkeypatch.setattr(time, "time_ns", lambda: real() - set_back_s * 1_000_000_000)
            if item is None:
                recorder.tick()
                continue
            recorder.add(item)
            gap_seen = gap_seen or isinstance(item, Gap)
            after += gap_seen
            if after > 30:
                break
        items.close()
    found = list(Recording(path))
    gaps = [item for item in found if isinstance(item, Gap)]
    assert len(gaps) == 1
    assert 0.9e9 <= gaps[0].to_ns - gaps[0].from_ns < 600e9
    assert found.index(gaps[0]) < len(found) - 20


def test_without_reconnect_an_unplug_ends_the_stream(wearable: Wearable) -> None:
    session = fetch(wearable)
    items = listen(wearable, session)
    next(items)
    control.request(Path(wearable.port + ".ctl"), {"cmd": "unplug", "seconds": 0.5})
    with pytest.raises(LinkLostError, match="vanished"):
        for _ in items:
            pass
    assert wearable.reopen(30.0).serial == session.hello.serial


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_device_quiet_and_the_file_whole(
    port: str, tmp_path: Path, number: signal.Signals, code: int, wait_until: Callable[..., None]
) -> None:
    path = tmp_path / "r.mcap"
    process = subprocess.Popen(
        [*HOST, "record", port, "-o", str(path), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: items_so_far(path) > 10, "a recording")
    with pytest.raises(PortBusyError, match=str(process.pid)):
        Wearable.open(port)
    process.send_signal(number)
    out, _ = process.communicate()
    assert process.returncode == code
    summary, error = (json.loads(line) for line in out.splitlines())
    assert summary["type"] == "summary"
    assert error["error"]["exit_code"] == code
    recording = Recording(path)
    assert len(list(recording)) == summary["messages"]
    assert recording.complete
    with Wearable.open(port) as wearable:
        received = wearable.line.bytes_received
        assert wearable.line.take(0.5) is None
        assert wearable.line.bytes_received == received
        assert wearable.counters().get("leases_expired", 0) == 0


def test_a_killed_host_frees_the_port_at_once(port: str, tmp_path: Path, wait_until: Callable[..., None]) -> None:
    path = tmp_path / "r.mcap"
    process = subprocess.Popen([*HOST, "record", port, "-o", str(path)], stdout=subprocess.DEVNULL)
    wait_until(path.exists, "a recording")
    process.kill()
    process.wait()
    with Wearable.open(port) as wearable:
        assert listen_for(wearable, 4).statistics().moments["skin"] >= 4


def test_stream_on_a_pipe_writes_an_object_for_each_item(port: str, capsys: Capture) -> None:
    capsys.readouterr()
    assert run(["stream", port, "--seconds", "3", "--json", "--whole"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    picture = next(line for line in lines if line["type"] == "sample" and line["sensor"] == "skin")
    assert np.array(picture["signals"]["skin"]["values"]).shape == (ROWS, COLUMNS)
    assert picture["utc"].endswith("+00:00")
    assert lines[-1]["type"] == "summary"
    assert any(line["type"] == "sample" and line["sensor"] == "spots" for line in lines)
