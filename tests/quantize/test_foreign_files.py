"""Files of other converters, older versions and stand-ins: what is whole is taken or refused for what it is, not as damaged."""

import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import ModelError, ThermoError
from thermo_core.tflite.mend import mended
from thermo_core.tflite.verify import verify_model
from thermo_quantize.cli import main
from thermo_quantize.keras_files import load_keras
from thermo_quantize.runtimes import Runner
from thermo_quantize.source import from_keras, import_tensorflow, load_source

DATA = Path(__file__).parent / "data"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 95168\n"
PAGE = b"\n<!DOCTYPE html>\n<html><head><title>model.tflite at main</title></head></html>"


def _convolution(model_builder: Any, axis: int = 0) -> Any:
    """A builder of a convolution with a scale a channel, whose bias names `axis`."""
    builder = model_builder()
    x = builder.tensor((1, 4, 4, 3), 0.1)
    generator = np.random.default_rng(3)
    weights = generator.integers(-127, 128, (2, 3, 3, 3)).astype(np.int8)
    w = builder.tensor((2, 3, 3, 3), [0.01, 0.02], 0, weights)
    b = builder.tensor((2,), [0.001, 0.002], 0, np.array([300, -700], np.int32), "int32", axis=axis)
    y = builder.tensor((1, 4, 4, 2), 0.05)
    builder.operator("CONV_2D", [x, w, b], [y], stride_w=1, stride_h=1, dilation_w=1, dilation_h=1)
    return builder, x, y


def test_a_bias_that_names_the_weights_axis_gives_what_it_gives_with_its_own(model_builder: Any) -> None:
    inputs = [np.random.default_rng(5).normal(0, 4, (8, 4, 4, 3)).astype(np.float32)]
    outputs = []
    for axis in (0, 3):
        builder, x, y = _convolution(model_builder, axis)
        data = builder.build([x], [y])
        verify_model(data)
        assert (mended(data) == data) == (axis == 0)
        outputs.append(Runner(data).predict(inputs)[0])
    assert np.array_equal(outputs[0], outputs[1])
    assert np.ptp(outputs[0]) > 1


def test_weights_with_scales_along_no_axis_are_still_refused(model_builder: Any) -> None:
    builder = model_builder()
    x = builder.tensor((1, 4), 0.1)
    w = builder.tensor((3, 4), [0.1, 0.2], 0, np.ones((3, 4), np.int8), axis=1)
    y = builder.tensor((1, 3), 0.1)
    builder.operator("FULLY_CONNECTED", [x, w], [y])
    with pytest.raises(ModelError, match="2 scales that fit no axis"):
        verify_model(builder.build([x], [y]))


def _signed(model_builder: Any, key_field: bool) -> bytes:
    """The convolution with a signature, its key in field 3 as TensorFlow 2.4 to 2.6 wrote it beside the method's name."""
    builder, x, y = _convolution(model_builder)
    names = {0: [{0: b"picture", 1: ("I", x)}], 1: [{0: b"score", 1: ("I", y)}], 2: b"serving_default"}
    return bytes(builder.build([x], [y], signatures=[names | ({3: b"serving_default"} if key_field else {})]))


def test_a_signature_of_older_tensorflow_changes_nothing(model_builder: Any) -> None:
    inputs = [np.random.default_rng(5).normal(0, 4, (2, 4, 4, 3)).astype(np.float32)]
    old, new = (_signed(model_builder, key_field) for key_field in (True, False))
    assert old != new
    assert verify_model(old).macs == verify_model(new).macs
    for runtime in ("tflite_runtime", "ai_edge_litert"):
        one, two = (Runner(data, runtime=runtime).predict(inputs)[0] for data in (old, new))
        assert np.array_equal(one, two)


