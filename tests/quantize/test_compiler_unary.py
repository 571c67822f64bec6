"""Functions of one byte, however the file spells them, become one table that gives the reference's bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.ir import Binary, Lookup

EVERY_BYTE = np.arange(-128, 128).reshape(1, 1, 16, 16).astype(np.int8)


def swish(model_builder: Any, scalar_first: bool) -> bytes:
    """x * relu6(x + 3) / 6, spelled out."""
    builder = model_builder()
    shape = (1, 16, 16)
    x, sum_, cut = builder.tensor(shape, 0.05, -11), builder.tensor(shape, 0.06, 4), builder.tensor(shape, 0.0236, -128)
    three = builder.tensor((), 0.0236, 0, np.array(127, np.int8))
    sixth = builder.tensor((1,), 0.00131, 0, np.array([127], np.int8))
    gate, result = builder.tensor(shape, 0.004, -128), builder.tensor(shape, 0.03, -100)
    builder.operator("ADD", [three, x] if scalar_first else [x, three], [sum_])
    builder.operator("RELU6", [sum_], [cut])
    builder.operator("MUL", [cut, sixth], [gate])
    builder.operator("MUL", [x, gate], [result])
    return builder.build([x], [result])


@pytest.mark.parametrize("scalar_first", [False, True])
def test_a_chain_is_one_table(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, scalar_first: bool
) -> None:
    model = swish(model_builder, scalar_first)
    compiled = compile_model(model, "net")
    assert [type(layer) for layer in compiled.network.layers] == [Lookup]
    got = host_run(compiled.files, "net", EVERY_BYTE[0], tmp_path)
    assert np.array_equal(got, reference(model, EVERY_BYTE[0])[0])


@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_a_chain_emulated(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    model = swish(model_builder, False)
    [got] = emulate([emulated(compile_model(model, "net", cpu).files, "net", EVERY_BYTE[0])], cpu, tmp_path)
    assert np.array_equal(got, reference(model, EVERY_BYTE[0])[0])


def test_what_is_an_output_or_broadcast_stays(model_builder: Any) -> None:
    builder = model_builder()
    x, positive = builder.tensor((1, 4, 4), 0.1, 0), builder.tensor((1, 4, 4), 0.1, -128)
    row = builder.tensor((4,), 0.1, 0, np.arange(4, dtype=np.int8))
    scaled, both = builder.tensor((1, 4, 4), 0.1, 0), builder.tensor((1, 4, 4), 0.1, 0)
    builder.operator("RELU", [x], [positive])
    builder.operator("MUL", [x, row], [scaled])
    builder.operator("SUB", [x, positive], [both])
    layers = compile_model(builder.build([x], [positive, scaled, both]), "net").network.layers
    assert [type(layer) for layer in layers] == [Lookup, Binary, Lookup]
    assert layers[2].inputs == layers[0].inputs
