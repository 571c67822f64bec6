"""A body on the screen and as SVG: every segment where it belongs, on the right side, in the colour of its temperature."""

import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_sessions import came, session_of
from rich.console import Console

from thermo_core import schema
from thermo_core.body import SEGMENTS, is_body
from thermo_core.exit_codes import ExitCode
from thermo_core.recording.session import Session
from thermo_core.sensors.external.kind import encode
from thermo_core.sensors.kind import Block
from thermo_core.signals import Signal
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import Record
from thermo_host.application import run
from thermo_host.screen.body_blocks import BodyBlocks, colour_of, columns_of
from thermo_host.screen.body_drawing import drawing
from thermo_host.screen.body_shapes import BACK, FRONT, NOTHING, pixels
from thermo_host.screen.layout import layout
from thermo_host.screen.view import View
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_sim.people import table

SVG = "{http://www.w3.org/2000/svg}"
LIMBS = ("shoulder", "arm", "hand", "thigh", "leg", "foot")


def warm(**celsius: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """(17,) 30 degC but for some segments, whose spaces are underscores."""
    values = np.full(17, 30.0, np.float32)
    for name, value in celsius.items():
        values[SEGMENTS.index(name.replace("_", " "))] = value
    return values


def shown(values: np.ndarray[tuple[int], np.dtype[np.float32]], lines: int, **options: Any) -> str:
    written = io.StringIO()
    console = Console(file=written, width=120, **options)
    console.print(BodyBlocks(values, 25.0, 35.0, lines), end="")
    return written.getvalue()


def test_segments_are_those_of_the_simulated_body_in_its_order() -> None:
    spelled = [
        ("left " if n[0] == "L" else "right ") + n[1:].lower() if n[1].isupper() else n.lower() for n in table.SEGMENTS
    ]
    assert list(SEGMENTS) == spelled


@pytest.mark.parametrize("rows", [24, 47, 72])
def test_each_view_shows_its_segments_on_the_side_where_one_sees_them(rows: int) -> None:
    for view, hidden, mirrored in ((FRONT, "back", True), (BACK, "chest", False)):
        seen = pixels(view, rows)
        assert set(np.unique(seen).tolist()) == {NOTHING, *range(17)} - {SEGMENTS.index(hidden)}
        columns = np.arange(seen.shape[1])
        for limb in LIMBS:
            left, right = (
                float(np.mean(np.broadcast_to(columns, seen.shape)[seen == SEGMENTS.index(f"{side} {limb}")]))
                for side in ("left", "right")
            )
            assert (left > right) == mirrored, (view, limb)
        heights = [
            np.argwhere(seen == SEGMENTS.index(name))[:, 0].mean()
            for name in ("head", "neck", "pelvis", "left thigh", "left foot")
        ]
        assert heights == sorted(heights)


def test_colours_in_a_terminal_are_those_of_the_temperatures() -> None:
    text = shown(warm(left_hand=35.0, right_hand=25.0), 24, force_terminal=True, color_system="truecolor")
    for celsius in (25.0, 30.0, 35.0):
        red, green, blue = (int(colour_of(celsius, 25.0, 35.0)[at : at + 2], 16) for at in (1, 3, 5))
        assert f"38;2;{red};{green};{blue}" in text
    rows = text.split("\n")
    assert len(rows) == 24 + 3


def test_without_colours_shades_tell_and_what_has_no_value_is_marked() -> None:
    text = shown(warm(head=35.0, pelvis=float("nan")), 24)
    rows = text.split("\n")
    assert max(len(row.rstrip()) for row in rows) <= columns_of(24)
    assert "@" in rows[2] and "?" not in rows[2]
    assert any("?" in row and "@" not in row for row in rows[8:13])
    assert not shown(np.full(17, np.nan, np.float32), 24).replace("?", "").split("front")[0].strip()


def test_a_drawing_tells_every_segment_of_both_views() -> None:
    values = warm(left_foot=27.25, neck=float("nan"))
    root = ET.fromstring(drawing(values, 25.0, 35.0, "a <b> & c", "now", "uncalibrated"))
    for view, hidden in ((FRONT, "back"), (BACK, "chest")):
        (group,) = [one for one in root.iter(f"{SVG}g") if one.get("id") == view]
        told = {}
        for polygon in group.iter(f"{SVG}polygon"):
            title = polygon.find(f"{SVG}title")
            assert title is not None and title.text is not None
            name, _, said = title.text.partition(": ")
            told[name] = (said, polygon.get("fill"))
        assert set(told) == set(SEGMENTS) - {hidden}
        assert told["left foot"] == ("27.2 °C", colour_of(27.25, 25.0, 35.0))
        assert told["neck"][0] == "no value"
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert "a <b> & c" in texts and "Informs only. Not a medical device." in texts


def test_only_seventeen_temperatures_that_are_called_segments_are_a_body() -> None:
    for name in ("segments", "smooth-segments"):
        assert is_body(Signal(name, (17,), "degC", 1.0, "x"))
    others = (
        ("segments", (17,), "K"),
        ("segments", (16,), "degC"),
        ("segments", (17, 1), "degC"),
        ("nodes", (17,), "degC"),
    )
    for name, shape, unit in others:
        assert not is_body(Signal(name, shape, unit, 1.0, "x"))


def test_a_scale_of_one_temperature_is_no_division_by_nothing(tmp_path: Path) -> None:
    path = tmp_path / "even.svg"
    path.write_text(drawing(np.full(17, 33.0, np.float32), 33.0, 33.0, "even", "", ""))
    assert ET.parse(path).getroot().tag == f"{SVG}svg"


GARMENT = {
    "name": "vest",
    "version": "1",
    "sensors": [{"kind": "external", "name": "nodes", "shape": [2], "unit": "degC", "rate_hz": 1.0}],
    "stages": [
        {
            "op": "body_map",
            "of": "nodes",
            "gives": "segments",
            "usual": [30.0, 30.0],
            "level": [30.0] * 17,
            "matrix": [float(node == segment % 2) for segment in range(17) for node in range(2)],
        },
        {"op": "resample", "of": "segments", "gives": "minute-segments", "rate_hz": 0.1},
    ],
}


@pytest.fixture
def vest() -> Session:
    return session_of(schema.from_plain(GARMENT, Profile, "profile"), {})


def told(seconds: int) -> list[Record]:
    return [Block(1_000_000 * (1 + s), 0, 0, s, encode(np.array([33.25, 31.0], np.float32))) for s in range(seconds)]


@pytest.mark.parametrize(("width", "height"), [(130, 40), (96, 30), (80, 22)])
def test_a_signal_of_segments_is_a_figure_whatever_the_wearable_is_called(
    vest: Session, width: int, height: int
) -> None:
    monitor = Monitor(vest)
    for item in came(told(5)):
        monitor.push(item)
    assert [signal.name for signal in layout(vest.plan).bodies] == ["segments"], (
        "the same at other moments is shown once"
    )
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="truecolor")
    lines = [
        "".join(part.text for part in line)
        for line in console.render_lines(View(monitor, "vest").render(width, height))
    ]
    text = "\n".join(lines)
    assert len(lines) < height and max(len(line.rstrip()) for line in lines) <= width
    for wanted in ("front", "back", "shoulder", "33.2", "31.0", "\u2580"):
        assert wanted in text, wanted


