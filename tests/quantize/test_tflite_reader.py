"""The .tflite reader: what it reads is what the runtime reads, and a damaged file is refused, never followed astray."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from thermo_core.errors import ModelError
from thermo_core.tflite.flatbuffer import root
from thermo_core.tflite.reader import Model, read_model

MODELS = (
    "reference_models/mobilenet_v1_24x32_int8.tflite",
    "third_party_models/mlperf_tiny_kws_dscnn_int8.tflite",
    "third_party_models/thermo_presence_unet_int8.tflite",
)


@pytest.mark.parametrize("path", MODELS)
def test_reads_what_the_runtime_reads(shared_dir: Path, path: str) -> None:
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    data = (shared_dir / path).read_bytes()
    model = read_model(data)
    runtime = Interpreter(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    runtime.allocate_tensors()
    details = {detail["index"]: detail for detail in runtime.get_tensor_details()}
    for tensor in model.tensors:
        detail = details[tensor.index]
        assert tensor.name == detail["name"] and list(tensor.shape) == detail["shape"].tolist()
        assert tensor.type.name.lower() == np.dtype(detail["dtype"]).name
        wanted = detail["quantization_parameters"]
        scales = tensor.quantization.scales if tensor.quantization else ()
        assert np.array_equal(np.array(scales, np.float32), wanted["scales"])
        if tensor.data is not None:
            assert tensor.data == runtime.get_tensor(tensor.index).tobytes()
    assert [tensor.index for tensor in model.inputs] == [d["index"] for d in runtime.get_input_details()]
    assert [tensor.index for tensor in model.outputs] == [d["index"] for d in runtime.get_output_details()]
    operators = runtime._get_ops_details()
    assert [operator.name for operator in model.operators] == [d["op_name"] for d in operators]
    for operator, detail in zip(model.operators, operators, strict=True):
        assert [tensor.index for tensor in operator.inputs if tensor] == detail["inputs"].tolist()


@pytest.fixture(scope="module")
def small(random_models: Any) -> bytes:
    return random_models(5).build(["convolution", "pool", "dense", "softmax"])[0]


def refused_or_read(data: bytes) -> Model | None:
    try:
        return read_model(data)
    except ModelError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return None


@few(150, of=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_altered_files_are_refused_or_read(small: bytes, data: st.DataObject) -> None:
    altered = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(small) - 1))
        kind = data.draw(st.sampled_from(["byte", "word", "far"]))
        if kind == "byte":
            altered[at] = data.draw(st.integers(0, 255))
        else:
            word = data.draw(st.integers(0, 64) if kind == "word" else st.integers(0, (1 << 32) - 1))
            struct.pack_into("<I", altered, min(at, len(small) - 4) // 4 * 4, word)
    refused_or_read(bytes(altered))


@few(80, of=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6))
def test_shortened_files_are_refused_or_read(small: bytes, length: int) -> None:
    refused_or_read(small[: length % len(small)])


@few(80, of=200)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(tail: bytes) -> None:
    assert refused_or_read(tail[:4] + b"TFL3" + tail[4:]) is None


def test_vectors_that_share_bytes_are_refused() -> None:
    # A vector of tables all of which are one table whose vector spans the file: work grows with the square of the size.
    count = 20_000
    file = bytearray(b"\0\0\0\0TFL3")
    file += struct.pack("<HHHHH", 10, 8, 0, 0, 4) + b"\0\0"  # vtable of the root: field 2 at 4
    root_at = len(file)
    struct.pack_into("<I", file, 0, root_at)
    file += struct.pack("<iI", root_at - 8, 4)
    file += struct.pack("<I", count)
    elements = len(file)
    table_at = elements + 4 * count + 8
    for number in range(count):
        file += struct.pack("<I", table_at - (elements + 4 * number))
    file += struct.pack("<HHHH", 6, 8, 4, 0)
    file += struct.pack("<iI", 8, 4) + struct.pack("<I", 4 * count) + bytes(4 * count)
    table = root(bytes(file), b"TFL3")
    with pytest.raises(ModelError, match="share"):
        for child in table.tables(2, "graph"):
            child.bytes_(0, "content")


def test_damaged_real_models_are_refused_or_read(shared_dir: Path) -> None:
    data = (shared_dir / MODELS[1]).read_bytes()
    random = np.random.default_rng(4)
    results = []
    for _ in range(200):
        altered = bytearray(data)
        for at in random.integers(0, len(data), 10):
            altered[at] = random.integers(0, 256)
        results.append(refused_or_read(bytes(altered)))
    assert any(result is None for result in results) and any(result is not None for result in results)


def test_wrong_references_are_refused_by_name(model_builder: Any) -> None:
    builder = model_builder()
    source, middle, result = (builder.tensor((1, 4), 0.1, 0) for _ in range(3))
    builder.operator("RELU", [middle], [result])
    builder.operator("RELU", [source], [middle])
    with pytest.raises(ModelError, match=r"operator 0 \(RELU\) needs tensor 1 \(t1\)"):
        read_model(builder.build([source], [result]))
    builder = model_builder()
    source, result = (builder.tensor((1, 4), 0.1, 0) for _ in range(2))
    builder.operator("RELU", [source], [result])
    builder.operator("RELU", [source], [result])
    with pytest.raises(ModelError, match="a second time"):
        read_model(builder.build([source], [result]))
    builder = model_builder()
    source, result = builder.tensor((1, 4), 0.1, 0), builder.tensor((1, 4), 0.1, 0)
    builder.operator("RELU", [77], [result])
    with pytest.raises(ModelError, match=r"operator 0 \(RELU\) refer to tensor 77"):
        read_model(builder.build([source], [result]))


def test_other_files_are_refused() -> None:
    for data in (b"", b"TFL3", b"\x1c\0\0\0TFL2" + bytes(100), bytes(1000)):
        with pytest.raises(ModelError, match=r"not a \.tflite file"):
            read_model(data)
