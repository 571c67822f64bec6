"""Graphs in C make what Python's make, byte for byte, whatever the graph and whatever came."""

import shutil
from pathlib import Path

import pytest
from firmware_graph import Case, run
from graph_plans import Recording, graphs, recordings
from hypothesis import HealthCheck, Phase, given, settings

from thermo_core import schema
from thermo_core.graph.plan import Plan

GRAPHS = 60
EMULATED = 15

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def drawn(count: int) -> list[Case]:
    """Random cases, to be compiled together."""
    found: list[Case] = []

    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(graphs(), recordings())
    def draw(plan: Plan, recording: Recording) -> None:
        found.append(Case.of(plan, recording, len(found)))

    draw()
    return found


def compare(cases: list[Case], folder: Path, emulated: bool = False) -> None:
    for case, found in zip(cases, run(cases, folder, emulated), strict=True):
        for number, (wanted, made) in enumerate(zip(case.wanted(), found, strict=True)):
            assert made == wanted, (number, schema.to_readable(case.plan.profile))


def test_random_graphs_make_the_bytes_of_python(tmp_path: Path) -> None:
    compare(drawn(GRAPHS), tmp_path)


def test_random_graphs_on_a_cortex_m4(tmp_path: Path) -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    compare(drawn(EMULATED), tmp_path, emulated=True)
