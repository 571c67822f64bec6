"""The whole pipeline on a small trained Keras model, by its functions and its commands; TensorFlow runs in this process alone."""

import hashlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spotted import spots

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.image import load_private_key, verify
from thermo_core.tflite.verify import verify_model
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.cli import main
from thermo_quantize.convert import convert, to_int8
from thermo_quantize.describe import describe
from thermo_quantize.pipeline import Settings, quantize
from thermo_quantize.ranges import choose, observe
from thermo_quantize.runtimes import Runner
from thermo_quantize.samples import Samples
from thermo_quantize.source import Source, from_keras, load_source

keras = pytest.importorskip("keras", reason="needs TensorFlow, which the train extra brings")


@pytest.fixture(scope="module")
def model() -> Any:
    """A network trained enough to have something to lose."""
    warnings.filterwarnings("ignore")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((12, 16, 1), name="picture")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(12, 1, activation="relu", name="mix")(x))
    network = keras.Model(inputs, layers.Dense(2, activation="softmax", name="verdict")(x))
    network.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    network.fit(*spots(600, 1), epochs=8, batch_size=32, verbose=0)
    return network


@pytest.fixture(scope="module")
def source(model: Any) -> Source:
    return from_keras(model)


@pytest.fixture(scope="module")
def folder(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model and data files as a user has them."""
    place = tmp_path_factory.mktemp("quantize")
    model.save(place / "net.keras")
    for name, seed in (("representative", 1), ("test", 2)):
        x, y = spots(200, seed)
        np.savez(place / f"{name}.npz", x=x, y=y)
    return place


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_float_model_is_the_keras_model(model: Any, source: Source) -> None:
    x, _ = spots(20, 5)
    assert np.allclose(Runner(source.float_model).predict([x])[0], model.predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize("scheme", [scheme for scheme in Scheme if scheme is not Scheme.QAT])
def test_every_scheme_keeps_the_outputs(source: Source, scheme: Scheme) -> None:
    x, _ = spots(64, 3)
    ranges = choose(observe(source.float_model, [x]), Calibrator.MINMAX)
    keep = [observed.index for observed in ranges if "stem" in observed.name][:1]
    data = convert(source, scheme, ranges, keep if scheme is Scheme.MIXED else ())
    exact, found = Runner(source.float_model).predict([x])[0], Runner(data).predict([x])[0]
    error = float(np.sqrt(np.mean((exact - found) ** 2)))
    limits = {Scheme.FLOAT32: 1e-6, Scheme.DYNAMIC: 0.01, Scheme.INT16X8: 0.01}
    assert error <= limits.get(scheme, 0.05)
    types = {operator.type for operator in describe(data).operators}
    expected = {
        Scheme.FLOAT32: {"FLOAT32"},
        Scheme.DYNAMIC: {"FLOAT32"},
        Scheme.INT16X8: {"INT16"},
        Scheme.MIXED: {"INT8", "FLOAT32"},
    }
    assert types == expected.get(scheme, {"INT8"})


def test_a_scale_a_channel_where_it_is_asked_for(source: Source) -> None:
    ranges = choose(observe(source.float_model, [spots(32, 3)[0]]), Calibrator.MINMAX)

    def scales(scheme: Scheme) -> list[int]:
        operators = verify_model(convert(source, scheme, ranges)).model.operators
        weights = [operator.inputs[1] for operator in operators if operator.name.endswith("CONV_2D")]
        return [len(w.quantization.scales) for w in weights if w is not None and w.quantization is not None]

    assert scales(Scheme.INT8) == [8, 8, 12]
    assert scales(Scheme.INT8_PER_TENSOR) == [1, 1, 1]


def test_our_ranges_give_what_tensorflows_own_converter_gives(model: Any, source: Source) -> None:
    """Min-max through our observation and through TensorFlow's: the same scales, almost all outputs within a step."""
    import tensorflow as tf

    x, _ = spots(64, 3)
    ours = to_int8(model, x)
    assert source.converter is not None
    converter = source.converter()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    theirs = bytes(converter.convert())
    one, two = Runner(ours), Runner(theirs)
    assert one.inputs[0].scale == pytest.approx(two.inputs[0].scale, rel=1e-6)
    assert one.inputs[0].zero_point == two.inputs[0].zero_point
    difference = np.abs(one.predict([x])[0] - two.predict([x])[0])
    assert np.mean(difference <= 2 / 256) > 0.95


def test_the_command_leaves_everything_a_wearable_needs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out"
    words = [
        "quantize",
        str(folder / "net.keras"),
        "--representative",
        str(folder / "representative.npz"),
        "--count",
        "64",
    ]
    words += ["--evaluation", str(folder / "test.npz"), "--out", str(out), "--unit", "K", "--json"]
    code, printed, _ = run([*words, "--max-drop", "5"], capsys)
    assert code == 0
    report = json.loads(printed)
    model = (out / "model.tflite").read_bytes()
    assert report["model"]["sha256"] == hashlib.sha256(model).hexdigest()
    assert report["representative"]["by_class"] == {"0": 32, "1": 32}
    assert {one["layer"] for one in report["layers"]} >= {"stem", "mix", "verdict"}
    assert report["evaluation"]["passed"] is True
    runner = Runner(model)
    contract, (end,) = json.loads((out / "contract.json").read_text())["input"], runner.inputs
    assert (contract["shape"], contract["dtype"], contract["unit"]) == ([12, 16, 1], "int8", "K")
    assert (contract["scale"], contract["zero_point"]) == (end.scale, end.zero_point)
    golden = np.load(out / "golden.npz")
    for sample, expected in zip(golden["input0"], golden["output0"], strict=True):
        assert np.array_equal(runner.run([sample])[0], expected)
    html = (out / "report.html").read_text()
    assert "Not a medical device." in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    first = {path.name: path.read_bytes() for path in out.iterdir() if path.name not in ("report.json", "report.html")}
    index = ["--index", str(out / "representative.json"), "--max-drop", "5"]
    code, printed, err = run([*words, *index], capsys)
    assert code == 2 and "is there already; name another place, or add --force" in err
    assert json.loads(printed)["error"]["exit_code"] == 2
    assert run([*words, *index, "--force"], capsys)[0] == 0
    assert first == {name: (out / name).read_bytes() for name in first}


@pytest.fixture(scope="module")
def wearable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user has who has a network for a wearable's pictures, one that tells warm from cold: model, data, key, card, wearable."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    place = tmp_path_factory.mktemp("wearable")
    layers = keras.layers
    inputs = keras.Input((24, 32, 1))
    sides = layers.Conv2D(2, 1, activation="relu", name="sides")
    verdict = layers.Dense(2, activation="softmax", name="verdict")
    model = keras.Model(inputs, verdict(layers.GlobalAveragePooling2D()(sides(inputs))))
    sides.set_weights([np.array([[[[-1.0, 1.0]]]]), np.zeros(2)])
    verdict.set_weights([10 * np.eye(2), np.zeros(2)])
    model.save(place / "net.keras")
    generator = np.random.default_rng(4)
    for name in ("representative", "test"):
        y = np.arange(40) % 2
        x = generator.normal(0, 0.7, (40, 24, 32, 1)) + np.where(y, 0.5, -0.5)[:, None, None, None]
        np.savez(place / f"{name}.npz", x=x.astype(np.float32), y=y)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    (place / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (place / "CARD.md").write_text("# Card\n")
    (place / "wearable.toml").write_text(WEARABLE.format(factor=1.0))
    (place / "hot.toml").write_text(WEARABLE.format(factor=2000.0))
    return place


WEARABLE = """
name = "spots"
version = "1.0.0"
card = "CARD.md"
sensors = [{{ kind = "mlx90640", name = "skin", path = [0x33] }}]
stages = [
    {{ op = "centre", of = "skin", gives = "above" }},
    {{ op = "scale", of = "above", gives = "scaled", factor = {factor} }},
]
models = [{{ name = "spot", inputs = ["scaled"], scores = ["none", "spot"] }}]
"""


def sign(network: Path, place: Path, *more: str, wearable: str = "wearable.toml") -> list[str]:
    words = ["sign", "--wearable", str(place / wearable), "--key", str(place / "key.pem"), "--version", "1.0.0"]
    return [*words, "--network", f"spot={network / 'model.tflite'}", *more]


def test_the_folder_signs_into_the_same_image_twice(
    wearable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["quantize", str(wearable / "net.keras"), "--representative", str(wearable / "representative.npz")]
    assert run([*words, "--out", str(tmp_path)], capsys)[0] == 0
    for name in ("one.img", "two.img"):
        assert run(sign(tmp_path, wearable, "--out", str(tmp_path / name)), capsys)[0] == 0
    images = [(tmp_path / name).read_bytes() for name in ("one.img", "two.img")]
    assert images[0] == images[1]
    public = load_private_key((wearable / "key.pem").read_bytes()).public_key()
    image = verify(images[0], [public])
    assert image.version.major == 1 and Bundle.from_payload(image.payload).waived == ()


def test_a_folder_whose_gate_failed_is_signed_only_by_force_and_says_so(
    wearable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A representative set two thousand times too warm leaves no steps for real pictures."""
    np.savez(tmp_path / "hot.npz", x=2000 * np.load(wearable / "representative.npz")["x"])
    words = ["quantize", str(wearable / "net.keras"), "--representative", str(tmp_path / "hot.npz")]
    code, printed, _ = run(
        [*words, "--evaluation", str(wearable / "test.npz"), "--out", str(tmp_path / "net"), "--json"], capsys
    )
    assert code == 11 and json.loads(printed)["evaluation"]["passed"] is False
    out = tmp_path / "bundle.img"
    code, _, err = run(sign(tmp_path / "net", wearable, "--out", str(out)), capsys)
    assert (
        code == 11
        and "report.json says that the int8 network of spot lost" in err
        and "--force" in err
        and not out.exists()
    )
    # With features that fill the input's range it is the gate alone that is in the way.
    forced = sign(tmp_path / "net", wearable, "--out", str(out), "--force", wearable="hot.toml")
    code, printed, err = run([*forced, "--json"], capsys)
    assert code == 0 and "Signed all the same" in err
    (said,) = json.loads(printed)["waived"]
    assert "lost" in said and "points of accuracy and might lose 0.5" in said
    public = load_private_key((wearable / "key.pem").read_bytes()).public_key()
    assert Bundle.from_payload(verify(out.read_bytes(), [public]).payload).waived == (said,)
    good = ["quantize", str(wearable / "net.keras"), "--representative", str(wearable / "representative.npz")]
    assert run([*good, "--out", str(tmp_path / "good")], capsys)[0] == 0
    (tmp_path / "net" / "report.json").replace(tmp_path / "good" / "report.json")
    other = sign(tmp_path / "good", wearable, "--out", str(tmp_path / "other.img"))
    assert run(other, capsys)[0] == 0, "the report beside a model is asked, and it is of that model"


def test_the_gate_ends_with_its_own_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A representative set of pictures two thousand times too warm leaves no steps for real ones."""
    x, y = spots(40, 9)
    np.savez(folder / "hot.npz", x=2000 * x, y=y)
    words = [
        "quantize",
        str(folder / "net.keras"),
        "--representative",
        str(folder / "hot.npz"),
        "--out",
        str(folder / "bad"),
    ]
    code, _, err = run([*words, "--evaluation", str(folder / "test.npz")], capsys)
    assert code == 11
    assert "loses most" in err.splitlines()[-1]
    assert "scheme qat" in err.splitlines()[-1]
    assert json.loads((folder / "bad" / "report.json").read_text())["evaluation"]["passed"] is False


def test_overlap_of_representative_and_test_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(folder / "representative.npz")
    words = ["quantize", str(folder / "net.keras"), "--representative", data, "--evaluation", data]
    code, _, err = run([*words, "--out", str(folder / "never")], capsys)
    assert code == 2
    assert "in both the representative and the test set" in err
    assert not (folder / "never").exists()


def test_inspect_evaluate_compare_and_verify(folder: Path, source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    x, _ = spots(64, 3)
    path = folder / "small.tflite"
    path.write_bytes(convert(source, Scheme.INT8, choose(observe(source.float_model, [x]), Calibrator.MSE)))
    code, out, _ = run(["inspect", str(path)], capsys)
    assert code == 0
    assert f"{describe(path.read_bytes()).macs:,} multiply-accumulates" in out
    code, out, _ = run(["evaluate", str(path), "--data", str(folder / "test.npz"), "--json"], capsys)
    assert code == 0
    labels = np.load(folder / "test.npz")
    expected = float(np.mean(Runner(path.read_bytes()).predict([labels["x"]])[0].argmax(axis=1) == labels["y"]))
    assert json.loads(out)["model"]["value"] == expected
    words = ["compare", str(folder / "net.keras"), str(path), "--data", str(folder / "test.npz")]
    code, out, _ = run(words, capsys)
    assert code == 0
    assert "loses most (" in out
    assert run(["verify", str(path)], capsys)[0] == 0
    path.write_bytes(path.read_bytes()[:-100])
    code, _, err = run(["verify", str(path)], capsys)
    assert code == 7
    assert str(path) in err


def test_a_saved_model_and_its_tflite_file_are_the_same_network(model: Any, source: Source, tmp_path: Path) -> None:
    model.export(tmp_path / "saved", verbose=False)
    (tmp_path / "net.tflite").write_bytes(source.float_model)
    x, _ = spots(8, 4)
    expected = Runner(source.float_model).predict([x])[0]
    for name in ("saved", "net.tflite"):
        loaded = load_source(tmp_path / name)
        assert np.allclose(Runner(loaded.float_model).predict([x])[0], expected, atol=1e-6)
    with pytest.raises(UsageError, match="needs the Keras model"):
        convert(loaded, Scheme.DYNAMIC)


def test_float16_weights_are_refused_by_name(source: Source, tmp_path: Path) -> None:
    import tensorflow as tf

    assert source.converter is not None
    converter = source.converter()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    (tmp_path / "half.tflite").write_bytes(converter.convert())
    with pytest.raises(ModelError, match=r"half\.tflite: .*float16 weights"):
        load_source(tmp_path / "half.tflite")


def test_weights_that_are_not_numbers_are_refused(model: Any) -> None:
    copy = keras.models.clone_model(model)
    copy.set_weights([np.full_like(array, np.nan) for array in model.get_weights()])
    with pytest.raises(ModelError, match="NaN"):
        from_keras(copy)


def test_settings_out_of_range_and_constant_data_are_refused(source: Source) -> None:
    for wrong in ({"percentile": 0.0}, {"max_drop": -1.0}, {"keep_float": 0}):
        with pytest.raises(UsageError):
            Settings(**wrong)
    constant = Samples({"x": np.ones((10, 12, 16, 1), np.float32)})
    with pytest.raises(UsageError, match="one constant value"):
        quantize(source, constant, Settings())


def test_the_bench_finds_the_data_of_its_tasks(shared_dir: Path) -> None:
    """It leaves out tasks without data, so that a wrong path would leave them out for ever."""
    import importlib.util

    place = Path(__file__).resolve().parents[2] / "bench" / "quantize.py"
    spec = importlib.util.spec_from_file_location("bench_quantize", place)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = bench
    spec.loader.exec_module(bench)
    needing = {name for name, task in bench.TASKS.items() if task.needs_data}
    assert set(bench.DATA) == needing
    assert bench.DATASETS.parts[-2:] == ("shared", "datasets")
    assert [name for name, path in bench.DATA.items() if not (shared_dir / "datasets" / path).is_file()] == []
