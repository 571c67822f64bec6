"""What is signed gives verdicts: shapes, ends, ranges and labels that would not are refused with what to do."""

from typing import Any

import bundles
import msgspec
import numpy as np
import pytest

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError, ThermoError
from thermo_core.graph import typical
from thermo_core.graph.findings import finding
from thermo_core.graph.plan import plan
from thermo_core.image import Version, sign, verify
from thermo_core.schema import from_plain
from thermo_core.signals import Series
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import library
from thermo_core.wearable.profile import Profile
from thermo_quantize.fit import check_bundle
from thermo_quantize.rehearsal import typical_signals
from thermo_quantize.sign import resign, sign_bundle

KEY = bundles.KEY
SKIN = (0.024, 2)
"""Scale and zero point of an input that holds what a centred picture of skin is."""
CAMERA = {"kind": "mlx90640", "name": "skin", "path": [0x33]}
SPOTS = {"kind": "ads1115-ntc", "name": "spots", "path": [0x48], "channels": [{"name": word} for word in "abcd"]}


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


def profile(
    scores: tuple[str, ...] | None = ("cold", "warm"),
    pictures: int = 16,
    by: str = "median",
    factor: float = 1.0,
    **model: Any,
) -> Profile:
    """A camera, its running mean above the middle, and a model of that."""
    stages = [{"op": "average", "of": "skin", "gives": "calm", "pictures": pictures}]
    if by:
        stages.append({"op": "centre", "of": "calm", "gives": "above", "by": by})
    stages.append({"op": "scale", "of": "above" if by else "calm", "gives": "scaled", "factor": factor})
    models: list[dict[str, Any]] = [
        {"name": "lesion", "inputs": ["scaled"], **({} if scores is None else {"scores": list(scores)}), **model}
    ]
    data = {"name": "test", "version": "1.0.0", "sensors": [CAMERA], "stages": stages, "models": models}
    return from_plain(data, Profile, "profile")


def alerting(what: Profile, when: str, clear: str | None = None) -> Profile:
    alert = {"name": "one", "when": when} | ({} if clear is None else {"clear": clear})
    return from_plain(msgspec.to_builtins(what) | {"alerts": [alert]}, Profile, "profile")


def signed(model: bytes, what: Profile) -> Bundle:
    return sign_bundle(what, {"lesion": model}, "# Card\n", Version(1), KEY).bundle


GOOD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "softmax of two": ({}, ("cold", "warm")),
    "softmax of five": ({"outputs": 5}, tuple("abcde")),
    "sigmoids with a label each": ({"outputs": 3, "head": "LOGISTIC"}, tuple("abc")),
    "sigmoids with none of them first": ({"outputs": 3, "head": "LOGISTIC"}, ("none", *"abc")),
    "one sigmoid with two labels": ({"outputs": 1, "head": "LOGISTIC"}, ("no lesion", "lesion")),
    "one number of 0 to 1": ({"outputs": 1, "head": "", "sink": (1 / 255, -128)}, ("dry", "wet")),
    "without an axis of channels": ({"shape": (24, 32)}, ("cold", "warm")),
    "a picture in one row": ({"shape": (768,)}, ("cold", "warm")),
    "outputs with axes of one": ({"rank": 4}, ("cold", "warm")),
    "numbers of 0 to 1": ({"outputs": 2, "head": "", "sink": (1 / 255, -128)}, ("cold", "warm")),
}


@pytest.mark.parametrize("name", GOOD)
def test_networks_that_give_findings_are_signed(model_builder: Any, name: str) -> None:
    shape, scores = GOOD[name]
    model = network(model_builder, **shape)
    bundle = signed(model, profile(scores, width=shape.get("outputs", 2)))
    assert bundle.networks == {"lesion": model}
    checked, networks = check_bundle(bundle), {"lesion": Int8Network(model)}
    for scene in typical.SCENES:
        reading = typical_signals(checked, networks, scene)["lesion.raw"]
        said = finding(bundle.profile.models[0], 0, reading.sample(len(reading) - 1))
        assert len(said.values) == len(scores) and said.flags == 0
        assert 0 <= min(said.values) <= max(said.values) <= 1


