"""Networks on the device: bit-exact with a bare BUILTIN_REF interpreter; those that are not what their model says are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import breast_patch
from msgspec.structs import replace
from numpy.typing import NDArray
from tflite_runtime.interpreter import Interpreter, OpResolverType

from thermo_core.errors import ModelError, UsageError
from thermo_core.graph.plan import plan
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Model, Profile
from thermo_device.bare import DEFAULT
from thermo_device.counters import Counters
from thermo_device.networks import ComparedNetwork, check_ends, open_networks

STATEFUL = Path(__file__).resolve().parents[1] / "quantize" / "data" / "lstm_int8.tflite"
MODELS = {
    "mobilenet": "reference_models/mobilenet_v1_24x32_int8.tflite",
    "kws": "third_party_models/mlperf_tiny_kws_dscnn_int8.tflite",
}


def _interpreter(model: bytes) -> Any:
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    return interpreter


def _oracle(model: bytes, quantized: NDArray[Any]) -> NDArray[Any]:
    interpreter = _interpreter(model)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], quantized[np.newaxis])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


@pytest.fixture(scope="module")
def lesion() -> bytes:
    return breast_patch().networks["lesion"]


@pytest.mark.parametrize("name", ["breast-patch", *MODELS])
def test_reference_kernels_are_bit_exact(name: str, lesion: bytes, request: pytest.FixtureRequest) -> None:
    model = lesion if name == "breast-patch" else (request.getfixturevalue("shared_dir") / MODELS[name]).read_bytes()
    given, result = _interpreter(model).get_input_details()[0], _interpreter(model).get_output_details()[0]
    (scale, zero_point), shape = given["quantization"], tuple(int(n) for n in given["shape"][1:])
    counters = Counters()
    network = ComparedNetwork(model, counters=counters)
    rng = np.random.default_rng(1)
    outputs = set()
    for _ in range(60):
        features = rng.normal(0, rng.choice([0.05, 0.2, 1.0]) * 128 * scale, shape).astype(np.float32)
        quantized = np.clip(np.rint(features / np.float32(scale)) + zero_point, -128, 127).astype(np.int8)
        expected = _oracle(model, quantized)
        real = (expected.astype(float) - result["quantization"][1]) * np.float32(result["quantization"][0])
        np.testing.assert_allclose(network.infer([features]), real, rtol=1e-6, atol=1e-9)
        outputs.add(expected.tobytes())
    assert len(outputs) > 10 or name == "mobilenet", "that one says the same of everything"
    assert counters.snapshot() == {}
    assert network.self_test() == ""


def test_fast_kernels_are_held_against_the_reference_and_disagreements_counted(lesion: bytes) -> None:
    counters = Counters()
    network = ComparedNetwork(lesion, "fast", counters, compare_every=4)
    fast = Interpreter(model_content=lesion)
    fast.allocate_tensors()
    rng = np.random.default_rng(2)
    disagreed = 0
    for n in range(80):
        features = rng.normal(0, 1, network.inputs[0].shape).astype(np.float32)
        quantized = network.inputs[0].quantize(features)
        fast.set_tensor(fast.get_input_details()[0]["index"], quantized[np.newaxis])
        fast.invoke()
        expected = fast.get_tensor(fast.get_output_details()[0]["index"])[0]
        np.testing.assert_array_equal(network.infer([features]), network.output.dequantize(expected))
        disagreed += n % 4 == 0 and not np.array_equal(expected, _oracle(lesion, quantized))
    assert counters.get("kernels_compared") == 20
    assert counters.get("kernels_disagreed") == disagreed
    assert network.self_test() == ""


def test_a_disagreement_is_counted(lesion: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters()
    network = ComparedNetwork(lesion, "fast", counters, compare_every=1)
    run = network._reference.run
    monkeypatch.setattr(network._reference, "run", lambda quantized: run(quantized) ^ 1)
    network.infer([np.zeros((24, 32, 1), np.float32)])
    assert counters.get("kernels_disagreed") == 1
    assert "no longer" in network.self_test()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model[:8], "damaged"),
        (lambda model: model[:20000], "damaged"),
        (lambda model: b"\0\0\0\0TFL3" + bytes(1000), "damaged"),
        (
            lambda model: STATEFUL.read_bytes(),
            r"UNIDIRECTIONAL_SEQUENCE_LSTM\) keeps a state .* unroll=True",
        ),
    ],
)
def test_a_file_that_is_no_network_of_ours_is_refused_by_its_model_s_name(
    lesion: bytes, change: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=f'"lesion".*{message}'):
        open_networks({"lesion": change(lesion)}, "reference", Counters())


def _profile(*inputs: str) -> Profile:
    return replace(DEFAULT, models=(Model(name="it", inputs=inputs, scores=tuple(f"word {n}" for n in range(12))),))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (("skin",), r'"skin" of shape \(24, 32\) do not fit an input of \(49, 10, 1\)'),
        (("skin", "skin.ta"), "has 1 inputs and the model takes 2"),
    ],
)
def test_a_network_of_other_inputs_than_its_model_s_is_refused(
    shared_dir: Path, inputs: tuple[str, ...], message: str
) -> None:
    networks = open_networks({"it": (shared_dir / MODELS["kws"]).read_bytes()}, "reference", Counters())
    with pytest.raises(ModelError, match=message):
        check_ends(plan(_profile(*inputs)), networks)


def test_other_kernels_do_not_exist(lesion: bytes) -> None:
    with pytest.raises(UsageError, match="'quick'"):
        ComparedNetwork(lesion, "quick")


def test_the_one_interpreter_is_the_core_s(lesion: bytes) -> None:
    features = np.random.default_rng(3).normal(0, 1, (24, 32, 1)).astype(np.float32)
    np.testing.assert_array_equal(ComparedNetwork(lesion).infer([features]), Int8Network(lesion).infer([features]))