def test_a_terminal_too_small_for_a_figure_tells_numbers(vest: Session) -> None:
    monitor = Monitor(vest)
    for item in came(told(5)):
        monitor.push(item)
    console = Console(file=io.StringIO(), width=60, height=24, force_terminal=True)
    text = "".join(part.text for line in console.render_lines(View(monitor, "vest").render(60, 24)) for part in line)
    assert "front" not in text and "nodes" in text and "shoulder" in text
    assert "segments min 31.00" in View(monitor, "vest").line()


def test_a_recording_gives_a_drawing_and_tables_by_segment(
    vest: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "worn.mcap"
    with Recorder(path, vest) as recorder:
        for item in came(told(25)):
            recorder.take(item, None)
    assert run(["export", str(path), str(tmp_path / "worn.svg")]) == ExitCode.OK
    root = ET.parse(tmp_path / "worn.svg").getroot()
    assert "head: 33.2 °C" in [one.text for one in root.iter(f"{SVG}title")]
    assert run(["export", str(path), str(tmp_path / "worn.csv"), "--signals", "segments"]) == ExitCode.OK
    (table_,) = tmp_path.glob("worn*segments*.csv")
    assert "left hand" in table_.read_text().splitlines()[0]
    assert run(["rerun", str(path), "--show", "segments"]) == ExitCode.OK
    assert "right foot" in capsys.readouterr().out


def test_what_has_no_body_makes_no_drawing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = session_of(schema.from_plain(GARMENT | {"stages": []}, Profile, "profile"), {})
    path = tmp_path / "bare.mcap"
    with Recorder(path, plain) as recorder:
        for item in came(told(3)):
            recorder.take(item, None)
    assert run(["export", str(path), str(tmp_path / "bare.svg")]) == ExitCode.USAGE
    assert "17 temperatures" in capsys.readouterr().err and not (tmp_path / "bare.svg").exists()
