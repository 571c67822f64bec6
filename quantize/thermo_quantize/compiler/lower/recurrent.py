"""UNIDIRECTIONAL_SEQUENCE_LSTM; its rule in `thermo_core.tflite.recurrent` says what tensors it has."""

import math

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite import recurrent
from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.scope import Scope
from thermo_quantize.compiler.fixed_point import quantize_multiplier
from thermo_quantize.compiler.ir import Layer
from thermo_quantize.compiler.ir_recurrent import Gate, Lstm, Projection
from thermo_quantize.compiler.lower.context import Context

_GATE = np.float32(2.0**-12)
_MOST = 1 << 30
# Forget, cell and output gate, then the input gate; and the number of each one's peephole, which the cell gate has not.
_ORDER = (1, 2, 3, 0)
_PEEPHOLE = {0: 0, 1: 1, 3: 2}


def _lstm(context: Context, operator: Operator) -> list[Layer]:
    recurrent.sequence_lstm(Scope(operator))
    source, output = context.input(operator, 0), context.output(operator)
    steps, batch, width = source.shape
    if not int(operator.options["time_major"]):
        steps, batch = batch, steps
    if batch != 1 or not source.elements or not output.elements:
        raise context.refuse(operator, source, f"has shape {list(source.shape)}", "one sequence at a time")
    state, cell = context.input(operator, recurrent.OUTPUT_STATE), context.input(operator, recurrent.CELL_STATE)
    hidden = operator.intermediates[recurrent.HIDDEN]
    hidden_scale, hidden_zero = context.scale(operator, hidden)
    if operator.inputs[recurrent.PROJECTION] is not None:
        # The reference takes the zero point off where it would have to add it, and likewise in the projection's bias.
        hidden_zero = -hidden_zero
    assert cell.quantization is not None
    cell_scale = cell.quantization.scales[0]
    clip = np.float32(operator.options["cell_clip"]) / np.float32(cell_scale)
    present = [gate for gate in _ORDER if operator.inputs[recurrent.INPUT_WEIGHTS + gate] is not None]
    return [
        Lstm(
            operator.index,
            operator.name,
            (context.value(source),),
            (context.value(output),),
            steps,
            width,
            tuple(_gate(context, operator, gate, source, state, cell_scale) for gate in present),
            round(math.log2(cell_scale)),
            int(min(clip, np.float32(32767))),
            # Double precision with a result in single, as the reference has it.
            quantize_multiplier(float(np.float32(2.0**-15 / hidden_scale * 2.0**-15))),
            hidden_zero,
            context.scale(operator, state)[1],
            _projection(context, operator, hidden_scale, hidden_zero, state),
        )
    ]


def _gate(context: Context, operator: Operator, gate: int, source: Tensor, state: Tensor, cell_scale: float) -> Gate:
    weights, weight_scale = _weights(context, operator, recurrent.INPUT_WEIGHTS + gate)
    again, again_scale = _weights(context, operator, recurrent.RECURRENT_WEIGHTS + gate)
    bias = context.bias(operator, recurrent.BIASES + gate, weights.shape[0])
    factor = _effective(weight_scale, context.scale(operator, source)[0], _GATE)
    again_factor = _effective(again_scale, context.scale(operator, state)[0], _GATE)
    _check_sums(operator, weights, bias, factor)
    _check_sums(operator, again, np.zeros_like(bias), again_factor)
    folded = bias.astype(np.int64) - context.scale(operator, source)[1] * weights.astype(np.int64).sum(axis=1)
    place = recurrent.PEEPHOLES + _PEEPHOLE.get(gate, 0)
    peephole, peephole_scale = None, (0, 0)
    if gate in _PEEPHOLE and operator.inputs[place] is not None:
        tensor = context.input(operator, place)
        assert tensor.quantization is not None and tensor.data is not None
        peephole = np.frombuffer(tensor.data, "<i2")
        power = 2.0 ** round(math.log2(cell_scale))
        real = float(np.float32(power * np.float32(tensor.quantization.scales[0]) / _GATE))
        if real * (1 << 30) >= 1 << 31:
            raise context.refuse(operator, tensor, "has too coarse a scale", "peepholes of smaller weights")
        peephole_scale = quantize_multiplier(real)
    return Gate(
        weights, folded, quantize_multiplier(factor), again, quantize_multiplier(again_factor), peephole, peephole_scale
    )


def _projection(
    context: Context, operator: Operator, hidden_scale: float, hidden_zero: int, state: Tensor
) -> Projection | None:
    if operator.inputs[recurrent.PROJECTION] is None:
        return None
    weights, weight_scale = _weights(context, operator, recurrent.PROJECTION)
    bias = context.bias(operator, recurrent.PROJECTION_BIAS, weights.shape[0])
    state_scale, state_zero = context.scale(operator, state)
    factor = _effective(weight_scale, hidden_scale, np.float32(state_scale))
    _check_sums(operator, weights, bias, factor)
    output_scale = context.scale(operator, context.output(operator))[0]
    clip = np.float32(operator.options["proj_clip"]) / np.float32(output_scale)
    folded = bias.astype(np.int64) - hidden_zero * weights.astype(np.int64).sum(axis=1)
    return Projection(weights, folded, quantize_multiplier(factor), state_zero, int(min(clip, np.float32(127))))


def _weights(context: Context, operator: Operator, number: int) -> tuple[NDArray[np.int8], float]:
    tensor = context.input(operator, number)
    return context.constant(operator, tensor, TensorType.INT8), context.scale(operator, tensor)[0]


def _effective(first: float, second: float, divisor: np.float32) -> float:
    """first * second / divisor in single precision."""
    return float(np.float32(first) * np.float32(second) / divisor)


def _check_sums(operator: Operator, weights: NDArray[np.int8], bias: NDArray[np.int32], factor: float) -> None:
    sums = np.abs(weights.astype(np.int64)).sum(axis=1)
    most = int((255 * sums + np.abs(bias.astype(np.int64))).max(initial=0))
    if most * max(factor, 1.0) >= _MOST:
        raise ModelError(
            f"Cannot compile {operator.label}: its sums may grow beyond 30 bits; quantise the model again."
        )


RECURRENT = {"UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm}
