"""Damaged models: the compiler refuses them in one sentence or compiles them; nothing else ever comes out."""

import struct
from typing import Any

import pytest
from examples import few
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from random_lstm import KINDS, RandomLstm
from random_wide import random_wide

from thermo_core.errors import ModelError
from thermo_quantize.compiler.compile import compile_model

LAYERS = [
    ["convolution", "depthwise", "softmax"],
    ["transpose_convolution", "pool", "mean"],
    ["binary", "movement", "resize"],
    ["pointwise", "dense", "movement"],
    ["blocks", "slopes", "copying"],
    ["grouped_convolution", "packing", "functions"],
    ["matrices", "normalisation", "reduction"],
    ["batches", "float_functions", "difference"],
]


@pytest.fixture(scope="module")
def models(random_models: Any, model_builder: Any) -> list[bytes]:
    wide = random_wide(random_models)
    found = [random_models(seed).build(layers)[0] for seed, layers in enumerate(LAYERS)]
    found += [wide(seed).build(layers)[0] for seed, layers in enumerate([*LAYERS, ["parts", "requantize"]])]
    return found + [RandomLstm(model_builder(), 1, kind).build() for kind in KINDS.values()]


@few(80, of=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_altered_models(models: list[bytes], data: st.DataObject) -> None:
    altered = bytearray(data.draw(st.sampled_from(models)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(altered) - 4))
        if data.draw(st.booleans()):
            altered[at] = data.draw(st.integers(0, 255))
        else:
            struct.pack_into("<i", altered, at // 4 * 4, data.draw(st.integers(-3, 40)))
    try:
        compile_model(bytes(altered), "net", data.draw(st.sampled_from(["generic", "m0plus", "m4", "m55"])))
    except ModelError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
