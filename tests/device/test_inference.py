"""Inference: bit-exact with a bare BUILTIN_REF interpreter; models that are not what their contract says are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tflite_runtime.interpreter import Interpreter, OpResolverType
from thermo_core.contract import InputContract, OutputContract
from thermo_core.profile import Profile
from thermo_device.inference import Classifier

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.image import parse
from thermo_device.counters import Counters

STATEFUL = Path(__file__).resolve().parents[1] / "quantize" / "data" / "lstm_int8.tflite"
ARTIFACTS = Path(__file__).resolve().parents[2] / "models" / "thermo_models" / "wearables"
MODELS = {
    "mobilenet": ("reference_models/mobilenet_v1_24x32_int8.tflite", 4),
    "kws": ("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", 12),
}


def _interpreter(model: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    return interpreter


def _bundle(path: Path, labels: int) -> Bundle:
    model = path.read_bytes()
    interpreter = _interpreter(model)
    given, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return Bundle(
        profile=replace(Profile.bare(), labels=tuple(f"label {n}" for n in range(labels))),
        input=InputContract(tuple(int(n) for n in given["shape"][1:]), *given["quantization"]),
        output=OutputContract(*result["quantization"]),
        model=model,
        card="For tests.",
    )


@pytest.fixture
def bundle() -> Bundle:
    return _breast_patch()


def _breast_patch() -> Bundle:
    return Bundle.from_payload(parse((ARTIFACTS / "breast-patch" / "bundle.img").read_bytes()).payload)


def _oracle(bundle: Bundle, quantized: np.ndarray) -> np.ndarray:
    interpreter = _interpreter(bundle.model)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], quantized[np.newaxis])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


@pytest.mark.parametrize("name", ["breast-patch", *MODELS])
def test_reference_kernels_are_bit_exact(name: str, request: pytest.FixtureRequest) -> None:
    if name == "breast-patch":
        bundle = _breast_patch()
    else:
        path, labels = MODELS[name]
        bundle = _bundle(request.getfixturevalue("shared_dir") / path, labels)
    counters = Counters()
    classifier = Classifier(bundle, counters=counters)
    rng = np.random.default_rng(1)
    scale, zero_point = np.float64(np.float32(bundle.input.scale)), bundle.input.zero_point
    outputs = set()
    for _ in range(60):
        spread = rng.choice([0.05, 0.2, 1.0]) * 128 * scale
        features = rng.normal(0, spread, bundle.input.shape).astype(np.float32)
        quantized = np.clip(np.rint(features / np.float32(scale)) + zero_point, -128, 127).astype(np.int8)
        result = classifier.classify(features)
        expected = _oracle(bundle, quantized)
        np.testing.assert_array_equal(result.output, expected)
        outputs.add(result.output.tobytes())
        assert result.label == int(np.argmax(expected))
        real = (expected.astype(float) - bundle.output.zero_point) * np.float32(bundle.output.scale)
        np.testing.assert_allclose(result.scores, np.clip(real, 0, 1), atol=1e-6)
    assert len(outputs) > 10 or name == "mobilenet", "that one says the same of everything"
    assert counters.snapshot() == {"classified": 60}
    assert classifier.self_test() == ""
    assert not classifier.fast


def test_fast_kernels_are_held_against_the_reference_and_disagreements_counted(bundle: Bundle) -> None:
    counters = Counters()
    classifier = Classifier(bundle, "fast", counters, compare_every=4)
    fast = Interpreter(model_content=bundle.model)
    fast.allocate_tensors()
    rng = np.random.default_rng(2)
    disagreed = 0
    for n in range(80):
        features = rng.normal(0, 1, bundle.input.shape).astype(np.float32)
        quantized = bundle.input.quantize(features)
        fast.set_tensor(fast.get_input_details()[0]["index"], quantized[np.newaxis])
        fast.invoke()
        expected = fast.get_tensor(fast.get_output_details()[0]["index"])[0]
        np.testing.assert_array_equal(classifier.classify(features).output, expected)
        disagreed += n % 4 == 0 and not np.array_equal(expected, _oracle(bundle, quantized))
    assert classifier.fast
    assert counters.get("kernels_compared") == 20
    assert counters.get("kernels_disagreed") == disagreed
    assert classifier.self_test() == ""


def test_a_disagreement_is_counted(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters()
    classifier = Classifier(bundle, "fast", counters, compare_every=1)
    run = classifier._reference.run
    monkeypatch.setattr(classifier._reference, "run", lambda quantized: run(quantized) ^ 1)
    classifier.classify(np.zeros((24, 32, 1), np.float32))
    assert counters.get("kernels_disagreed") == 1
    assert "no longer" in classifier.self_test()


def _with(bundle: Bundle, **changes: object) -> Bundle:
    return replace(bundle, **changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: _with(b, input=replace(b.input, shape=(32, 24, 1))), "shape"),
        (lambda b: _with(b, input=replace(b.input, scale=b.input.scale * 1.0001)), "input is quantised otherwise"),
        (lambda b: _with(b, input=replace(b.input, zero_point=b.input.zero_point + 1)), "input is quantised otherwise"),
        (lambda b: _with(b, output=replace(b.output, scale=b.output.scale * 2)), "output is quantised otherwise"),
        (lambda b: _with(b, output=replace(b.output, zero_point=0)), "output is quantised otherwise"),
        (lambda b: _with(b, profile=replace(b.profile, labels=("one", "two", "three"))), "output has the shape"),
        (lambda b: _with(b, model=b.model[:8]), "damaged"),
        (lambda b: _with(b, model=b.model[:20000]), "damaged"),
        (lambda b: _with(b, model=b"\0\0\0\0TFL3" + bytes(1000)), "damaged"),
        (
            lambda b: _with(b, model=STATEFUL.read_bytes()),
            r"UNIDIRECTIONAL_SEQUENCE_LSTM\) keeps a state .* unroll=True",
        ),
    ],
)
def test_a_model_that_is_not_what_its_bundle_says_is_refused(bundle: Bundle, change, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Classifier(change(bundle))


def test_a_model_with_a_picture_as_output_is_refused(shared_dir: Path) -> None:
    unet = _bundle(shared_dir / "third_party_models/thermo_presence_unet_int8.tflite", 32)
    with pytest.raises(ModelError, match="output has the shape"):
        Classifier(unet)


def test_features_that_are_not_finite_or_of_another_shape_are_refused(bundle: Bundle) -> None:
    classifier = Classifier(bundle)
    with pytest.raises(ModelError, match="NaN"):
        classifier.classify(np.full((24, 32, 1), np.nan, np.float32))
    with pytest.raises(ModelError, match="shape"):
        classifier.classify(np.zeros((32, 24, 1), np.float32))


def test_other_kernels_do_not_exist(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="'quick'"):
        Classifier(bundle, "quick")
