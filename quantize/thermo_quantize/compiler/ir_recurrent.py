"""Layers that keep a state from run to run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.ir import Layer

Scale = tuple[int, int]
"""Multiplier and exponent, as `fixed_point.scale` takes them."""


@dataclass(frozen=True)
class Gate:
    """One gate of an LSTM.

    Attributes:
        weights: (cells, width) of the inputs.
        bias: (cells,) with the inputs' zero point folded in.
        scale: of sums of inputs, to Q3.12.
        recurrent_weights: (cells, outputs) of the outputs of the step before.
        recurrent_scale: of their sums, to Q3.12.
        peephole: (cells,) of the cell by itself, or None.
        peephole_scale: of its products, to Q3.12.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int64]
    scale: Scale
    recurrent_weights: NDArray[np.int8]
    recurrent_scale: Scale
    peephole: NDArray[np.int16] | None
    peephole_scale: Scale


@dataclass(frozen=True)
class Projection:
    """A dense layer on an LSTM's cells whose results are its outputs; weights (outputs, cells), bias with zero point."""

    weights: NDArray[np.int8]
    bias: NDArray[np.int64]
    scale: Scale
    zero_point: int
    clip: int


@dataclass(frozen=True)
class Lstm(Layer):
    """UNIDIRECTIONAL_SEQUENCE_LSTM: int8 in and out, int16 gates in Q3.12 and Q0.15, an int16 cell.

    Attributes:
        steps, width: of the input.
        gates: forget, cell and output gate, and the input gate where there is one.
        cell_exponent: the cell counts in powers of two of this exponent, -15 to -9.
        cell_clip: largest magnitude of a cell, 0 for any.
        hidden_scale, hidden_zero_point: of output gate times tanh of the cell.
        output_zero_point: of the state of outputs.
        projection: what makes outputs of the cells, or None.
    """

    steps: int
    width: int
    gates: tuple[Gate, ...]
    cell_exponent: int
    cell_clip: int
    hidden_scale: Scale
    hidden_zero_point: int
    output_zero_point: int
    projection: Projection | None

    @property
    def cells(self) -> int:
        """Cells."""
        return int(self.gates[0].weights.shape[0])

    @property
    def units(self) -> int:
        """Outputs of a step."""
        return int(self.gates[0].recurrent_weights.shape[1])

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        projected = self.units * self.cells if self.projection is not None else 0
        return self.steps * (len(self.gates) * self.cells * (self.width + self.units) + projected)
