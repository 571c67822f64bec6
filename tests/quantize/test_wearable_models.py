"""What is signed gives verdicts: shapes, ends, ranges and labels that would not are refused with what to do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError, ThermoError
from thermo_core.image import Version, parse, sign, verify
from thermo_core.profile import Alert, Preprocessing, Profile
from thermo_core.tflite.verify import verify_model
from thermo_core.typical import typical_features
from thermo_quantize import firmware
from thermo_quantize.describe import contracts
from thermo_quantize.sign import resign, sign_bundle

ARTIFACTS = Path(__file__).resolve().parents[2] / "models/thermo_models/artifacts"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SKIN = (0.024, 2)
"""Scale and zero point of an input that holds what preprocessing makes of skin."""


def network(
    model_builder: Any,
    outputs: int = 2,
    head: str = "SOFTMAX",
    shape: tuple[int, ...] = (24, 32, 1),
    source: tuple[float, int] = SKIN,
    sink: tuple[float, int] = (0.05, 0),
    rank: int = 2,
) -> bytes:
    """A dense layer of a whole picture and a head, with any quantisation at its ends."""
    builder = model_builder()
    generator = np.random.default_rng(1)
    size = int(np.prod(shape))
    x = builder.tensor((1, *shape), *source)
    flat = builder.tensor((1, size), *source)
    builder.operator("RESHAPE", [x, builder.tensor((2,), data=np.array([1, size], np.int32), dtype="int32")], [flat])
    weights = builder.tensor((outputs, size), 0.001, 0, generator.integers(-127, 128, (outputs, size)).astype(np.int8))
    bias = builder.tensor((outputs,), 0.001 * source[0], 0, np.zeros(outputs, np.int32), "int32")
    last = builder.tensor((1, outputs), *sink)
    builder.operator("FULLY_CONNECTED", [flat, weights, bias], [last])
    if head:
        logits, last = last, builder.tensor((1, outputs), 1 / 256, -128)
        builder.operator(head, [logits], [last], **({"beta": 1.0} if head == "SOFTMAX" else {}))
    if rank > 2:
        row, quantised = last, (sink if not head else (1 / 256, -128))
        last = builder.tensor((1, 1, 1, outputs), *quantised)
        wanted = builder.tensor((4,), data=np.array([1, 1, 1, outputs], np.int32), dtype="int32")
        builder.operator("RESHAPE", [row, wanted], [last])
    return bytes(builder.build([x], [last]))


def signed(model: bytes, labels: tuple[str, ...] = ("cold", "warm"), **changes: Any) -> Bundle:
    profile = replace(Profile("test", "1.0.0"), labels=labels, **changes)
    return sign_bundle(model, profile.to_dict(), contracts(verify_model(model)), "# Card\n", Version(1), KEY).bundle


GOOD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "softmax of two": ({}, ("cold", "warm")),
    "softmax of five": ({"outputs": 5}, tuple("abcde")),
    "sigmoids with a label each": ({"outputs": 3, "head": "LOGISTIC"}, tuple("abc")),
    "sigmoids with none of them first": ({"outputs": 3, "head": "LOGISTIC"}, ("none", *"abc")),
    "one sigmoid with two labels": ({"outputs": 1, "head": "LOGISTIC"}, ("no lesion", "lesion")),
    "one number of 0 to 1": ({"outputs": 1, "head": "", "sink": (1 / 255, -128)}, ("dry", "wet")),
    "numbers of 0 to 1": ({"outputs": 2, "head": "", "sink": (1 / 255, -128)}, ("cold", "warm")),
}


@pytest.mark.parametrize("name", GOOD)
def test_networks_that_give_verdicts_are_signed_and_become_firmware(model_builder: Any, name: str) -> None:
    shape, labels = GOOD[name]
    bundle = signed(network(model_builder, **shape), labels)
    payload = bundle.to_payload()
    made = firmware.generate(sign(payload, Version(1), KEY), KEY.public_key())
    assert f".output_count = {shape.get('outputs', 2)}," in made.files["wearable_profile.c"]
    assert f".label_count = {len(labels)}," in made.files["wearable_profile.c"]


BAD: dict[str, tuple[dict[str, Any], tuple[str, ...], type[ThermoError], str]] = {
    "no channel axis": ({"shape": (24, 32)}, ("a", "b"), ModelError, r"\(24, 32\) .* add the channel axis"),
    "another picture": ({"shape": (16, 16, 1)}, ("a", "b"), ModelError, r"\(16, 16, 1\) .* train it on features of that"),
    "logits": ({"head": ""}, ("a", "b"), ModelError, r"ends in FULLY_CONNECTED and gives -6\.4 to 6\.35, .* no probabilities"),
    "a quantity": (
        {"head": "", "outputs": 1, "sink": (0.16, -128)}, ("cool", "warm"), ModelError, "a quantity is no class",
    ),
    "tanh": ({"head": "TANH"}, ("a", "b"), ModelError, "ends in TANH and gives -1 to 0.992"),
    "one sigmoid, one label": ({"outputs": 1, "head": "LOGISTIC"}, ("lesion",), BundleError, "only label, 'lesion'"),
    "softmax of one": ({"outputs": 1}, ("a", "b"), ModelError, "softmax of one output, which always says 1"),
    "a label too many": ({"outputs": 2}, tuple("abc"), ModelError, r"shape \(1, 2\) and the profile 3 labels"),
    "a label too few": ({"outputs": 3, "head": "LOGISTIC"}, ("a", "b"), ModelError, "the profile 2 labels"),
    "a picture of outputs": ({"rank": 4}, ("a", "b"), ModelError, r"the shape \(1, 1, 1, 2\), and a verdict needs one"),
    "input of degrees": ({"source": (0.157, -128)}, ("a", "b"), ModelError, r"holds 0 to 40 in steps of 0\.157"),
    "input too coarse": ({"source": (50.0, 0)}, ("a", "b"), ModelError, "in steps of 50, and the profile"),
    "input too narrow": ({"source": (0.0001, 0)}, ("a", "b"), ModelError, r"preprocessing makes -\d.* of skin"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_networks_that_give_none_are_not_signed(model_builder: Any, name: str) -> None:
    shape, labels, kind, sentence = BAD[name]
    if shape.get("head") == "TANH":
        model = _tanh(model_builder)
    else:
        model = network(model_builder, **shape)
    with pytest.raises(kind, match=sentence) as refusal:
        signed(model, labels)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def _tanh(model_builder: Any) -> bytes:
    builder = model_builder()
    x = builder.tensor((1, 24, 32, 1), *SKIN)
    flat = builder.tensor((1, 768), *SKIN)
    builder.operator("RESHAPE", [x, builder.tensor((2,), data=np.array([1, 768], np.int32), dtype="int32")], [flat])
    weights = builder.tensor((2, 768), 0.001, 0, np.ones((2, 768), np.int8))
    bias = builder.tensor((2,), 0.001 * SKIN[0], 0, np.zeros(2, np.int32), "int32")
    dense, last = builder.tensor((1, 2), 0.05), builder.tensor((1, 2), 1 / 128)
    builder.operator("FULLY_CONNECTED", [flat, weights, bias], [dense])
    builder.operator("TANH", [dense], [last])
    return bytes(builder.build([x], [last]))


@pytest.mark.parametrize("task", ["core-temperature", "wrist-stress", "time-constants"])
def test_a_model_of_no_picture_is_not_signed_with_a_borrowed_profile(task: str) -> None:
    model = (ARTIFACTS / task / "model.tflite").read_bytes()
    contract = contracts(verify_model(model))
    profile = Bundle.from_payload(parse((ARTIFACTS / "breast-patch/bundle.img").read_bytes()).payload).profile
    with pytest.raises(ThermoError):
        sign_bundle(model, profile.to_dict(), contract, "# Card\n", Version(1), KEY)


@pytest.mark.parametrize(
    ("centre", "scale", "fits"), [("median", 1.0, True), ("none", 1.0, False), ("median", 1e-3, False)]
)
def test_the_input_is_held_against_what_the_preprocessing_makes(
    model_builder: Any, centre: str, scale: float, fits: bool
) -> None:
    model = network(model_builder)
    preprocessing = Preprocessing(4, centre, scale)
    if fits:
        assert signed(model, preprocessing=preprocessing).profile.preprocessing == preprocessing
    else:
        with pytest.raises(ModelError, match="The network's input holds -3"):
            signed(model, preprocessing=preprocessing)


def test_typical_features_are_those_of_skin() -> None:
    """Kelvin above the median: a spot of 1.5 K stands out, noise is that of 16 pictures; degrees without centring."""
    above = typical_features(Preprocessing(16, "median", 1.0))
    assert all(abs(float(np.median(features))) < 1e-4 for features in above.values())
    assert 1.0 < above["skin with a warm spot"].max() < 2.0
    assert above["skin"].max() < 0.8
    degrees = typical_features(Preprocessing(1, "none", 1.0))["skin"]
    assert 31 < degrees.mean() < 36
    single, many = (typical_features(Preprocessing(n, "none", 1.0))["skin"] for n in (1, 255))
    assert np.std(single - many) == pytest.approx(0.3, abs=0.03)


def test_an_alert_that_no_score_reaches_is_not_signed(model_builder: Any) -> None:
    sigmoid = network(model_builder, 1, "LOGISTIC")
    with pytest.raises(ModelError, match=r"needs a score of 1 and the network's end at 0\.9961"):
        signed(network(model_builder), alert=Alert(1, 1.0))
    with pytest.raises(ModelError, match="alert needs a score"):
        signed(sigmoid, alert=Alert(1, 0.999))
    assert signed(sigmoid, alert=Alert(0, 1.0)).profile.alert == Alert(0, 1.0)
    assert signed(sigmoid, alert=Alert(1, 0.99)).profile.alert == Alert(1, 0.99)


def test_what_was_signed_before_is_looked_at_when_it_is_signed_again(model_builder: Any) -> None:
    bundle = signed(network(model_builder))
    logits = network(model_builder, head="")
    own = contracts(verify_model(logits))
    assert own is not None
    image = sign(
        replace(bundle, model=logits, output=replace(bundle.output, scale=0.05, zero_point=0)).to_payload(),
        Version(1),
        KEY,
    )
    with pytest.raises(ModelError, match="no probabilities"):
        resign(image, KEY.public_key(), KEY)


def test_what_was_waived_stays_with_the_bundle(model_builder: Any) -> None:
    model = network(model_builder)
    profile = replace(Profile("test", "1.0.0"), labels=("cold", "warm"))
    arguments = (model, profile.to_dict(), contracts(verify_model(model)), "# Card\n", Version(1), KEY)
    plain, forced = sign_bundle(*arguments), sign_bundle(*arguments, ("It lost 3 points.",))
    assert plain.bundle.waived == () and b"waived" not in plain.data
    again = resign(forced.data, KEY.public_key(), KEY)
    assert Bundle.from_payload(verify(again.data, [KEY.public_key()]).payload).waived == ("It lost 3 points.",)


def test_one_sigmoid_calls_both_of_its_labels_on_the_agent(model_builder: Any) -> None:
    """The weights' sum decides the sign: a picture and its negative are called otherwise, with scores that add up to one."""
    from thermo_device.inference import Classifier
    from thermo_device.verdicts import AlertRule

    bundle = signed(network(model_builder, 1, "LOGISTIC"), ("no lesion", "lesion"), alert=Alert(1, 0.6))
    classifier, rule = Classifier(bundle), AlertRule(bundle.profile)
    generator = np.random.default_rng(5)
    called = set()
    for _ in range(20):
        features = generator.normal(0, 1, (24, 32, 1)).astype(np.float32)
        result = classifier.classify(features)
        probability = (int(result.output[0]) + 128) / 256
        assert result.scores.tolist() == [1 - probability, probability]
        assert result.label == int(probability > 0.5)
        assert rule.push(result) == (probability >= 0.6)
        called.add(result.label)
    assert called == {0, 1}
