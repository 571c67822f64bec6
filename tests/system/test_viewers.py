"""What other programs see of a wearable while the commands run: LSL streams both ways, and Foxglove's server."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pylsl
import pytest
from patience import WAIT_S
from running import Running, started
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from thermo_core.recording.layout import LslSamples
from thermo_host.lsl.library import Scope, load
from thermo_host.stream.playback import Recording

NUMBER = 700 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="module")
def foreign() -> Any:
    """A stream that this program gives, which goes on until the end."""
    load(Scope.MACHINE)
    name = f"breath-{os.getpid()}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Respiration", 1, 50.0, pylsl.cf_float32, name))
    ended = threading.Event()

    def give() -> None:
        while not ended.wait(0.02):
            outlet.push_sample([0.5])

    thread = threading.Thread(target=give)
    thread.start()
    yield name
    ended.set()
    thread.join()


def command(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "thermo_host.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def wearable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A simulated wearable, with a number of its own: LSL gives streams of tests that run beside these too."""
    with started("agent", tmp_path_factory.mktemp("wearable"), "--seed", str(NUMBER)) as one:
        yield one


def summary(out: str) -> Any:
    return next(told for told in map(json.loads, out.splitlines()) if told.get("type") == "summary")


def pictures_of(process: "subprocess.Popen[str]") -> tuple[list[float], Any]:
    """A picture that LSL gives while a process runs, and the description of the stream."""
    until = time.monotonic() + WAIT_S
    found: list[Any] = []
    while not found:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        found = pylsl.resolve_bypred(
            f"type='Thermography' and starts-with(source_id,'thermo-edge:SIM-{NUMBER:08d}:')", 1, 1.0
        )
    inlet = pylsl.StreamInlet(found[0])
    row, _ = inlet.pull_sample(WAIT_S)
    assert row is not None
    return row, inlet.info(WAIT_S).desc()


def test_lsl_goes_both_ways_while_it_records(wearable: Running, tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "night.mcap"
    words = ("record", str(wearable.link), "-o", str(path), "--lsl", foreign, "--lsl-wait", "60", "--lsl-out", "--json")
    process = command(*words)
    row, _ = pictures_of(process)
    assert len(row) == 768 and 15 < min(row) < max(row) < 45
    until = time.monotonic() + WAIT_S
    while not any(isinstance(item, LslSamples) for item in Recording(path)):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.2)
    process.terminate()
    out, err = process.communicate(timeout=WAIT_S)
    told = summary(out)
    assert told["lsl"][foreign]["samples"] > 0
    assert "LSL streams" in err and "markers" in err
    recording = Recording(path)
    assert (
        sum(len(item.times_ns) for item in recording if isinstance(item, LslSamples)) == told["lsl"][foreign]["samples"]
    )
    assert recording.complete and not recording.damaged


def test_foxglove_is_served_and_says_where(wearable: Running) -> None:
    process = command("foxglove", str(wearable.link), "--bind", "0.0.0.0", "--listen-port", "0", "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["type"] == "listening" and "/?token=" in told["url"]
    port, _, token = told["url"].rpartition(":")[2].partition("/")
    with connect(f"ws://127.0.0.1:{port}/{token}", subprotocols=[Subprotocol("foxglove.sdk.v1")], proxy=None) as viewer:
        assert json.loads(viewer.recv(WAIT_S))["op"] == "serverInfo"
        topics: set[str] = set()
        while not topics >= {"/skin", "/spots", "/log"}:
            said = json.loads(viewer.recv(WAIT_S))
            topics |= {one["topic"] for one in said.get("channels", ())}
    process.terminate()
    out, _ = process.communicate(timeout=WAIT_S)
    assert summary(out)["moments"]["skin"] > 0


def test_a_hub_gives_its_wearables_to_lsl_where_it_is_told_to(wearable: Running, tmp_path: Path) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text(f'port = 0\nfolder = "{tmp_path / "hub"}"\nports = ["{wearable.link}"]\nlsl = "machine"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "thermo_hub.cli", "run", str(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    row, desc = pictures_of(process)
    assert len(row) == 768 and 15 < min(row) < max(row) < 45
    assert desc.child_value("notice").startswith("Informs only.")
    assert process.stderr is not None
    # It says so once they are open; who ended it sooner would find nothing said.
    assert any("LSL streams" in line for line in process.stderr)
    process.terminate()
    process.communicate(timeout=WAIT_S)
