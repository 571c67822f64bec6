"""Operators that keep a state from one run to the next: which tensors hold it, and the rule of the integer LSTM.

A state is a variable tensor: no operator makes it, its operator reads and overwrites it. Runtimes clear it when a model is
loaded and when they are asked to, never between runs.
"""

import math

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Model, Tensor
from thermo_core.tflite.schema import Activation
from thermo_core.tflite.scope import FLOAT32, INT8, INT16, INT32, Scope, scale

# Inputs of UNIDIRECTIONAL_SEQUENCE_LSTM, gates in the order input, forget, cell, output.
INPUT_WEIGHTS, RECURRENT_WEIGHTS, PEEPHOLES, BIASES = 1, 5, 9, 12
PROJECTION, PROJECTION_BIAS, OUTPUT_STATE, CELL_STATE, NORMS = 16, 17, 18, 19, 20
INPUTS = 24
HIDDEN = 4
"""The intermediate that tells how the cell's output is quantised before a projection."""
STATES = {"UNIDIRECTIONAL_SEQUENCE_LSTM": (OUTPUT_STATE, CELL_STATE)}
"""Operators that keep a state, and the inputs that hold it."""
_GATE = 2.0**-12
_CELL_EXPONENTS = range(-15, -8)
_MOST_CLIP = 1e6
UNROLL = "build recurrent layers with unroll=True and convert the model again"


def states_of(model: Model) -> tuple[Tensor, ...]:
    """The model's states.

    Raises:
        ModelError: a variable tensor has a value, is an end of the network, or is read by another operator than its own.
    """
    found = tuple(tensor for tensor in model.tensors if tensor.is_variable)
    ends = {tensor.index for tensor in (*model.inputs, *model.outputs)}
    for tensor in found:
        readers = [
            (operator, number)
            for operator in model.operators
            for number, read in enumerate(operator.inputs)
            if read is not None and read.index == tensor.index
        ]
        if tensor.data is not None or tensor.index in ends:
            raise ModelError(
                f"The model's {tensor.label} is a state and {'a constant' if tensor.data is not None else 'an end'}"
                f" of the network at once; {UNROLL}."
            )
        wrong = [operator for operator, number in readers if number not in STATES.get(operator.name, ())]
        if wrong or len(readers) > 1:
            operator = (wrong or [readers[-1][0]])[0]
            names = " and ".join(STATES)
            raise ModelError(
                f"The model's {operator.label} reads {tensor.label}, a state that it does not keep by itself; states of "
                f"{names} alone are supported, so give that value to the network as an input."
            )
    return found


def sequence_lstm(scope: Scope) -> int:
    """UNIDIRECTIONAL_SEQUENCE_LSTM in int8 with an int16 cell; gives its multiply-accumulates."""
    operator = scope.operator
    inputs = list(operator.inputs)
    scope.check(len(inputs) in (INPUTS - 4, INPUTS) and len(operator.outputs) == 1, f"has {len(inputs)} inputs")
    inputs += [None] * (INPUTS - len(inputs))
    source, out = inputs[0], operator.outputs[0]
    if source is None:
        scope.fail("has no input")
    if source.type is FLOAT32:
        raise ModelError(f"The model's {operator.label} is float32, which is not supported; {UNROLL}.")
    scope.computed(source, (INT8,))
    scope.same_type(source, out)
    scope.rank(source, 3)
    scope.check(scope.option("activation") == Activation.TANH, "has another activation than TANH")
    for name in ("cell_clip", "proj_clip"):
        clip = float(operator.options[name])
        scope.check(math.isfinite(clip) and 0 <= clip <= _MOST_CLIP, f"has a {name} of {clip}")
    steps, batch = source.shape[0], source.shape[1]
    if not scope.option("time_major"):
        steps, batch = batch, steps
    scope.check(all(tensor is None for tensor in inputs[NORMS:]), "normalises its layers")
    hidden = operator.intermediates[HIDDEN] if len(operator.intermediates) == HIDDEN + 1 else None
    if hidden is None:
        scope.fail("lacks its five intermediates")
    scope.check(hidden.type is INT8, f"takes no {hidden.label} of type {hidden.type.name}")
    last = _matrix(scope, inputs[INPUT_WEIGHTS + 3])
    cells, width = last.shape[0], source.shape[2]
    outputs = _matrix(scope, inputs[RECURRENT_WEIGHTS + 3]).shape[1]
    scope.check(last.shape[1] == width, f"multiplies {width} values by weights of {last.shape[1]}")
    scope.shape(out, (*source.shape[:2], outputs))
    state = _state(scope, inputs[OUTPUT_STATE], batch * outputs)
    cell = _state(scope, inputs[CELL_STATE], batch * cells)
    scope.check(state.type is INT8 and cell.type is INT16, "keeps states of other types than int8 and int16")
    exponent = math.log2(scale(cell)[0])
    # The kernels round the exponent, and have a tanh for these alone.
    near = abs(exponent - round(exponent)) < 1e-3
    scope.check(near and round(exponent) in _CELL_EXPONENTS, f"has a cell scale of {scale(cell)[0]}")
    used = _gates(scope, inputs, cells, width, outputs)
    factors = [(inputs[INPUT_WEIGHTS + gate], scale(source)[0] / _GATE) for gate in used]
    factors += [(inputs[RECURRENT_WEIGHTS + gate], scale(state)[0] / _GATE) for gate in used]
    factors += [(inputs[at], scale(cell)[0] / _GATE) for at in range(PEEPHOLES, PEEPHOLES + 3)]
    factors.append((inputs[PROJECTION], scale(hidden)[0] / scale(state)[0]))
    for weights, factor in factors:
        if weights is not None:
            scope.multiplier(scale(weights)[0] * factor)
    scope.multiplier(2.0**-30 / scale(hidden)[0])
    projected = outputs * cells if inputs[PROJECTION] is not None else 0
    return steps * batch * (len(used) * cells * (width + outputs) + projected)


