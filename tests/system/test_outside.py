"""The real agent and the real host with a wearable that is given everything from outside: fed, alerted, recorded, computed again."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from bundles import KEY, image
from small_networks import networks

from thermo_core import schema
from thermo_core.bundle import Bundle
from thermo_core.errors import RefusedError
from thermo_core.exit_codes import ExitCode
from thermo_core.graph.alerts import AlertState
from thermo_core.graph.bare import without_models
from thermo_core.graph.plan import plan
from thermo_core.recording.layout import Marker
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import AlertRecord, FindingRecord, SignalRecord
from thermo_device.agent import Agent, AgentSettings
from thermo_device.clock import SystemClock
from thermo_device.hardware import Hardware
from thermo_host import flash
from thermo_host.application import run
from thermo_host.link.items import Telemetry
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording
from thermo_sim.wearable import Cable

Capture = pytest.CaptureFixture[str]
OUTSIDE = schema.from_plain(
    {
        "name": "outside",
        "version": "1",
        "person": ["age_years"],
        "sensors": [
            {"kind": "external", "name": "pulse", "unit": "bpm", "rate_hz": 50.0, "low": 20, "high": 250},
            {"kind": "external", "name": "face", "shape": [2], "unit": "degC", "given": ["nose", "brow"]},
        ],
        "stages": [{"op": "scale", "of": "pulse", "gives": "share", "factor": 0.01}],
        "models": [{"name": "calm", "inputs": ["share"], "scores": ["calm", "excited"]}],
        "alerts": [{"name": "racing", "when": "pulse > 130", "for": {"findings": 2}, "text": "The heart races."}],
    },
    Profile,
    "profile",
)


class NoBus:
    """A board without any chip."""

    def i2c_rdwr(self, *messages: Any) -> None:
        raise OSError(121, "Remote I/O error")

    def recover(self) -> None:
        """Nobody holds it."""


@dataclass(frozen=True)
class Board:
    """An agent in a thread of its own, on a cable that can be pulled."""

    agent: Agent
    cable: Cable
    port: str

    def pull(self, seconds: float) -> None:
        self.cable.pull(seconds, self.agent.wake)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    link = tmp_path / "outside"
    hardware = Hardware(NoBus(), SystemClock(), "outside", "OUT-1", simulated=False)
    settings = AgentSettings(tmp_path / "state", (KEY.public_key(),), bare=without_models(OUTSIDE))
    cable = Cable(link)
    agent = Agent(cable, hardware, settings)
    thread = threading.Thread(target=agent.run)
    thread.start()
    until = time.monotonic() + 30
    while not link.exists() and time.monotonic() < until:
        time.sleep(0.01)
    yield Board(agent, cable, str(link))
    agent.stop()
    thread.join()


@pytest.fixture
def port(board: Board) -> str:
    return board.port


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "outside.img"
    made = Bundle(profile=OUTSIDE, networks=networks(plan(OUTSIDE), seed=0), card="A test.")
    path.write_bytes(image(made))
    return path


def answer(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run([*arguments, "--timeout", "20", "--json"])
    return int(code), json.loads(capsys.readouterr().out.splitlines()[-1])


def table(folder: Path, values: list[float]) -> str:
    path = folder / "pulse.csv"
    path.write_text("bpm\n" + "\n".join(f"{value:g}" for value in values))
    return str(path)


def test_a_bare_wearable_is_asked_and_told(port: str, tmp_path: Path, capsys: Capture) -> None:
    code, told = answer(capsys, "info", port)
    assert code == 0
    assert [sensor["name"] for sensor in told["sensors"]] == ["pulse", "face"]
    assert told["models"] == told["alerts"] == told["images"] == []
    code, told = answer(capsys, "feed", port, "pulse", table(tmp_path, [60, 61, 62]), "--speed", "0")
    assert (code, told["samples"]) == (0, 3)
    with Wearable.open(port) as wearable, wearable.stream():
        for sensor, values in ((7, [1.0]), (0, [1.0, 2.0]), (1, [1.0])):
            with pytest.raises(RefusedError):
                wearable.feed(sensor, values)  # type: ignore[arg-type]


def test_a_table_is_given_while_it_is_recorded(port: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "r.mcap"
    fed = f"pulse={table(tmp_path, [60.0 + number for number in range(20)])}"
    code, told = answer(capsys, "record", port, "-o", str(path), "--seconds", "3", "--feed", fed)
    assert (code, told["moments"]["pulse"]) == (0, 20)
    code, told = answer(capsys, "record", port, "-o", str(tmp_path / "s.mcap"), "--seconds", "20", "--feed", "nose=x")
    assert code == ExitCode.USAGE and "no sensor 'nose'" in told["error"]["message"]
    (tmp_path / "bad.csv").write_text("60\nhigh\n")
    fed = f"pulse={tmp_path / 'bad.csv'}"
    code, told = answer(capsys, "record", port, "-o", str(tmp_path / "t.mcap"), "--seconds", "60", "--feed", fed)
    assert code == ExitCode.USAGE and "'high' is no number" in told["error"]["message"]


@pytest.mark.parametrize("source", ["a table", "standard input"])
def test_feeding_goes_on_after_the_cable_was_pulled(board: Board, tmp_path: Path, source: str) -> None:
    """Rows that were due meanwhile are counted and passed over: they stand for what was measured then."""
    fed = table(tmp_path, [60.0 + number % 100 for number in range(20_000)]) if source == "a table" else "-"
    command = [sys.executable, "-m", "thermo_host.cli", "stream", board.port, "--json", "--reconnect"]
    host = subprocess.Popen(
        [*command, "--feed", f"pulse={fed}", "--timeout", "20"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert host.stdin is not None and host.stdout is not None and host.stderr is not None
    ended = threading.Event()

    def say(lines: IO[str]) -> None:
        with contextlib.suppress(OSError):
            while not ended.wait(0.02):
                lines.write("70\n")
                lines.flush()

    speaker = threading.Thread(target=say, args=(host.stdin,))
    if fed == "-":
        speaker.start()
    samples, gaps = [0], 0
    summary: dict[str, Any] = {}
    try:
        for line in host.stdout:
            told = json.loads(line)
            if "error" in told:
                assert told["error"]["kind"] == "Interrupted", told
                break
            samples[-1] += told["type"] == "sample" and told["sensor"] == "pulse"
            if told["type"] == "gap":
                gaps += 1
                samples.append(0)
            elif told["type"] == "summary":
                summary = told
            if samples == [5]:
                board.pull(1.0)
                samples[-1] += 1
            elif gaps and samples[-1] == 5:
                host.send_signal(signal.SIGINT)
                samples[-1] += 1
    finally:
        ended.set()
        host.kill()
        host.communicate()
        if fed == "-":
            speaker.join()
    assert gaps == 1 and samples[-1] >= 5
    assert summary["fed"]["pulse"]["samples"] >= 10 and summary["fed"]["pulse"]["missed"] > 0


def test_without_a_word_of_reconnecting_a_pulled_cable_ends_it(board: Board, tmp_path: Path, capsys: Capture) -> None:
    fed = table(tmp_path, [60.0] * 20_000)
    puller = threading.Timer(1.0, board.pull, args=(0.5,))
    puller.start()
    code, told = answer(capsys, "stream", board.port, "--feed", f"pulse={fed}", "--seconds", "600")
    puller.join()
    assert code == ExitCode.LINK and told["error"]["message"].count(". ") == 0


def test_what_is_known_of_the_wearer_outlasts_a_reset(port: str, bundle: Path, capsys: Capture) -> None:
    with Wearable.open(port) as wearable:
        flash.flash(wearable, flash.load(bundle))
    code, told = answer(capsys, "person", port, "age_years=44")
    assert (code, told["person"]) == (0, {"age_years": 44.0})
    assert answer(capsys, "reset", port)[0] == 0
    assert answer(capsys, "person", port)[1]["person"] == {"age_years": 44.0}
    with Wearable.open(port) as wearable:
        session = fetch(wearable)
        assert session.person == {"age_years": 44.0} and session.profile == OUTSIDE


def test_fed_alerted_recorded_and_computed_again(
    port: str, bundle: Path, tmp_path: Path, capsys: Capture, wait_until: Callable[..., None]
) -> None:
    with Wearable.open(port) as wearable:
        flash.flash(wearable, flash.load(bundle))
        session = fetch(wearable)
        number = session.plan.number_of("share")
        path = tmp_path / "r.mcap"
        heard: list[Telemetry] = []
        with contextlib.ExitStack() as stack:
            recorder = stack.enter_context(Recorder(path, session))
            stream = stack.enter_context(wearable.stream(lease_s=10.0))
            assert wearable.choose_signals([number]) == (number,)
            wearable.feed(0, [70.0])  # type: ignore[arg-type]
            wearable.feed(1, [30.0, 34.0])  # type: ignore[arg-type]
            recorder.add(Marker(at_ns=session.started_ns + 1, text="races"))

            def raised() -> bool:
                """Give on, as a device that is busy passes samples over."""
                wearable.feed(0, [140.0])  # type: ignore[arg-type]
                item = stream.get(0.1)
                if item is not None:
                    heard.append(item)
                    recorder.add(item)
                records = [one.record for one in heard]
                alerts = [one.change.state for one in records if isinstance(one, AlertRecord)]
                findings = sum(isinstance(one, FindingRecord) for one in records)
                return AlertState.RAISED in alerts and findings >= 3

            wait_until(raised, "the alert")
        sent = [item.record for item in heard if isinstance(item.record, SignalRecord)]
        assert sent and all(record.signal == number for record in sent)
        assert {round(float(record.values[0]), 3) for record in sent} <= {0.7, 1.4}
        assert AlertState(wearable.alerts()[0].state) is AlertState.RAISED
        assert AlertState(wearable.acknowledge(0)[0].state) is AlertState.ACKNOWLEDGED
        with pytest.raises(RefusedError):
            wearable.acknowledge(9)
    code, told = answer(capsys, "alerts", port)
    assert (code, told["alerts"][0]["state"]) == (0, "acknowledged")
    capsys.readouterr()
    assert run(["rerun", str(path), "--bundle", str(bundle), "--json"]) == ExitCode.OK
    again = json.loads(capsys.readouterr().out)
    calm = again["models"]["calm"]
    assert calm["both"] >= 3 and calm["both"] == calm["same"] and calm["greatest"] == 0
    assert again["alerts"]["racing"] == {"recorded": 1, "again": 1}
    assert [item.text for item in Recording(path) if isinstance(item, Marker)] == ["races"]
