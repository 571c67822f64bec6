"""From the operators of a .tflite file to layers: `lower` refuses what the kernels cannot do, naming operator and tensor."""

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Model, Operator
from thermo_core.tflite.recurrent import states_of
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.shaping import fold
from thermo_quantize.compiler.ir import Layer, Network
from thermo_quantize.compiler.lower.arithmetic import ARITHMETIC
from thermo_quantize.compiler.lower.context import Context
from thermo_quantize.compiler.lower.elements import ELEMENTS
from thermo_quantize.compiler.lower.functions import FUNCTIONS
from thermo_quantize.compiler.lower.movement import MOVEMENT
from thermo_quantize.compiler.lower.parts import PARTS
from thermo_quantize.compiler.lower.pointwise import POINTWISE
from thermo_quantize.compiler.lower.products import PRODUCTS
from thermo_quantize.compiler.lower.rearranging import REARRANGING
from thermo_quantize.compiler.lower.recurrent import RECURRENT
from thermo_quantize.compiler.lower.reductions import REDUCTIONS
from thermo_quantize.compiler.lower.singles import MOVES, moving
from thermo_quantize.compiler.lower.wide import wide
from thermo_quantize.compiler.lower.windows import WINDOWS

OPERATORS = {
    **WINDOWS,
    **PRODUCTS,
    **ARITHMETIC,
    **ELEMENTS,
    **REDUCTIONS,
    **{name: moving(lower) if name in MOVES else lower for name, lower in {**MOVEMENT, **REARRANGING, **PARTS}.items()},
    **POINTWISE,
    **FUNCTIONS,
    **RECURRENT,
}
_MOVING = frozenset(
    {"CONCATENATION", "PACK", "PAD", "RESHAPE", "SPLIT", "STRIDED_SLICE", "TRANSPOSE", "UNPACK", *PARTS}
)

_MAX_ELEMENTS = 1 << 24
_INSTEAD = {
    "CONV_3D": "convolve in two dimensions, with the third one's slices as channels",
    "DIV": "multiply by the inverse",
    "GREATER": "choose with a RELU, maximum or minimum",
    "LESS": "choose with a RELU, maximum or minimum",
    "LOG_SOFTMAX": "end the network with a softmax, and take logarithms outside of it",
    "SELECT_V2": "choose with a RELU, maximum or minimum",
    "WHILE": "build recurrent layers with unroll=True",
}
"""What to write instead of some operators."""


def lower(model: Model) -> Network:
    """The layers of a model.

    Raises:
        ModelError: an operator, type or shape that is not supported.
    """
    if not model.inputs or not model.outputs:
        raise ModelError(
            "The model has no inputs or no outputs, as no converter writes it; convert the float model anew."
        )
    huge = next((tensor for tensor in model.tensors if tensor.elements > _MAX_ELEMENTS), None)
    if huge is not None:
        raise ModelError(
            f"Cannot compile {huge.label}: it has {huge.elements} elements; supported are {_MAX_ELEMENTS}."
        )
    model = fold(model).model
    for operator in model.operators:
        if operator.name not in OPERATORS:
            raise _unsupported(operator)
    states_of(model)
    context = Context(model)
    layers: list[Layer] = []
    for operator in model.operators:
        layers += _lowered(context, operator)
    quantization = {}
    for tensor in (*model.inputs, *model.outputs):
        if tensor.type not in (TensorType.INT8, TensorType.INT16, TensorType.UINT8, TensorType.FLOAT32):
            raise ModelError(
                f"Cannot compile {tensor.label} as an end of the network: supported are int8, int16, uint8, float32."
            )
        if tensor.quantization is not None:
            quantization[context.value(tensor).id] = (tensor.quantization.scales[0], tensor.quantization.zero_points[0])
    for tensor in model.outputs:
        context.computed(tensor)
    inputs = tuple(context.value(tensor) for tensor in model.inputs)
    outputs = tuple(context.value(tensor) for tensor in model.outputs)
    return Network(tuple(layers), inputs, outputs, quantization, tuple(context.notes))


def _lowered(context: Context, operator: Operator) -> list[Layer]:
    """The layers of an operator, by the type of what it computes on."""
    present = [tensor for tensor in (*operator.inputs, *operator.outputs) if tensor is not None]
    types = {tensor.type for tensor in present if tensor.data is None and not tensor.is_variable}
    if TensorType.INT16 in types:
        return wide(context, operator)
    numbers = not any(tensor.index in context.singles for tensor in present)
    if numbers and types == {TensorType.FLOAT32} and operator.name in _MOVING:
        context = context.of(TensorType.FLOAT32)
    return OPERATORS[operator.name](context, operator)


def _unsupported(operator: Operator) -> ModelError:
    made = f", which makes {operator.outputs[0].label}" if operator.outputs else ""
    cure = _INSTEAD.get(operator.name, "replace that layer")
    return ModelError(
        f"Cannot compile {operator.label}{made}: it is none of the {len(OPERATORS)} supported operators (docs/compiler.md lists "
        f"them); {cure}."
    )
