"""Changes .tflite files: ranges written into tensors, single operators cut out. Reading alone is thermo_core's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.tflite.reader import read_model
from thermo_core.tflite.shaping import fold
from thermo_core.tflite.verify import verify_model
from thermo_quantize.install import INSTALL_TRAIN

_DENSE = "FULLY_CONNECTED"


def unpack(model: bytes) -> Any:
    """The file as the schema's object tree (`ModelT`).

    Raises:
        UsageError: ai-edge-litert, which brings the schema, is not installed.
    """
    return _schema().ModelT.InitFromPackedBuf(model, 0)


def pack(tree: Any) -> bytes:
    """The object tree as a file."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operator_names(tree: Any) -> list[str]:
    """The builtin operator of each step of an object tree's graph, "CONV_2D" and so on."""
    names = {number: name for name, number in vars(_schema().BuiltinOperator).items() if isinstance(number, int)}
    return [names[tree.operatorCodes[operator.opcodeIndex].builtinCode] for operator in tree.subgraphs[0].operators]


def with_ranges(model: bytes, ranges: Mapping[int, tuple[float, float]]) -> bytes:
    """The float model with the range of each activation written into it, as a quantiser reads them.

    Args:
        model: a float32 .tflite file.
        ranges: (lowest, highest) by tensor index.
    """
    schema = _schema()
    tree = unpack(model)
    for index, (low, high) in ranges.items():
        quantization = schema.QuantizationParametersT()
        quantization.min, quantization.max = [float(low)], [float(high)]
        tree.subgraphs[0].tensors[index].quantization = quantization
    return pack(tree)


def with_known_versions(model: bytes) -> bytes:
    """The model with operators in versions that tflite-runtime 2.14 knows, where its kernels need no newer ones.

    Converters ask for version 12 of FULLY_CONNECTED, scales a channel, for a layer of one output too, whose one scale is one a
    tensor; and for version 3 of TILE, which came with int8 after the kernel took it.
    """
    tree = unpack(model)
    graph = tree.subgraphs[0]
    names = operator_names(tree)
    dense = [graph.tensors[one.inputs[1]] for one, name in zip(graph.operators, names, strict=True) if name == _DENSE]
    scales = [one.quantization.scale for one in dense if one.quantization is not None]
    known = {"TILE": 2}
    if all(one is None or len(one) == 1 for one in scales):
        known[_DENSE] = 9
    newer = False
    for operator, name in zip(graph.operators, names, strict=True):
        code = tree.operatorCodes[operator.opcodeIndex]
        if code.version > known.get(name, code.version):
            code.version, newer = known[name], True
    return pack(tree) if newer else model


def single_operator(model: bytes, index: int, inputs: list[int]) -> bytes:
    """A model of one operator of `model`; `inputs` are its computed tensors, in their order.

    Tensor numbers stay; those of other operators are emptied. Shapes that follow from others are written out.
    """
    tree = unpack(model)
    graph = tree.subgraphs[0]
    for tensor, settled in zip(graph.tensors, fold(read_model(model)).model.tensors, strict=True):
        tensor.shape, tensor.shapeSignature = list(settled.shape), None
    operator = graph.operators[index]
    kept = {int(number) for number in (*operator.inputs, *operator.outputs) if number >= 0}
    graph.operators = [operator]
    graph.inputs, graph.outputs = inputs, [int(number) for number in operator.outputs]
    used = {graph.tensors[number].buffer for number in kept}
    order = sorted(kept)
    renumbered = {old: new for new, old in enumerate(order)}
    graph.tensors = [graph.tensors[number] for number in order]
    graph.inputs = [renumbered[number] for number in graph.inputs]
    graph.outputs = [renumbered[number] for number in graph.outputs]
    operator.inputs = [renumbered[int(n)] if n >= 0 else -1 for n in operator.inputs]
    operator.outputs = [renumbered[int(n)] for n in operator.outputs]
    for number, buffer in enumerate(tree.buffers):
        if number not in used:
            buffer.data = None
    tree.signatureDefs = None
    tree.metadata = None
    return pack(tree)


def with_all_outputs(model: bytes) -> bytes:
    """The model with every computed tensor among its outputs, after those it has.

    Runtimes let operators write over their inputs even when asked to preserve all tensors; outputs they leave alone.
    """
    tree = unpack(model)
    graph = tree.subgraphs[0]
    outputs = [int(number) for number in graph.outputs]
    given = {*outputs, *(int(number) for number in graph.inputs)}
    computed = [int(number) for operator in graph.operators for number in operator.outputs]
    graph.outputs = outputs + [number for number in computed if number not in given]
    tree.signatureDefs = None
    return pack(tree)


def without_head(model: bytes) -> bytes | None:
    """The model ending before its last operator, where that is a softmax or logistic; None for other models.

    What comes out are the logits, on which differences show that a softmax hides.
    """
    graph = verify_model(model).model
    last = graph.operators[-1]
    source = last.inputs[0] if last.inputs else None
    if (
        last.name not in ("SOFTMAX", "LOGISTIC")
        or len(graph.outputs) != 1
        or source is None
        or len(graph.operators) < 2
    ):
        return None
    if last.outputs[0].index != graph.outputs[0].index or source.data is not None:
        return None
    tree = unpack(model)
    tree.subgraphs[0].operators.pop()
    tree.subgraphs[0].outputs = [source.index]
    tree.signatureDefs = None
    return pack(tree)


def with_logits(model: bytes, temperature: float, shift: NDArray[np.float64]) -> bytes:
    """The int8 model with logits / temperature + shift in place of its logits: other constants of its last dense layer, no operator more.

    Dividing changes scales alone; a shift widens what the 256 steps of logits cover by the spread of its numbers.

    Args:
        model: an int8 .tflite file that ends in a dense layer and a softmax.
        temperature: above 0.
        shift: (classes,); a number added to all of them changes nothing.

    Raises:
        UsageError: it ends in something else.
    """
    operators = verify_model(model).model.operators
    names = [operator.name for operator in operators[-2:]]
    taken = operators[-1].inputs[0]
    if names != ["FULLY_CONNECTED", "SOFTMAX"] or taken is None or operators[-2].outputs[0].index != taken.index:
        raise UsageError(
            f"The network ends in {' and '.join(names)}, so its scores stay; end it in a dense layer and a softmax."
        )
    tree = unpack(model)
    tensors = tree.subgraphs[0].tensors
    dense = tree.subgraphs[0].operators[-2]
    seen, weights, bias, logits = (tensors[int(at)] for at in (*dense.inputs, *dense.outputs))
    added = shift - (shift.max() + shift.min()) / 2
    before, zero = float(logits.quantization.scale[0]), int(logits.quantization.zeroPoint[0])
    low = (-128 - zero) * before / temperature + added.min()
    high = (127 - zero) * before / temperature + added.max()
    stored = tree.buffers[bias.buffer]
    constants = bias.quantization.scale * np.asarray(stored.data, np.uint8).view("<i4") / temperature + added
    weights.quantization.scale = np.asarray(weights.quantization.scale / temperature, np.float32)
    bias.quantization.scale = np.asarray(weights.quantization.scale * seen.quantization.scale, np.float32)
    stored.data = np.rint(constants / bias.quantization.scale).astype("<i4").view(np.uint8)
    logits.quantization.scale = [(high - low) / 255]
    logits.quantization.zeroPoint = [round(-128 - 255 * low / (high - low))]
    return pack(tree)


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise UsageError(f"Quantising needs ai-edge-litert, which is not installed; {INSTALL_TRAIN}.") from error
    return schema_py_generated
