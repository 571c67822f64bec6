"""Networks with a state, compiled: every byte as BUILTIN_REF computes it over sequences of runs, with resets between."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_models import STRICT
from numpy.typing import NDArray
from random_lstm import KINDS, Kind, RandomLstm

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import compile_model

DATA = Path(__file__).parent / "data"
RUNS, RESETS = 12, (7,)


@pytest.mark.parametrize("kind", KINDS)
def test_lstm_on_the_host_without_undefined_behaviour(
    model_builder: Any, reference: Any, host_run: Any, tmp_path: Path, kind: Any
) -> None:
    for seed in range(4):
        lstm = RandomLstm(model_builder(), seed, KINDS[kind])
        model, inputs = lstm.build(), lstm.inputs(RUNS)
        expected = reference(model, inputs, RESETS)[0]
        files = compile_model(model, "net").files
        got = host_run(files, "net", inputs, tmp_path / str(seed), STRICT, resets=RESETS)
        assert np.array_equal(got, expected), (kind, seed)


@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_lstm_emulated(
    model_builder: Any, reference: Any, emulate: Any, emulated: Any, tmp_path: Path, cpu: str
) -> None:
    models, expected = [], []
    for seed, (name, kind) in enumerate(KINDS.items(), 20):
        lstm = RandomLstm(model_builder(), seed, kind)
        model, inputs = lstm.build(), lstm.inputs(RUNS)
        expected.append(reference(model, inputs, RESETS)[0])
        models.append(emulated(compile_model(model, name, cpu).files, name, inputs, RESETS))
    for got, wanted, name in zip(emulate(models, cpu, tmp_path), expected, KINDS, strict=True):
        assert np.array_equal(got, wanted), name


def inputs_of(model: bytes, count: int) -> NDArray[Any]:
    source = read_model(model).inputs[0]
    kind = np.dtype(source.type.name.lower())
    limits = np.iinfo(kind)
    return np.random.default_rng(6).integers(limits.min, limits.max + 1, (count, *source.shape)).astype(kind)


@pytest.mark.parametrize("name", ["lstm_int8", "unrolled_int8", "unrolled_16x8"])
def test_what_tensorflow_makes_of_recurrent_layers(reference: Any, host_run: Any, tmp_path: Path, name: str) -> None:
    """Layers fused to an operator that keeps a state, and layers unrolled to ordinary ones."""
    model = (DATA / f"{name}.tflite").read_bytes()
    inputs, resets = inputs_of(model, RUNS), RESETS if name.startswith("lstm") else ()
    files = compile_model(model, "net").files
    got = host_run(files, "net", inputs, tmp_path, STRICT, resets=resets)
    assert np.array_equal(got, reference(model, inputs, resets)[0])


def test_a_converted_lstm_emulated(reference: Any, emulate: Any, emulated: Any, tmp_path: Path) -> None:
    model = (DATA / "lstm_int8.tflite").read_bytes()
    inputs = inputs_of(model, 5)
    [got] = emulate([emulated(compile_model(model, "net", "m4").files, "net", inputs, (3,))], "m4", tmp_path)
    assert np.array_equal(got, reference(model, inputs, (3,))[0])


def test_the_state_lasts_until_it_is_reset(model_builder: Any, host_run: Any, tmp_path: Path) -> None:
    lstm = RandomLstm(model_builder(), 3, Kind())
    compiled = compile_model(lstm.build(), "net")
    one, two = lstm.inputs(2)
    runs = host_run(compiled.files, "net", np.stack([one, two, one, two, one, one]), tmp_path, resets=(2, 5))
    assert np.array_equal(runs[0], runs[2]) and np.array_equal(runs[1], runs[3])
    assert np.array_equal(runs[0], runs[5]) and not np.array_equal(runs[0], runs[4])
    assert compiled.state_bytes >= 2 * lstm.cells + 2 * lstm.units
    assert f"#define NET_STATE_BYTES {compiled.state_bytes}\n" in compiled.files["net.h"]


def test_networks_without_a_state_have_nothing_to_reset(random_models: Any) -> None:
    compiled = compile_model(random_models(1).build(["dense"])[0], "net")
    assert compiled.state_bytes == 0
    assert not any("state" in text or "reset" in text for text in compiled.files.values())


def a_state_read_by_add(model_builder: Any) -> bytes:
    builder = model_builder()
    source, state, result = (
        builder.tensor((1, 3), 0.05),
        builder.tensor((1, 3), 0.05, state=True),
        builder.tensor((1, 3), 0.1),
    )
    builder.operator("ADD", [source, state], [result])
    return builder.build([source], [result])


def test_states_of_other_operators_are_refused_by_name(model_builder: Any) -> None:
    with pytest.raises(ModelError, match=r"operator 0 \(ADD\) reads tensor 1 \(t1\), a state .* as an input\.$"):
        compile_model(a_state_read_by_add(model_builder), "net")


def altered(model_builder: Any, change: Any) -> bytes:
    """A plain LSTM with one thing of it changed."""
    builder = model_builder()
    lstm = RandomLstm(builder, 5, Kind())
    lstm.build()
    name, inputs, outputs, options = builder.operators[0]
    change(builder, inputs, options)
    builder.operators[0] = name, inputs, outputs, options
    return builder.build([inputs[0]], outputs)


def normalised(builder: Any, inputs: Any, options: Any) -> None:
    inputs[21] = builder.tensor((4,), 0.001, 0, np.ones(4, np.int16), "int16")


def of_two_sequences(builder: Any, inputs: Any, options: Any) -> None:
    for number in (inputs[0], builder.operators[0][2][0], inputs[18], inputs[19]):
        shape = builder.tensors[number][0]
        shape[1] = 2


def on_a_coarse_cell(builder: Any, inputs: Any, options: Any) -> None:
    builder.tensors[inputs[19]][4][2] = ["f", 0.01]


def without_a_gate(builder: Any, inputs: Any, options: Any) -> None:
    inputs[6] = -1


def with_a_rectifier(builder: Any, inputs: Any, options: Any) -> None:
    options["activation"] = 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (normalised, "normalises its layers"),
        (of_two_sequences, "one sequence at a time"),
        (on_a_coarse_cell, "cell scale of 0.0"),
        (without_a_gate, "lacks weights"),
        (with_a_rectifier, "another activation"),
    ],
)
def test_other_lstms_are_refused_by_name(model_builder: Any, change: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        compile_model(altered(model_builder, change), "net")
    sentence = str(caught.value)
    assert "operator 0 (UNIDIRECTIONAL_SEQUENCE_LSTM)" in sentence and sentence.endswith(".") and "\n" not in sentence
