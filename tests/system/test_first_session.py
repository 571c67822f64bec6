"""Every wearable that comes with the product says something at once, in the world that was made for it, with nothing else typed."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_probe import build
from patience import WAIT_S

from thermo_core.exit_codes import ExitCode
from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.sensors.kind import Block
from thermo_core.wearable import file, library
from thermo_core.wire.records import FindingRecord
from thermo_host import flash
from thermo_host.application import run
from thermo_host.link.wearable import Wearable
from thermo_sim.board import Board, BoardOptions
from thermo_sim.hardware import SimulatedHardware

pytestmark = pytest.mark.lengthy

ROOT = Path(__file__).resolve().parents[2]
TEMPERATURE, HEART_RATE = 0, 1
"""Sensors of wrist-stress."""
FED = [
    name
    for name in library.names()
    if all(sensor.bus_path is None for sensor in file.read(library.resolve(name)).profile.sensors)
]


def bundle(name: str) -> Path:
    return ROOT / f"models/thermo_models/wearables/{name}/bundle.img"


def first_finding(port: Path, name: str, installed: Path | None = None) -> FindingRecord:
    """What the wearable first says of samples without gaps, or at last of others, which a busy machine leaves; flashed before, where a
    bundle is given."""
    # A recovery with gaps is no such curve as the network learnt. What a wrist says in its first seconds is outside anyway.
    doubts = DOUBTFUL if name == "time-constants" else DOUBTFUL & ~Quality.OUT_OF_DOMAIN
    with Wearable.open(str(port)) as wearable:
        if installed is not None:
            flash.flash(wearable, flash.load(installed))
        with wearable.stream() as stream:
            newest: FindingRecord | None = None
            end_s = time.monotonic() + WAIT_S
            while time.monotonic() < end_s and (newest is None or newest.flags & doubts):
                received = stream.get(0.2)
                if received is not None and isinstance(received.record, FindingRecord):
                    newest = received.record
    if newest is not None:
        return newest
    pytest.fail(f"nothing was found within {WAIT_S:g} s")


def check(name: str, finding: FindingRecord) -> None:
    """Against what the world has."""
    values = [float(value) for value in finding.values]
    if name == "time-constants":
        given = SimulatedHardware.from_profile(name).world.given["recovery"]
        assert values[0] == len(given.decays)
        assert values[1:3] == pytest.approx([decay.tau_s for decay in given.decays], rel=0.1)
        assert values[4:6] == pytest.approx([decay.size for decay in given.decays], abs=0.05)
    elif name == "core-temperature":
        assert 36.0 < values[0] < 38.0
    else:
        assert sum(values) == pytest.approx(1.0, abs=1e-3)


def test_the_wearables_that_are_given_everything_are_these() -> None:
    assert FED == ["core-temperature", "time-constants", "wrist-stress"]


@pytest.mark.parametrize("name", FED)
def test_the_agent_says_what_the_world_has(name: str, start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable("--wearable", name, "--speed", "max")
    assert "the world gives" in wearable.ready
    check(name, first_finding(wearable.link, name, bundle(name)))


@pytest.mark.parametrize(
    ("kind", "name"),
    [*(("host", name) for name in FED), ("mps2-an386", "core-temperature"), ("mps2-an386", "wrist-stress")],
)
def test_a_board_says_what_the_world_has(kind: str, name: str, tmp_path: Path) -> None:
    firmware = build(kind.replace("-", "_"), tmp_path / "build", wearable=name)
    with Board(BoardOptions(tmp_path / "thermo", kind, wearable=name, firmware=firmware)) as board:
        check(name, first_finding(board.options.link, name))


def test_a_sensor_that_a_host_feeds_is_the_hosts_until_its_stream_ends(start_wearable: Callable[..., Any]) -> None:
    link = start_wearable("--wearable", "wrist-stress").link
    with Wearable.open(str(link)) as wearable:
        for fed in (True, False):
            with wearable.stream() as stream:
                if fed:
                    wearable.feed(HEART_RATE, np.array([91.0], np.float32))
                heard: list[Block] = []
                end_s = time.monotonic() + WAIT_S
                while sum(block.sensor == TEMPERATURE for block in heard) < 30 and time.monotonic() < end_s:
                    received = stream.get(0.2)
                    if received is not None and isinstance(received.record, Block):
                        heard.append(received.record)
            rates = [float(np.frombuffer(block.data, "<f4")[0]) for block in heard if block.sensor == HEART_RATE]
            if fed:
                assert rates[-1] == 91.0, "what came after it was the world's"
            else:
                assert len(rates) > 20


def test_the_demo_goes_to_the_end_and_says_that_nothing_is_to_be_calibrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("host", "sim", "quantize"):
        package = f"thermo_{name}"
        script = programs / f"thermo-{name}"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m {package}.cli "$@"\n')
        script.chmod(0o755)
    out = tmp_path / "out"
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "WEARABLE": "core-temperature",
        "SECONDS_LONG": "3",
    }
    environment.pop("BOARD", None)
    done = subprocess.run(
        ["sh", ROOT / "demo/first_session.sh", out],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no sensor that can be calibrated; there is nothing to do" in done.stdout
    found = re.search(r"core: (\d+) of (\d+) findings? with the same verdict, values at most 0 apart", done.stdout)
    assert found is not None and found[1] == found[2], done.stdout
    recording = out / "session.mcap"
    assert run(["export", str(recording), str(tmp_path / "session.csv")]) == ExitCode.OK
    capsys.readouterr()
    assert any(
        "34.0" in path.read_text() and "age_years" in path.read_text() for path in tmp_path.glob("session*.json")
    )
