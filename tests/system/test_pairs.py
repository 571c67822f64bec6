"""Pairs of thermistors on two chips, after the calibration that a user types."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.lengthy

HOST = [sys.executable, "-m", "thermo_host.cli"]


def test_pairs_agree_to_0_05_kelvin_after_the_calibration_that_a_user_types(start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable("--wearable", "neuro-band", "--no-warm-up", "--speed", "max")
    words = ["--json", "--quick", "--set-points", "25,35,42", "--hold-out", "31,38", "--skip-warm-up", "--yes"]
    done = subprocess.run([*HOST, "calibrate", str(wearable.link), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    chips = [sensor["numbers"] for sensor in found["sensors"] if sensor["kind"] == "ads1115-ntc"]
    assert [len(numbers) for numbers in chips] == [4, 4]
    for numbers in chips:
        for left, right in zip(numbers[0::2], numbers[1::2], strict=True):
            assert left["hold_out_after"] + right["hold_out_after"] <= 0.05
