"""A convolution, a depthwise layer and a pointwise convolution, band by band: rows two bands share are moved, not computed again."""

from typing import Any

from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.patch import is_direct
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv, Depthwise, Streamed
from thermo_quantize.compiler.memory import ALIGNMENT, Overlap


class StreamedKernel(Kernel[Streamed]):
    """Two or three kernels of the target behind one loop.

    Args:
        layer: the layers.
        row: kernel of one row of the convolution.
        band: kernel of one band of the depthwise layer.
        tail: kernel of one band of the pointwise convolution, or None.
        padding: bytes kernels may read past a band.
        row_instructions: about as many as a row takes that does not lie at the edge.
    """

    def __init__(
        self,
        layer: Streamed,
        row: Kernel[Conv],
        band: Kernel[Depthwise],
        tail: Kernel[Conv] | None,
        padding: int,
        row_instructions: int,
    ) -> None:
        super().__init__(layer)
        self._row = row
        self._band = band
        self._tail = tail
        self._row_instructions = row_instructions
        self._band_bytes = _aligned(layer.band.inputs[0].size + padding)
        self._middle_bytes = _aligned(layer.band.output.size + padding) if tail is not None else 0

    @property
    def scratch(self) -> int:
        """The band of rows between the layers, the depthwise layer's results, and what any kernel needs."""
        kernels: list[Kernel[Any]] = [self._row, self._band]
        if self._tail is not None:
            kernels.append(self._tail)
        return self._band_bytes + self._middle_bytes + max(kernel.scratch for kernel in kernels)

    def overlap(self, number: int) -> Overlap:
        """A band's outputs are written when all rows it needs have been made; the rows after them still need inputs."""
        layer, window, feed = self.layer, self.layer.window, self.layer.feed
        rows_out = layer.band.window.out_h
        whole = layer.inputs[0].size
        in_row, out_row = whole // feed.in_h, layer.output.size // window.out_h
        lags = [whole]
        for start in range(0, window.out_h - rows_out, rows_out):
            made = min(window.in_h, max(0, start * window.stride_h - window.pad_h + layer.band.window.in_h))
            needed = max(0, made * feed.stride_h - feed.pad_h) * in_row if made < window.in_h else whole
            lags.append(min(needed, whole) - (start + rows_out) * out_row)
        return Overlap(lag=min(lags))

    @property
    def instructions(self) -> int:
        """The kernels', as often as they run."""
        window = self.layer.window
        band = self._band.instructions + 100 + (self._tail.instructions if self._tail is not None else 0)
        row_bytes, kept = self.layer.row.output.size, max(window.kernel_h - window.stride_h, 0)
        moved = kept * row_bytes * (5 if row_bytes % ALIGNMENT else 0.5)
        return round(
            window.in_h * self._row_instructions + window.out_h // self.layer.band.window.out_h * (band + moved)
        )

    def emit(self, unit: Unit, position: int) -> None:
        """Functions with pointers, and the loop over bands."""
        layer, window, band = self.layer, self.layer.window, self.layer.band.window
        unit.includes.add("<string.h>")
        inner = f"({unit.scratch(position)} + {self._band_bytes + self._middle_bytes})"
        kernels: list[tuple[Kernel[Any], str]] = [(self._row, "row"), (self._band, "band")]
        if self._tail is not None:
            kernels.append((self._tail, "tail"))
        direct = is_direct(layer.row)
        for kernel, suffix in kernels:
            with unit.inside(kernel.layer, suffix, inner, of_row=suffix == "row" and not direct):
                kernel.emit(unit, position)
        row_bytes = layer.row.output.size
        kept = max(window.kernel_h - window.stride_h, 0)
        first = f"y * {window.stride_h} - {window.pad_h}"
        move = ""
        if kept:
            move = f"""
  if (y != 0) {{
    memmove(band, band + {band.out_h * window.stride_h * row_bytes}, {kept * row_bytes});
    row += {kept};
    to += {kept * row_bytes};
  }}"""
        names = [f"{unit.function_name(kernel.layer, position)}_{suffix}" for kernel, suffix in kernels]
        tells = unit.argument and f"{unit.argument}, "
        made = f"in + row * {layer.row.inputs[0].size}, to" if direct else "in, to, row"
        make = f"{names[0]}({tells}{made});"
        middle, finish = "", f"{names[1]}({tells}band, out);"
        if self._tail is not None:
            middle = f"\nint8_t *const middle = {unit.scratch(position)} + {self._band_bytes};"
            finish = f"{names[1]}({tells}band, middle);\n  {names[2]}({tells}middle, out);"
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
int8_t *const band = (int8_t *){unit.scratch(position)};{middle}
for (int y = 0; y < {window.out_h}; y += {band.out_h}, out += {layer.output.size // window.out_h * band.out_h}) {{
  int row = {first};
  const int end = row + {band.in_h};
  int8_t *to = band;{move}
  for (; row < end; row++, to += {row_bytes}) {{
    if (row < 0 || row >= {window.in_h}) {{
      memset(to, {layer.band.input_zero_point}, {row_bytes});
    }} else {{
      {make}
    }}
  }}
  {finish}
}}"""
        note = f", in bands of {band.out_h} row{'s' * (band.out_h > 1)}, {layer.macs} MACs"
        unit.layer(layer, position, body, note)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
