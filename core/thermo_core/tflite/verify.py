"""Decides whether a .tflite file may be opened by a runtime: structure, types, shapes, options and quantisation.

Runtimes trust a model: a stride of zero divides by zero, an impossible scale aborts the process, an offset reads elsewhere.
What passes here has only operators of a known list, each with the inputs, types, shapes, options and scales its kernels
expect, and fits limits on memory and work.
"""

import math
from dataclasses import dataclass

import numpy as np

from thermo_core.errors import ModelError, UnsupportedOperatorError
from thermo_core.tflite.flatbuffer import Table, contradictory, damaged, root
from thermo_core.tflite.operators import MULTIPLYING, RULES
from thermo_core.tflite.reader import Model, Tensor, read_model
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.scope import REQUANTISE, Scope
from thermo_core.tflite.wellformed import check_wellformed

MAX_BYTES = 64 << 20
MAX_TENSORS = 4096
MAX_TENSOR_BYTES = 32 << 20
MAX_ACTIVATION_BYTES = 128 << 20
MAX_WORK = 4_000_000_000
"""Multiply-accumulates (or elements, where an operator has none) of one inference."""
_MAX_RANK = 6
_SHAPING = frozenset({"SHAPE", "BROADCAST_ARGS", "RANK"})
"""What converters put in where the number of samples was left open."""
_ACTIVATIONS = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)
_ENDS = (*_ACTIVATIONS, TensorType.INT32)
_CONSTANTS = (*_ACTIVATIONS, TensorType.INT32, TensorType.INT64)
_RANGES = {TensorType.INT8: (-128, 127), TensorType.INT16: (0, 0), TensorType.INT32: (0, 0), TensorType.INT64: (0, 0)}
SMALLEST_SCALE, LARGEST_SCALE = 1e-20, 1e12


@dataclass(frozen=True, slots=True)
class Verified:
    """A model that may be opened.

    Attributes:
        model: its graph.
        macs: multiply-accumulates of each operator, by its index.
        activation_bytes: of all computed tensors together.
    """

    model: Model
    macs: tuple[int, ...]
    activation_bytes: int


def verify_model(data: bytes) -> Verified:
    """Check a .tflite file before any runtime opens it.

    Args:
        data: the whole file.

    Returns:
        Its graph and what it costs.

    Raises:
        ModelError: the file is damaged, or it holds something no supported runtime may be given; one sentence names the
            operator or tensor.
    """
    if len(data) > MAX_BYTES:
        raise ModelError(f"The model has {len(data)} bytes and may have {MAX_BYTES}; make it smaller.")
    if len(data) >= 8 and data[4:8] == b"TFL3":
        check_wellformed(data)
    model = read_model(data)
    if len(model.tensors) > MAX_TENSORS:
        raise ModelError(f"The model has {len(model.tensors)} tensors and may have {MAX_TENSORS}; make it smaller.")
    _check_precision(model)
    _check_operators_known(model)
    for tensor in model.tensors:
        _check_tensor(tensor)
    _check_ends(model)
    _check_beside(root(data, b"TFL3"), model)
    activation_bytes = sum(_bytes(tensor) for tensor in model.tensors if tensor.data is None)
    if activation_bytes > MAX_ACTIVATION_BYTES:
        raise ModelError(
            f"The model's activations need {activation_bytes} bytes and may need {MAX_ACTIVATION_BYTES}; make it smaller."
        )
    work = [RULES[operator.name](Scope(operator)) for operator in model.operators]
    if sum(work) > MAX_WORK:
        raise ModelError(
            f"The model needs {sum(work)} operations an inference and may need {MAX_WORK}; make it smaller."
        )
    macs = tuple(n if op.name in MULTIPLYING else 0 for op, n in zip(model.operators, work, strict=True))
    return Verified(model, macs, activation_bytes)


def _bytes(tensor: Tensor) -> int:
    return tensor.elements * (tensor.type.size or 0)


def _check_precision(model: Model) -> None:
    for tensor in model.tensors:
        if tensor.type is TensorType.FLOAT16:
            raise ModelError(
                f"The model's {tensor.label} holds float16 weights, which are not supported; export the model as int8 or float32."
            )


def _check_operators_known(model: Model) -> None:
    if not model.operators:
        raise contradictory(" has no operators")
    for operator in model.operators:
        if operator.name in _SHAPING:
            raise ModelError(
                f"The model's {operator.label} computes shapes while it runs; export the model with a fixed batch of one."
            )
        if operator.name not in RULES:
            made = f", which makes {operator.outputs[0].label}," if operator.outputs else ""
            raise UnsupportedOperatorError(
                f"The model's {operator.label}{made} is not supported by the engines a wearable has; replace that layer.",
                operator.name,
                operator.outputs[0].name if operator.outputs else "",
            )


