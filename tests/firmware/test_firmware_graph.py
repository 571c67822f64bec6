"""Graphs in C make what Python's make, byte for byte, whatever the graph and whatever came."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from firmware_graph import Case, first_difference, run
from graph_plans import STAGES, graph, single
from processors import M0PLUS, M4, Processor
from sensor_recordings import MOMENTS, recording
from wearable_draft import Seeded, Unfit

from thermo_core import schema, widening
from thermo_core.graph.plan import Plan, plan
from thermo_core.graph.rates import plan_at
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.signals import Sample
from thermo_core.stages import OPS
from thermo_core.wearable.profile import Profile
from thermo_quantize.compiler.graph.paces import paces

REPOSITORY = Path(__file__).resolve().parents[2]

GRAPHS, SAMPLES = 60, 150
EMULATED = 12
SETS, INPUTS = 4, 60
"""Of each operation: sets of parameters, and samples for each."""
PARTS = 6
"""Programs that all operations are tried in, one after another, so that none takes long on a busy machine."""
FEW_INPUTS = 10
"""Likewise of a single set on an emulated processor, where all is part of the program."""

pytestmark = [pytest.mark.lengthy, pytest.mark.filterwarnings("ignore::RuntimeWarning")]


@pytest.fixture(autouse=True)
def fifos(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given from outside comes one by one; here it stands for chips that hold many samples."""
    monkeypatch.setattr(ExternalSettings, "moments", MOMENTS)


large = partial(graph, least=4, most=14)


def cases(make: Callable[[Seeded], Plan], count: int, samples: int, seed: int = 0) -> list[Case]:
    """Random cases, to be compiled together."""
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    while len(found) < count:
        try:
            plan = make(Seeded(rng))
        except Unfit:
            continue
        sensors = {one.name: (one.shape, one.rate_hz) for sensor in plan.profile.sensors for one in sensor.signals}
        found.append(Case.of(plan, recording(rng, samples, sensors), len(found)))
    return found


def compare(made_cases: list[Case], folder: Path, processor: Processor | None = None) -> None:
    for case, found in zip(made_cases, run(made_cases, folder, processor), strict=True):
        assert not first_difference(case, found)


def test_random_graphs_make_the_bytes_of_python(tmp_path: Path) -> None:
    compare(cases(large, GRAPHS, SAMPLES), tmp_path)


def test_every_operation_is_tried() -> None:
    assert STAGES.keys() == OPS.keys()


@pytest.mark.parametrize("part", range(PARTS))
def test_each_operation_makes_the_bytes_of_python(part: int, tmp_path: Path) -> None:
    ops = sorted(OPS)[part::PARTS]
    compare([case for op in ops for case in cases(partial(single, op=op), SETS, INPUTS)], tmp_path)


def patch() -> Case:
    """The breast patch with all that a wearable may have: a camera's three signals, thermistors, a wearer, its own network."""
    parts = {
        "name": "patch",
        "version": "1",
        "sensors": [
            {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0},
            {"kind": "ads1115-ntc", "name": "cloth", "path": [0x48], "channels": [{"name": "left"}, {"name": "right"}]},
        ],
        "person": ["age_years"],
        "stages": [
            {"op": "average", "of": "skin", "gives": "calm", "pictures": 16},
            {"op": "centre", "of": "calm", "gives": "above"},
            {"op": "hold", "of": "person.age_years", "on": "skin", "gives": "age"},
            {"op": "hold", "of": "cloth", "on": "skin", "gives": "air", "oldest_s": 0.4},
            {"op": "statistics", "of": "skin", "gives": "spread", "give": ["p5", "median", "p95", "sd"], "over": "all"},
            {"op": "concatenate", "of": ["age", "air", "spread", "skin.ta", "skin.vdd"], "gives": "facts"},
            {"op": "resample", "of": "skin", "gives": "slow", "rate_hz": 2.0},
        ],
        "models": [{"name": "lesion", "inputs": ["above"], "scores": ["no lesion", "lesion"]}],
    }
    rng, blocks = np.random.default_rng(7), []
    for picture in range(40):
        time_us = 125_000 * picture
        values = (34 + rng.normal(0, 0.5, (24, 32))).astype(np.float32)
        values[rng.random((24, 32)) < 1e-4] = np.nan
        given = {"skin": values, "skin.ta": np.float32(35 + rng.normal()), "skin.vdd": np.float32(3.3)}
        blocks.append([{name: Sample(time_us, np.asarray(x), 64 * (picture == 20)) for name, x in given.items()}])
        if picture == 3:
            blocks.append([{"person.age_years": Sample(time_us, np.array(61, np.float32))}])
        if picture % 9 == 5:
            blocks.append([{"cloth": Sample(time_us + 7, rng.normal(33, 1, 2).astype(np.float32), 4 * (picture > 30))}])
    network = REPOSITORY / "models/thermo_models/wearables/breast-patch/model.tflite"
    made = plan(schema.from_plain(parts, Profile, "profile"), {"lesion": (2,)})
    return Case(made, blocks, {"lesion": network.read_bytes()})


