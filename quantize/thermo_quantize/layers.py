"""How much each layer of a quantised model loses: its own noise, and what has piled up by then, as SQNR against float.

SQNR = 10 log10(sum x^2 / sum (x - q)^2) in dB, over all values of a layer's output on the samples. "Own" runs the quantised
operator by itself on the float model's values; "accumulated" runs the whole quantised model.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Model, Operator, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.verify import verify_model
from thermo_quantize.flatfile import single_operator
from thermo_quantize.runtimes import Array, Kernels, Runner

BEST_DB = 120.0
_WEIGHTED = re.compile(r"/(convolution|Conv2D|depthwise|MatMul|conv2d_transpose)\w*$")
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_MOVES = ("RESHAPE", "EXPAND_DIMS", "PAD", "CONCATENATION", "TRANSPOSE", "MAX_POOL_2D")


@dataclass(frozen=True, slots=True)
class LayerNoise:
    """What one operator loses.

    Attributes:
        operator: its number in the quantised model.
        kind: its name in the schema.
        layer: the layer's name, as far as the tensor's name tells it.
        float_tensor: number of the float model's tensor it approximates.
        type: of its output, "INT8" for instance.
        own_db: SQNR of the operator by itself, None where the float model has not all of its inputs.
        accumulated_db: SQNR of its output in the whole model.
    """

    operator: int
    kind: str
    layer: str
    float_tensor: int
    type: str
    own_db: float | None
    accumulated_db: float

    @property
    def loss(self) -> str:
        """Kind, layer and own noise in words."""
        return f"{self.kind} {self.layer} loses most" + ("" if self.own_db is None else f" ({self.own_db:.1f} dB)")

    def to_dict(self) -> dict[str, object]:
        """Plain map for JSON."""
        return asdict(self)


class _Sums:
    """Signal and noise, sample by sample."""

    def __init__(self) -> None:
        self.signal = 0.0
        self.noise = 0.0

    def add(self, exact: Array, found: Array) -> None:
        exact64 = exact.astype(np.float64).ravel()
        self.signal += float(np.sum(exact64**2))
        self.noise += float(np.sum((exact64 - found.astype(np.float64).ravel()) ** 2))

    @property
    def db(self) -> float:
        if self.noise <= self.signal * 10 ** (-BEST_DB / 10):
            return BEST_DB
        return 10 * math.log10(max(self.signal, 1e-30) / self.noise)


def measure(
    float_model: bytes,
    model: bytes,
    inputs: Sequence[NDArray[np.float32]],
    names: Mapping[str, str] | None = None,
) -> list[LayerNoise]:
    """SQNR of every operator whose output the float model has too.

    Args:
        float_model: a float32 .tflite file.
        model: the same network quantised.
        inputs: (n, ...) arrays in the model's order.
        names: of layers by their scopes (`Source.layers`).

    Returns:
        Layers in the order they run.

    Raises:
        ModelError: the two are not the same network.
    """
    exact, graph = verify_model(float_model).model, verify_model(model).model
    pairs = _pair(exact, graph)
    shapes = [[tensor.shape for tensor in one.inputs] for one in (exact, graph)]
    if not pairs or shapes[0] != shapes[1]:
        raise ModelError("The float and the quantised model are not the same network; give the one it was made from.")
    by_index = {theirs.index: ours for operator, ours in pairs for theirs in operator.outputs[:1]}
    by_index |= dict(zip((tensor.index for tensor in graph.inputs), exact.inputs, strict=True))
    _through_conversions(graph, by_index)
    reference = Runner(float_model, Kernels.REFERENCE, keep=True)
    quantized = Runner(model, Kernels.REFERENCE, keep=True)
    alone = {operator.index: _alone(model, operator, by_index) for operator, _ in pairs}
    own = {operator.index: _Sums() for operator, _ in pairs}
    accumulated = {operator.index: _Sums() for operator, _ in pairs}
    for sample in zip(*inputs, strict=True):
        reference.invoke(sample)
        quantized.invoke([end.encode(values) for end, values in zip(quantized.inputs, sample, strict=True)])
        for operator, ours in pairs:
            truth = reference.tensor(ours.index)
            accumulated[operator.index].add(
                truth, _real(operator.outputs[0], quantized.tensor(operator.outputs[0].index))
            )
            single = alone[operator.index]
            if single is not None:
                runner, feeds = single
                values = [
                    end.encode(reference.tensor(feed.index)) for end, feed in zip(runner.inputs, feeds, strict=True)
                ]
                runner.invoke(values)
                found = runner.outputs[0]
                own[operator.index].add(truth, found.decode(runner.tensor(found.index)))
    return [
        LayerNoise(
            operator.index,
            operator.name,
            layer_name(ours.name, names or {}),
            ours.index,
            operator.outputs[0].type.name,
            None if alone[operator.index] is None else round(own[operator.index].db, 2),
            round(accumulated[operator.index].db, 2),
        )
        for operator, ours in pairs
    ]


def worst(layers: Sequence[LayerNoise]) -> LayerNoise | None:
    """The layer that loses most by itself; None where no layer is quantised."""
    return next(iter(ranked(layers)), None)


def ranked(layers: Sequence[LayerNoise]) -> list[LayerNoise]:
    """Quantised layers, those that lose most by themselves first; moves of data left out."""
    computing = [one for one in layers if one.kind not in _MOVES and one.own_db is not None]
    return sorted((one for one in computing if one.type != "FLOAT32" or _own(one) < BEST_DB), key=_own)


def _own(layer: LayerNoise) -> float:
    return BEST_DB if layer.own_db is None else layer.own_db


def layer_name(tensor: str, names: Mapping[str, str]) -> str:
    """The Keras layer in a tensor's name: of fused layers the one with weights, without the model's own name."""
    parts = [part for part in tensor.split(";") if part]
    weighted = [part for part in parts if _WEIGHTED.search(part)]
    path = [part for part in (weighted or parts or [tensor])[0].split("/") if part != "StatefulPartitionedCall"]
    inner = path[1:-1] or path[:1]
    if not inner or inner[0].startswith(("Identity", "StatefulPartitionedCall")):
        return "output"
    return "/".join(_known(part, names) for part in inner)


def _known(part: str, names: Mapping[str, str]) -> str:
    """The layer of a scope; one that is called again and again has its calls numbered."""
    called = re.sub(r"_\d+$", "", part)
    return names.get(part, called if called in names.values() else part)


def _pair(exact: Model, graph: Model) -> list[tuple[Operator, Tensor]]:
    """Operators of the quantised graph with the float tensor each approximates, by name, or else by order, kind and shape."""
    names = {operator.outputs[0].name: operator.outputs[0] for operator in exact.operators}
    computing = [
        operator for operator in graph.operators if operator.name not in _CONVERSIONS and not _shapes(operator)
    ]
    pairs = [(op, names[op.outputs[0].name]) for op in computing if op.outputs[0].name in names]
    if len(pairs) < len(computing):
        ours, theirs = ([(op.name, op.outputs[0].shape) for op in ops] for ops in (computing, exact.operators))
        blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
        aligned = [(computing[a + n], exact.operators[b + n].outputs[0]) for a, b, size in blocks for n in range(size)]
        pairs = max(pairs, aligned, key=len)
    return [(op, tensor) for op, tensor in pairs if op.outputs[0].elements == tensor.elements]


def _shapes(operator: Operator) -> bool:
    """It computes a shape, not an activation."""
    return all(tensor.type is TensorType.INT32 for tensor in operator.outputs)


def _through_conversions(graph: Model, by_index: dict[int, Tensor]) -> None:
    """Conversions between types stand for the same real tensor."""
    for operator in graph.operators:
        source = operator.inputs[0]
        if operator.name in _CONVERSIONS and source is not None and source.index in by_index:
            by_index.setdefault(operator.outputs[0].index, by_index[source.index])


def _alone(model: bytes, operator: Operator, by_index: dict[int, Tensor]) -> tuple[Runner, list[Tensor]] | None:
    computed = [tensor for tensor in operator.inputs if tensor is not None and tensor.data is None]
    unique = list(dict.fromkeys(tensor.index for tensor in computed))
    if not unique or any(index not in by_index for index in unique):
        return None
    single = single_operator(model, operator.index, unique)
    return Runner(single, Kernels.REFERENCE, keep=True), [by_index[index] for index in unique]


def _real(tensor: Tensor, values: Array) -> Array:
    quantization = tensor.quantization
    if tensor.type is TensorType.FLOAT32 or quantization is None:
        return values
    real: Array = (values.astype(np.float64) - quantization.zero_points[0]) * quantization.scales[0]
    return real
