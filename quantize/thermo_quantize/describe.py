"""What a .tflite model is and costs, read from the file alone: operators, parameters, products, memory, engines."""

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from thermo_core.errors import SchemaError, UsageError
from thermo_core.schema import MAX_TEXT, Text, from_plain
from thermo_core.tflite.reader import Model, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.shaping import SHAPING
from thermo_core.tflite.verify import Verified, verify_model
from thermo_quantize.compiler.lower import OPERATORS as COMPILED

ENGINES = ("tflite-runtime", "ai-edge-litert", "TFLM", "TFLM + CMSIS-NN", "thermo-quantize compile")
# Operators with an int8 kernel: those of TFLM's all_ops_resolver, and those that its cmsis_nn folder has kernels of its own for.
_TFLM = frozenset(
    """ABS ADD AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE ELU
    EXPAND_DIMS FILL FULLY_CONNECTED GATHER HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM
    MIRROR_PAD MUL PACK PAD PRELU QUANTIZE REDUCE_MAX RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SHAPE SLICE
    SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH TRANSPOSE
    TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK""".split()
)
_CMSIS_NN = frozenset(
    """ADD AVERAGE_POOL_2D CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED MAX_POOL_2D MUL PAD SOFTMAX TRANSPOSE
    TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM""".split()
)
_WEIGHTED = (
    "ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MUL", "SUB", "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
)  # fmt: skip


NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """One operator: number, kind, name and shape of its output, type, products, parameters, bytes live while it runs."""

    index: int
    kind: str
    tensor: str
    shape: tuple[int, ...]
    type: str
    macs: int
    parameters: int
    live_bytes: int


@dataclass(frozen=True, slots=True)
class Description:
    """A model's facts.

    Attributes:
        sha256: of the file.
        bytes: of the file.
        parameters: weights, biases, and constants that are added or multiplied.
        macs: multiply-accumulates an inference.
        peak_activation_bytes: most bytes of computed tensors alive at once, without an engine's own scratch memory.
        peak_operator: number of the operator that needs them.
        state_bytes: of tensors whose values last from one run to the next, within the peak.
        inputs, outputs: name, shape, type, scale and zero point of each end.
        operators: each operator.
        engines: for each kind of operator in the model, which engines have an int8 kernel for it (where TFLM + CMSIS-NN has
            none of CMSIS-NN, TFLM's own runs).
    """

    sha256: str
    bytes: int
    parameters: int
    macs: int
    peak_activation_bytes: int
    peak_operator: int
    state_bytes: int
    inputs: tuple[dict[str, object], ...]
    outputs: tuple[dict[str, object], ...]
    operators: tuple[OperatorFacts, ...]
    engines: dict[str, dict[str, bool]]

    @property
    def kinds(self) -> dict[str, int]:
        """How often each kind of operator occurs."""
        return dict(Counter(operator.kind for operator in self.operators))

    def to_dict(self) -> dict[str, object]:
        """Plain map for JSON."""
        return asdict(self)


def describe(data: bytes) -> Description:
    """Facts of a .tflite file.

    Raises:
        ModelError: it is malformed or has something that is not supported.
    """
    verified = verify_model(data, stateful=True)
    model = verified.model
    live = _live(model)
    operators = tuple(
        OperatorFacts(
            operator.index,
            operator.name,
            operator.outputs[0].name,
            operator.outputs[0].shape,
            operator.outputs[0].type.name,
            verified.macs[operator.index],
            _parameters(operator.name, operator.inputs),
            live[operator.index],
        )
        for operator in model.operators
    )
    peak = max(range(len(live)), key=live.__getitem__)
    kinds = sorted({operator.kind for operator in operators})
    return Description(
        hashlib.sha256(data).hexdigest(),
        len(data),
        _distinct_parameters(model),
        sum(verified.macs),
        live[peak],
        peak,
        sum(_bytes(tensor) for tensor in verified.states),
        tuple(_end(tensor) for tensor in model.inputs),
        tuple(_end(tensor) for tensor in model.outputs),
        operators,
        {kind: engines(kind) for kind in kinds},
    )