def test_the_breast_patch_makes_the_bytes_of_python(tmp_path: Path) -> None:
    compare([patch()], tmp_path)


def worn() -> Case:
    """Pulse, acceleration, skin nodes and heart rate of somebody who rests, runs and rests, as the stages of series are made for."""
    parts = {
        "name": "worn",
        "version": "1",
        "person": ["age_years", "weight_kg", "height_m", "sex"],
        "sensors": [
            {"kind": "external", "name": "pulse", "rate_hz": 25.0},
            {"kind": "external", "name": "acceleration", "shape": [3], "rate_hz": 25.0, "unit": "g"},
            {"kind": "external", "name": "nodes", "shape": [8], "rate_hz": 1.0, "unit": "degC"},
            {"kind": "external", "name": "minute", "rate_hz": 1 / 60},
        ],
        "stages": [
            {"op": "hold", "of": "acceleration", "on": "pulse", "gives": "motion"},
            {"op": "bandpass", "of": "pulse", "gives": "wave", "low_hz": 0.7, "high_hz": 3.5},
            {"op": "window", "of": "wave", "gives": "waves", "length": 200, "every": 50},
            {"op": "window", "of": "motion", "gives": "moves", "length": 200, "every": 50},
            {"op": "spectrum_peak", "of": "waves", "motion": "moves", "gives": "heart"},
            {"op": "enmo", "of": "moves", "gives": "activity"},
            {"op": "contact_gate", "of": "nodes", "gives": "touching", "hold_s": 5.0},
            {"op": "node_check", "of": "touching", "gives": "plausible", "limit": [2.0]},
            {"op": "slope", "of": "plausible", "gives": "trend", "span_s": 20.0, "per": "min"},
            {"op": "hold", "of": "activity", "on": "nodes", "gives": "still"},
            {"op": "motion_gate", "of": "plausible", "motion": "still", "gives": "rested", "hold_s": 4.0},
            {"op": "reference", "of": "plausible", "gives": "unusual", "least_s": 20.0, "memory_s": 40.0, "limit": 1.0},
            {"op": "window", "of": "plausible", "gives": "curves", "length": 40, "every": 10},
            {"op": "recovery", "of": "curves", "gives": "recovered"},
            {"op": "kalman_core", "of": "minute", "gives": "core"},
            {"op": "forward_fill", "of": "minute", "gives": "steady", "oldest_s": 90.0},
            {"op": "expectile", "of": "steady", "gives": "resting", "start": 65.0, "least_s": 600.0},
            *(
                {"op": "hold", "of": f"person.{name}", "on": "minute", "gives": name.partition("_")[0]}
                for name in ("age_years", "weight_kg", "height_m", "sex")
            ),
            {"op": "concatenate", "of": ["age", "weight", "height", "sex"], "gives": "wearer"},
            {"op": "metabolic_rate", "of": "steady", "resting": "resting", "wearer": "wearer", "gives": "per-kg"},
            {
                "op": "metabolic_rate",
                "of": "steady",
                "resting": "resting",
                "wearer": "wearer",
                "gives": "power",
                "per": "body",
            },
            {"op": "integral", "of": "power", "gives": "energy", "factor": 1 / 4184, "unit": "kcal"},
        ],
    }
    rng, blocks = np.random.default_rng(3), []
    for tick in range(25 * 90):
        time_us, running = 40_000 * tick, 25 * 30 < tick < 25 * 60
        stride = running * np.sin(2 * np.pi * 2.6 * tick / 25)
        beat = np.sin(2 * np.pi * (2.1 if running else 1.1) * tick / 25)
        axes = rng.normal((0.1 * stride, 0, 1 + 0.3 * stride), 0.01, 3).astype(np.float32)
        wave = np.float32(9e4 + 300 * beat + 200 * stride + rng.normal(0, 20))
        blocks.append([{"acceleration": Sample(time_us, axes)}])
        blocks.append([{"pulse": Sample(time_us + 1, np.asarray(wave), 64 * (tick == 1000))}])
        if tick % 25 == 0:
            second = tick // 25
            skin = 33 - 4 * np.exp(-second / 12) + rng.normal(0, 0.02, 8) - 9 * ((np.arange(8) == 3) & (second > 50))
            blocks.append([{"nodes": Sample(time_us + 2, skin.astype(np.float32))}])
    for minute in range(40):
        time_us = 90_000_000 + 60_000_000 * (minute + 30 * (minute > 25))
        rate = np.float32(np.nan if minute % 7 == 6 else 80 + 50 * np.sin(minute / 9))
        blocks.append([{"minute": Sample(time_us, np.asarray(rate), int(minute == 5))}])
        if minute in (4, 30):
            told = {"age_years": 34, "weight_kg": 70.5, "height_m": 1.77, "sex": np.nan if minute == 30 else 1}
            blocks.append(
                [{f"person.{name}": Sample(time_us + 1, np.array(value, np.float32)) for name, value in told.items()}]
            )
    return Case(plan(schema.from_plain(parts, Profile, "profile")), blocks, {})


