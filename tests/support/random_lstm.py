"""Integer LSTM models with random shapes, scales and weights, written by a `ModelBuilder`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

OUTPUT_STATE, CELL_STATE = 18, 19


@dataclass(frozen=True)
class Kind:
    """What an LSTM has beside its plain gates."""

    input_gate: bool = True
    peepholes: bool = False
    projection: bool = False
    time_major: bool = False


KINDS = {
    "plain": Kind(),
    "coupled": Kind(input_gate=False),
    "peepholes": Kind(peepholes=True),
    "projected": Kind(projection=True, peepholes=True),
    "all": Kind(input_gate=False, peepholes=True, projection=True, time_major=True),
}


class RandomLstm:
    """One UNIDIRECTIONAL_SEQUENCE_LSTM.

    Args:
        builder: an empty ModelBuilder.
        seed: of everything random.
        kind: what it has.
    """

    def __init__(self, builder: Any, seed: int, kind: Kind) -> None:
        self._builder, self._rng, self._kind = builder, np.random.default_rng(seed), kind
        self.steps, self.width, self.cells = (int(n) for n in self._rng.integers(1, 10, 3))
        self.units = int(self._rng.integers(1, self.cells + 1)) if kind.projection else self.cells
        self._input = self._real(0.005, 0.1), int(self._rng.choice([-128, 127, 0, -7]))
        self._state = self._real(0.004, 0.012), int(self._rng.choice([0, 0, -4, 31]))
        self._hidden = (self._real(0.006, 0.01), int(self._rng.choice([0, 5]))) if kind.projection else self._state
        self._cell = 2.0 ** int(self._rng.integers(-15, -8))
        # How far sums of weights reach into the gates: little, about as far as sigmoids bend, or beyond.
        self._reach = float(self._rng.choice([0.3, 1.5, 6.0]))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the input."""
        return (self.steps, 1, self.width) if self._kind.time_major else (1, self.steps, self.width)

    def build(self) -> bytes:
        """The .tflite file."""
        add, kind = self._builder.tensor, self._kind
        source = add(self.shape, *self._input)
        inputs = [source] + [-1] * 23
        gates = range(4) if kind.input_gate else range(1, 4)
        for gate in gates:
            scale = self._weight_scale(self.width, self._input[0])
            inputs[1 + gate] = self._matrix(self.cells, self.width, scale)
            inputs[5 + gate] = self._matrix(self.cells, self.units, self._weight_scale(self.units, self._state[0]))
            inputs[12 + gate] = self._bias(self.cells, 2.0, scale * self._input[0])
        if kind.peepholes:
            for number, gate in enumerate((0, 1, 3)):
                if gate in gates:
                    data = self._rng.integers(-32767, 32768, self.cells).astype(np.int16)
                    inputs[9 + number] = add((self.cells,), self._real(0.5, 2.0) / 32768, 0, data, "int16")
        if kind.projection:
            scale = self._real(0.5, 1.5) * 128 * self._state[0] / (74 * 74 * self.cells**0.5 * self._hidden[0])
            inputs[16] = self._matrix(self.units, self.cells, scale)
            if self._rng.random() < 0.7:
                inputs[17] = self._bias(self.units, 0.2, scale * self._hidden[0])
        inputs[OUTPUT_STATE] = add((1, self.units), *self._state, state=True)
        inputs[CELL_STATE] = add((1, self.cells), self._cell, 0, dtype="int16", state=True)
        result = add((*self.shape[:2], self.units), *self._state)
        between = [add((0,), dtype="float32") for _ in range(4)] + [add((0,), *self._hidden)]
        self._builder.intermediates[len(self._builder.operators)] = between
        clips = {"cell_clip": float(self._rng.choice([0.0, 10.0, 0.75]))}
        if kind.projection:
            clips["proj_clip"] = float(self._rng.choice([0.0, 0.4]))
        self._builder.operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [result], activation=4, time_major=kind.time_major, **clips
        )
        return self._builder.build([source], [result])

    def inputs(self, count: int) -> Any:
        """`count` inputs, some of them of extremes alone."""
        values = self._rng.integers(-128, 128, (count, *self.shape)).astype(np.int8)
        values[count // 3] = 127
        values[count // 2] = np.where(values[count // 2] > 0, 127, -128)
        return values

    def _real(self, low: float, high: float) -> float:
        return float(np.float32(self._rng.uniform(low, high)))

    def _weight_scale(self, count: int, scale: float) -> float:
        return float(np.float32(self._reach / (scale * 74 * 74 * count**0.5)))

    def _matrix(self, rows: int, columns: int, scale: float) -> int:
        data = self._rng.integers(-127, 128, (rows, columns)).astype(np.int8)
        return self._builder.tensor((rows, columns), float(np.float32(scale)), 0, data)

    def _bias(self, count: int, reach: float, scale: float) -> int:
        data = np.rint(self._rng.uniform(-reach, reach, count) / scale).astype(np.int32)
        return self._builder.tensor((count,), float(np.float32(scale)), 0, data, "int32")
