"""Scheme int16x8: the quantiser that TensorFlow keeps for int16 activations, and what it leaves wrong put right.

It gives constants of zeros, as training leaves of a filter it killed, a scale of zero, which kernels divide by, and loses the
layer's bias with it; and it stores a bias that several layers share in the scale of the first. So each layer gets a bias of its
own here, written in its own scale, and what adds nothing a scale in proportion.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.verify import SMALLEST_SCALE
from thermo_quantize.flatfile import operator_names, pack, unpack, with_ranges
from thermo_quantize.quiet import quiet
from thermo_quantize.ranges import Range
from thermo_quantize.source import import_tensorflow

_PARTS = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}
"""Operator -> which of its inputs are the activation, the weights and the bias."""
_PRODUCTS = ("BATCH_MATMUL", "MUL")
_NOTHING = 1 / 256
"""Of a step of the output: weights that add less are as good as none, and a scale that counts in this keeps their bias."""
_INPUT_STEPS = 1 << 15
_MOST = 1 << 46
"""Greatest bias: the reference kernels scale sums of less than 2^47."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """An operator with weights: numbers of its tensors; no bias is -1."""

    source: int
    weights: int
    bias: int
    output: int


def int16x8(float_model: bytes, ranges: Sequence[Range], name: str) -> bytes:
    """Quantise to int8 weights and int16 activations, ends included.

    Args:
        float_model: a float32 .tflite file.
        ranges: of every activation; the greater of both ends by its size becomes 32767 steps.
        name: of the model, for the error.

    Raises:
        ModelError: TensorFlow cannot quantise it so.
    """
    tf = import_tensorflow()
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    exact = _with_own_biases(float_model)
    ranged = with_ranges(exact, {one.index: one.chosen for one in ranges})
    try:
        with quiet():  # ranges stand in the file, so that there is nothing to calibrate with
            data = Calibrator(ranged).calibrate_and_quantize(
                lambda: iter(()),
                tf.int16,
                tf.int16,
                False,
                activations_type=tf.int16,
                bias_type=tf.int64,
                disable_per_channel_quantization_for_dense_layers=True,
            )
    except Exception as error:  # TensorFlow's binding raises RuntimeError, ValueError and its own types
        cause = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"TensorFlow cannot quantise {name} to int16 ({cause[0][:200]}); try another scheme."
        ) from error
    return _settled(bytes(data), exact)


def _layers(tree: Any) -> Iterator[_Layer]:
    for operator, name in zip(tree.subgraphs[0].operators, operator_names(tree), strict=True):
        if name in _PARTS:
            inputs = [int(number) for number in operator.inputs] + [-1]
            source, weights, bias = (inputs[number] for number in _PARTS[name])
            yield _Layer(source, weights, bias, int(operator.outputs[0]))


def _with_own_biases(model: bytes) -> bytes:
    """The float model with a bias tensor for each layer that has one."""
    tree = unpack(model)
    graph = tree.subgraphs[0]
    seen: set[int] = set()
    for operator, name in zip(graph.operators, operator_names(tree), strict=True):
        inputs = [int(number) for number in operator.inputs]
        at = _PARTS[name][2] if name in _PARTS else len(inputs)
        if at >= len(inputs) or (bias := inputs[at]) < 0:
            continue
        if bias in seen:
            tensor = copy.deepcopy(graph.tensors[bias])
            tree.buffers.append(copy.deepcopy(tree.buffers[tensor.buffer]))
            tensor.buffer = len(tree.buffers) - 1
            graph.tensors.append(tensor)
            inputs[at] = len(graph.tensors) - 1
            operator.inputs = inputs
        seen.add(bias)
    return pack(tree)


def _settled(quantised: bytes, exact: bytes) -> bytes:
    """The quantised model with scales in proportion and biases in them; tensors have the numbers of the float model."""
    tree, float_tree = unpack(quantised), unpack(exact)
    layers = list(_layers(tree))
    for weights in {layer.weights for layer in layers}:
        _settle_weights(tree, float_tree, [layer for layer in layers if layer.weights == weights])
    for layer in layers:
        _write_bias(tree, float_tree, layer)
    _settle_constants(tree)
    return pack(tree)


def _settle_weights(tree: Any, float_tree: Any, users: Sequence[_Layer]) -> None:
    tensor = tree.subgraphs[0].tensors[users[0].weights]
    if tensor.type != TensorType.INT8 or (exact := _floats(float_tree, users[0].weights)) is None:
        return
    scales = np.array(tensor.quantization.scale, np.float64)
    axis = int(tensor.quantization.quantizedDimension)
    sums = np.abs(np.moveaxis(exact, axis, 0).reshape(exact.shape[axis], -1)).sum(axis=1, dtype=np.float64)
    if len(scales) == 1:
        sums = sums.max(keepdims=True)
    # An output's steps to one of the input, where they are fewest.
    gain = min(_scale(tree, layer.output) / _scale(tree, layer.source) for layer in users)
    nothing = sums * _INPUT_STEPS <= gain * _NOTHING
    if not nothing.any():
        return
    stored = np.moveaxis(_stored(tree, tensor, np.int8), axis, 0)
    stored[nothing if len(nothing) == len(stored) else slice(None)] = 0
    _store(tree, tensor, np.moveaxis(stored, 0, axis))
    scales[nothing] = gain * _NOTHING
    tensor.quantization.scale = [float(one) for one in scales]


def _write_bias(tree: Any, float_tree: Any, layer: _Layer) -> None:
    if layer.bias < 0 or (exact := _floats(float_tree, layer.bias)) is None:
        return
    tensor = tree.subgraphs[0].tensors[layer.bias]
    weights = tree.subgraphs[0].tensors[layer.weights]
    scales = _scale(tree, layer.source) * np.array(weights.quantization.scale, np.float64)
    tensor.quantization.scale = [float(one) for one in scales]
    _store(tree, tensor, np.clip(np.rint(exact / scales), -_MOST, _MOST).astype(np.int64))


def _settle_constants(tree: Any) -> None:
    """A scale for int16 constants of nothing that operators without weights take, as a normalisation by zero does."""
    tensors = tree.subgraphs[0].tensors
    for operator, name in zip(tree.subgraphs[0].operators, operator_names(tree), strict=True):
        inputs = [int(number) for number in operator.inputs if number >= 0]
        for number in inputs:
            tensor = tensors[number]
            data = tree.buffers[tensor.buffer].data
            if tensor.type != TensorType.INT16 or data is None or _scale(tree, number) >= SMALLEST_SCALE:
                continue
            scale = _scale(tree, int(operator.outputs[0]))
            if name in _PRODUCTS:
                scale *= _NOTHING / _scale(tree, next(other for other in inputs if other != number))
            tensor.quantization.scale = [scale]
            _store(tree, tensor, np.zeros(len(data) // 2, np.int16))


def _scale(tree: Any, number: int) -> float:
    return float(tree.subgraphs[0].tensors[number].quantization.scale[0])


def _floats(tree: Any, number: int) -> NDArray[np.float32] | None:
    """A constant of the float model; None where it is computed."""
    tensor = tree.subgraphs[0].tensors[number]
    return None if tree.buffers[tensor.buffer].data is None else _stored(tree, tensor, np.float32)


def _stored(tree: Any, tensor: Any, kind: Any) -> NDArray[Any]:
    shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
    return np.frombuffer(bytes(bytearray(tree.buffers[tensor.buffer].data)), kind).reshape(shape).copy()


def _store(tree: Any, tensor: Any, values: NDArray[Any]) -> None:
    tree.buffers[tensor.buffer].data = list(values.tobytes())
