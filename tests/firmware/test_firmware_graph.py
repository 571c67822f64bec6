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
from graph_plans import MOMENTS, STAGES, Seeded, Unfit, graph, recording, single

from thermo_core import schema
from thermo_core.graph.plan import Plan, plan
from thermo_core.graph.rates import plan_at
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.signals import Sample
from thermo_core.stages import OPS
from thermo_core.wearable.profile import Profile

REPOSITORY = Path(__file__).resolve().parents[2]

GRAPHS, SAMPLES = 60, 150
EMULATED = 12
SETS, INPUTS = 4, 60
"""Of each operation: sets of parameters, and samples for each."""

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


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


def compare(made_cases: list[Case], folder: Path, emulated: bool = False) -> None:
    for case, found in zip(made_cases, run(made_cases, folder, emulated), strict=True):
        assert not first_difference(case, found)


def test_random_graphs_make_the_bytes_of_python(tmp_path: Path) -> None:
    compare(cases(large, GRAPHS, SAMPLES), tmp_path)


def test_each_operation_makes_the_bytes_of_python(tmp_path: Path) -> None:
    assert STAGES.keys() == OPS.keys()
    compare([case for op in sorted(OPS) for case in cases(partial(single, op=op), SETS, INPUTS)], tmp_path)


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


@pytest.mark.parametrize("factor", [0.25, 2.0])
def test_random_graphs_of_sensors_at_other_rates_make_the_bytes_of_python(tmp_path: Path, factor: float) -> None:
    """The one C made for the profile's rates, and Python's of a plan at those that sensors are set to."""
    made: list[Any] = []
    for case in cases(large, GRAPHS, 3):
        rates_hz = [factor * getattr(sensor, "rate_hz", 0.0) for sensor in case.plan.profile.sensors]
        outputs = {model.name: case.plan.signals[model.raw].shape for model in case.plan.profile.models}
        sensors = {
            one.name: (one.shape, one.rate_hz)
            for sensor in plan_at(case.plan.profile, rates_hz, outputs).profile.sensors
            for one in sensor.signals
        }
        blocks = recording(np.random.default_rng(len(made)), SAMPLES, sensors)
        made.append(replace(Case.of(case.plan, blocks, len(made)), rates_hz=rates_hz))
    assert sum(plan_at(one.plan.profile, one.rates_hz).profile != one.plan.profile for one in made) > GRAPHS // 4
    compare(made, tmp_path)


def test_graphs_on_a_cortex_m4(tmp_path: Path) -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    compare([patch()], tmp_path, emulated=True)
    compare(cases(large, EMULATED, SAMPLES, 1), tmp_path, emulated=True)
