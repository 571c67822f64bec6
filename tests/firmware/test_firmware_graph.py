"""Graphs in C make what Python's make, byte for byte, whatever the graph and whatever came."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from firmware_graph import Case, first_difference, run
from graph_plans import STAGES, Seeded, Unfit, graph, recording, single

from thermo_core.graph.plan import Plan
from thermo_core.stages import OPS

GRAPHS, SAMPLES = 60, 150
EMULATED = 12
SETS, INPUTS = 4, 60
"""Of each operation: sets of parameters, and samples for each."""

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


large = partial(graph, least=4, most=14)


def cases(make: Callable[[Seeded], Plan], count: int, samples: int, seed: int = 0) -> list[Case]:
    """Random cases, to be compiled together."""
    rng, found = np.random.default_rng(seed), []
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


def test_random_graphs_on_a_cortex_m4(tmp_path: Path) -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    compare(cases(large, EMULATED, SAMPLES, 1), tmp_path, emulated=True)
