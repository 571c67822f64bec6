"""Small int8 networks of any number of inputs for tests of graphs, and a runner of them as a graph has it."""

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.graph.plan import Node, Plan
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Model

QUANTIZE = Path(__file__).resolve().parents[1] / "quantize" / "conftest.py"


@cache
def _builder() -> Any:
    """`ModelBuilder` of the compiler's tests."""
    spec = importlib.util.spec_from_file_location("quantize_fixtures", QUANTIZE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ModelBuilder


def network(sizes: Sequence[int], outputs: int, seed: int) -> bytes:
    """A .tflite file: a dense layer on each input, and their sum."""
    rng, builder = np.random.default_rng(seed), _builder()()
    inputs, branches = [], []
    for size in sizes:
        scale = float(np.float32(rng.uniform(0.02, 0.6)))
        weights = rng.integers(-127, 128, (outputs, size)).astype(np.int8)
        bias = rng.integers(-500, 500, outputs).astype(np.int32)
        source = builder.tensor((1, size), scale, int(rng.integers(-128, 128)))
        inputs.append(source)
        # A power of two apart from the input's, so that every way to compute the multiplier gives the same.
        output_scale = scale * 2.0 ** round(np.log2(0.01 * size**0.5))
        branches.append(builder.tensor((1, outputs), output_scale, int(rng.integers(-20, 20))))
        constants = [
            builder.tensor((outputs, size), [2.0**-7], 0, weights),
            builder.tensor((outputs,), [scale * 2.0**-7], 0, bias, "int32"),
        ]
        builder.operator("FULLY_CONNECTED", [source, *constants], [branches[-1]], activation=0)
    last = branches[0]
    for branch in branches[1:]:
        summed = builder.tensor((1, outputs), float(np.float32(rng.uniform(0.01, 0.3))), int(rng.integers(-20, 20)))
        builder.operator("ADD", [last, branch], [summed], activation=0)
        last = summed
    return bytes(builder.build(inputs, [last]))


def networks(plan: Plan, seed: int) -> dict[str, bytes]:
    """A .tflite file for each model of a plan."""
    nodes = [node for node in plan.nodes if isinstance(node.what, Model)]
    return {_name(node): network([one.elements for one in node.inputs], node.gives.elements, seed) for node in nodes}


def _name(node: Node) -> str:
    assert isinstance(node.what, Model)
    return node.what.name


def interpreted(models: Mapping[str, bytes]) -> dict[str, Int8Network]:
    """Runners by the names of models."""
    return {name: Int8Network(model) for name, model in models.items()}
