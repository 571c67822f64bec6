"""What a stage is said to cost, beside what an emulated Cortex-M4 executes."""

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from thermo_core.stages import OPS
from thermo_quantize.compiler.graph.costs import instructions

BENCH = Path(__file__).resolve().parents[2] / "bench" / "stages.py"


def _bench() -> Any:
    spec = importlib.util.spec_from_file_location("bench_stages", BENCH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_estimates_are_near_what_is_counted() -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    bench = _bench()
    rows, counted = bench._rows(), bench.measure().rows
    seen = set()
    for row in rows:
        if not row.stages:
            continue
        before = next((len(one.stages) for one in rows if one.name == row.beyond), 0)
        made = bench._plan(row.sensor, row.stages)
        rate_hz = made.signals[made.profile.sensors[0].name].rate_hz
        more = counted[row.name].instructions - counted[row.beyond].instructions
        a_block = 0.0
        for node in made.nodes[before:]:
            seen.add(node.what.op)
            said = instructions(node, {}, "m4")
            assert said is not None
            # Counted for a sample of the sensor, said for a sample that is given.
            a_block += said * node.gives.rate_hz / rate_hz
        assert a_block * 0.7 - 300 < more < a_block * 1.4 + 300, (row.name, a_block, more)
    assert seen == OPS.keys(), "bench/stages.py measures every operation, and compiler/graph/costs.py estimates it"


def test_nobody_knows_what_floats_cost_without_a_unit_for_them() -> None:
    bench = _bench()
    node = bench._plan(bench.CAMERA, bench._chain()).nodes[-1]
    assert instructions(node, {}, "m0") is None and instructions(node, {}, "generic") is None
    assert instructions(node, {}, "m55") == instructions(node, {}, "m4")
