"""The live view: it fits the terminal, its colours follow the temperatures, and it always carries the notice."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from rich.segment import Segment

from thermo_core.profile import NOTICE
from thermo_core.recording.layout import Gap
from thermo_core.wire.records import ClockRecord, SubpageRecord
from thermo_host.lease import Telemetry
from thermo_host.monitor import Monitor
from thermo_host.palette import LEVELS, TABLE, levels
from thermo_host.session import Session
from thermo_host.terminal import HeatMap, View

Take = Callable[[int], list[Telemetry]]


def rendered(view: View, width: int, height: int) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="truecolor")
    return "\n".join("".join(part.text for part in line) for line in console.render_lines(view.render(width, height)))


@pytest.fixture
def monitor(session: Session, telemetry: Take) -> Monitor:
    made = Monitor(session)
    for item in telemetry(140):
        made.push(item)
    return made


@pytest.mark.parametrize(("width", "height"), [(140, 50), (110, 32), (96, 26), (80, 24)])
def test_it_fits_the_terminal_and_carries_the_notice(monitor: Monitor, width: int, height: int) -> None:
    text = rendered(View(monitor, "breast-patch"), width, height)
    lines = text.splitlines()
    assert len(lines) <= height
    assert max(len(line.rstrip()) for line in lines) <= width
    assert NOTICE in text
    assert "ALERT" in text
    assert "shorted" in text
    assert "The bus was freed." in text


@pytest.mark.parametrize(("width", "height"), [(77, 40), (60, 20), (40, 24), (30, 10), (20, 8)])
def test_a_small_terminal_keeps_the_verdict_and_its_notice(monitor: Monitor, width: int, height: int) -> None:
    lines = rendered(View(monitor, "breast-patch"), width, height).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    shown = " ".join(" ".join(lines[:height]).split())
    assert NOTICE in shown
    assert "ALERT" in shown
    assert ("\u2580" in shown) == (width >= 32 and height > 17)


def test_it_can_wait_for_the_first_picture(session: Session) -> None:
    view = View(Monitor(session), "breast-patch")
    assert "Waiting for the first picture" in rendered(view, 100, 30)
    assert view.line() == "waiting for the first picture"


def test_the_line_for_pipes_carries_the_notice_too(monitor: Monitor) -> None:
    line = View(monitor, "").line()
    assert "lesion 75% ALERT" in line
    assert NOTICE in line
    assert "8.0 pictures/s" in line


def test_colours_get_lighter_with_temperature() -> None:
    lightness = TABLE @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -0.5).all()
    assert levels(np.array([-5.0, 20.0, 30.0, 99.0], np.float32), 20.0, 30.0).tolist() == [0, 0, LEVELS - 1, LEVELS - 1]


def test_each_pixel_keeps_its_place() -> None:
    celsius = np.full((24, 32), 20.0, np.float32)
    celsius[5, 7] = 40.0
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    lines = Segment.split_lines(console.render(HeatMap(celsius, 20.0, 40.0, 1.0)))
    hottest = "#" + "".join(f"{value:02x}" for value in TABLE[-1].tolist())
    found = [
        (2 * row + lower, column)
        for row, line in enumerate(lines)
        for column, part in enumerate(line)
        for lower, colour in enumerate((part.style.color, part.style.bgcolor) if part.style else ())
        if colour is not None and colour.name == hottest
    ]
    assert found == [(5, 7)]


def test_statistics_count_losses_gaps_and_latency(session: Session, telemetry: Take) -> None:
    monitor = Monitor(session)
    lost = 0
    for item in telemetry(120):
        # Frames that others are predicted from would take those with them.
        if isinstance(item.record, SubpageRecord) and not item.record.packed.key and item.record.index in range(50, 53):
            lost += 1
        else:
            monitor.push(item)
    monitor.push(Gap(session.started_ns, session.started_ns + 2_500_000_000, "the port vanished"))
    numbers = monitor.statistics()
    assert numbers.lost_subpages == lost == 3
    assert numbers.latency_s == pytest.approx(0.020)
    assert numbers.pictures_per_second == pytest.approx(8.0, rel=0.1)
    assert (numbers.gaps, numbers.gap_s) == (1, 2.5)


def test_losses_before_the_stream_are_none_of_it(session: Session, telemetry: Take) -> None:
    monitor = Monitor(session)
    item = telemetry(1)[0]
    for lost, dropped in ((216, 40), (216, 41), (219, 41)):
        monitor.push(replace(item, record=ClockRecord(item.record.time_us, 0, 2500, dropped, 9000, lost)))
    numbers = monitor.statistics()
    assert (numbers.device_lost, numbers.device_dropped) == (3, 1)
    monitor.push(replace(item, record=ClockRecord(item.record.time_us, 0, 2500, 0, 10, 2)))
    assert monitor.statistics().device_lost == 2  # the wearable restarted


def test_the_scale_holds_still(monitor: Monitor, telemetry: Take) -> None:
    view = View(monitor, "", span=(30.0, 38.0))
    assert "30.0" in rendered(view, 120, 40)
    assert "38.0 °C" in rendered(view, 120, 40)
