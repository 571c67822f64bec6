"""Networks with a state, compiled: every byte as BUILTIN_REF computes it over sequences of runs, with resets between."""

from pathlib import Path

import numpy as np
import pytest
from random_lstm import KINDS, RandomLstm

from thermo_quantize.compiler.compile import compile_model

STRICT = "-O1 -fsanitize=undefined,address -fno-sanitize-recover=all"
RUNS, RESETS = 12, (7,)


@pytest.mark.parametrize("kind", KINDS)
def test_lstm_on_the_host_without_undefined_behaviour(model_builder, reference, host_run, tmp_path: Path, kind) -> None:
    for seed in range(4):
        lstm = RandomLstm(model_builder(), seed, KINDS[kind])
        model, inputs = lstm.build(), lstm.inputs(RUNS)
        expected = reference(model, inputs, RESETS)[0]
        files = compile_model(model, "net").files
        got = host_run(files, "net", inputs, tmp_path / str(seed), "-O1 -fsanitize=undefined", resets=RESETS)
        assert np.array_equal(got, expected), (kind, seed)


@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_lstm_emulated(model_builder, reference, emulate, emulated, tmp_path: Path, cpu: str) -> None:
    models, expected = [], []
    for seed, (name, kind) in enumerate(KINDS.items(), 20):
        lstm = RandomLstm(model_builder(), seed, kind)
        model, inputs = lstm.build(), lstm.inputs(RUNS)
        expected.append(reference(model, inputs, RESETS)[0])
        models.append(emulated(compile_model(model, name, cpu).files, name, inputs, RESETS))
    for got, wanted, name in zip(emulate(models, cpu, tmp_path), expected, KINDS, strict=True):
        assert np.array_equal(got, wanted), name