def engines(kind: str) -> dict[str, bool]:
    """Which engines have an int8 kernel for a kind of operator that `verify_model` accepts."""
    found = (True, True, kind in _TFLM, kind in _CMSIS_NN, kind in COMPILED or kind in SHAPING)
    return dict(zip(ENGINES, found, strict=True))


def contracts(verified: Verified, unit: str | None = None, orientation: str | None = None) -> dict[str, Any] | None:
    """What the numbers at the ends of an int8 model mean, ready for JSON; None for models of other types.

    Args:
        verified: the model.
        unit: unit of the features; None where nobody said.
        orientation: what the first row and column are; None where nobody said.

    Returns:
        `input` and `output` of a model with one of each, which a wearable can run; `inputs` and `outputs` by name of others.

    Raises:
        UsageError: unit or orientation is empty, longer than a line, or not printable.
    """
    for name, text in (("unit", unit), ("orientation", orientation)):
        try:
            from_plain(NOT_STATED if text is None else text, Text, name)
        except SchemaError:
            raise UsageError(
                f"The {name} {(text or '')[:40]!r} is no text of 1 to {MAX_TEXT} printable characters; change it."
            ) from None
    model = verified.model
    if any(tensor.type is not TensorType.INT8 for tensor in (*model.inputs, *model.outputs)):
        return None
    words = {"unit": unit or NOT_STATED, "orientation": orientation or NOT_STATED, "rounding": "half-even"}
    inputs = {t.name: {"shape": list(t.shape[1:]), **_affine(t), **words} for t in model.inputs}
    outputs = {t.name: _affine(t) for t in model.outputs}
    if len(inputs) == len(outputs) == 1:
        return {"input": next(iter(inputs.values())), "output": next(iter(outputs.values()))}
    return {"inputs": inputs, "outputs": outputs}


def _affine(tensor: Tensor) -> dict[str, object]:
    scale, zero_point = _scale(tensor)
    return {"dtype": "int8", "scale": scale, "zero_point": zero_point}


def _scale(tensor: Tensor) -> tuple[float, int]:
    quantization = tensor.quantization
    return (0.0, 0) if quantization is None else (quantization.scales[0], quantization.zero_points[0])


def _end(tensor: Tensor) -> dict[str, object]:
    scale, zero_point = _scale(tensor)
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "type": tensor.type.name,
        "scale": scale,
        "zero_point": zero_point,
    }


def _bytes(tensor: Tensor) -> int:
    return tensor.elements * (tensor.type.size or 0)


def _parameters(kind: str, inputs: tuple[Tensor | None, ...]) -> int:
    return sum(tensor.elements for tensor in inputs if tensor and tensor.data is not None) if kind in _WEIGHTED else 0


def _distinct_parameters(model: Model) -> int:
    constants = {
        tensor.index: tensor.elements
        for operator in model.operators
        if operator.name in _WEIGHTED
        for tensor in operator.inputs
        if tensor is not None and tensor.data is not None
    }
    return sum(constants.values())


def _live(model: Model) -> list[int]:
    """Bytes of computed tensors alive while each operator runs: its inputs, outputs and what later ones still need."""
    last: dict[int, int] = {}
    sizes: dict[int, int] = {}
    born = {tensor.index: -1 for tensor in model.inputs}
    for operator in model.operators:
        for tensor in (*operator.inputs, *operator.outputs):
            if tensor is not None and tensor.data is None:
                last[tensor.index] = operator.index
                sizes[tensor.index] = _bytes(tensor)
                born.setdefault(tensor.index, -1 if tensor.is_variable else operator.index)
    for tensor in (*model.outputs, *(tensor for tensor in model.tensors if tensor.is_variable)):
        last[tensor.index] = len(model.operators)
    return [
        sum(sizes[index] for index in sizes if born[index] <= operator.index <= last[index])
        for operator in model.operators
    ]
