"""TRANSPOSE_CONV as convolutions: output pixels whose places differ by a stride see the same inputs through other weights.

With t = y + padding, output row y sees input rows t // stride - j through kernel rows t % stride + stride * j. So for each of
the `stride` phases of rows there is an ordinary convolution of step 1 that makes a whole output row: its output channels are
those of `stride` neighbouring pixels, which lie together in memory. Its kernels are the target's fast ones; weights that the
kernel does not have are zeros.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermo_quantize.compiler.emit.common import products_note
from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv, Requant, Source, TransposeConv, Value, Window
from thermo_quantize.compiler.memory import ALIGNMENT

_MOST_WASTE = 4


@dataclass(frozen=True)
class _Axis:
    """One axis: `taps` inputs a group of `stride` outputs sees, groups first .. first + count - 1, outputs cut before."""

    taps: int
    first: int
    count: int
    cut: int

    @staticmethod
    def of(size: int, kernel: int, stride: int, pad: int) -> "_Axis":
        first = pad // stride
        return _Axis(-(-kernel // stride), first, (pad + size - 1) // stride - first + 1, pad % stride)


def _axes(layer: TransposeConv) -> tuple[_Axis, _Axis]:
    window = layer.window
    return (
        _Axis.of(window.out_h, window.kernel_h, window.stride_h, window.pad_h),
        _Axis.of(window.out_w, window.kernel_w, window.stride_w, window.pad_w),
    )


def row_convolutions(layer: TransposeConv) -> list[Conv] | None:
    """The convolution of each phase of rows, from a band of input rows to a row of groups; None where plain C is better."""
    window = layer.window
    down, across = _axes(layer)
    taps = down.taps * window.stride_h * across.taps * window.stride_w
    if taps > _MOST_WASTE * window.kernel_h * window.kernel_w or across.first > across.taps - 1:
        return None
    padded = np.zeros(
        (layer.channels_out, down.taps * window.stride_h, across.taps * window.stride_w, layer.channels_in), np.int8
    )
    padded[:, : window.kernel_h, : window.kernel_w] = layer.weights
    # (channel, tap, phase, tap, phase, input), taps from the last input back: turned round for a convolution.
    parts = padded.reshape(
        layer.channels_out, down.taps, window.stride_h, across.taps, window.stride_w, layer.channels_in
    )[:, ::-1, :, ::-1]
    many = window.stride_w
    q = layer.requant
    requant = Requant(q.multipliers * many, q.exponents * many, q.zero_point, q.low, q.high)
    kind = layer.output.type
    band = Value(-1, layer.inputs[0].name, (1, down.taps, window.in_w, layer.channels_in), kind)
    row = Value(-2, layer.output.name, (1, 1, across.count, many * layer.channels_out), kind)
    return [
        Conv(
            layer.index,
            layer.title,
            (band,),
            (row,),
            Window(
                *(down.taps, window.in_w, 1, across.count, down.taps, across.taps, 1, 1),
                pad_w=across.taps - 1 - across.first,
            ),
            (Source(0, layer.channels_in),),
            parts[:, :, phase].transpose(3, 0, 1, 2, 4).reshape(-1, down.taps, across.taps, layer.channels_in),
            np.tile(layer.bias, many),
            layer.input_zero_point,
            requant,
        )
        for phase in range(window.stride_h)
    ]


class TransposedKernel(Kernel[TransposeConv]):
    """A loop over groups of output rows around the kernels of their phases.

    Args:
        layer: the transposed convolution.
        rows: kernel of each phase.
        padding: bytes kernels may read past a band.
    """

    def __init__(self, layer: TransposeConv, rows: list[Kernel[Conv]], padding: int) -> None:
        super().__init__(layer)
        self._rows = rows
        self._down, self._across = _axes(layer)
        window = layer.window
        self._row_bytes = window.in_w * layer.channels_in
        self._made = rows[0].layer.output.size
        self._exact = self._made == window.out_w * layer.channels_out
        # A single row of taps is read where it lies.
        band = self._down.taps * self._row_bytes + padding if self._down.taps > 1 else 0
        self._band_bytes = _aligned(band)
        self._made_bytes = 0 if self._exact else _aligned(self._made)

    @property
    def scratch(self) -> int:
        """A band of input rows, a row of outputs where its ends must be cut off, and what the kernels need."""
        return self._band_bytes + self._made_bytes + max(row.scratch for row in self._rows)

    @property
    def instructions(self) -> int:
        """The kernels', as often as they run."""
        return self._down.count * (sum(row.instructions for row in self._rows) + self._row_bytes)

    def emit(self, unit: Unit, position: int) -> None:
        """The phases' functions, and the loop over groups of rows."""
        layer, window, down, across = self.layer, self.layer.window, self._down, self._across
        unit.includes.add("<string.h>")
        scratch = unit.scratch(position) if self.scratch else "arena"
        inner = f"({scratch} + {self._band_bytes + self._made_bytes})"
        for phase, kernel in enumerate(self._rows):
            with unit.inside(kernel.layer, f"row_{phase}", inner):
                kernel.emit(unit, position)
        size = self._row_bytes
        if down.taps > 1:
            collect = f"""
  for (int n = 0; n < {down.taps}; n++) {{
    const int row = q + n - {down.taps - 1};
    if (row < 0 || row >= {window.in_h}) {{
      memset(band + n * {size}, {layer.input_zero_point}, {size});
    }} else {{
      memcpy(band + n * {size}, in + row * {size}, {size});
    }}
  }}"""
            head, source = f"int8_t *const band = {scratch};", "band"
        else:
            collect, head, source = "", "", f"in + q * {size}"
        out_row = window.out_w * layer.channels_out
        place = f"out + y * {out_row}"
        if not self._exact:
            head += f"\nint8_t *const made = {scratch} + {self._band_bytes};"
        name = unit.function_name(layer, position)
        calls = ""
        for phase in range(window.stride_h):
            call = f"{name}_row_{phase}({source}, {place if self._exact else 'made'});"
            if not self._exact:
                call += f"\n    memcpy({place}, made + {across.cut * layer.channels_out}, {out_row});"
            calls += f"""
  y = q * {window.stride_h} + {phase - window.pad_h};
  if (y >= 0 && y < {window.out_h}) {{
    {call}
  }}"""
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
{head.strip()}
for (int q = {down.first}; q < {down.first + down.count}; q++) {{
  int y;{collect}{calls}
}}"""
        unit.layer(layer, position, body, products_note(layer, " in phases"))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def transposed(
    layer: TransposeConv, choose: Callable[[Conv], Kernel[Any]], padding: int
) -> Kernel[TransposeConv] | None:
    """The kernel by phases with the target's convolutions, or None where plain C must do."""
    rows = row_convolutions(layer)
    if rows is None:
        return None
    return TransposedKernel(layer, [choose(row) for row in rows], padding)
