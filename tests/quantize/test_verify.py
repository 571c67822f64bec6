"""What `verify_model` accepts runs; what it refuses it names."""

import contextlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from random_lstm import KINDS, RandomLstm

from thermo_core.errors import ModelError
from thermo_core.tflite.schema import operator_code
from thermo_core.tflite.verify import verify_model
from thermo_core.tflite.wellformed import check_wellformed

DATA = Path(__file__).parent / "data"
MODELS = sorted(DATA.glob("*.tflite"))
BENCH = Path(__file__).resolve().parents[2] / "bench" / "verify_mutations.py"
PUBLISHED_MACS = {
    "reference_models/mobilenet_v1_24x32_int8.tflite": 1_145_600,
    "third_party_models/mlperf_tiny_kws_dscnn_int8.tflite": 2_656_768,
    "third_party_models/thermo_presence_unet_int8.tflite": 17_031_168,
}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_accepts_models_of_every_scheme(path: Path) -> None:
    assert sum(verify_model(path.read_bytes(), stateful=True).macs) > 30_000


@pytest.mark.parametrize(("name", "macs"), PUBLISHED_MACS.items(), ids=lambda value: str(value).split("/")[-1])
def test_accepts_models_of_others_and_counts_their_work(shared_dir: Path, name: str, macs: int) -> None:
    assert sum(verify_model((shared_dir / name).read_bytes()).macs) == macs


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_refuses_every_truncation(path: Path) -> None:
    data = path.read_bytes()
    for size in [*range(64), *range(64, len(data) - 1, 97)]:
        with pytest.raises(ModelError):
            verify_model(data[:size], stateful=True)


@few(100, of=300)
@given(st.binary(max_size=400), st.integers(0, 64))
def test_noise_is_refused_and_never_breaks(noise: bytes, root: int) -> None:
    for data in (noise, root.to_bytes(4, "little") + b"TFL3" + noise):
        with pytest.raises(ModelError):
            verify_model(data)


def _with(model_builder: Any, change: Any) -> Any:
    """A small convolution with one thing changed, as bytes."""
    import numpy as np

    facts: dict[str, Any] = {
        "stride": 1,
        "scale": 0.02,
        "weight_scale": [0.01, 0.02],
        "weight_zero": 0,
        "activation": 0,
        "out_shape": (1, 4, 4, 2),
        "weights": "int8",
        "operator": "CONV_2D",
        "softmax_scale": 1 / 256,
    }
    facts.update(change)
    builder = model_builder()
    x = builder.tensor((1, 4, 4, 3), 0.1)
    dtype = {"int8": np.int8, "float32": np.float32}[facts["weights"]]
    scales = facts["weight_scale"]
    w = builder.tensor((2, 1, 1, 3), scales, facts["weight_zero"], np.ones((2, 1, 1, 3), dtype), facts["weights"])
    b = builder.tensor((2,), [0.1 * s for s in scales], 0, np.zeros(2, np.int32), "int32")
    y = builder.tensor(facts["out_shape"], facts["scale"])
    z = builder.tensor(facts["out_shape"], facts["softmax_scale"], -128)
    builder.operator(
        facts["operator"], [x, w, b], [y], stride_w=facts["stride"], stride_h=1, activation=facts["activation"]
    )
    builder.operator("SOFTMAX", [y], [z], beta=1.0)
    return builder.build([x], [z])


REFUSED = {
    "stride of zero": ({"stride": 0}, "stride of 0"),
    "scale that overflows": ({"scale": 1e-9}, "do not fit each other"),
    "scale that is not a number": ({"scale": float("nan")}, "scale that is not a positive number"),
    "asymmetric weights": ({"weight_zero": 3}, "zero point a channel"),
    "unknown activation": ({"activation": 4}, "unknown activation 4"),
    "another output shape": ({"out_shape": (1, 4, 5, 2)}, r"gives \[1, 4, 5, 2\]"),
    "float weights under int8": ({"weights": "float32"}, "to be int8"),
    "operator off the list": (
        {"operator": "SVDF"},
        r"operator 0 \(SVDF\), which makes .* is not supported",
    ),
    "softmax of another range": ({"softmax_scale": 1 / 128}, r"operator 1 \(SOFTMAX\) has an output scale"),
}


def test_the_unchanged_small_model_is_accepted(model_builder: Any) -> None:
    assert sum(verify_model(_with(model_builder, {})).macs) == 4 * 4 * 3 * 2


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_and_names(model_builder: Any, name: str) -> None:
    change, sentence = REFUSED[name]
    with pytest.raises(ModelError, match=sentence) as refusal:
        verify_model(_with(model_builder, change))
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


