"""The live view on terminals of every kind: q ends it, the terminal is given back, and each shows something it can."""

import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from in_terminal import Terminal, ended, run_in_terminal

from thermo_core.recording.session import Session
from thermo_core.wearable.profile import NOTICE
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder

Take = Callable[[int], list[Telemetry]]
Replay = Callable[..., Terminal]
HOST = [sys.executable, "-m", "thermo_host.cli"]
BLOCK = "\u2580".encode()


@pytest.fixture
def replay(tmp_path: Path, session: Session, telemetry: Take) -> Iterator[Replay]:
    """Replays a recording of some seconds in a terminal."""
    path = tmp_path / "r.mcap"
    with Recorder(path, session) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    started: list[Terminal] = []

    def start(*options: str, **environment: str) -> Terminal:
        size = {key: int(environment.pop(key)) for key in ("width", "height") if key in environment}
        started.append(run_in_terminal([*HOST, "replay", str(path), *options], **size, environment=environment))
        return started[-1]

    yield start
    for terminal in started:
        ended(terminal)


def plain(shown: bytes, encoding: str = "utf-8") -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(encoding, errors="replace"))


def test_q_ends_it_and_gives_the_terminal_back(replay: Replay) -> None:
    terminal = replay("--speed", "0.05")
    before = terminal.attributes()
    assert BLOCK in terminal.read(lambda shown: shown.count(BLOCK) > 2000)
    assert terminal.attributes() != before
    assert "q ends it" in plain(bytes(terminal.shown))
    terminal.press(b"xq")
    assert terminal.end() == 0
    assert "skin: " in plain(bytes(terminal.shown))
    assert "cut off" not in plain(bytes(terminal.shown))
    assert b"\x1b[?25h" in terminal.shown  # the cursor is there again
    assert terminal.attributes() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_the_terminal_back_too(replay: Replay, number: signal.Signals, code: int) -> None:
    terminal = replay("--speed", "0.05")
    before = terminal.attributes()
    terminal.read(lambda shown: BLOCK in shown)
    terminal.process.send_signal(number)
    assert terminal.end() == code
    assert b"\x1b[?25h" in terminal.shown
    assert terminal.attributes() == before


def test_a_dumb_terminal_gets_lines(replay: Replay) -> None:
    terminal = replay("--speed", "4", TERM="dumb")
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    assert "skin 8.0/s" in plain(bytes(terminal.shown))
    assert NOTICE in " ".join(plain(bytes(terminal.shown)).split())


def test_without_colours_temperatures_are_shades(replay: Replay) -> None:
    terminal = replay("--speed", "4", "--range", "30,37", NO_COLOR="1")
    assert terminal.end() == 0
    text = plain(bytes(terminal.shown))
    assert BLOCK not in terminal.shown
    rows = [row for row in (line[:48] for line in text.splitlines()) if set(row) <= set(" .:-=+*#%@") and row.strip()]
    assert len(rows) > 20
    assert len(set("".join(rows))) >= 4


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_an_old_character_set_is_enough(replay: Replay, encoding: str) -> None:
    terminal = replay("--speed", "4", PYTHONIOENCODING=encoding)
    assert terminal.end() == 0
    text = plain(bytes(terminal.shown), encoding)
    assert "lesion" in text
    assert "####" in text
    assert NOTICE in text
    assert "Traceback" not in text


def test_an_old_character_set_behind_a_pipe_is_enough(tmp_path: Path, replay: Replay) -> None:
    terminal = replay("--summary", PYTHONIOENCODING="latin-1:strict")
    assert terminal.end() == 0
    assert "skin: " in plain(bytes(terminal.shown), "latin-1")
