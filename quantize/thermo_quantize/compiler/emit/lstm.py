"""The integer LSTM: unit by unit, all its gates at once, on 16-bit copies of a step's inputs and of the outputs before."""

import numpy as np
from numpy.typing import NDArray

from thermo_quantize.compiler.emit.common import offset, scaling
from thermo_quantize.compiler.emit.dots import ROWS, Dots, value_type
from thermo_quantize.compiler.emit.fixed_math import sigmoid, tanh
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir_recurrent import Gate, Lstm
from thermo_quantize.compiler.memory import ALIGNMENT

_NAMES = ("forget", "update", "open", "take")

_SHIFTED = """
/* value / 2^exponent, halves away from zero. */
static inline int32_t shifted(int32_t value, int exponent) {
  return (value + (1 << (exponent - 1)) - (value < 0)) >> exponent;
}
"""


class LstmKernel(Kernel[Lstm]):
    """UNIDIRECTIONAL_SEQUENCE_LSTM.

    The state holds the cells, then the outputs of the last step less their zero point, so that zeros are its beginning.
    """

    def __init__(self, layer: Lstm, dots: Dots) -> None:
        super().__init__(layer)
        self._dots = dots

    @property
    def state(self) -> int:
        """16 bits a cell and an output, with padding between and after."""
        return self._cell_bytes + 2 * self._dots.depth(self.layer.units)

    @property
    def _cell_bytes(self) -> int:
        return -(-2 * self.layer.cells // ALIGNMENT) * ALIGNMENT

    @property
    def scratch(self) -> int:
        """A step's inputs; what a projection multiplies."""
        projected = 2 * self._dots.depth(self.layer.cells) if self.layer.projection is not None else 0
        return self._input_bytes + projected

    @property
    def _input_bytes(self) -> int:
        return -(-2 * self._dots.depth(self.layer.width) // ALIGNMENT) * ALIGNMENT

    @property
    def instructions(self) -> int:
        """About 150 a gate and 230 a cell, besides the products."""
        layer = self.layer
        cell = 150 * len(layer.gates) + 230
        return int(self._dots.cost * layer.macs) + layer.steps * (layer.cells * cell + 8 * (layer.width + layer.units))

    def emit(self, unit: Unit, position: int) -> None:
        """A loop over steps and one over cells."""
        layer, dots = self.layer, self._dots
        prefix, gates = unit.prefix(position), len(layer.gates)
        scaling(unit)
        sigmoid(unit)
        unit.helper("shifted", _SHIFTED)
        dots.ask(unit)
        kind = value_type(unit)
        width, units = dots.depth(layer.width), dots.depth(layer.units)
        rows = dots.rows(gates)
        inputs = unit.table(f"{prefix}_weights", "int8_t", self._packed([gate.weights for gate in layer.gates]))
        again = unit.table(f"{prefix}_recurrent", "int8_t", self._packed([g.recurrent_weights for g in layer.gates]))
        biases = np.stack([gate.bias for gate in layer.gates], axis=1)
        bias = unit.table(f"{prefix}_bias", "int32_t", biases)
        starts = ", ".join(f"{bias}[u * {gates} + {n}]" if n < gates else "0" for n in range(ROWS))
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
{kind} *const values = ({kind} *)(void *){unit.scratch(position)};
{kind} *const cell = ({kind} *)(void *){unit.state(position)};
{kind} *const before = ({kind} *)(void *)({unit.state(position)} + {self._cell_bytes});
{self._projection_head(unit, position, kind)}
for (int t = 0; t < {layer.steps}; t++) {{
  for (int i = 0; i < {layer.width}; i++) {{
    values[i] = in[t * {layer.width} + i];
  }}
{self._padding("values", layer.width)}
  for (int u = 0; u < {layer.cells}; u++) {{
    int32_t sums[{ROWS}] = {{{starts}}}, again[{ROWS}] = {{0}};
    dots(values, {inputs} + u * {rows * width}, {width}, {gates}, sums);
    dots(before, {again} + u * {rows * units}, {units}, {gates}, again);
{indent(self._cell(unit, prefix), "    ")}
  }}
{indent(self._outputs(unit, prefix))}
}}"""
        unit.layer(
            layer, position, "\n".join(line for line in body.split("\n") if line.strip()), f", {layer.macs} MACs"
        )

    def _packed(self, gates: list[NDArray[np.int8]]) -> NDArray[np.int8]:
        """Weights cell by cell, within a cell gate by gate."""
        cells = np.stack(gates, axis=1)
        return np.concatenate([self._dots.pack(cell) for cell in cells])

    def _padding(self, name: str, count: int) -> str:
        more = self._dots.depth(count) - count
        return f"  memset({name} + {count}, 0, {2 * more});" if more else ""

    def _cell(self, unit: Unit, prefix: str) -> str:
        """From sums to the cell's value and its output."""
        layer = self.layer
        lines = [self._gate(unit, prefix, n) for n, gate in enumerate(layer.gates) if _NAMES[n] != "open"]
        taken = "take" if len(layer.gates) == ROWS else "(32767 - forget)"
        new = f"shifted(forget * cell[u], 15) + shifted({taken} * update, {30 + layer.cell_exponent})"
        low, high = (-layer.cell_clip, layer.cell_clip) if layer.cell_clip > 0 else (-32768, 32767)
        lines.append(f"cell[u] = (int16_t)clamp({new}, {low}, {high});")
        lines.append(self._gate(unit, prefix, _NAMES.index("open")))
        multiplier, exponent = layer.hidden_scale
        result = f"scale(open * {tanh(unit, 15 + layer.cell_exponent)}(cell[u]), {multiplier}, {exponent})"
        result = f"clamp({offset(result, layer.hidden_zero_point)}, -128, 127)"
        target = f"out[t * {layer.units} + u] = (int8_t)" if layer.projection is None else "hidden[u] = (int16_t)"
        return "\n".join([*lines, f"{target}{result};"])

    def _gate(self, unit: Unit, prefix: str, number: int) -> str:
        gate, name = self.layer.gates[number], _NAMES[number]
        lines = [f"int32_t {name} = {_saturated(f'scale(sums[{number}], {_pair(gate.scale)})')};"]
        again = f"scale(again[{number}], {_pair(gate.recurrent_scale)}) + {name}"
        lines.append(f"{name} = {_saturated(again)};")
        if gate.peephole is not None:
            table = unit.table(f"{prefix}_{name}_peephole", "int16_t", gate.peephole)
            lines.append(self._peephole(table, gate, name))
        function = tanh(unit, 3) if name == "update" else "sigmoid_16"
        return "\n".join([*lines, f"{name} = {function}({name});"])

    def _peephole(self, table: str, gate: Gate, name: str) -> str:
        more = _saturated(f"scale({table}[u] * cell[u], {_pair(gate.peephole_scale)}) + {name}")
        # The reference walks peepholes as far as there are outputs.
        test = f"if (u < {self.layer.units}) " if self.layer.units < self.layer.cells else ""
        return f"{test}{{\n  {name} = {more};\n}}" if test else f"{name} = {more};"

    def _projection_head(self, unit: Unit, position: int, kind: str) -> str:
        if self.layer.projection is None:
            return ""
        return f"{kind} *const hidden = ({kind} *)(void *)({unit.scratch(position)} + {self._input_bytes});"

    def _outputs(self, unit: Unit, prefix: str) -> str:
        """The outputs of the step into the state; before that, the projection."""
        layer, projection, dots = self.layer, self.layer.projection, self._dots
        text = ""
        if projection is not None:
            depth, groups = dots.depth(layer.cells), -(-layer.units // ROWS)
            weights = unit.table(f"{prefix}_projection", "int8_t", dots.pack(projection.weights))
            padded = np.zeros(groups * ROWS, np.int64)
            padded[: layer.units] = projection.bias
            bias = unit.table(f"{prefix}_projection_bias", "int32_t", padded)
            value = f"clamp({offset(f'scale(sums[r], {_pair(projection.scale)})', projection.zero_point)}, -128, 127)"
            if projection.clip > 0:
                value = f"clamp({value}, {-projection.clip}, {projection.clip})"
            rows = f"{layer.units} - g < {ROWS} ? {layer.units} - g : {ROWS}" if layer.units % ROWS else str(ROWS)
            text = f"""{self._padding("hidden", layer.cells).strip()}
for (int g = 0; g < {layer.units}; g += {ROWS}) {{
  const int rows = {rows};
  int32_t sums[{ROWS}] = {{{", ".join(f"{bias}[g + {n}]" for n in range(ROWS))}}};
  dots(hidden, {weights} + g * {depth}, {depth}, rows, sums);
  for (int r = 0; r < rows; r++) {{
    out[t * {layer.units} + g + r] = (int8_t){value};
  }}
}}
"""
        stored = offset(f"out[t * {layer.units} + u]", -layer.output_zero_point)
        return f"{text}for (int u = 0; u < {layer.units}; u++) {{\n  before[u] = (int16_t)({stored});\n}}".strip()


def _pair(scale: tuple[int, int]) -> str:
    return f"{scale[0]}, {scale[1]}"


def _saturated(value: str) -> str:
    return f"clamp({value}, -32768, 32767)"
