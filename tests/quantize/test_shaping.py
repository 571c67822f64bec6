"""Numbers that networks compute from their shapes: what is worked out beforehand is what the runtime computes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import read_model
from thermo_core.tflite.shaping import fold
from thermo_core.tflite.verify import verify_model
from thermo_quantize.compiler.compile import compile_model

DATA = Path(__file__).parent / "data"


def computed_by_the_runtime(model: bytes) -> dict[int, NDArray[Any]]:
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    runtime = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    runtime.allocate_tensors()
    runtime.invoke()
    return {one["index"]: runtime.get_tensor(one["index"]) for one in runtime.get_tensor_details() if one["name"]}


def check(model: bytes) -> int:
    """Hold every folded number and every shape against the runtime's; how many numbers there were."""
    folded, found = fold(read_model(model)), computed_by_the_runtime(model)
    for tensor in folded.model.tensors:
        if tensor.index in folded.computed:
            assert found[tensor.index].tobytes() == tensor.data, tensor.label
    for operator in folded.model.operators:
        for out in operator.outputs:
            assert found[out.index].shape == out.shape, out.label
    return len(folded.computed)


@pytest.mark.parametrize("name", ["open_int8", "functions_int8"])
def test_models_whose_number_of_samples_is_open(name: str) -> None:
    model = (DATA / f"{name}.tflite").read_bytes()
    verify_model(model)
    assert check(model) >= 3


class Chains:
    """Random chains of whole numbers that begin with a shape and end in the shape of a RESHAPE."""

    def __init__(self, builder: Any, seed: int) -> None:
        self.rng, self.builder = np.random.default_rng(seed), builder
        self.known: list[tuple[int, NDArray[Any]]] = []

    def whole(self, values: Any) -> int:
        array = np.array(values, np.int32)
        return self.builder.tensor(array.shape, data=array, dtype="int32")

    def made(self, name: str, inputs: list[int], value: Any, **options: int) -> NDArray[Any]:
        value = np.array(value, np.int32)
        out = self.builder.tensor(value.shape, dtype="int32")
        self.builder.operator(name, inputs, [out], **options)
        self.known.append((out, value))
        return value

    def step(self) -> None:
        tensor, value = self.known[self.rng.integers(len(self.known))]
        kind = self.rng.integers(0, 6)
        if value.ndim == 0:
            other, theirs = next(((t, v) for t, v in self.known[::-1] if v.ndim == 0), (tensor, value))
            if kind < 3:
                place = int(self.rng.choice([0, -1]))
                self.made("PACK", [tensor, self.whole(7), other], [value, 7, theirs], values_count=3, axis=place)
                return
            name = ("MUL", "ADD", "MAXIMUM")[kind - 3]
            self.made(
                name, [tensor, other], {"MUL": value * theirs, "ADD": value + theirs}.get(name, max(value, theirs))
            )
        elif kind == 0:
            begin = int(self.rng.integers(0, value.size))
            inputs = [tensor, self.whole([begin - value.size]), self.whole([0]), self.whole([1])]
            self.made("STRIDED_SLICE", inputs, value[begin], shrink_axis_mask=1)
        elif kind == 1:
            begin, end = sorted(self.rng.integers(0, value.size + 1, 2).tolist())
            masks = {"begin_mask": int(self.rng.integers(0, 2)), "end_mask": int(self.rng.integers(0, 2))}
            taken = value[None if masks["begin_mask"] else begin : None if masks["end_mask"] else end]
            if taken.size:
                inputs = [tensor, self.whole([begin]), self.whole([end]), self.whole([1])]
                self.made("STRIDED_SLICE", inputs, taken, **masks)
        elif kind == 2:
            places = self.rng.integers(0, value.size, self.rng.integers(1, 4))
            places = places[0] if self.rng.random() < 0.3 else places
            self.made("GATHER", [tensor, self.whole(places)], value[places])
        elif kind == 3 and abs(np.prod(value.astype(float))) < 1 << 31:
            keep = int(self.rng.integers(0, 2))
            product = np.prod(value)
            self.made("REDUCE_PROD", [tensor, self.whole([0])], [product] if keep else product, keep_dims=keep)
        elif kind == 4:
            self.made("CONCATENATION", [tensor, tensor], [*value, *value])
        elif value.size == 1:
            self.made("RESHAPE", [tensor, self.whole([int(self.rng.choice([-1, 1]))])], value)