def moving() -> Case:
    """A picture of skin that lies a little elsewhere each time, as references by the air's temperature register it."""
    parts = {
        "name": "moving",
        "version": "1",
        "sensors": [{"kind": "external", "name": "skin", "shape": [12, 16], "rate_hz": 1.0, "unit": "degC"}],
        "stages": [
            {"op": "select", "of": "skin", "gives": "air", "places": [0]},
            {"op": "reference", "of": "skin", "gives": "unusual", "give": ["difference"], "most_shift": 2.0, "least_s": 20.0},
            {"op": "reference", "of": "skin", "gives": "all", "give": ["shift", "reference", "samples", "hours"], "ambient": "air",
             "low": 31.0, "high": 35.0, "bins": 3, "most_shift": 1.5, "noise": 0.1, "limit": 1.0, "least_s": 5.0, "memory_s": 30.0},
        ],
    }  # fmt: skip
    rng, blocks = np.random.default_rng(11), []
    row, column = np.mgrid[0:12, 0:16].astype(np.float64)
    for second in range(200):
        down, along = rng.normal(0, 0.6, 2)
        at = (row + down) / 12, (column + along) / 16
        skin = 33 + np.sin(7 * at[0]) * np.cos(5 * at[1]) + 0.6 * np.sin(11 * at[1] + 1) + rng.normal(0, 0.05, (12, 16))
        skin[rng.random((12, 16)) < 2e-4] = np.nan
        skin[4:7, 5:8] += 2.0 * (120 < second < 140)
        blocks.append([{"skin": Sample(1_000_000 * second, skin.astype(np.float32), int(second == 30))}])
    return Case(plan(schema.from_plain(parts, Profile, "profile")), blocks, {})


def recovering() -> Case:
    """Curves of one to three time constants, some with drift, some that are none, as least squares take them apart."""
    parts = {
        "name": "recovering",
        "version": "1",
        "sensors": [
            {"kind": "external", "name": "curve", "shape": [200], "rate_hz": 0.005},
            {"kind": "external", "name": "hands", "shape": [2], "rate_hz": 1.0, "unit": "degC"},
            {"kind": "external", "name": "start", "shape": [7], "rate_hz": 0.005},
        ],
        "stages": [
            {"op": "hold", "of": "start", "on": "curve", "gives": "begun"},
            {"op": "projection", "of": "curve", "gives": "means", "rows": 20, "basis": _means(200, 20)},
            {"op": "foster_fit", "of": "means", "begin": "begun", "gives": "fitted", "samples": 200, "period_s": 3.0},
            {"op": "window", "of": "hands", "gives": "past", "length": 40, "every": 5},
            {"op": "bins", "of": "past", "gives": "shapes", "bins": 8, "settled": 5},
            {"op": "recovery", "of": "past", "gives": "clear", "clear": 8.0},
            {"op": "select", "of": "past", "gives": "before", "places": [0, 1]},
            {"op": "step_removal", "of": "past", "gives": "joined", "first": 8},
            {"op": "bins", "of": "joined", "gives": "sums", "bins": 8},
            {
                "op": "paired_recovery",
                "of": "sums",
                "before": "before",
                "gives": "sides",
                "samples": 40,
                "shares": [1.0],
                "delay_s": 3.0,
            },
        ],
    }
    rng, blocks = np.random.default_rng(21), []
    t = 3.0 * np.arange(200)
    for number in range(20):
        tau = np.array([12.0, 70.0, 350.0])[rng.permutation(3)[: 1 + number % 3]]
        share = rng.dirichlet(np.full(len(tau), 4.0))
        curve = (
            (share * np.exp(-t[:, None] / tau)).sum(1)
            + rng.normal(0, 0.005 + 0.02 * (number % 4 == 0), 200)
            + 0.01 * (number % 5) * t / 600
        )
        curve = rng.normal(0, 1, 200) if number % 10 == 9 else curve
        begun = np.full(7, np.nan)
        begun[: 1 + len(tau)] = [len(tau), *(1.05 * np.sort(tau))]
        time_us = 200_000_000 * (number + 1)
        blocks.append([{"start": Sample(time_us, begun.astype(np.float32), 0)}])
        blocks.append([{"curve": Sample(time_us + 5, curve.astype(np.float32), 0)}])
    for second in range(60):
        hands = 33 - 5 * (second > 4) * np.exp(-max(second - 20, 0) / np.array([6.0, 9.0])) + rng.normal(0, 0.05, 2)
        hands[1] -= 1.2 * (second > 45)
        blocks.append([{"hands": Sample(1_000_000 * second + 7_000_000_000, hands.astype(np.float32), 0)}])
    return Case(plan(schema.from_plain(parts, Profile, "profile")), blocks, {})