def _gates(scope: Scope, inputs: list[Tensor | None], cells: int, width: int, outputs: int) -> list[int]:
    """Shapes of all weights; gives the numbers of the gates there are."""
    has_input_gate = inputs[INPUT_WEIGHTS] is not None
    used = [0, 1, 2, 3] if has_input_gate else [1, 2, 3]
    for gate in used:
        scope.shape(_matrix(scope, inputs[INPUT_WEIGHTS + gate]), (cells, width))
        scope.shape(_matrix(scope, inputs[RECURRENT_WEIGHTS + gate]), (cells, outputs))
        bias = inputs[BIASES + gate]
        scope.check(
            bias is not None and bias.type is INT32 and bias.data is not None and bias.shape == (cells,),
            f"has no bias of {cells} whole numbers a gate",
        )
    if not has_input_gate:
        gone = (inputs[RECURRENT_WEIGHTS], inputs[BIASES], inputs[PEEPHOLES])
        scope.check(gone == (None, None, None), "has parts of an input gate")
    peepholes = inputs[PEEPHOLES : PEEPHOLES + 3] if has_input_gate else inputs[PEEPHOLES + 1 : PEEPHOLES + 3]
    present = [tensor for tensor in peepholes if tensor is not None]
    scope.check(len(present) in (0, len(peepholes)), "has some of its peepholes")
    for tensor in present:
        scope.check(
            tensor.type is INT16 and tensor.data is not None and tensor.shape == (cells,),
            "has peepholes of another kind",
        )
    # With peepholes the kernels walk them as far as there are outputs.
    scope.check(not present or outputs <= cells, "has peepholes for fewer cells than outputs")
    projection, bias = inputs[PROJECTION], inputs[PROJECTION_BIAS]
    if projection is None:
        scope.check(bias is None and outputs == cells, f"has {outputs} outputs of {cells} cells")
        return used
    scope.shape(_matrix(scope, projection), (outputs, cells))
    if bias is not None:
        scope.check(
            bias.type is INT32 and bias.data is not None and bias.shape == (outputs,), "has a bias of another kind"
        )
    return used


def _matrix(scope: Scope, tensor: Tensor | None) -> Tensor:
    """Constant int8 weights of two dimensions with one scale."""
    if tensor is None:
        scope.fail("lacks weights")
    scope.rank(tensor, 2)
    scope.check(tensor.type is INT8 and tensor.data is not None, f"needs {tensor.label} to be constant int8")
    scope.check(scale(tensor)[1] == 0, f"needs {tensor.label} to be symmetric")
    return tensor


def _state(scope: Scope, tensor: Tensor | None, elements: int) -> Tensor:
    if tensor is None or not tensor.is_variable:
        scope.fail("keeps no state of its own")
    scope.check(tensor.elements == elements, f"keeps a state of {tensor.elements} values instead of {elements}")
    return tensor
