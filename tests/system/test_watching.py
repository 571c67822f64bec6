"""Watching and recording a wearable in a terminal: progress, q, a closed window, a pulled cable."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from in_terminal import Terminal, ended, run_in_terminal
from recorded import items_so_far

from thermo_core.recording.layout import Gap, Marker
from thermo_host.link.wearable import Wearable
from thermo_host.stream.playback import Recording
from thermo_sim import control

HOST = [sys.executable, "-m", "thermo_host.cli"]


@pytest.fixture
def port(start_wearable: Callable[..., Any]) -> str:
    return str(start_wearable("--seed", "5").link)


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def run(*arguments: str) -> Terminal:
        started.append(run_in_terminal([*HOST, *arguments], 120, 30))
        return started[-1]

    yield run
    for terminal in started:
        ended(terminal)


def test_record_says_how_far_it_is_and_q_ends_it(port: str, tmp_path: Path, start: Callable[..., Terminal]) -> None:
    path = tmp_path / "r.mcap"
    terminal = start("record", port, "-o", str(path))
    shown = terminal.read(lambda shown: re.search(rb"skin [1-9]\d*", shown) is not None)
    assert b"blocks lost" in shown and b"kB in" in shown and b"m marks, q or Ctrl-C ends it" in shown
    terminal.press(b"m")
    terminal.press(b"q")
    assert terminal.end() == 0
    assert b"Recording: " in terminal.shown
    recording = Recording(path)
    assert len(list(recording)) > 2
    assert sum(isinstance(item, Marker) for item in recording) == 1
    assert recording.complete
    with Wearable.open(port) as wearable:
        assert wearable.hello().serial == recording.session.hello.serial


@pytest.mark.parametrize("view", ["--view", "--no-view"])
def test_a_closed_window_leaves_the_device_quiet_and_the_file_whole(
    port: str, tmp_path: Path, start: Callable[..., Terminal], view: str
) -> None:
    path = tmp_path / "r.mcap"
    terminal = start("record", port, "-o", str(path), view)
    terminal.read(lambda shown: items_so_far(path) > 10)
    terminal.hang_up()
    assert terminal.end() == 129
    recording = Recording(path)
    assert len(list(recording)) > 10
    assert recording.complete
    with Wearable.open(port) as wearable:
        time.sleep(0.5)
        before = wearable.line.bytes_received
        time.sleep(1.0)
        assert wearable.line.bytes_received == before


def test_a_pulled_cable_is_shown_and_said(port: str, start: Callable[..., Terminal]) -> None:
    terminal = start("stream", port, "--reconnect")
    terminal.read(lambda shown: b"thermistor 1" in shown)
    control.request(Path(port + ".ctl"), {"cmd": "unplug", "seconds": 3.0})
    terminal.read(lambda shown: b"NO DATA" in shown)
    terminal.shown.clear()
    terminal.read(lambda shown: shown.count(b"NO DATA") > 2)
    assert b" ALERT " not in terminal.shown.rpartition(b"NO DATA")[2]
    terminal.shown.clear()
    terminal.read(lambda shown: b"s in all" in shown)
    assert b"NO DATA" not in terminal.shown.rpartition(b"s in all")[2]
    terminal.press(b"q")
    assert terminal.end() == 0


def test_a_program_is_told_that_nothing_comes_and_that_it_is_back(port: str) -> None:
    process = subprocess.Popen(
        [*HOST, "stream", port, "--reconnect", "--json", "--seconds", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    kinds = []
    for line in process.stdout:
        kinds.append(json.loads(line)["type"])
        if kinds.count("sample") == 3 and "lost" not in kinds:
            control.request(Path(port + ".ctl"), {"cmd": "unplug", "seconds": 0.5})
        if "gap" in kinds and kinds[-1] == "sample":
            break
    process.terminate()
    process.communicate()
    assert kinds.index("sample") < kinds.index("lost") < kinds.index("gap")
    assert kinds.count("lost") == kinds.count("gap") == 1


def test_a_recording_that_ends_without_its_wearable_says_since_when(
    port: str, tmp_path: Path, start: Callable[..., Terminal]
) -> None:
    path = tmp_path / "r.mcap"
    terminal = start("record", port, "-o", str(path))
    terminal.read(lambda shown: items_so_far(path) > 10)
    control.request(Path(port + ".ctl"), {"cmd": "unplug", "seconds": 60.0})
    terminal.read(lambda shown: b"NO DATA" in shown)
    terminal.press(b"q")
    assert terminal.end() == 0
    last = list(Recording(path))[-1]
    assert isinstance(last, Gap)
    assert last.reason == "the port vanished"
    assert last.to_ns > last.from_ns
