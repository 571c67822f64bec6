"""Small int8 networks of any number of inputs for tests of graphs, and a runner of them as a graph has it."""

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType

from thermo_core.graph.plan import Node, Plan
from thermo_core.signals import Values
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


class Interpreted:
    """A .tflite file run by reference kernels, quantised as `InputContract` does, but that infinities saturate."""

    def __init__(self, model: bytes) -> None:
        self._interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._output = self._interpreter.get_output_details()[0]

    def infer(self, inputs: Sequence[Values]) -> Values:
        for end, values in zip(self._inputs, inputs, strict=True):
            scale, zero = end["quantization"]
            with np.errstate(over="ignore"):
                steps = np.rint(np.asarray(values, np.float32) / np.float32(scale))
            low, high = np.float32(-128 - zero), np.float32(127 - zero)
            quantised = (np.clip(steps, low, high).astype(np.int32) + zero).astype(np.int8)
            self._interpreter.set_tensor(end["index"], quantised.reshape(end["shape"]))
        self._interpreter.invoke()
        scale, zero = self._output["quantization"]
        said = self._interpreter.get_tensor(self._output["index"]).ravel().astype(np.int32)
        return np.asarray((said - zero).astype(np.float32) * np.float32(scale), np.float32)


def interpreted(models: Mapping[str, bytes]) -> dict[str, Interpreted]:
    """Runners by the names of models."""
    return {name: Interpreted(model) for name, model in models.items()}
