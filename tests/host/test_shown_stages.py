"""Any stage of a wearable is shown: a picture as a picture, features as numbers, live and of a recording."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from host_sessions import came
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy.interpolate import RegularGridInterpolator
from scripted_peer import ScriptedWearable

from thermo_core.exit_codes import ExitCode
from thermo_core.graph.engine import Engine
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample, Signal, Values
from thermo_core.wearable.profile import NOTICE
from thermo_core.wire.records import Record, SignalRecord
from thermo_core.wire.table import SIGNAL_VALUES, Command
from thermo_host.application import run
from thermo_host.link.items import Telemetry
from thermo_host.screen.heatmap import resampled
from thermo_host.screen.layout import is_picture, layout, picture, picture_shape
from thermo_host.screen.sparkline import BARS, curves
from thermo_host.screen.view import View
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.signals import Joined, named, networks_under

Take = Callable[[int], list[Telemetry]]
Capture = pytest.CaptureFixture[str]
RAW = "lesion.raw"


def parts(session: Session, name: str, sample: Sample) -> list[Record]:
    """A sample as a wearable sends it."""
    flat, number = sample.values.ravel(), session.plan.number_of(name)
    return [
        SignalRecord(sample.time_us, number, sample.flags, at, flat.size, flat[at : at + SIGNAL_VALUES])
        for at in range(0, flat.size, SIGNAL_VALUES)
    ]


def computed(session: Session, items: list[Telemetry], name: str) -> list[Sample]:
    engine: Engine = session.engine({}, True, session.plan, lambda sensor, error: None)
    blocks = [item.record for item in items if isinstance(item.record, Block)]
    return [made[name] for block in blocks for made in engine.push(block).passes if name in made]


def rendered(view: View, width: int, height: int) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="truecolor")
    lines = console.render_lines(view.render(width, height))
    return "\n".join("".join(part.text for part in line) for line in lines)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("abov", "--show 'abov' is no signal of breast-patch; the nearest is above."),
        ("clam", "the nearest is calm."),
        ("xyzzy", "there are skin, skin.ta"),
    ],
)
def test_a_name_that_is_none_gets_one_sentence_with_the_nearest(
    session: Session, capsys: Capture, name: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.mcap"
    with Recorder(path, session):
        pass
    peer = ScriptedWearable(session)
    try:
        for command in (["stream", peer.port], ["rerun", str(path)], ["replay", str(path)]):
            assert run([*command, "--show", name]) == ExitCode.USAGE
            err = capsys.readouterr().err
            assert said in err and err.count("\n") == 1
    finally:
        peer.unplug()


def test_the_wearable_is_asked_for_what_is_shown_and_so_shown(
    session: Session, telemetry: Take, capsys: Capture
) -> None:
    items = telemetry(80)
    raw = Sample(items[-1].record.time_us, np.array([0.125, 0.875], np.float32))
    peer = ScriptedWearable(session, [*(item.record for item in items), *parts(session, RAW, raw)])
    try:
        command = ["stream", peer.port, "--seconds", "2", "--timeout", "20", "--show", "above", "--show", "lesion"]
        assert run(command) == ExitCode.OK
        asked = [request.body for request in peer.requests if request.header.command == Command.SIGNALS]
        assert asked == [{"signals": [session.plan.number_of("above"), session.plan.number_of(RAW)]}]
        shown = capsys.readouterr().out
        assert "above min" in shown and "lesion.raw[0] 0.12 | lesion.raw[1] 0.88" in shown
        assert "skin min" not in shown
        peer.requests.clear()
        assert run([*command, "--emissivity", "0.9"]) == ExitCode.OK
        asked = [request.body for request in peer.requests if request.header.command == Command.SIGNALS]
        assert asked == [{"signals": [session.plan.number_of(RAW)]}], "the rest is decoded as nobody but the host does"
    finally:
        peer.unplug()


def test_what_the_wearable_sent_goes_before_what_is_computed_here(session: Session, telemetry: Take) -> None:
    items = telemetry(80)
    own = computed(session, items, "above")[-1]
    monitor = Monitor(session, sent=["above"])
    for item in items:
        monitor.push(item)
    assert np.array_equal(monitor.signals["above"].sample.values, own.values)
    theirs = Sample(own.time_us + 1, own.values + 1, own.flags)
    for item in came(parts(session, "above", theirs)):
        monitor.push(item)
    for item in telemetry(100)[80:]:
        monitor.push(item)
    assert np.array_equal(monitor.signals["above"].sample.values, theirs.values)


@given(order=st.permutations(range(4)), lost=st.integers(0, 4))
def test_a_sample_is_whole_or_not_there(session: Session, order: list[int], lost: int) -> None:
    """Parts may come in any order and one may be lost: what is given is what was sent."""
    plan = session.plan
    shape = plan.signals["above"].shape
    sent = [Sample(time_us, np.full(shape, time_us, np.float32)) for time_us in (10, 20)]
    joined = Joined(plan)
    found = []
    for sample in sent:
        flat = sample.values.ravel()
        step = -(-flat.size // 4)
        records = [
            SignalRecord(sample.time_us, plan.number_of("above"), 0, at, flat.size, flat[at : at + step])
            for at in range(0, flat.size, step)
        ]
        for place in order:
            if not (sample is sent[0] and place == lost):
                made = joined.push(records[place])
                found += [] if made is None else [made]
    assert [name for name, _ in found] == ["above"] * (1 if lost < 4 else 2)
    for _, sample in found:
        assert sample.values.shape == shape and (sample.values == sample.time_us).all()


def test_signals_of_any_shape_have_a_place(session: Session) -> None:
    shapes = {
        (): False,
        (3,): False,
        (24, 32): True,
        (60, 3): False,
        (120, 5): False,
        (5, 24, 32): True,
        (24, 32, 2): True,
        (200,): False,
    }
    for shape, shown in shapes.items():
        signal = Signal("one", shape, "", 1.0, "skin")
        assert is_picture(signal) is shown
        values = np.arange(max(1, signal.elements), dtype=np.float32).reshape(shape)
        if shown:
            assert picture(values).shape == picture_shape(shape) == (24, 32)
    newest = np.stack([np.full((24, 32), at, np.float32) for at in range(5)])
    assert (picture(newest) == 4).all()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (110, 30), (160, 45)])
def test_pictures_are_pictures_and_features_numbers(session: Session, telemetry: Take, width: int, height: int) -> None:
    monitor = Monitor(session)
    for item in telemetry(60):
        monitor.push(item)
    wanted = named(session.plan, ["above", "skin.ta"], "--show")
    shown = layout(session.plan, wanted)
    assert [one.name for one in shown.pictures] == ["above"] and [one.name for one in shown.channels] == ["skin.ta"]
    text = rendered(View(monitor, "patch", wanted=wanted), width, height)
    assert "above: patch" in text and "skin.ta" in text and "\u2580" in text and " K" in text
    assert all(len(line.rstrip()) <= width for line in text.splitlines())


@pytest.mark.parametrize(("width", "height"), [(34, 16), (40, 20), (60, 18), (70, 30), (110, 30)])
@pytest.mark.parametrize("wanted", [(), ("above",), ("spots",), ("skin", "calm", "above")])
def test_whatever_is_shown_fits_and_hides_no_alert(
    session: Session, telemetry: Take, width: int, height: int, wanted: tuple[str, ...]
) -> None:
    monitor = Monitor(session)
    for item in telemetry(140):
        monitor.push(item)
    text = rendered(View(monitor, "patch", wanted=wanted), width, height)
    lines = text.splitlines()
    assert len(lines) < height and all(len(line.rstrip()) <= width for line in lines)
    words = " ".join(text.split())
    assert "ALERT" in words and NOTICE in words


@pytest.mark.parametrize(("shape", "lines"), [((200,), 1), ((60, 3), 3), ((120, 8), 8), ((2, 26), 1), ((3, 4, 5), 1)])
def test_many_numbers_are_a_curve_over_their_places(shape: tuple[int, ...], lines: int) -> None:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    values[(0,) * len(shape)] = np.nan
    drawn = curves(values, 40, "")
    assert len(drawn) == lines and all(len(line) <= 40 for line in drawn)
    for line in drawn:
        heights = [BARS.index(bar) for bar in line.strip()]
        assert heights == sorted(heights) and heights[0] == 0 and heights[-1] == len(BARS) - 1


@given(
    values=st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).normal(30, 3, (6, 8)).astype(np.float32)
    ),
    holes=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=20),
)
def test_a_hole_in_a_picture_is_a_hole_and_no_more(values: Values, holes: set[tuple[int, int]]) -> None:
    """A pixel without a value leaves its neighbours theirs; what has values is interpolated as scipy does."""
    whole = resampled(values, 2.0)
    grid = RegularGridInterpolator((np.arange(6), np.arange(8)), values.astype(np.float64))
    row, column = (np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1) for size in (6, 8))
    np.testing.assert_allclose(whole, grid(tuple(np.meshgrid(row, column, indexing="ij"))), atol=1e-4)
    for place in holes:
        values[place] = np.nan
    found = resampled(values, 2.0)
    for at in np.ndindex(6, 8):
        piece = found[2 * at[0] : 2 * at[0] + 2, 2 * at[1] : 2 * at[1] + 2]
        assert np.isnan(piece).all() if at in holes else np.isfinite(piece).all()


def test_a_recording_shows_a_stage_as_it_was_computed(
    session: Session, telemetry: Take, tmp_path: Path, capsys: Capture
) -> None:
    items, path = telemetry(60), tmp_path / "r.mcap"
    with Recorder(path, session) as recorder:
        for item in items:
            recorder.add(item)
    samples = computed(session, items, "above")
    assert run(["rerun", str(path), "--show", "above", "--show", "skin.ta", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)["shown"]
    assert told["above"]["samples"] == len(samples) and told["above"]["shape"] == [24, 32]
    np.testing.assert_allclose(told["above"]["values"], samples[-1].values, atol=1e-4)
    assert told["above"]["low"] == pytest.approx(min(sample.values.min() for sample in samples), abs=1e-3)
    assert run(["rerun", str(path), "--show", "above", "--at", "1", "--json"]) == ExitCode.OK
    early = json.loads(capsys.readouterr().out)["shown"]["above"]
    assert early["utc"] < told["above"]["utc"] and early["samples"] == len(samples)
    assert run(["rerun", str(path), "--show", "skin.ta", "--show", "above"]) == ExitCode.OK
    assert "above (24 x 32)" in capsys.readouterr().out
    assert networks_under(session.plan, RAW) == ("lesion",) and networks_under(session.plan, "above") == ()
    assert run(["rerun", str(path), "--show", "lesion"]) == ExitCode.OK
    assert "rests on the network of lesion, so give --bundle" in capsys.readouterr().out
