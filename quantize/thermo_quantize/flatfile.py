"""Changes .tflite files: ranges written into tensors, single operators cut out. Reading alone is thermo_core's."""

from collections.abc import Mapping
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.tflite.reader import read_model
from thermo_core.tflite.shaping import fold
from thermo_core.tflite.verify import verify_model
from thermo_quantize.install import INSTALL_TRAIN

_PLAIN_DENSE = 9


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


def with_plain_dense(model: bytes) -> bytes:
    """The model with fully connected layers in the version that tflite-runtime 2.14 has, where they need no newer one.

    Converters ask for version 12, scales a channel, of a layer of one output: its one scale is one a tensor, too.
    """
    schema = _schema()
    tree = unpack(model)
    dense = schema.BuiltinOperator.FULLY_CONNECTED
    graph = tree.subgraphs[0]
    weights = [
        graph.tensors[operator.inputs[1]]
        for operator in graph.operators
        if tree.operatorCodes[operator.opcodeIndex].builtinCode == dense
    ]
    if any(one.quantization is not None and len(one.quantization.scale or ()) > 1 for one in weights):
        return model
    for code in tree.operatorCodes:
        if code.builtinCode == dense:
            code.version = min(code.version, _PLAIN_DENSE)
    return pack(tree)


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


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise UsageError(f"Quantising needs ai-edge-litert, which is not installed; {INSTALL_TRAIN}.") from error
    return schema_py_generated