def test_zero_points_that_lie_at_4_modulo_8_are_read(model_builder: Any) -> None:
    builder, x, y = _convolution(model_builder)
    aligned, odd = builder.build([x], [y]), builder.build([x], [y], shift_int64=4)
    verified = [verify_model(data).model for data in (aligned, odd)]
    assert verified[0].tensors == verified[1].tensors
    inputs = [np.random.default_rng(5).normal(0, 4, (2, 4, 4, 3)).astype(np.float32)]
    first, second = (Runner(data).predict(inputs)[0] for data in (aligned, odd))
    assert np.array_equal(first, second)


def test_a_state_is_called_a_state(model_builder: Any) -> None:
    builder, x, y = _convolution(model_builder)
    state = builder.tensor((1, 2), 0.1)
    builder.tensors[state][5] = ("B", 1)
    with pytest.raises(ModelError, match="keeps a state from one run to the next") as refusal:
        verify_model(builder.build([x], [y]))
    assert "damaged" not in str(refusal.value)


def test_a_whole_file_is_never_sent_to_be_fetched_or_exported_again(model_builder: Any) -> None:
    builder = model_builder()
    x, y = builder.tensor((1, 4, 4, 4), 0.1), builder.tensor((1, 4, 4, 6), 0.1)
    w = builder.tensor((6, 3, 3, 2), 0.01, 0, np.ones((6, 3, 3, 3), np.int8)[..., :2])
    b = builder.tensor((6,), 0.001, 0, np.zeros(6, np.int32), "int32")
    builder.operator("CONV_2D", [x, w, b], [y], stride_w=7, stride_h=0)
    loose = model_builder()
    loose_x, loose_y = loose.tensor((1, 4), 0.1), loose.tensor((1, 4), 0.2)
    loose.operator("RESHAPE", [loose_x, loose.tensor((2,), data=np.array([1, 4], np.int32), dtype="int32")], [loose_y])
    for data in (builder.build([x], [y]), loose.build([loose_x], [loose_y]), loose.build([loose_x], [loose_x])):
        with pytest.raises(ModelError) as refusal:
            verify_model(data)
        assert "get it again" not in str(refusal.value) and "export" not in str(refusal.value)
        assert "damaged" not in str(refusal.value)


@pytest.mark.parametrize(("content", "said"), [(POINTER, "git lfs pull"), (PAGE, "web page")])
@pytest.mark.parametrize("name", ["model.tflite", "model.keras", "model.h5"])
def test_what_stands_in_for_a_model_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ThermoError, match=said):
        load_source(tmp_path / name)
    with pytest.raises(ModelError, match=said):
        verify_model(content)