BAD: dict[str, tuple[dict[str, Any], tuple[str, ...], int | None, type[ThermoError], str]] = {
    "another picture": ({"shape": (16, 16, 1)}, ("a", "b"), None, ModelError, r"\(16, 16, 1\) and .* train it on features of that"),
    "a picture on its side": ({"shape": (32, 24, 1)}, ("a", "b"), None, ModelError, r"\(32, 24, 1\) and \"scaled\" has \(24, 32\)"),
    "logits": ({"head": ""}, ("a", "b"), None, ModelError, r"ends in FULLY_CONNECTED and gives -6\.4 to 6\.35, .* no probabilities"),
    "a quantity": (
        {"head": "", "outputs": 1, "sink": (0.16, -128)}, ("cool", "warm"), 1, ModelError, "a quantity is no class",
    ),
    "tanh": ({"head": "TANH"}, ("a", "b"), None, ModelError, "ends in TANH and gives -1 to 0.992"),
    "one sigmoid, one label": ({"outputs": 1, "head": "LOGISTIC"}, ("lesion",), None, BundleError, '"lesion" as its only score'),
    "softmax of one": ({"outputs": 1}, ("a", "b"), 1, ModelError, "softmax of one output, which always says 1"),
    "a label too many": ({"outputs": 2}, tuple("abc"), 2, ModelError, "names 3 scores and its network has 2 outputs"),
    "a label too few": ({"outputs": 3, "head": "LOGISTIC"}, ("a", "b"), None, ModelError, "gives 3 numbers and the model says 2"),
    "a width that is not the network's": ({"outputs": 1}, ("a", "b"), None, ModelError, "gives 1 number and .* add width = 1"),
    "labels by far too many": ({"outputs": 2}, tuple("abcd"), 2, BundleError, "names 4 outputs and .* has 2"),
    "input of degrees": ({"source": (0.157, -128)}, ("a", "b"), None, ModelError, r"holds 0 to 40 in steps of 0\.157"),
    "input too coarse": ({"source": (50.0, 0)}, ("a", "b"), None, ModelError, 'in steps of 50, and "scaled" typically'),
    "input too narrow": ({"source": (0.0001, 0)}, ("a", "b"), None, ModelError, r"typically is -\d.* own graph makes"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_networks_that_give_none_are_not_signed(model_builder: Any, name: str) -> None:
    shape, scores, width, kind, sentence = BAD[name]
    if shape.get("head") == "TANH":
        model = _tanh(model_builder)
    else:
        model = network(model_builder, **shape)
    with pytest.raises(kind, match=sentence) as refusal:
        signed(model, profile(scores, width=width))
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
def test_a_model_of_no_picture_is_not_signed_with_a_borrowed_wearable(task: str) -> None:
    (model,) = (path.read_bytes() for path in bundles.wearable(task).networks.values())
    with pytest.raises(ThermoError):
        sign_bundle(bundles.wearable().profile, {"lesion": model}, "# Card\n", Version(1), KEY)


@pytest.mark.parametrize("name", library.names())
def test_every_wearable_that_comes_with_the_product_is_signed(name: str) -> None:
    wearable = bundles.wearable(name)
    networks = {model: path.read_bytes() for model, path in wearable.networks.items()}
    assert sign_bundle(wearable.profile, networks, "# Card\n", Version(1), KEY).bundle.profile == wearable.profile


@pytest.mark.parametrize(
    ("by", "factor", "fits"), [("median", 1.0, True), ("mean", 1.0, True), ("", 1.0, False), ("median", 1e-3, False)]
)
def test_the_input_is_held_against_what_the_graph_makes(model_builder: Any, by: str, factor: float, fits: bool) -> None:
    model, what = network(model_builder), profile(pictures=4, by=by, factor=factor)
    if fits:
        assert signed(model, what).profile == what
    else:
        with pytest.raises(ModelError, match='The network of "lesion" holds -3'):
            signed(model, what)


def test_an_alert_that_no_score_reaches_is_not_signed(model_builder: Any) -> None:
    softmax, sigmoid = network(model_builder), network(model_builder, 1, "LOGISTIC")
    for model, when, clear, why in (
        (
            softmax,
            "lesion.warm >= 1",
            None,
            'never raised: it needs "lesion.warm >= 1" and there can be 0 to 0.99609',
        ),
        (sigmoid, "lesion.warm >= 0.999", None, "never raised"),
        (sigmoid, "lesion.cold < 0.001", None, "never raised"),
        (softmax, "lesion.warm >= 0.5", "lesion.warm < 0", 'never cleared: it needs "lesion.warm < 0"'),
        (softmax, "lesion.warm >= 0", None, "never cleared"),
    ):
        with pytest.raises(ModelError, match=why):
            signed(model, alerting(profile(width=1 if model is sigmoid else 2), when, clear))
    for model, when, clear in (
        (softmax, "lesion.warm >= 0.996", None),
        (sigmoid, "lesion.cold >= 1", None),
        (sigmoid, "lesion.warm >= 0.99", "lesion.warm <= 0"),
    ):
        what = alerting(profile(width=1 if model is sigmoid else 2), when, clear)
        assert signed(model, what).profile.alerts[0].when == when


def quantity(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "warmth", "unit": "K", "low": -5.0, "high": 5.0} | changes]


def test_a_quantity_is_signed_where_it_can_be_what_the_profile_says(model_builder: Any) -> None:
    """Of the network's own -6.4 to 6.35, and of what typical signals give, which lies within a range's width of the range."""
    model = network(model_builder, 1, "", sink=(0.05, 0))
    checked = check_bundle(signed(model, profile(None, quantities=quantity())))
    signals = typical_signals(checked, {"lesion": Int8Network(model)}, "a person in a room")
    level = float(np.nanmedian(signals["lesion.raw"].values))
    assert abs(level) > 0.5
    for changes in (
        {"offset": 36.0, "low": 30.0, "high": 42.0},
        {"factor": -1.0},
        {"low": level - 0.5, "high": level + 0.5},
        {"low": 6.3, "high": 20.0},
    ):
        assert signed(model, profile(None, quantities=quantity(**changes))).profile.models[0].quantities is not None
    for changes, why in (
        ({"offset": 36.0}, "can give a warmth of 29.6 to 42.35 K, and it can be -5 to 5"),
        ({"low": 6.5, "high": 20.0}, "can give a warmth of -6.4 to 6.35 K"),
        ({"factor": 0.0, "offset": 7.0}, "can give a warmth of 7 to 7 K"),
        ({"low": 6.0, "high": 6.2}, "gives a warmth of .* typically say, and it can be 6 to 6.2"),
    ):
        with pytest.raises(ModelError, match=why):
            signed(model, profile(None, quantities=quantity(**changes)))


def test_an_alert_that_no_quantity_reaches_is_not_signed(model_builder: Any) -> None:
    """What is out of a quantity's range moves no alert, whatever the network could say; it says 29.6 to 42.35."""
    model = network(model_builder, 1, "", sink=(0.05, 0))
    warm = profile(None, quantities=quantity(offset=36.0, low=30.0, high=42.0))
    wide = profile(None, quantities=quantity(offset=36.0, low=20.0, high=50.0))
    for what, when in (
        (warm, "lesion.warmth >= 42"),
        (warm, "lesion.warmth <= 30"),
        (wide, "lesion.warmth >= 42.3"),
        (wide, "lesion.warmth <= 29.7"),
    ):
        assert signed(model, alerting(what, when)).profile.alerts
    for what, when, word in (
        (warm, "lesion.warmth > 42", "raised"),
        (warm, "lesion.warmth < 30", "raised"),
        (warm, "lesion.warmth >= 30", "cleared"),
        (wide, "lesion.warmth >= 42.4", "raised"),
        (wide, "lesion.warmth < 29.6", "raised"),
        (wide, "lesion.warmth < 43", "cleared"),
    ):
        with pytest.raises(ModelError, match=f'alert "one" is never {word}'):
            signed(model, alerting(what, when))


def test_an_alert_that_what_is_given_never_reaches_is_not_signed() -> None:
    heart = {"kind": "external", "name": "heart", "unit": "bpm", "rate_hz": 1.0, "low": 20, "high": 250}
    for when, clear, fits in (
        ("heart > 180", "heart < 160", True),
        ("heart >= 250", None, True),
        ("heart > 250", None, False),
        ("heart < 20", None, False),
        ("heart > 10", None, False),
        ("heart > 180", "heart < 20", False),
    ):
        alert = {"name": "fast", "when": when} | ({} if clear is None else {"clear": clear})
        data = {"name": "bare", "version": "1.0.0", "sensors": [heart, CAMERA], "alerts": [alert]}
        what = from_plain(data, Profile, "profile")
        if fits:
            assert sign_bundle(what, {}, "# Card", Version(1), KEY).bundle.profile == what
        else:
            with pytest.raises(ModelError, match='alert "fast" is never'):
                sign_bundle(what, {}, "# Card", Version(1), KEY)


def of_two(model_builder: Any, sizes: tuple[tuple[int, ...], ...], scales: tuple[tuple[float, int], ...]) -> bytes:
    """A dense layer on each input, their sum, a softmax of two."""
    builder, generator = model_builder(), np.random.default_rng(2)
    inputs, branches = [], []
    for shape, (scale, zero_point) in zip(sizes, scales, strict=True):
        size = int(np.prod(shape))
        inputs.append(builder.tensor((1, *shape), scale, zero_point))
        flat = builder.tensor((1, size), scale, zero_point)
        wanted = builder.tensor((2,), data=np.array([1, size], np.int32), dtype="int32")
        builder.operator("RESHAPE", [inputs[-1], wanted], [flat])
        weights = builder.tensor((2, size), 0.001, 0, generator.integers(-127, 128, (2, size)).astype(np.int8))
        bias = builder.tensor((2,), 0.001 * scale, 0, np.zeros(2, np.int32), "int32")
        branches.append(builder.tensor((1, 2), 0.05, 0))
        builder.operator("FULLY_CONNECTED", [flat, weights, bias], [branches[-1]])
    summed, last = builder.tensor((1, 2), 0.05, 0), builder.tensor((1, 2), 1 / 256, -128)
    builder.operator("ADD", branches, [summed], activation=0)
    builder.operator("SOFTMAX", [summed], [last], beta=1.0)
    return bytes(builder.build(inputs, [last]))


DEGREES = (0.157, -128)
"""An input that holds 0 to 40 degC."""


def both(inputs: list[str]) -> Profile:
    """A camera and four thermistors, and a model of both, at the moments of the camera."""
    stages = [
        {"op": "centre", "of": "skin", "gives": "above"},
        {"op": "hold", "of": "spots", "on": "skin", "gives": "near"},
    ]
    models = [{"name": "both", "inputs": inputs, "scores": ["a", "b"]}]
    data = {"name": "two", "version": "1.0.0", "sensors": [CAMERA, SPOTS], "stages": stages, "models": models}
    return from_plain(data, Profile, "profile")


def test_a_model_of_several_inputs_takes_them_in_their_order(model_builder: Any) -> None:
    model = of_two(model_builder, ((24, 32, 1), (4,)), (SKIN, DEGREES))
    bundle = sign_bundle(both(["above", "near"]), {"both": model}, "# Card", Version(1), KEY).bundle
    assert bundle.profile.models[0].inputs == ("above", "near")
    swapped = r'"both" takes inputs of shape \(24, 32, 1\) and "near" has \(4,\)'
    for inputs, why in (
        (["near", "above"], swapped),
        (["above"], r"has 2 inputs and the model takes 1 signals \(above\)"),
    ):
        with pytest.raises(ModelError, match=why):
            sign_bundle(both(inputs), {"both": model}, "# Card", Version(1), KEY)
    coarse = of_two(model_builder, ((24, 32, 1), (4,)), (SKIN, SKIN))
    with pytest.raises(ModelError, match=r'"both" holds -3\.\d* to 3.* and "near" typically is 3'):
        sign_bundle(both(["above", "near"]), {"both": coarse}, "# Card", Version(1), KEY)


def test_each_of_several_models_is_looked_at(model_builder: Any) -> None:
    """A second model takes what the first says; whichever is wrong is named."""
    first = network(model_builder)
    second = network(model_builder, shape=(2,), source=(1 / 255, -128), head="LOGISTIC", outputs=1)
    what = profile()
    models = [
        *what.models,
        from_plain(
            {"name": "judge", "inputs": ["lesion.raw"], "scores": ["no", "yes"], "width": 1}, type(what.models[0]), ""
        ),
    ]
    chained = msgspec.structs.replace(what, models=tuple(models))
    bundle = sign_bundle(chained, {"lesion": first, "judge": second}, "# Card", Version(1), KEY).bundle
    assert [node.gives.name for node in check_bundle(bundle).nodes][-2:] == ["lesion.raw", "judge.raw"]
    logits = network(model_builder, shape=(2,), source=(1 / 255, -128), head="", outputs=1)
    for networks, name in (
        ({"lesion": first, "judge": logits}, "judge"),
        ({"lesion": network(model_builder, head=""), "judge": second}, "lesion"),
    ):
        with pytest.raises(ModelError, match=f'of "{name}" ends in FULLY_CONNECTED'):
            sign_bundle(chained, networks, "# Card", Version(1), KEY)


def test_findings_that_stages_make_of_outputs_are_looked_at(model_builder: Any) -> None:
    """Logits may become scores in the graph; what they become must be some."""
    logits = network(model_builder, head="")
    for factor, fits in ((0.001, True), (10.0, False)):
        stages = [
            {"op": "centre", "of": "skin", "gives": "above"},
            {
                "op": "scale",
                "of": "lesion.raw",
                "gives": "squeezed",
                "offset": -400.0 if fits else 0.0,
                "factor": factor,
            },
        ]
        models = [{"name": "lesion", "inputs": ["above"], "scores": ["a", "b"], "read": "squeezed"}]
        data = {"name": "read", "version": "1", "sensors": [CAMERA], "stages": stages, "models": models}
        what = from_plain(data, Profile, "profile")
        if fits:
            assert signed(logits, what).profile == what
        else:
            with pytest.raises(ModelError, match=r"gives scores of .* no probabilities"):
                signed(logits, what)


def test_a_wearable_without_models_is_signed() -> None:
    what = from_plain({"name": "bare", "version": "1.0.0", "sensors": [CAMERA]}, Profile, "profile")
    assert sign_bundle(what, {}, "# Card", Version(1), KEY).bundle.networks == {}


def test_what_was_signed_before_is_looked_at_when_it_is_signed_again(model_builder: Any) -> None:
    bundle = signed(network(model_builder), profile())
    logits = msgspec.structs.replace(bundle, networks={"lesion": network(model_builder, head="")})
    with pytest.raises(ModelError, match="no probabilities"):
        resign(sign(logits.to_payload(), Version(1), KEY), KEY.public_key(), KEY)


def test_what_was_waived_stays_with_the_bundle(model_builder: Any) -> None:
    arguments = (profile(), {"lesion": network(model_builder)}, "# Card\n", Version(1), KEY)
    plain, forced = sign_bundle(*arguments), sign_bundle(*arguments, ("It lost 3 points.",))
    assert plain.bundle.waived == ()
    again = resign(forced.data, KEY.public_key(), KEY)
    assert Bundle.from_payload(verify(again.data, [KEY.public_key()]).payload).waived == ("It lost 3 points.",)


def test_one_sigmoid_calls_both_of_its_labels(model_builder: Any) -> None:
    """The weights' sum decides the sign: a picture and its negative are called otherwise, with scores that add up to one."""
    bundle = signed(network(model_builder, 1, "LOGISTIC"), profile(("no lesion", "lesion"), width=1))
    (model,), own = bundle.profile.models, Int8Network(bundle.networks["lesion"])
    (node,) = (node for node in plan(bundle.profile).nodes if node.what is model)
    generator = np.random.default_rng(5)
    called = set()
    for moment in range(20):
        features = generator.normal(0, 1, (1, *node.inputs[0].shape)).astype(np.float32)
        series = Series(np.array([moment]), own.predict([features]))
        said = finding(model, 0, series.sample(0))
        assert sum(said.values) == pytest.approx(1, abs=1e-12)
        called.add(said.winner)
    assert called == {0, 1}
