"""Decides whether a .tflite file may be opened by a runtime: structure, types, shapes, options and quantisation.

Runtimes trust a model: a stride of zero divides by zero, an impossible scale aborts the process, an offset reads elsewhere.
What passes here has only operators of a known list, each with the inputs, types, shapes, options and scales its kernels
expect, and fits limits on memory and work.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from thermo_core.errors import ModelError, UnsupportedOperatorError
from thermo_core.tflite.flatbuffer import Table, contradictory, damaged, root
from thermo_core.tflite.operators import MULTIPLYING, RULES
from thermo_core.tflite.reader import Model, Tensor, read_model
from thermo_core.tflite.recurrent import STATES, UNROLL, states_of
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.scope import REQUANTISE, Scope
from thermo_core.tflite.shaping import SHAPING, Folded, fold
from thermo_core.tflite.wellformed import check_wellformed

MAX_BYTES = 64 << 20
MAX_TENSORS = 4096
MAX_TENSOR_BYTES = 32 << 20
MAX_ACTIVATION_BYTES = 128 << 20
MAX_WORK = 4_000_000_000
"""Multiply-accumulates (or elements, where an operator has none) of one inference."""
_MAX_RANK = 6
_SHAPING = SHAPING | {"BROADCAST_ARGS", "RANK"}
"""What converters put in where the number of samples was left open."""
_MAY_BE_COMPUTED = {
    "ADD": (0, 1),
    "FULLY_CONNECTED": (0,),
    "MUL": (0, 1),
    "RESHAPE": (1,),
    "SUB": (0, 1),
    "TRANSPOSE_CONV": (0,),
}
"""Operator -> its inputs that may be known beforehand and yet computed by the network: runtimes treat them otherwise than constants."""
_ACTIVATIONS = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)
_CONSTANTS = (*_ACTIVATIONS, TensorType.INT32, TensorType.INT64)
_RANGES = {
    TensorType.INT8: (-128, 127),
    TensorType.UINT8: (0, 255),
    TensorType.INT16: (0, 0),
    TensorType.INT32: (0, 0),
    TensorType.INT64: (0, 0),
}
SMALLEST_SCALE, LARGEST_SCALE = 1e-20, 1e12


@dataclass(frozen=True, slots=True)
class Verified:
    """A model that may be opened.

    Attributes:
        model: its graph.
        macs: multiply-accumulates of each operator, by its index; none of those that compute shapes alone.
        activation_bytes: of all computed tensors together.
        states: tensors whose values last from one run to the next.
    """

    model: Model
    macs: tuple[int, ...]
    activation_bytes: int
    states: tuple[Tensor, ...] = ()


def verify_model(data: bytes, stateful: bool = False) -> Verified:
    """Check a .tflite file before any runtime opens it.

    Args:
        data: the whole file.
        stateful: whether the caller knows when a network's state must be cleared. A wearable does not: the file does not say
            whether a state is to last from one window to the next, so a verdict could hang on pictures long past.

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
    folded = fold(model)
    _check_precision(model)
    _check_operators_known(folded.model)
    states = states_of(model)
    if states and not stateful:
        _refuse_state(model)
    ends = {tensor.index for tensor in (*model.inputs, *model.outputs)}
    between = {tensor.index for operator in model.operators for tensor in operator.intermediates}
    for tensor in folded.model.tensors:
        if tensor.index in between:
            _check_intermediate(tensor, model)
        else:
            _check_tensor(tensor, tensor.index in ends)
    _check_ends(model)
    _check_computed(folded)
    _check_beside(root(data, b"TFL3"), model, folded.model)
    activation_bytes = sum(_bytes(tensor) for tensor in folded.model.tensors if tensor.data is None)
    if activation_bytes > MAX_ACTIVATION_BYTES:
        raise ModelError(
            f"The model's activations need {activation_bytes} bytes and may need {MAX_ACTIVATION_BYTES}; make it smaller."
        )
    work = {operator.index: RULES[operator.name](Scope(operator)) for operator in folded.model.operators}
    total = sum(work.values())
    if total > MAX_WORK:
        raise ModelError(f"The model needs {total} operations an inference and may need {MAX_WORK}; make it smaller.")
    macs = tuple(work.get(op.index, 0) if op.name in MULTIPLYING else 0 for op in model.operators)
    return Verified(model, macs, activation_bytes, states)


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


def _refuse_state(model: Model) -> None:
    keeper = next((operator for operator in model.operators if operator.name in STATES), model.operators[0])
    raise ModelError(
        f"The model's {keeper.label} keeps a state from one run to the next, and a wearable's verdict may depend on its own "
        f"input alone; {UNROLL}."
    )


def _check_intermediate(tensor: Tensor, model: Model) -> None:
    """What tells a kernel how values within it are quantised holds none itself, and is no part of the graph."""
    used = {read.index for operator in model.operators for read in (*operator.inputs, *operator.outputs) if read}
    if tensor.index in used or tensor.data is not None or tensor in (*model.inputs, *model.outputs):
        raise ModelError(f"The model's {tensor.label} is an intermediate and part of the graph at once; {UNROLL}.")
    if tensor.type is TensorType.INT8 or tensor.quantization is not None:
        _check_tensor(replace(tensor, shape=(1,)), False)


def _check_tensor(tensor: Tensor, is_end: bool) -> None:
    label = f"The model's {tensor.label}"
    allowed = _ACTIVATIONS if tensor.data is None else _CONSTANTS
    if is_end:
        allowed = (*allowed, TensorType.UINT8)
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
        if tensor.type in (TensorType.INT8, TensorType.UINT8, TensorType.INT16):
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


def _check_computed(folded: Folded) -> None:
    for operator in folded.model.operators:
        allowed = _MAY_BE_COMPUTED.get(operator.name, ())
        for number, tensor in enumerate(operator.inputs):
            if tensor is not None and tensor.index in folded.computed and number not in allowed:
                raise ModelError(
                    f"The model's {operator.label} takes {tensor.label}, which it computes from shapes as it runs; "
                    "export the model with a fixed batch of one."
                )


def _check_beside(table: Table, model: Model, folded: Model) -> None:
    """What the graph does not need and runtimes read all the same."""
    graph = table.tables(2, "graph")[0]
    given = {tensor.index for tensor in model.inputs}
    for tensor, entry in zip(folded.tensors, graph.tables(0, "tensor"), strict=True):
        _check_shape_is_fixed(tensor, entry.numbers(7, "i", "a shape signature"), tensor.index in given)
    for operator, entry in zip(model.operators, graph.tables(3, "operator"), strict=True):
        changed = any(entry.numbers(7, "B", "state")) or (operator.intermediates and operator.name not in STATES)
        if changed or entry.bytes_(5, "options") or entry.integer(11, "B"):
            raise ModelError(
                f"The model's {operator.label} has state or options of its own, which no engine of a wearable supports; replace "
                "that layer."
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


def _check_shape_is_fixed(tensor: Tensor, signature: tuple[int, ...], is_input: bool) -> None:
    if not signature:
        return
    # Converters leave open (-1) the number of samples, where the graph has one, and whatever depends on it; the rules of the
    # operators hold every computed shape against those it is made from.
    open_ = range(1 if is_input and tensor.shape[:1] == (1,) else 0 if is_input else len(tensor.shape))
    fits = [
        have == size or (have == -1 and n in open_)
        for n, (have, size) in enumerate(zip(signature, tensor.shape, strict=False))
    ]
    if len(signature) != len(tensor.shape) or not all(fits):
        raise ModelError(
            f"The model's {tensor.label} has the dynamic shape {list(signature)}; export it with a fixed shape."
        )
