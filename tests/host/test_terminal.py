"""The live view: it fits the terminal, its colours follow the temperatures, and it always carries the notice."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from host_sessions import with_state
from rich.console import Console
from rich.segment import Segment

from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.wearable.profile import NOTICE
from thermo_core.wire.records import ClockRecord, EventRecord
from thermo_host.link.items import Lost, Telemetry
from thermo_host.screen.heatmap import HeatMap
from thermo_host.screen.palette import LEVELS, TABLE, levels
from thermo_host.screen.view import View
from thermo_host.sinks.describe import describe
from thermo_host.sinks.monitor import Monitor

STARTED_NS = 1_700_000_000_000_000_000
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
    # The map beside the panel is whole: its scale reaches from end to end.
    assert re.search(r"^\d+\.\d +(\d+\.\d +)+\d+\.\d °C", text, re.MULTILINE)


def test_long_messages_do_not_push_the_panel_off(session: Session, telemetry: Take) -> None:
    monitor = Monitor(session)
    for item in telemetry(140):
        monitor.push(item)
        if isinstance(item.record, EventRecord):
            for code in range(3):
                text = f"Event {code}: " + "the bus is too slow for the refresh rate asked for; " * 8
                monitor.push(replace(item, record=replace(item.record, code=code, text=text)))
    for height in (12, 16, 20, 24, 30):
        lines = rendered(View(monitor, "breast-patch"), 80, height).splitlines()
        assert len(lines) < height
        text = "\n".join(lines)
        assert NOTICE in text
        assert "ALERT" in text
        assert lines[0].rstrip().endswith("\u256e")  # the panel's corners are there
        assert any(line.rstrip().endswith("\u256f") for line in lines)
    assert "Event 2" in rendered(View(monitor, "breast-patch"), 80, 60)


def test_events_of_before_the_session_are_told_apart(session: Session, telemetry: Take) -> None:
    monitor = Monitor(session)
    items = telemetry(140)
    event = next(item for item in items if isinstance(item.record, EventRecord))
    monitor.push(replace(event, captured_ns=session.started_ns - 5_000_000_000))
    for item in items[:40]:
        if not isinstance(item.record, EventRecord):
            monitor.push(item)
    assert "before this session: The bus" in rendered(View(monitor, ""), 110, 50)
    (described,) = describe(replace(event, captured_ns=session.started_ns - 1), None, session, session.plan)
    assert described["before_this_session"]


SECOND = 1_000_000_000


@pytest.mark.parametrize("lost", [None, "the port vanished"])
def test_what_is_old_is_grey_has_its_age_and_neither_alert_nor_ok(
    monitor: Monitor, session: Session, telemetry: Take, lost: str | None
) -> None:
    view = View(monitor, "breast-patch")
    last_ns = telemetry(140)[-1].received_ns
    monitor.tick(last_ns + SECOND // 2)
    fresh = rendered(view, 120, 50)
    assert "ALERT" in fresh and "shorted" in fresh and "NO DATA" not in fresh
    if lost is not None:
        monitor.push(Lost(last_ns, lost))
    monitor.tick(last_ns + 12 * SECOND)
    old = rendered(view, 120, 50)
    assert "ALERT" not in old
    assert "shorted" not in old
    assert "12 s ago" in old
    assert (lost or "the wearable is silent") in " ".join(re.sub("[\u2502\u2580]", " ", old).split())
    assert "0.0/s" in old
    assert NOTICE in old
    line = view.line()
    assert line.startswith("NO DATA, the last came 12 s ago")
    assert "ALERT" not in line and "thermistor 1" not in line
    assert "last finding 12 s ago" in line
    console = Console(file=io.StringIO(), width=120, height=50, force_terminal=True, color_system="truecolor")
    colours = {
        part.style.color for part in console.render(view.render(120, 50)) if part.text == "\u2580" and part.style
    }
    assert colours and all(
        len({c.triplet.red, c.triplet.green, c.triplet.blue}) == 1 for c in colours if c and c.triplet
    )
    monitor.push(telemetry(141)[-1])
    assert monitor.silent_s is not None
    back = replace(telemetry(140)[-1], received_ns=last_ns + 13 * SECOND)
    monitor.push(back)
    assert monitor.silent_s is None


def test_a_computer_that_is_behind_makes_no_wearable_silent(monitor: Monitor, telemetry: Take) -> None:
    """What waits came a moment after what was taken last, nine seconds ago."""
    view = View(monitor, "breast-patch")
    last_ns = telemetry(140)[-1].received_ns
    monitor.tick(last_ns + 9 * SECOND, last_ns + SECOND // 10)
    for shown in (view.line(), rendered(view, 120, 50)):
        assert "NO DATA" not in shown and "shorted" in shown and " 0.0/s" not in shown
        assert re.search(r"this computer\W+(is )?9 s behind", shown)
    monitor.tick(last_ns + 9 * SECOND)
    assert "NO DATA" in view.line() and "behind" not in view.line(), "nothing waits: it is silent"


def test_a_camera_that_fell_silent_is_old_though_the_line_lives(session: Session, telemetry: Take) -> None:
    monitor = Monitor(session)
    items = telemetry(140)
    for item in items:
        monitor.push(item)
    clock = next(item for item in items if isinstance(item.record, ClockRecord))
    for second in range(1, 20):
        at_ns = items[-1].received_ns + second * SECOND
        monitor.push(replace(clock, received_ns=at_ns))
        monitor.tick(at_ns)
    assert monitor.silent_s is None
    assert monitor.signal_age_s("skin") == pytest.approx(19, abs=1)
    assert monitor.finding_age_s(0) is not None
    text = rendered(View(monitor, ""), 120, 50)
    assert "NO DATA" not in text and "ALERT" not in text and "s ago" in text


def test_a_slow_camera_is_not_old_between_its_pictures(session: Session, telemetry: Take) -> None:
    monitor = Monitor(with_state(with_state(session, 0, rate_hz=0.5), 1, rate_hz=0.06))
    items = [replace(item, received_ns=(item.received_ns - STARTED_NS) * 32 + STARTED_NS) for item in telemetry(100)]
    clock = next(item for item in items if isinstance(item.record, ClockRecord))
    now_ns = items[0].received_ns
    for item in items:  # a picture every four seconds, and a word of the clock each second
        while now_ns + SECOND < item.received_ns:
            now_ns += SECOND
            monitor.push(replace(clock, received_ns=now_ns))
        monitor.tick(item.received_ns - 1)
        assert monitor.signal_age_s("skin") is None
        monitor.push(item)


def test_a_recording_never_grows_old(monitor: Monitor) -> None:
    assert monitor.silent_s is None
    assert "ALERT" in rendered(View(monitor, ""), 110, 40)


@pytest.mark.parametrize(("colours", "encoding"), [(None, "utf-8"), ("truecolor", "latin-1"), (None, "ascii")])
def test_a_picture_without_colours_or_blocks_still_differs_by_temperature(colours: str | None, encoding: str) -> None:
    celsius = np.full((24, 32), 20.0, np.float32)
    celsius[6:8, 7] = 40.0
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=80, force_terminal=True, color_system=colours)  # type: ignore[arg-type]
    lines = Segment.split_lines(console.render(HeatMap(celsius, 20.0, 40.0, 1.0)))
    cells = [[(text, part.style) for part in line for text in part.text] for line in lines]
    assert [len(line) for line in cells if line] == [32] * 12
    odd = [(row, column) for row, line in enumerate(cells) for column, cell in enumerate(line) if cell != cells[0][0]]
    assert odd == [(3, 7)]
    for line in cells:
        "".join(text for text, _ in line).encode(encoding)


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
    assert view.line() == "waiting for the first block"


def test_the_line_for_pipes_carries_the_notice_too(monitor: Monitor) -> None:
    line = View(monitor, "").line()
    assert "lesion 75%" in line and "ALERT lesion" in line
    assert NOTICE in line
    assert "skin 8.0/s" in line


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


def is_difference(block: Block) -> bool:
    return not codec.decode(block.data, block.index).key


def test_statistics_count_losses_gaps_and_latency(session: Session, telemetry: Take) -> None:
    monitor = Monitor(session)
    lost = 0
    for item in telemetry(120):
        # Frames that others are predicted from would take those with them.
        record = item.record
        if isinstance(record, Block) and record.sensor == 0 and is_difference(record) and record.index in range(50, 53):
            lost += 1
        else:
            monitor.push(item)
    monitor.push(Gap(from_ns=session.started_ns, to_ns=session.started_ns + 2_500_000_000, reason="the port vanished"))
    numbers = monitor.statistics()
    assert numbers.lost_blocks == lost == 3
    assert numbers.latency_s == pytest.approx(0.020)
    assert numbers.moments_per_second["skin"] == pytest.approx(8.0, rel=0.1)
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
