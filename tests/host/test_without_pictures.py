"""A wearable without a camera: its channels, their past, its heart rate, quantities with spread and alerts fill the screen."""

import io

import numpy as np
import pytest
from host_sessions import came, session_of
from rich.console import Console

from thermo_core import schema
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.quality import Quality
from thermo_core.recording.session import Session
from thermo_core.sensors.external.kind import encode
from thermo_core.sensors.kind import Block
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.records import AlertRecord, FindingRecord, Record
from thermo_core.wire.table import OutputKind
from thermo_host.screen.layout import layout
from thermo_host.screen.sparkline import BARS, sparkline
from thermo_host.screen.view import View
from thermo_host.sinks.describe import describe
from thermo_host.sinks.history import KEPT, History
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.summary import Summary

FEET = {
    "name": "insole",
    "version": "1",
    "sensors": [
        {
            "kind": "external",
            "name": "feet",
            "shape": [3],
            "unit": "degC",
            "rate_hz": 1.0,
            "given": ["toe", "ball", "heel"],
        },
        {"kind": "external", "name": "pulse", "unit": "bpm", "rate_hz": 1.0},
    ],
    "stages": [{"op": "scale", "of": "pulse", "gives": "beats", "factor": 0.5, "unit": "bpm"}],
    "models": [
        {
            "name": "core",
            "inputs": ["feet"],
            "quantities": [{"name": "core", "unit": "degC", "low": 30, "high": 43, "spread": 0.4}],
        }
    ],
    "alerts": [
        {"name": "cold", "when": "feet[0] < 15", "text": "A toe is cold."},
        {"name": "fever", "when": "core.core > 38", "severity": "urgent", "text": "Somebody has a fever."},
    ],
}


@pytest.fixture
def insole() -> Session:
    return session_of(schema.from_plain(FEET, Profile, "profile"), {})


def told(count: int) -> list[Record]:
    """So many seconds of it."""
    found: list[Record] = []
    for second in range(count):
        time_us = 1_000_000 + second * 1_000_000
        feet = np.array([30 + second / 10, 31, np.nan], np.float32)
        found.append(Block(time_us, 0, 0, second, encode(feet)))
        found.append(Block(time_us + 10, 1, 0, second, encode(np.array([70 + second % 3], np.float32))))
        flags = int(Quality.SIMULATED)
        newest = ((0, second),)
        found.append(FindingRecord(time_us + 20, 0, flags, 0, 9, 700, newest, OutputKind.QUANTITIES, (38.2,)))
    change = AlertChange(1, AlertState.RAISED, time_us, 38.2, 0)
    return [*found, AlertRecord(time_us + 30, change)]


@pytest.fixture
def monitor(insole: Session) -> Monitor:
    made = Monitor(insole)
    for item in came(told(60)):
        made.push(item)
    return made


def rendered(monitor: Monitor, width: int, height: int) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="truecolor")
    shown = View(monitor, "insole").render(width, height)
    return "\n".join("".join(part.text for part in line) for line in console.render_lines(shown))


@pytest.mark.parametrize(("width", "height"), [(160, 50), (121, 30), (96, 24), (80, 24), (50, 24)])
def test_everything_it_says_is_on_the_screen(monitor: Monitor, width: int, height: int) -> None:
    text = rendered(monitor, width, height)
    lines = text.splitlines()
    assert len(lines) < height
    assert max(len(line.rstrip()) for line in lines) <= width
    for wanted in (NOTICE, "ALERT  Somebody has a fever.", "toe", "ball", "heel", "35.90 °C", "38.20 °C", "± 0.4"):
        assert wanted in text, wanted
    assert "\u2665 pulse 72 bpm" in text
    assert any(bar in text for bar in BARS)
    assert "Waiting" not in text and "\u2580" not in text
    if width > 60:
        assert "insole" in lines[1], "whose it is stands on top"


@pytest.mark.parametrize(("width", "height"), [(43, 20), (30, 12)])
def test_a_tiny_terminal_keeps_alert_finding_and_notice(monitor: Monitor, width: int, height: int) -> None:
    shown = " ".join(" ".join(rendered(monitor, width, height).split("\n")[:height]).split())
    assert NOTICE in shown and "ALERT" in shown and "38.20" in shown