def _means(samples: int, count: int) -> list[float]:
    """Rows that make bins of a curve which is no window."""
    rows = np.zeros((count, samples))
    borders = widening.edges(samples, count)
    for row, weight in enumerate(widening.weights(samples, count)):
        rows[row, borders[row] : borders[row + 1]] = weight
    return [float(x) for x in rows.ravel()]


@pytest.mark.parametrize("processor", [None, M4], ids=["here", "Cortex-M4F"])
def test_curves_that_recover_make_the_bytes_of_python(processor: Processor | None, tmp_path: Path) -> None:
    if processor and not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")):
        pytest.skip("needs qemu-system-arm and arm-none-eabi-gcc")
    case = recovering()
    parts = np.array([np.frombuffer(one["fitted"][3], "<f4")[0] for one in case.wanted() if "fitted" in one])
    assert set(parts.tolist()) >= {0.0, 1.0, 2.0}, "the case is about curves of several kinds, some of which are none"
    assert any(one["joined"][3] != one["past"][3] for one in case.wanted() if "joined" in one), "and about a step"
    compare([case], tmp_path, processor)


def test_a_picture_that_moves_makes_the_bytes_of_python(tmp_path: Path) -> None:
    case = moving()
    shifts = np.array([np.frombuffer(one["all"][3], "<f4")[:2] for one in case.wanted()])
    assert 0.3 < np.nanstd(shifts) < 1 and np.isnan(shifts).any(), "the case is about shifts, some of them too large"
    compare([case], tmp_path)


def test_what_somebody_wears_makes_the_bytes_of_python(tmp_path: Path) -> None:
    case = worn()
    given = [one["heart"] for one in case.wanted() if "heart" in one]
    rates = [np.frombuffer(values, "<f4")[0] for *_, values in given]
    assert np.isfinite(rates).mean() > 0.7, "the case is about heart rates"
    compare([case], tmp_path)


@pytest.mark.parametrize("factor", [0.25, 2.0])
def test_random_graphs_of_sensors_at_other_rates_make_the_bytes_of_python(tmp_path: Path, factor: float) -> None:
    """C made for the profile's rates, and Python's of a plan at those that sensors are set to; where C says it can follow."""
    made: list[Case] = []
    for case in cases(large, GRAPHS, 3):
        if any(pace.bound for pace in paces(case.plan).sensors):
            continue
        rates_hz = [factor * getattr(sensor, "rate_hz", 0.0) for sensor in case.plan.profile.sensors]
        outputs = {model.name: case.plan.signals[model.raw].shape for model in case.plan.profile.models}
        sensors = {
            one.name: (one.shape, one.rate_hz)
            for sensor in plan_at(case.plan.profile, rates_hz, outputs).profile.sensors
            for one in sensor.signals
        }
        blocks = recording(np.random.default_rng(len(made)), SAMPLES, sensors)
        made.append(replace(Case.of(case.plan, blocks, len(made)), rates_hz=rates_hz))
    assert sum(plan_at(one.plan.profile, one.rates_hz).profile != one.plan.profile for one in made) > len(made) // 4 > 3
    compare(made, tmp_path)


@pytest.mark.parametrize("processor", [M4, M0PLUS], ids=lambda one: one.name)
def test_graphs_on_an_emulated_processor(processor: Processor, tmp_path: Path) -> None:
    """On the M0+ every float is the firmware's own (core/soft_float.c)."""
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    each = [case for op in sorted(OPS) for case in cases(partial(single, op=op), 1, FEW_INPUTS, 2)]
    compare([patch(), worn(), moving(), *each, *cases(large, EMULATED, SAMPLES, 1)], tmp_path, processor)
