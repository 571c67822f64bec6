"""Noise by layer, golden vectors and the matrix of runtimes, on models that stand in tests/quantize/data."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import AccuracyDropError, ModelError, UsageError
from thermo_core.tflite.verify import verify_model
from thermo_quantize import golden, layers
from thermo_quantize.describe import contracts, describe
from thermo_quantize.flatfile import pack, unpack, without_head
from thermo_quantize.runtimes import Kernels, Runner
from thermo_quantize.samples import Samples
from thermo_quantize.scoring import Score, gate, score

DATA = Path(__file__).parent / "data"
FLOAT, INT8, WIDE = ((DATA / f"cnn_{name}.tflite").read_bytes() for name in ("float", "int8", "16x8"))
INPUTS = [np.random.default_rng(0).normal(size=(12, 24, 32, 1)).astype(np.float32)]


def test_a_float_model_loses_nothing_against_itself() -> None:
    assert {one.accumulated_db for one in layers.measure(FLOAT, FLOAT, INPUTS)} == {layers.BEST_DB}


def test_accumulated_noise_is_the_closed_form_of_the_outputs() -> None:
    exact, found = Runner(FLOAT).predict(INPUTS)[0], Runner(INT8).predict(INPUTS)[0]
    expected = 10 * np.log10(np.sum(exact.astype(float) ** 2) / np.sum((exact.astype(float) - found) ** 2))
    noise = layers.measure(FLOAT, INT8, INPUTS)
    assert noise[-1].accumulated_db == pytest.approx(expected, abs=0.02)
    assert [one.kind for one in noise] == [op.name for op in verify_model(FLOAT).model.operators]


def test_eight_more_bits_give_less_noise() -> None:
    eight = np.array([one.own_db for one in layers.measure(FLOAT, INT8, INPUTS)])
    sixteen = {one.float_tensor: one.own_db for one in layers.measure(FLOAT, WIDE, INPUTS)}
    better = [
        wide > one.own_db
        for one in layers.measure(FLOAT, INT8, INPUTS)
        if one.own_db is not None and (wide := sixteen.get(one.float_tensor)) is not None
    ]
    assert np.mean(better) > 0.8
    assert np.all(eight > 10)


def test_names_the_layer_that_was_spoiled() -> None:
    """Coarser weights in one convolution make that very one the worst."""
    tree = unpack(INT8)
    spoiled = next(op for op in verify_model(INT8).model.operators if op.name == "CONV_2D" and op.index > 1)
    weights = spoiled.inputs[1]
    assert weights is not None
    buffer = tree.buffers[tree.subgraphs[0].tensors[weights.index].buffer]
    buffer.data = (np.array(buffer.data, np.uint8).view(np.int8) // 64 * 64).view(np.uint8)
    worst = layers.worst(layers.measure(FLOAT, pack(tree), INPUTS))
    assert worst is not None
    assert worst.operator == spoiled.index


def test_golden_vectors_are_the_oracles_and_reproducible() -> None:
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    vectors = golden.make(INT8, INPUTS, count=20)
    assert vectors.to_bytes() == golden.make(INT8, INPUTS, count=20).to_bytes()
    stored = np.load(io.BytesIO(vectors.to_bytes()))
    interpreter = Interpreter(model_content=INT8, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    for sample, expected in zip(stored["input0"], stored["output0"], strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample[None])
        interpreter.invoke()
        assert np.array_equal(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0], expected)
    assert {-128, 127} <= set(stored["input0"].ravel().tolist())
    assert stored["logits0"].shape == (20, 4)


def test_logits_are_what_the_softmax_takes() -> None:
    headless = without_head(INT8)
    assert headless is not None
    assert [op.name for op in verify_model(headless).model.operators][-1] == "FULLY_CONNECTED"
    assert without_head(headless) is None


def test_the_matrix_holds_every_runtime_against_the_oracle() -> None:
    rows = golden.matrix(INT8, INPUTS, count=32)
    assert len(rows) == 6
    assert (rows[0].kernels, rows[0].differing, rows[0].max_lsb, rows[0].argmax_flips) == ("reference", 0.0, 0.0, 0)
    ran = [row for row in rows if not row.problem]
    assert all(row.samples == 32 and row.max_lsb <= 3 for row in ran)


def test_description_agrees_with_the_interpreter() -> None:
    found = describe(INT8)
    live = [op.live_bytes for op in found.operators]
    assert found.peak_activation_bytes == max(live) == 12 * 16 * 8 * 3
    assert found.kinds["CONV_2D"] == 3
    ends = Runner(INT8).inputs[0], Runner(INT8).outputs[0]
    contract = contracts(verify_model(INT8), unit="K")
    assert contract is not None
    assert contract["input"]["unit"] == "K"
    for end, side in zip(ends, ("input", "output"), strict=True):
        assert np.float32(contract[side]["scale"]) == np.float32(end.scale)
        assert contract[side]["zero_point"] == end.zero_point
    assert contracts(verify_model(FLOAT)) is None


def test_every_engine_column_of_the_device_accepts_its_operators() -> None:
    for kernels in Kernels:
        assert Runner(INT8, kernels).run([np.zeros((24, 32, 1), np.int8)])[0].shape == (4,)


def test_models_of_several_ends_have_contracts_by_name(model_builder: Any) -> None:
    builder = model_builder()
    a, b, y = builder.tensor((1, 4), 0.1, 3), builder.tensor((1, 4), 0.2, -5), builder.tensor((1, 4), 0.3, 1)
    builder.operator("ADD", [a, b], [y])
    contract = contracts(verify_model(builder.build([a, b], [y])))
    assert contract is not None
    assert {name: one["zero_point"] for name, one in contract["inputs"].items()} == {"t0": 3, "t1": -5}
    assert contract["inputs"]["t0"]["unit"] == "not stated"
    assert list(contract["outputs"]) == ["t2"]
    with pytest.raises(UsageError, match="The unit"):
        contracts(verify_model(INT8), unit="")


def test_networks_of_another_shape_are_not_compared(model_builder: Any) -> None:
    builder = model_builder()
    x, y = builder.tensor((1, 4), 0.1), builder.tensor((1, 4), 1 / 256, -128)
    builder.operator("SOFTMAX", [x], [y], beta=1.0)
    with pytest.raises(ModelError, match="not the same network"):
        layers.measure(FLOAT, builder.build([x], [y]), INPUTS)


def test_layers_are_found_by_order_where_names_are_others() -> None:
    """Quantisation-aware training names tensors anew."""
    tree = unpack(INT8)
    for number, tensor in enumerate(tree.subgraphs[0].tensors):
        tensor.name = f"other/{number}"
    renamed = layers.measure(FLOAT, pack(tree), INPUTS)
    assert [(one.layer, one.own_db) for one in renamed] == [
        (one.layer, one.own_db) for one in layers.measure(FLOAT, INT8, INPUTS)
    ]


def test_the_picture_marks_the_layer_that_is_named() -> None:
    from xml.etree import ElementTree

    from thermo_quantize.page import noise_picture

    noise = layers.measure(FLOAT, INT8, INPUTS)
    moved = layers.LayerNoise(0, "RESHAPE", "moved", 0, "INT8", 1.0, 1.0)
    unknown = layers.LayerNoise(99, "MEAN", "unknown", 0, "INT8", None, 20.0)
    root = ElementTree.fromstring(noise_picture([moved, *noise, unknown]))
    bars = [bar for bar in root.iter("{http://www.w3.org/2000/svg}rect") if bar.get("height") == "7"]
    red = [number for number, bar in enumerate(bars) if bar.get("fill") == "#b3261e"]
    worst = layers.worst(noise)
    assert red == [2 * (1 + [one.operator for one in noise].index(worst.operator if worst else -1))]


def test_layer_names_lose_what_converters_add() -> None:
    fused = "net_1/conv_1/Relu;net_1/conv_1/BiasAdd;net_1/conv_1/convolution"
    assert layers.layer_name(fused, {"conv_1": "conv"}) == "conv"
    assert layers.layer_name("net_1/conv_2_5/convolution", {"conv_2_1": "conv_2"}) == "conv_2"
    assert layers.layer_name(f"StatefulPartitionedCall/StatefulPartitionedCall/{fused}", {}) == "conv_1"
    assert layers.layer_name("StatefulPartitionedCall:0", {}) == layers.layer_name("Identity", {}) == "output"


def test_the_gate_names_layer_and_cure() -> None:
    worst = layers.LayerNoise(3, "CONV_2D", "stem", 5, "INT8", 12.0, 11.0)
    exact = Score("accuracy", 0.97, None, 400)
    assert gate(exact, Score("accuracy", 0.9675, None, 400), 0.5, worst, "int8") == pytest.approx(0.25)
    half = gate(Score("accuracy", 0.515, None, 200), Score("accuracy", 0.51, None, 200), 0.5, worst, "int8")
    assert half == pytest.approx(0.5)
    with pytest.raises(AccuracyDropError, match="nan"):
        gate(exact, Score("accuracy", float("nan"), None, 400), 0.5, worst, "int8")
    with pytest.raises(AccuracyDropError, match=r"loses 2\.00 points .* CONV_2D stem loses most .* scheme mixed"):
        gate(exact, Score("accuracy", 0.95, None, 400), 0.5, worst, "int8")
    with pytest.raises(AccuracyDropError, match="points of rmse"):
        gate(Score("rmse", 0.2, None, 9), Score("rmse", 0.21, None, 9), 0.5, None, "qat")


def test_scores_of_known_outputs() -> None:
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]], np.float32)
    samples = Samples({"x": np.zeros((4, 1), np.float32)}, np.array([0, 1, 0, 1]))
    found = score(outputs, samples)
    assert (found.metric, found.value, found.auc) == ("accuracy", 0.5, 0.75)
    targets = Samples(samples.inputs, np.array([0.1, 0.8, 0.6, 0.0]))
    assert score(outputs[:, 1], targets).value == pytest.approx(0.15)
    one = score(outputs[:, 1:], samples)
    assert (one.metric, one.value, one.auc) == ("accuracy", 0.5, 0.75)
    logits = np.log(outputs[:, 1:] / outputs[:, :1])
    assert (score(logits, samples).value, score(logits, samples).auc) == (0.5, 0.75)
    with pytest.raises(UsageError, match="classes up to 5"):
        score(outputs, Samples(samples.inputs, np.array([0, 5, 0, 1])))
    with pytest.raises(UsageError, match="no labels"):
        score(outputs, Samples(samples.inputs))
