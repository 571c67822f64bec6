"""Models with several ends, with float ends, with hostile names, and what the compiler refuses."""

import ctypes
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import ModelError, UsageError
from thermo_core.tflite.mend import mended
from thermo_core.tflite.verify import verify_model
from thermo_quantize.cli import main
from thermo_quantize.compiler.compile import compile_model


def load(files: dict[str, str], folder: Path) -> ctypes.CDLL:
    for name, text in files.items():
        (folder / name).write_text(text)
    library = folder / "net.so"
    flags = "-std=c11 -O2 -Wall -Wextra -Wpedantic -Wconversion -Werror -shared -fPIC"
    subprocess.run(["gcc", *flags.split(), "-o", str(library), str(folder / "net.c"), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def test_float_ends(model_builder: Any, reference: Any, tmp_path: Path) -> None:
    builder = model_builder()
    source = builder.tensor((1, 40), dtype="float32")
    quantized, doubled = builder.tensor((1, 40), 0.05, 7), builder.tensor((1, 40), 0.1, -3)
    result = builder.tensor((1, 40), dtype="float32")
    builder.operator("QUANTIZE", [source], [quantized])
    builder.operator("ADD", [quantized, quantized], [doubled])
    builder.operator("DEQUANTIZE", [doubled], [result])
    model = builder.build([source], [result])
    inputs = np.random.default_rng(1).normal(0, 4, (50, 40)).astype(np.float32)
    inputs[0, :8] = [1e30, -1e30, np.inf, -np.inf, 0.025, -0.025, 0.075, -0.075]
    expected = reference(model, inputs)[0]
    net = load(compile_model(model, "net").files, tmp_path)
    net.net_input.restype = net.net_output.restype = ctypes.POINTER(ctypes.c_float)
    for sample, wanted in zip(inputs[1:], expected[1:], strict=True):
        ctypes.memmove(net.net_input(), sample.ctypes.data, sample.nbytes)
        net.net_invoke()
        assert np.array_equal(np.ctypeslib.as_array(net.net_output(), (40,)), wanted)
    ctypes.memmove(net.net_input(), inputs[0].ctypes.data, inputs[0].nbytes)
    net.net_invoke()
    huge = np.ctypeslib.as_array(net.net_output(), (40,))
    # The sum reaches -13.5 .. 12 where the input saturates; an infinity saturates like any large number.
    assert huge[0] == huge[2] == pytest.approx(12.0) and huge[1] == huge[3] == pytest.approx(-12.5, abs=1.0)


def test_uint8_ends(model_builder: Any, reference: Any, host_run: Any, tmp_path: Path) -> None:
    """A picture of bytes goes in and bytes come out, with the same scale and with another one."""
    for number, (scales, zero_points) in enumerate(
        (((0.1, 0.1, 0.1), (128, 0, 128)), ((0.05, 0.1, 0.7), (3, -20, 99)))
    ):
        builder = model_builder()
        source = builder.tensor((1, 256), scales[0], zero_points[0], dtype="uint8")
        inner, bent = builder.tensor((1, 256), scales[1], zero_points[1]), builder.tensor((1, 256), scales[1], -128)
        result = builder.tensor((1, 256), scales[2], zero_points[2], dtype="uint8")
        builder.operator("QUANTIZE", [source], [inner])
        builder.operator("RELU", [inner], [bent])
        builder.operator("QUANTIZE", [bent], [result])
        model = builder.build([source], [result])
        verify_model(model)
        every = np.arange(256, dtype=np.uint8).reshape(1, 256)
        compiled = compile_model(model, "net")
        assert "uint8_t *net_input(void);" in compiled.files["net.h"] and len(compiled.kernels) == 1
        got = host_run(compiled.files, "net", every.view(np.int8), tmp_path / str(number))
        assert np.array_equal(got.view(np.uint8), reference(model, every)[0])


def test_uint8_inside_of_a_network_is_refused(model_builder: Any) -> None:
    builder = model_builder()
    source, inner, result = (builder.tensor((1, 4), 0.1, 0, dtype=kind) for kind in ("uint8", "uint8", "int8"))
    builder.operator("RELU", [source], [inner])
    builder.operator("QUANTIZE", [inner], [result])
    model = builder.build([source], [result])
    with pytest.raises(ModelError, match=r"operator 0 \(RELU\): tensor 0 .*is uint8"):
        compile_model(model, "net")
    with pytest.raises(ModelError, match="unsupported type UINT8"):
        verify_model(model)


def test_the_axis_of_a_bias_means_nothing(model_builder: Any, reference: Any, host_run: Any, tmp_path: Path) -> None:
    """TFLM runs a bias whose scales name axis 3 of one; TensorFlow Lite opens no such file until it is mended to axis 0."""
    models = []
    for axis in (0, 3):
        random, builder = np.random.default_rng(1), model_builder()
        source, result = builder.tensor((1, 5, 5, 4), 0.1, 7), builder.tensor((1, 5, 5, 3), 0.3, -9)
        data = random.integers(-127, 128, (3, 3, 3, 4)).astype(np.int8)
        scales = [0.01, 0.02, 0.015]
        weights = builder.tensor(data.shape, scales, 0, data)
        values = random.integers(-3000, 3000, 3).astype(np.int32)
        bias = builder.tensor((3,), [0.1 * scale for scale in scales], 0, values, "int32", axis=axis)
        builder.operator("CONV_2D", [source, weights, bias], [result], stride_h=1, stride_w=1)
        models.append(builder.build([source], [result]))
    inputs = np.random.default_rng(2).integers(-128, 128, (3, 5, 5, 4)).astype(np.int8)
    got = host_run(compile_model(models[1], "net").files, "net", inputs, tmp_path)
    assert np.array_equal(got, reference(models[0], inputs)[0])
    verify_model(models[1])
    assert np.array_equal(got, reference(mended(models[1]), inputs)[0])


def test_a_sum_is_the_references_and_says_so(
    model_builder: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    builder = model_builder()
    source, result = builder.tensor((1, 6, 2), 0.1, 0), builder.tensor((1, 2), 0.4, 0)
    axis = builder.tensor((1,), data=np.array([1], np.int32), dtype="int32")
    builder.operator("SUM", [source, axis], [result])
    (tmp_path / "sum.tflite").write_bytes(builder.build([source], [result]))
    assert run("compile", str(tmp_path / "sum.tflite"), "--out", str(tmp_path), "--json") == 0
    said = capsys.readouterr()
    assert said.err == "" and "takes its int8 inputs for uint8" in json.loads(said.out)["notes"][0]
    assert run("compile", str(tmp_path / "sum.tflite"), "--out", str(tmp_path)) == 0
    assert capsys.readouterr().err.startswith("Note: operator 0 (SUM) is computed as the reference kernel does it")


def test_two_inputs_and_two_outputs(model_builder: Any, tmp_path: Path) -> None:
    builder = model_builder()
    first, second = builder.tensor((1, 6), 0.1, 0), builder.tensor((1, 6), 0.1, 0)
    joined, halves = builder.tensor((1, 12), 0.1, 0), [builder.tensor((1, 6), 0.1, 0) for _ in range(2)]
    axis = builder.tensor((1,), data=np.array([1], np.int32), dtype="int32")
    builder.operator("CONCATENATION", [first, second], [joined], axis=1)
    builder.operator("SPLIT", [axis, joined], halves, num_splits=2)
    net = load(compile_model(builder.build([first, second], halves), "net").files, tmp_path)
    for name in ("net_input_0", "net_input_1", "net_output_0", "net_output_1"):
        getattr(net, name).restype = ctypes.POINTER(ctypes.c_int8)
    values = np.arange(12, dtype=np.int8)
    ctypes.memmove(net.net_input_0(), values[:6].ctypes.data, 6)
    ctypes.memmove(net.net_input_1(), values[6:].ctypes.data, 6)
    net.net_invoke()
    assert np.ctypeslib.as_array(net.net_output_0(), (6,)).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.ctypeslib.as_array(net.net_output_1(), (6,)).tolist() == [6, 7, 8, 9, 10, 11]


def test_names_cannot_leave_their_comment(model_builder: Any, tmp_path: Path) -> None:
    builder = model_builder()
    source, result = builder.tensor((1, 4), 0.1, 0), builder.tensor((1, 4), 0.1, 0)
    for table in builder.tensors:
        table[3] = b"*/ int oops(void) { return 1; } /* \\\n#error \xff\xe2\x80\xae"
    builder.operator("RELU", [source], [result])
    load(compile_model(builder.build([source], [result]), "net").files, tmp_path)


def convolution(model_builder: Any, **changed: Any) -> Any:
    """A good convolution, but for what `changed` says."""
    builder = model_builder()
    shape, kernel = changed.get("shape", (1, 5, 5, 4)), changed.get("kernel", (3, 3, 3, 4))
    source = builder.tensor(shape, 0.1, 0, dtype=changed.get("dtype", "int8"))
    data = None if changed.get("computed") else np.ones(kernel, np.int8)
    inputs = [source]
    weights = builder.tensor(kernel, changed.get("scales", 0.02), changed.get("zero_point", 0), data)
    bias = builder.tensor((kernel[0],), 0.002, 0, np.full(kernel[0], changed.get("bias", 0), np.int32), "int32")
    result = builder.tensor(changed.get("result", (1, 5, 5, kernel[0])), 0.3, 0)
    options = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1, **changed.get("options", {})}
    builder.operator(changed.get("name", "CONV_2D"), [source, weights, bias], [result], **options)
    return builder.build([*inputs, *([weights] if changed.get("computed") else [])], [result])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"dtype": "uint8"}, "uint8"),
        ({"shape": (2, 5, 5, 4)}, r"\[2, 5, 5, 4\]"),
        ({"shape": (1, 5, 5, 8)}, "8 channels"),
        ({"zero_point": 3}, "symmetrically"),
        ({"computed": True}, "computed while"),
        ({"result": (1, 4, 5, 3)}, r"\[1, 4, 5, 3\]"),
        ({"options": {"stride_h": 0}}, "stride"),
        ({"options": {"activation": 4}}, "activation"),
        ({"bias": (1 << 31) - 1}, "32 bits"),
        ({"name": "SVDF"}, "SVDF"),
    ],
)
def test_refusals_name_operator_and_tensor(model_builder: Any, changed: Any, words: Any) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        compile_model(convolution(model_builder, **changed), "net")
    sentence = str(caught.value)
    assert "operator 0 (" in sentence and sentence.endswith(".") and "\n" not in sentence
    if "stride" not in words and "activation" not in words:
        assert "tensor " in sentence and "supported" in sentence


