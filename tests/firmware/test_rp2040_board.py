"""`thermo-sim board rp2040`: an emulated board behind a pseudo-terminal, its flash in a file, and what it refuses."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_probe import RESET_POWER, Kind, Probe, running

from thermo_core.errors import DamagedFileError, ThermoError, UsageError
from thermo_sim import control
from thermo_sim.any_board import board_of
from thermo_sim.board import BoardOptions
from thermo_sim.rp2040.machine import FLASH_BYTES

KEPT = 0x150000


@pytest.fixture
def kind(rp2040: Callable[..., bytes], tmp_path: Path) -> Kind:
    path = tmp_path / "probe.bin"
    path.write_bytes(rp2040())
    return Kind("rp2040", path)


@pytest.fixture
def probe(kind: Kind, tmp_path: Path) -> Iterator[Probe]:
    with running(kind, tmp_path) as probe:
        yield probe


def test_a_host_talks_to_it_and_the_laboratory_reaches_it(probe: Probe) -> None:
    rng = np.random.default_rng(5)
    text = "".join(map(chr, rng.integers(0x21, 0x7F, 900)))
    assert probe.ask(f"echo {text}") == text and probe.ask("cause") == RESET_POWER
    path = probe.board.control_path
    control.request(path, {"cmd": "blackbody", "celsius": 37.5})
    status = control.request(path, {"cmd": "status"})
    assert status["scene_mean_celsius"] == pytest.approx(37.5, abs=0.1)
    assert (status["board"], status["starts"], status["last_fault"]) == ("rp2040", 1, None)
    probe.send(b"fault\n")
    assert probe.revive("cause") != RESET_POWER
    status = control.request(path, {"cmd": "status"})
    assert status["starts"] == 2 and 0x10000000 < status["last_fault"]["pc"] < 0x10020000


def test_it_is_never_ahead_of_the_wall(kind: Kind, tmp_path: Path) -> None:
    began_s = time.monotonic()
    with running(kind, tmp_path) as probe:
        for _ in range(3):
            time.sleep(0.2)
            emulated_s = control.request(probe.board.control_path, {"cmd": "status"})["emulated_s"]
            assert 0 < emulated_s <= time.monotonic() - began_s


def test_an_unplugged_board_keeps_running(probe: Probe) -> None:
    before_us = int(probe.ask("time"))
    control.request(probe.board.control_path, {"cmd": "unplug", "seconds": 0.3})
    end = time.monotonic() + 30
    while not probe.board.options.link.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    probe.reopen()
    assert int(probe.revive("time")) > before_us and probe.ask("cause") == RESET_POWER


def test_its_flash_stays_in_its_state(kind: Kind, tmp_path: Path) -> None:
    options = BoardOptions(tmp_path / "line", kind="rp2040", firmware=kind.firmware, state=tmp_path / "state")
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("program 64 90") == "0"
        with pytest.raises(UsageError, match="Another board uses"):
            board_of(replace(options, link=tmp_path / "other"))
    stored = (tmp_path / "state" / "rp2040.flash").read_bytes()
    assert len(stored) == FLASH_BYTES and stored[KEPT + 64 : KEPT + 72] == b"\x5a" * 8
    assert stored.startswith(kind.firmware.read_bytes())
    with running(kind, tmp_path, options) as probe:
        assert probe.ask("peek 64") == "5a" * 8 and probe.ask("cause") == RESET_POWER
    (tmp_path / "state" / "rp2040.flash").write_bytes(b"notes")
    with pytest.raises(DamagedFileError, match="no board's flash"):
        board_of(options)
    assert (tmp_path / "state" / "rp2040.flash").read_bytes() == b"notes"


@pytest.mark.parametrize("make", [lambda data: data[:300], lambda data: b"#!/bin/sh\n" * 90, lambda data: b""])
def test_what_it_cannot_start_is_refused(kind: Kind, tmp_path: Path, make: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(make(kind.firmware.read_bytes()[1:]))
    options = BoardOptions(tmp_path / "line", kind="rp2040", firmware=path, state=tmp_path / "state")
    for _ in range(2):  # nor does it hold the state
        with pytest.raises(UsageError, match="no firmware that an RP2040 starts"):
            board_of(options)


def test_a_firmware_for_another_chip_is_refused(kind: Kind, tmp_path: Path) -> None:
    source = tmp_path / "other.s"
    source.write_text(".text\n.global _start\n_start: nop\n")
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-nostdlib", str(source), "-o", str(tmp_path / "other.elf")],
        check=True,
    )
    with pytest.raises(UsageError, match="where an RP2040 has no flash"):
        board_of(BoardOptions(tmp_path / "line", kind="rp2040", firmware=tmp_path / "other.elf"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--firmware", "nowhere.bin"), "no firmware at nowhere.bin; build it with make firmware"),
        (("--firmware", __file__, "--gdb", "x"), "has no debugger; leave out --gdb"),
        (("--firmware", __file__), "no firmware that an RP2040 starts"),
    ],
)
def test_what_is_wrong_is_one_sentence(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "thermo_sim.cli", "board", "rp2040", *words, "--link", str(tmp_path / "line")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_its_emulator_it_says_what_to_install(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "rp2040py.py").write_text("raise ModuleNotFoundError('gone', name='rp2040py')\n")
    words = ["board", "rp2040", "--firmware", str(kind.firmware), "--link", str(tmp_path / "line")]
    done = subprocess.run(
        [sys.executable, "-m", "thermo_sim.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 2 and "pip install thermo-edge[boards]" in done.stderr, done.stderr


def test_an_emulator_that_fails_says_so(kind: Kind, tmp_path: Path) -> None:
    with running(kind, tmp_path) as probe:

        def fail(*_: object) -> None:
            raise RuntimeError("no wire")

        bus: Any = probe.board.hardware.bus
        bus.begin = fail
        probe.send(b"read 51 0 2\n")
        with pytest.raises(ThermoError, match=r"The emulator of the board rp2040 ended \(no wire\); start it again"):
            probe.board.wait(60)