def test_chains_of_every_kind(model_builder: Any) -> None:
    total = 0
    for seed in range(40):
        chains = Chains(model_builder(), seed)
        builder, random = chains.builder, chains.rng
        shape = tuple(random.integers(1, 6, random.integers(2, 5)).tolist())
        source = builder.tensor(shape, 0.1)
        chains.made("SHAPE", [source], shape, out_type=2)
        for _ in range(12):
            chains.step()
        count = int(np.prod(shape))
        last = next((tensor for tensor, value in chains.known[::-1] if value.tolist() == count), None)
        if last is None:
            last, _ = chains.known[-1][0], chains.made("REDUCE_PROD", [chains.known[0][0], chains.whole([0])], count)
            last = chains.known[-1][0]
        wanted = chains.made("PACK", [last, chains.whole(1)], [count, 1], values_count=2)
        result = builder.tensor((count, 1), 0.1)
        builder.operator("RESHAPE", [source, chains.known[-1][0]], [result])
        model = builder.build([source], [result])
        assert wanted.tolist() == [count, 1]
        assert check(model) == len(chains.known), seed
        assert not [kernel for kernel in compile_model(model, "net").kernels if kernel.layer.title != "RESHAPE"]
        total += len(chains.known)
    assert total > 300


def test_shapes_that_follow_are_worked_out(model_builder: Any, reference: Any, host_run: Any, tmp_path: Path) -> None:
    """Converters write ones where a shape follows from the number of samples: a Dense of rows has [1, 1] before and after."""
    builder = model_builder()
    source = builder.tensor((1, 5, 4), 0.1, 3)
    shape, rows = builder.tensor((3,), dtype="int32"), builder.tensor((2,), dtype="int32")
    flat, result = builder.tensor((1, 1), 0.1, 3), builder.tensor((1, 3), 0.1, -5)
    random = np.random.default_rng(2)
    data = random.integers(-127, 128, (3, 4)).astype(np.int8)
    weights = builder.tensor((3, 4), 0.02, 0, data)
    builder.operator("SHAPE", [source], [shape], out_type=2)
    places = builder.tensor((2,), data=np.array([1, 2], np.int32), dtype="int32")
    builder.operator("GATHER", [shape, places], [rows])
    builder.operator("RESHAPE", [source, rows], [flat])
    builder.operator("FULLY_CONNECTED", [flat, weights, -1], [result])
    model = builder.build([source], [result])
    assert [out.shape for operator in fold(read_model(model)).model.operators for out in operator.outputs] == [
        (5, 4),
        (5, 3),
    ]
    inputs = random.integers(-128, 128, (4, 1, 5, 4)).astype(np.int8)
    got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path)
    assert np.array_equal(got, reference(model, inputs)[0])


def test_shapes_that_are_not_known_are_refused(model_builder: Any) -> None:
    builder = model_builder()
    source, result = builder.tensor((1, 6), 0.1), builder.tensor((2, 3), 0.1)
    shape, doubled = builder.tensor((2,), dtype="int32"), builder.tensor((2,), dtype="int32")
    builder.operator("SHAPE", [source], [shape], out_type=2)
    builder.operator("SQUARE", [shape], [doubled])
    builder.operator("RESHAPE", [source, doubled], [result])
    model = builder.build([source], [result])
    for refuse in (verify_model, lambda data: compile_model(data, "net")):
        with pytest.raises(ModelError, match=r"SQUARE|whole numbers"):
            refuse(model)


def test_shapes_serve_as_shapes_alone(model_builder: Any) -> None:
    """A runtime treats repetitions that it computes otherwise than constants."""
    builder = model_builder()
    source, result = builder.tensor((1, 1), 0.1), builder.tensor((1, 1), 0.1)
    shape = builder.tensor((2,), dtype="int32")
    builder.operator("SHAPE", [source], [shape], out_type=2)
    builder.operator("TILE", [source, shape], [result])
    with pytest.raises(ModelError, match=r"operator 1 \(TILE\) takes tensor 2 \(t2\), which it computes from shapes"):
        verify_model(builder.build([source], [result]))