def test_names_and_targets_are_checked(model_builder: Any) -> None:
    model = convolution(model_builder)
    for name in ("2fast", "a b", "", "näme", "int;x", "int", "while", "_net", "stdint", "Math", "engine", "n" * 61):
        with pytest.raises(UsageError, match="--name"):
            compile_model(model, name)
    with pytest.raises(UsageError, match="m4"):
        compile_model(model, "net", "z80")


def run(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_command_writes_files_and_report(
    model_builder: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "my-net.tflite"
    model.write_bytes(convolution(model_builder))
    assert (
        run("compile", str(model), "--out", str(tmp_path / "new" / "c"), "--target", "m4", "--bench", "--report") == 0
    )
    said = capsys.readouterr().out
    assert "2,700 MACs" in said and "lower bound" in said and "CONV_2D" in said
    measured = shutil.which("arm-none-eabi-gcc") is not None
    assert "B of constants" in said and ("B of code (arm-none-eabi-gcc" in said) == measured
    written = {path.name for path in (tmp_path / "new" / "c").iterdir()}
    assert written == {"my_net.h", "my_net.c", "my_net_engine.c"}
    assert run("compile", str(model), "--out", str(tmp_path / "c"), "--json", "--name", "net") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["macs"] == 2700 and facts["layers"][0]["operator"] == "CONV_2D"


def test_command_writes_nothing_when_it_refuses(
    model_builder: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(convolution(model_builder, zero_point=3))
    assert run("compile", str(model), "--out", str(tmp_path / "c")) == 7
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "CONV_2D" in error
    assert not (tmp_path / "c").exists()
    assert run("compile", str(tmp_path / "none.tflite"), "--out", str(tmp_path / "c")) == 9
    assert run("compile", str(model), "--out", str(tmp_path / "c"), "--target", "z80") == 2