@pytest.mark.parametrize("part", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
def test_a_pointer_within_a_saved_model_is_named(tmp_path: Path, part: str) -> None:
    for name in ("saved_model.pb", "variables/variables.index", part):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(POINTER if name == part else b"\x08\x01")
    with pytest.raises(ThermoError, match=f"{Path(part).name} is a Git LFS pointer"):
        load_source(tmp_path)


def test_what_stands_in_for_data_a_key_or_a_bundle_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub, model = tmp_path / "stub", str(DATA / "cnn_int8.tflite")
    stub.write_bytes(POINTER)
    for words in (
        ["evaluate", model, "--data", str(stub)],
        ["sign", "--resign", str(stub), "--key", str(stub), "--out", str(tmp_path / "x.img")],
        ["firmware", str(stub), "--public-key", str(stub), "--out", str(tmp_path / "x")],
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 9
        assert "git lfs pull" in capsys.readouterr().err


@pytest.fixture(scope="module")
def old_model() -> Any:
    """A network as TensorFlow 2.15 builds it, with layers whose configuration Keras 3 does not read."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow, which the train extra brings")
    import_tensorflow()
    import tf_keras

    tf_keras.utils.set_random_seed(4)
    layers = tf_keras.layers
    picture, more = tf_keras.Input((12, 16, 3), name="picture"), tf_keras.Input((4,), name="more")
    x = layers.ReLU()(layers.BatchNormalization()(layers.DepthwiseConv2D(3, name="depthwise")(picture)))
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), more])
    return tf_keras.Model([picture, more], layers.Dense(2, activation="softmax", name="verdict")(both))


def _predicted(model: Any, path: Path) -> float:
    """The greatest difference between a model and its file, converted to float32 .tflite."""
    generator = np.random.default_rng(0)
    x = {
        "picture": generator.normal(size=(6, 12, 16, 3)).astype(np.float32),
        "more": generator.normal(size=(6, 4)).astype(np.float32),
    }
    runner = Runner(load_source(path).float_model)
    found = runner.predict([x[end.name] for end in runner.inputs])[0]
    return float(np.abs(found - model.predict(x, verbose=0)).max())


@pytest.mark.parametrize("name", ["old.h5", "old.keras"])
def test_files_of_keras_2_open_with_the_keras_that_wrote_them(old_model: Any, tmp_path: Path, name: str) -> None:
    old_model.save(tmp_path / name)
    assert _predicted(old_model, tmp_path / name) < 1e-6


def test_training_with_quantisation_takes_a_model_of_keras_2(old_model: Any, tmp_path: Path) -> None:
    from thermo_quantize import qat

    source = from_keras(old_model)
    generator = np.random.default_rng(1)
    by_name = {"picture": generator.normal(size=(48, 12, 16, 3)), "more": generator.normal(size=(48, 4))}
    x = [by_name[end.name].astype(np.float32) for end in Runner(source.float_model).inputs]
    exact = Runner(source.float_model).predict(x)
    data = qat.train(source, x, exact, qat.Tuning(epochs=1, batch=16))
    error = Runner(data).predict(x)[0] - exact[0]
    assert float(np.sqrt(np.mean(error**2))) < 0.05


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    """A Lambda layer of Keras 2 is bytecode in the file; opening the file would run it."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow, which the train extra brings")
    import_tensorflow()
    import tf_keras

    ran = tmp_path / "ran"
    inputs = tf_keras.Input((4,))
    twice = tf_keras.layers.Lambda(lambda x, place=str(ran): (__import__("pathlib").Path(place).touch(), 2 * x)[1])
    model = tf_keras.Model(inputs, twice(inputs))
    ran.unlink(missing_ok=True)
    for name in ("code.h5", "code.keras"):
        model.save(tmp_path / name)
        with pytest.raises(ModelError, match="needs a Lambda layer"):
            load_keras(tmp_path / name)
    assert not ran.exists()


def test_a_file_of_weights_alone_and_a_stranger_are_told_apart(old_model: Any, tmp_path: Path) -> None:
    old_model.save_weights(tmp_path / "only.h5")
    with pytest.raises(ModelError, match="weights without their model"):
        load_source(tmp_path / "only.h5")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        archive.writestr("config.json", json.dumps({"class_name": "Nothing", "config": {}}))
        archive.writestr("model.weights.h5", struct.pack("<I", 0))
    with pytest.raises(ModelError, match=r"other\.keras, saved by Keras 2\.15\.0, cannot be opened|needs the class"):
        load_source(tmp_path / "other.keras")


CASES = (
    "F12-signature-of-tf-2.4-to-2.6",
    "F13-state-tensor-is-not-damage",
    "F14-zero-points-at-4-modulo-8",
    "F15-bias-axis-3",
    "F17-grouped-convolution",
    "F18-git-lfs-pointer",
    "F20-keras2-h5-depthwise",
    "F21-keras-2.2-sequential-h5",
    "F22-keras-2.15-functional-keras",
    "F23-agreement-of-maps",
    "F27-classes-a-cell",
)


@pytest.mark.parametrize("case", CASES)
def test_files_from_public_reports_give_their_right_values(shared_dir: Path, case: str) -> None:
    folder = shared_dir / "cases" / "public_reports"
    if not (folder / case).is_dir():
        pytest.skip(f"{folder / case} is not there; the tests of public reports need it")
    command = [sys.executable, str(folder / "check.py"), str(folder), str(Path(sys.executable).parent), case]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    )
    assert done.stdout.splitlines()[-1:] == ["0 fail"], done.stdout + done.stderr