def test_a_channel_without_a_value_has_a_dash_and_no_number(monitor: Monitor) -> None:
    (line,) = [line for line in rendered(monitor, 121, 30).splitlines() if "heel" in line]
    assert "- °C" in line


def test_what_is_old_says_so(monitor: Monitor) -> None:
    monitor.tick(came(told(60))[-1].received_ns + 20_000_000_000)
    text = rendered(monitor, 121, 30)
    assert "NO DATA" in text and "20 s ago" in text and "ALERT" not in text
    assert "toe" not in View(monitor, "insole").line()


def test_the_line_for_pipes_says_all_of_it(monitor: Monitor) -> None:
    line = View(monitor, "insole").line()
    for wanted in ("toe 35.90 °C", "pulse 72 bpm", "core 38.20 °C ± 0.4", "ALERT Somebody has a fever.", NOTICE):
        assert wanted in line, wanted


def test_signals_of_stages_with_a_unit_are_shown_with_those_of_sensors(insole: Session) -> None:
    shown = layout(insole.plan)
    assert not shown.pictures
    assert [channel.name for channel in shown.channels] == ["toe", "ball", "heel"]
    assert [channel.name for channel in shown.hearts] == ["pulse", "beats"]


def test_json_and_summary_name_channels_and_quantities(insole: Session) -> None:
    monitor, summary = Monitor(insole), Summary(insole)
    lines = []
    for item in came(told(10)):
        outcome = monitor.push(item)
        summary.take(item, outcome)
        lines += describe(item, outcome, insole, insole.plan)
    samples = [line for line in lines if line["type"] == "sample" and line["sensor"] == "feet"]
    assert samples[0]["signals"]["feet"] == {"unit": "degC", "values": [30.0, 31.0, None]}
    finding = next(line for line in lines if line["type"] == "finding")
    assert finding["quantities"] == {"core": {"value": 38.2, "unit": "degC", "spread": 0.4}}
    assert lines[-1]["type"] == "alert" and lines[-1]["state"] == "raised"
    told_of = summary.to_map()
    assert told_of["signals"]["toe"]["min"] == 30.0 and told_of["signals"]["toe"]["max"] == pytest.approx(30.9)
    assert told_of["signals"]["heel"]["samples"] == 0
    assert told_of["quantities"]["core.core"]["mean"] == pytest.approx(38.2)
    assert told_of["alerts"] == {"fever": 1}


def test_a_sparkline_rises_with_its_numbers_and_leaves_gaps() -> None:
    assert sparkline([1.0, 2.0, float("nan"), 3.0], "") == f"{BARS[0]}{BARS[4]} {BARS[7]}"
    assert len(set(sparkline([36.60, 36.61, 36.60], "degC"))) == 1  # noise is no hill
    assert sparkline([float("nan")] * 3, "degC") == "   "


@pytest.mark.parametrize("interval", [1, 2, 5, 30])
def test_the_past_of_what_comes_seldom_has_no_holes_but_those_of_its_own(interval: int) -> None:
    history = History()
    for number in range(12):
        if number != 6:
            history.add(number * interval * 1_000_000_000, np.array([number], np.float32))
    assert [number for number in history.means(0, 12) if not np.isnan(number)] == [*range(6), *range(7, 12)]
    assert np.isnan(history.means(0, 12)).tolist() == [number == 6 for number in range(12)]


def test_the_past_is_means_of_seconds_in_bounded_memory() -> None:
    history = History()
    for tick in range(10 * (KEPT + 50)):
        history.add(tick * 100_000_000, np.array([tick // 10, np.nan], np.float32))
    means = history.means(0, KEPT + 10)
    assert means[-1] == KEPT + 49 and means[-2] == KEPT + 48
    assert np.isnan(means[:10]).all() and not np.isnan(means[10:]).any()
    narrow = history.means(0, 12)
    assert len(narrow) == 12 and not np.isnan(narrow).any(), "all that is remembered fits into any width"
    assert narrow == sorted(narrow) and narrow[0] < 70 and narrow[-1] > KEPT + 40
    assert np.isnan(history.means(1, 5)).all()
    history.add(0, np.zeros(2, np.float32))  # the clock of another recording
    assert history.means(0, 2)[-1] == 0.0