def test_the_command_tells_of_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from thermo_quantize.cli import main

    (tmp_path / "cut.tflite").write_bytes(MODELS[0].read_bytes()[:-200])
    words = ["verify", str(tmp_path / "absent.tflite"), str(MODELS[0]), str(tmp_path / "cut.tflite"), str(MODELS[1])]
    with pytest.raises(SystemExit) as ended:
        main(words)
    captured = capsys.readouterr()
    assert ended.value.code == 7
    assert [line.split(":")[0] for line in captured.out.splitlines()] == [str(path) for path in MODELS[:2]]
    assert ["absent.tflite" in line or "cut.tflite" in line for line in captured.err.splitlines()] == [True, True]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [one["accepted"] for one in found] == [False, True, False, True]


def test_refuses_a_graph_that_runs_in_a_circle(model_builder: Any) -> None:
    builder = model_builder()
    x, y, z = (builder.tensor((1, 4), 0.1) for _ in range(3))
    builder.operator("ADD", [x, z], [y])
    builder.operator("ADD", [x, y], [z])
    with pytest.raises(ModelError, match="before it is computed"):
        verify_model(builder.build([x], [z]))


def test_a_state_is_accepted_only_where_it_is_expected(model_builder: Any) -> None:
    lstm = RandomLstm(model_builder(), 2, KINDS["projected"])
    model = lstm.build()
    verified = verify_model(model, stateful=True)
    per_step = 4 * lstm.cells * (lstm.width + lstm.units) + lstm.units * lstm.cells
    assert verified.macs == (lstm.steps * per_step,)
    assert [tensor.elements for tensor in verified.states] == [lstm.units, lstm.cells]
    with pytest.raises(ModelError, match=r"operator 0 \(UNIDIRECTIONAL_SEQUENCE_LSTM\) keeps a state .* unroll=True"):
        verify_model(model)


def test_the_command_tells_of_a_state(capsys: pytest.CaptureFixture[str]) -> None:
    from thermo_quantize.cli import main

    with contextlib.suppress(SystemExit):
        main(["verify", str(DATA / "lstm_int8.tflite"), str(DATA / "cnn_int8.tflite")])
    lines = capsys.readouterr().out.splitlines()
    assert ["keeps a state" in line for line in lines] == [True, False]


def _state_read_by_add(builder: Any) -> Any:
    x, state, y = builder.tensor((1, 3), 0.1), builder.tensor((1, 3), 0.1, state=True), builder.tensor((1, 3), 0.1)
    builder.operator("ADD", [x, state], [y])
    return builder.build([x], [y])


def _state_of_two(builder: Any) -> Any:
    RandomLstm(builder, 2, KINDS["plain"]).build()
    name, inputs, outputs, options = builder.operators[0]
    result = builder.tensor(tuple(builder.tensors[outputs[0]][0][1:]), 0.01)
    builder.operator(name, [outputs[0], *inputs[1:]], [result], **options)
    builder.intermediates[1] = builder.intermediates[0]
    return builder.build([inputs[0]], [result])


def _intermediate_in_the_graph(builder: Any) -> Any:
    RandomLstm(builder, 2, KINDS["plain"]).build()
    _, inputs, outputs, _ = builder.operators[0]
    builder.intermediates[0][4] = outputs[0]
    return builder.build([inputs[0]], outputs)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_state_read_by_add, r"operator 0 \(ADD\) reads tensor 1 \(t1\), a state"),
        (_state_of_two, r"operator 1 \(UNIDIRECTIONAL_SEQUENCE_LSTM\) reads"),
        (_intermediate_in_the_graph, "an intermediate and part of the graph at once"),
    ],
)
def test_states_and_intermediates_have_their_place(model_builder: Any, make: Any, words: str) -> None:
    """Such a file is not damaged, and the sentence says what it has."""
    with pytest.raises(ModelError, match=words) as refusal:
        verify_model(make(model_builder()), stateful=True)
    assert "damaged" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_refuses_vectors_that_share_bytes(model_builder: Any) -> None:
    """A small file that claims far more than it has would make a reader spend memory."""
    data = bytearray(_with(model_builder, {}))
    check_wellformed(bytes(data))
    refused = 0
    for at in range(8, len(data) - 4, 4):
        huge = bytes(data[:at]) + (1 << 28).to_bytes(4, "little") + bytes(data[at + 4 :])
        try:
            verify_model(huge)
        except ModelError:
            refused += 1
    assert refused > len(data) // 16


def test_operator_names_survive_their_numbers() -> None:
    from thermo_core.tflite.schema import operator_name

    assert operator_name(operator_code("SOFTMAX")) == "SOFTMAX"
    assert operator_name(-3) == "operator -3"


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("tflite_runtime", "ai_edge_litert")),
    reason="needs both runtimes, which the train extra brings",
)
def test_accepted_mutants_crash_no_runtime() -> None:
    command = [sys.executable, str(BENCH), "--json", "--count", "600", "--seed", "7", "--shared", str(DATA)]
    finished = subprocess.run(command, capture_output=True, check=True, text=True)
    result = json.loads(finished.stdout)
    assert result["accepted"] > 60
    for outcomes in result["runtimes"].values():
        assert set(outcomes) <= {"ran", "refused by the runtime"}
        assert outcomes["ran"] >= 0.9 * result["accepted"]
