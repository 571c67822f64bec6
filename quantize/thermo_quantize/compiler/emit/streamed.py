"""A pointwise convolution and a depthwise layer, band by band: rows that two bands share are moved, not computed again."""

from typing import Any

from thermo_quantize.compiler.emit.kernel import Kernel
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Conv, Depthwise, Streamed
from thermo_quantize.compiler.memory import ALIGNMENT, Overlap


class StreamedKernel(Kernel[Streamed]):
    """Two kernels of the target behind one loop.

    Args:
        layer: the pair.
        row: kernel of one row of the convolution.
        band: kernel of one band of the depthwise layer.
        padding: bytes kernels may read past a band.
    """

    def __init__(self, layer: Streamed, row: Kernel[Conv], band: Kernel[Depthwise], padding: int) -> None:
        super().__init__(layer)
        self._row = row
        self._band = band
        self._band_bytes = -(-(layer.band.inputs[0].size + padding) // ALIGNMENT) * ALIGNMENT

    @property
    def scratch(self) -> int:
        """The band of rows between the two, and what either kernel needs."""
        return self._band_bytes + max(self._row.scratch, self._band.scratch)

    def overlap(self, number: int) -> Overlap:
        """A band's outputs are written when all rows it needs have been read."""
        layer, window = self.layer, self.layer.window
        rows_out = layer.band.window.out_h
        in_row, out_row = layer.row.inputs[0].size, layer.band.output.size // rows_out
        lags = [window.in_h * in_row]
        for start in range(0, window.out_h - rows_out, rows_out):
            read = min(window.in_h, max(0, start * window.stride_h - window.pad_h + layer.band.window.in_h))
            lags.append(read * in_row - (start + rows_out) * out_row)
        return Overlap(lag=min(lags))

    @property
    def instructions(self) -> int:
        """The kernels', as often as they run."""
        window = self.layer.window
        return window.in_h * self._row.instructions + window.out_h // self.layer.band.window.out_h * (
            self._band.instructions + 100
        )

    def emit(self, unit: Unit, position: int) -> None:
        """Two functions with pointers, and the loop over bands."""
        layer, window, band = self.layer, self.layer.window, self.layer.band.window
        unit.includes.add("<string.h>")
        inner = f"({unit.scratch(position)} + {self._band_bytes})"
        kernels: tuple[tuple[Kernel[Any], str], ...] = ((self._row, "row"), (self._band, "band"))
        for kernel, suffix in kernels:
            with unit.inside(kernel.layer, suffix, inner):
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
        row, depthwise = (f"{unit.function_name(kernel.layer, position)}_{suffix}" for kernel, suffix in kernels)
        body = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output)}
int8_t *const band = (int8_t *){unit.scratch(position)};
for (int y = 0; y < {window.out_h}; y += {band.out_h}, out += {layer.band.output.size}) {{
  int row = {first};
  const int end = row + {band.in_h};
  int8_t *to = band;{move}
  for (; row < end; row++, to += {row_bytes}) {{
    if (row < 0 || row >= {window.in_h}) {{
      memset(to, {layer.band.input_zero_point}, {row_bytes});
    }} else {{
      {row}(in + row * {layer.row.inputs[0].size}, to);
    }}
  }}
  {depthwise}(band, out);
}}"""
        note = f", in bands of {band.out_h} rows, {layer.macs} MACs"
        unit.layer(layer, position, body, note)
