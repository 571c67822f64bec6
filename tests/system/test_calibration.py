"""Calibration of a simulated wearable over its port, by the command a user types."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import RefusedError
from thermo_core.sensors.correction import Stamp, fingerprint, to_bytes
from thermo_core.sensors.kinds import correction_of
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_host.link.wearable import Wearable
from thermo_sim.control import request

pytestmark = pytest.mark.lengthy

HOST = [sys.executable, "-m", "thermo_host.cli"]


def calibrate(port: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run `thermo-host calibrate --json` and return its JSON."""
    done = subprocess.run(
        [*HOST, "calibrate", str(port), "--json", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    (line,) = done.stdout.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def stored(port: Path) -> tuple[bytes, bytes]:
    """Current and previous correction of a wearable's camera."""
    with Wearable.open(str(port)) as wearable:
        return wearable.correction_bytes(0, 0), wearable.correction_bytes(0, 1)


def identity(wearable: Wearable, created_unix_s: int = 0) -> PixelCorrection:
    """A correction of the camera that changes nothing."""
    sensor_id = wearable.hello().sensors[0].id
    constants = wearable.constants(0, "mlx90640").data
    return PixelCorrection.identity(Stamp(sensor_id, created_unix_s, 0.0, fingerprint(constants)))


def thermistors(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What was found of each."""
    (spots,) = figures["sensors"]
    found: list[dict[str, Any]] = spots["numbers"]
    return found


def scene_mean(port: Path) -> float:
    """Mean of what the simulated sensor looks at, degC."""
    mean: float = request(Path(f"{port}.ctl"), {"cmd": "status"})["scene_mean_celsius"]
    return mean


def test_calibrate_verify_and_roll_back(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    port = start_wearable("--speed", "max", "--seed", "3").link
    scene = scene_mean(port)
    dry = calibrate(port, "--pictures", "16", "--quick", "--dry-run", "--output", str(tmp_path / "dry"))
    assert not dry["written"]
    assert stored(port) == (b"", b"")

    figures = calibrate(port, "--quick", "--yes", "--output", str(tmp_path / "first"))
    assert figures["written"] and figures["accepted"]
    assert 0.5 < figures["before"]["rmse_k"] < 0.9
    assert figures["after"]["rmse_k"] <= 0.08
    assert all(thermistor["hold_out_after"] < 0.02 for thermistor in thermistors(figures))
    assert scene_mean(port) == pytest.approx(scene, abs=0.5)
    first, none = stored(port)
    assert none == b""
    correction = correction_of(first)
    assert correction.stamp.sensor_id.hex() == figures["subject"]["sensor_id"]
    assert correction.stamp.residual_rms == pytest.approx(figures["after"]["rmse_k"], abs=1e-4)
    page = Path(figures["report"]["html"]).read_text(encoding="utf-8")
    assert "written and read back" in page
    with Wearable.open(str(port)) as wearable:
        assert [sensor.corrected for sensor in wearable.hello().sensors] == [True, True]

    # at a temperature that neither fit nor hold-out has seen
    verified = calibrate(port, "--verify", "--quick", "--hold-out", "32.2", "--output", str(tmp_path / "verified"))
    assert verified["after"]["rmse_k"] <= 0.08
    assert stored(port) == (first, b"")

    calibrate(port, "--quick", "--pictures", "32", "--yes", "--output", str(tmp_path / "second"))
    second, previous = stored(port)
    assert previous == first != second
    assert calibrate(port, "--rollback", "--yes")["rolled_back"]
    assert stored(port)[0] == first


def test_five_set_points_reach_four_hundredths_of_a_kelvin(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    port = start_wearable("--speed", "max", "--seed", "11").link
    figures = calibrate(
        port, "--set-points", "25,30,34,37,40", "--skip-warm-up", "--yes", "--output", str(tmp_path / "report")
    )
    assert figures["after"]["rmse_k"] <= 0.04
    assert [hold_out["reference_c"] for hold_out in figures["hold_outs"]] == [31.3, 34.7, 36.9, 39.2]
    assert figures["warm_up"][0]["skipped"]
    assert all(thermistor["how"].startswith("a, b and c") for thermistor in thermistors(figures))


def test_a_wrong_calibration_fails_verification_and_one_of_another_sensor_is_refused(
    start_wearable: Callable[..., Any], tmp_path: Path
) -> None:
    port = start_wearable("--speed", "max", "--seed", "4").link
    missing = calibrate(port, "--verify", "--output", str(tmp_path / "none"), code=8)
    assert "holds no correction of skin" in missing["error"]["message"]
    with Wearable.open(str(port)) as wearable:
        wrong = replace(identity(wearable), offset=np.full((24, 32), 1.0, np.float32))
        wearable.write_correction(0, wrong)
        with pytest.raises(RefusedError, match="sensor"):
            wearable.write_correction(0, replace(wrong, stamp=replace(wrong.stamp, sensor_id=bytes(6))))
        assert wearable.correction_bytes(0) == to_bytes(wrong)
    refused = calibrate(port, "--verify", "--quick", "--pictures", "16", "--output", str(tmp_path / "wrong"), code=8)
    assert "calibrate anew" in refused["error"]["message"]
    assert json.loads((tmp_path / "wrong" / "report.json").read_text())["accepted"] is False


def test_a_write_that_stops_half_way_leaves_the_old_calibration(start_wearable: Callable[..., Any]) -> None:
    port = start_wearable("--speed", "max", "--seed", "5").link

    def stop_half_way(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with Wearable.open(str(port)) as wearable:
        old = identity(wearable)
        wearable.write_correction(0, old)
        with pytest.raises(KeyboardInterrupt):
            wearable.write_correction(0, identity(wearable, 1), stop_half_way)
        assert wearable.correction_bytes(0) == to_bytes(old)
        wearable.write_correction(0, identity(wearable, 2))
        stored_now = wearable.correction(0)
        assert stored_now is not None and stored_now.stamp.created_unix_s == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_the_device_quiet_its_scene_back_and_nothing_written(
    start_wearable: Callable[..., Any], tmp_path: Path, wait_until: Callable[..., None], number: signal.Signals
) -> None:
    port = start_wearable("--seed", "6").link
    scene = scene_mean(port)
    running = subprocess.Popen(
        [*HOST, "calibrate", str(port), "--quick", "--pictures", "16", "--yes", "--output", str(tmp_path / "report")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: scene_mean(port) == 37.0, "the second set-point")
    running.send_signal(number)
    _, words = running.communicate()
    assert running.returncode == 128 + number, words
    assert "Traceback" not in words
    assert scene_mean(port) == pytest.approx(scene, abs=0.5)
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["measurements.json"]
    assert f"--resume {tmp_path / 'report'}" in " ".join(words.split())
    with Wearable.open(str(port)) as wearable:
        received = wearable.line.bytes_received
        time.sleep(0.5)
        assert wearable.line.bytes_received == received
        assert wearable.correction_bytes(0) == b""
    calibrate(port, "--resume", str(tmp_path / "report"), "--pictures", "99", code=2)
    finished = calibrate(port, "--resume", str(tmp_path / "report"), "--yes")
    assert finished["written"]
    assert finished["settings"]["pictures"] == 16
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["report.html", "report.json"]
    points = json.loads((tmp_path / "report" / "report.json").read_text())["observations"]
    assert [point["nominal_c"] for point in points] == [30.0, 37.0, 34.7]


def test_somebody_sets_the_blackbody_and_types(start_wearable: Callable[..., Any], tmp_path: Path) -> None:
    port = start_wearable("--speed", "max", "--seed", "7").link
    running = subprocess.Popen(
        [*HOST, "calibrate", str(port), "--reference", "typed", "--quick", "--output", str(tmp_path / "report")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdin and running.stderr
    heard, asked = "", []
    while letter := running.stderr.read(1):
        heard += letter
        if heard.endswith("type its reading and Enter: "):
            celsius = float(re.findall(r"blackbody to ([\d.]+) degC", heard)[-1])
            asked.append(celsius)
            request(Path(f"{port}.ctl"), {"cmd": "blackbody", "celsius": celsius + 0.25})
            running.stdin.write(f"{celsius + 0.25:.2f}\n")
            running.stdin.flush()
        elif heard.endswith("[y/N] "):
            running.stdin.write("y\n")
            running.stdin.flush()
    words, _ = running.communicate()
    assert running.returncode == 0, heard
    assert asked == [30.0, 37.0, 34.7]
    assert "Written to the device and read back." in words
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [observation["reading_c"] for observation in data["observations"]] == [30.25, 37.25, 34.95]
    assert data["after"]["rmse_k"] <= 0.08
    assert stored(port)[0]


def test_where_nothing_can_be_calibrated_nothing_is_left_behind(
    start_wearable: Callable[..., Any], tmp_path: Path
) -> None:
    wearable = start_wearable("--wearable", "core-temperature")
    folder = tmp_path / "cal"
    command = [*HOST, "calibrate", str(wearable.link), "--quick", "--yes", "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "there is nothing to do" in done.stderr
    assert not folder.exists()