def _check_tensor(tensor: Tensor) -> None:
    label = f"The model's {tensor.label}"
    allowed = _ACTIVATIONS if tensor.data is None else _CONSTANTS
    if tensor.data is None and tensor.type is TensorType.INT32 and tensor.quantization is None:
        raise ModelError(f"{label} is computed in whole numbers, as dynamic shapes are; export it with a fixed shape.")
    if tensor.type not in allowed:
        raise ModelError(f"{label} has the unsupported type {tensor.type.name}; quantise the model to int8.")
    if len(tensor.shape) > _MAX_RANK or 0 in tensor.shape:
        raise ModelError(
            f"{label} has the unsupported shape {list(tensor.shape)}; use 1 to {_MAX_RANK} dimensions of 1 or more."
        )
    if _bytes(tensor) > MAX_TENSOR_BYTES:
        raise ModelError(f"{label} needs {_bytes(tensor)} bytes and may need {MAX_TENSOR_BYTES}; make it smaller.")
    floats = tensor.data if tensor.type is TensorType.FLOAT32 else None
    if floats is not None and not np.isfinite(np.frombuffer(floats, "<f4")).all():
        raise ModelError(f"{label} holds weights that are NaN or infinite; train the model again.")
    quantization = tensor.quantization
    if quantization is None:
        if tensor.type in (TensorType.INT8, TensorType.INT16):
            raise ModelError(f"{label} has no quantisation parameters; {REQUANTISE}.")
        return
    if any(not SMALLEST_SCALE <= scale <= LARGEST_SCALE for scale in quantization.scales):
        raise ModelError(f"{label} has a scale beyond {SMALLEST_SCALE} to {LARGEST_SCALE}; {REQUANTISE}.")
    low, high = _RANGES.get(tensor.type, (-(1 << 31), (1 << 31) - 1))
    if any(not low <= point <= high for point in quantization.zero_points):
        raise ModelError(f"{label} has a zero point outside of {low} to {high}; {REQUANTISE}.")
    if len(quantization.scales) > 1 and any(quantization.zero_points):
        raise ModelError(f"{label} has a zero point a channel, which is not supported; {REQUANTISE}.")
    if tensor.data is None and len(quantization.scales) != 1:
        raise ModelError(f"{label} is computed and has {len(quantization.scales)} scales; {REQUANTISE}.")


def _check_ends(model: Model) -> None:
    for name, tensors in (("input", model.inputs), ("output", model.outputs)):
        if not tensors:
            raise contradictory(f" has no {name}")
        if len({tensor.index for tensor in tensors}) != len(tensors):
            raise contradictory(f" names the same {name} twice")
        for tensor in tensors:
            if tensor.data is not None:
                raise ModelError(f"The model's {name}, {tensor.label}, is a constant; leave it out.")
            if not tensor.shape or math.prod(tensor.shape) == 0:
                raise ModelError(f"The model's {name}, {tensor.label}, has no fixed shape; export it with one.")
    given = {tensor.index for tensor in model.inputs}
    for tensor in model.outputs:
        if tensor.index in given:
            raise ModelError(f"The model's output, {tensor.label}, is its input; leave it out.")
    used = {tensor.index for operator in model.operators for tensor in operator.inputs if tensor is not None}
    for tensor in model.inputs:
        if tensor.index not in used:
            raise ModelError(f"The model does not use its input, {tensor.label}; build it without.")


def _check_beside(table: Table, model: Model) -> None:
    """What the graph does not need and runtimes read all the same."""
    graph = table.tables(2, "graph")[0]
    for tensor, entry in zip(model.tensors, graph.tables(0, "tensor"), strict=True):
        _check_shape_is_fixed(tensor, entry.numbers(7, "i", "a shape signature"))
    for operator, entry in zip(model.operators, graph.tables(3, "operator"), strict=True):
        changed, between = entry.numbers(7, "B", "state"), entry.numbers(8, "i", "intermediates")
        if any(changed) or between or entry.bytes_(5, "options") or entry.integer(11, "B"):
            raise ModelError(
                f"The model's {operator.label} has state or options of its own, which no engine of a wearable supports; replace that layer."
            )
    buffers = len(table.tables(4, "buffer"))
    extra = [entry.integer(1, "I") for entry in table.tables(6, "metadata")]
    extra += table.numbers(5, "i", "the metadata buffers")
    if any(not 0 <= number < buffers for number in extra):
        raise damaged("its metadata refer to a buffer that is not there")
    for signature in table.tables(7, "signature"):
        for index, what, ends in ((0, "inputs", model.inputs), (1, "outputs", model.outputs)):
            named = [entry.integer(1, "I") for entry in signature.tables(index, what)]
            if not set(named) <= {tensor.index for tensor in ends}:
                raise damaged(f"a signature names {what} that its graph has not")


def _check_shape_is_fixed(tensor: Tensor, signature: tuple[int, ...]) -> None:
    if not signature:
        return
    # Converters leave the number of samples open (-1) where the graph has one; nothing else may be open.
    fixed = list(tensor.shape)
    open_batch = [-1, *fixed[1:]] if fixed and fixed[0] == 1 else fixed
    if list(signature) not in (fixed, open_batch):
        raise ModelError(
            f"The model's {tensor.label} has the dynamic shape {list(signature)}; export it with a fixed shape."
        )
