"""Collecting a convolution's inputs: the C that copies what one output pixel sees into a row of bytes."""

from thermo_quantize.compiler.emit.common import offset, term
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Conv


def is_direct(layer: Conv) -> bool:
    """The patch of pixel p is the p-th run of input bytes itself."""
    return layer.window.is_pointwise and len(layer.sources) == 1 and layer.sources[0].up_h == layer.sources[0].up_w == 1


def emit_patch(unit: Unit, layer: Conv, position: int) -> str:
    """Add a function `(int8_t *patch, int y, int x)` that fills patch[depth]; gives a call's text up to the patch.

    Places outside of the image get the input's zero point, which the folded bias cancels.
    """
    window = layer.window
    head, call = unit.patch(layer, position)
    unit.includes.add("<string.h>")
    simple = len(layer.sources) == 1 and layer.sources[0].up_h == layer.sources[0].up_w == 1
    pointers = "\n".join(
        unit.source(layer.inputs[source.number], f"in{number}") for number, source in enumerate(layer.sources)
    )
    row = offset(term("y", window.stride_h), -window.pad_h)
    column = offset(term("x", window.stride_w), -window.pad_w)
    if simple and window.dilation_w == 1:
        body = _rows(layer, row, column)
    else:
        body = _taps(layer, row, column)
    unit.functions.append(
        f"LAYER static void {head}int8_t *patch, int y, int x) {{\n{indent(pointers)}\n{indent(body)}\n}}"
    )
    return call


def _rows(layer: Conv, row: str, column: str) -> str:
    """A kernel row is one run of input bytes: all of known length inside the image, clipped left and right at its edges."""
    window, channels, zero = layer.window, layer.channels_in, layer.input_zero_point
    run = window.kernel_w * channels
    reach = (window.kernel_h - 1) * window.dilation_h + 1
    inside = [
        f"{name} {test} {limit}"
        for name, size, taps, pad, step, count in (
            ("top", window.in_h, reach, window.pad_h, window.stride_h, window.out_h),
            ("first", window.in_w, window.kernel_w, window.pad_w, window.stride_w, window.out_w),
        )
        for test, limit, needed in (
            (">=", 0, pad > 0),
            ("<=", size - taps, (count - 1) * step - pad > size - taps),
        )
        if needed
    ]
    place = f"(top * {window.in_w} + first) * {channels}"
    straight = "\n".join(
        f"memcpy({offset('patch', ky * run)}, {offset('at', ky * window.dilation_h * window.in_w * channels)}, {run});"
        for ky in range(window.kernel_h)
    )
    if not inside:
        return (
            f"const int8_t *const at = in0 + ({row}) * {window.in_w * channels} + ({column}) * {channels};\n{straight}"
        )
    return f"""
const int top = {row}, first = {column};
if ({" && ".join(inside)}) {{
  const int8_t *const at = in0 + {place};
{indent(straight)}
  return;
}}
int left = first < 0 ? -first : 0, right = first > {window.in_w - window.kernel_w} ? first - {window.in_w - window.kernel_w} : 0;
left = left > {window.kernel_w} ? {window.kernel_w} : left;
right = right > {window.kernel_w} - left ? {window.kernel_w} - left : right;
for (int ky = 0; ky < {window.kernel_h}; ky++, patch += {run}) {{
  const int iy = top + {term("ky", window.dilation_h)};
  if (iy < 0 || iy >= {window.in_h}) {{
    memset(patch, {zero}, {run});
    continue;
  }}
  memset(patch, {zero}, (size_t)left * {channels});
  memcpy(patch + left * {channels}, in0 + (iy * {window.in_w} + first + left) * {channels},
         (size_t)({window.kernel_w} - left - right) * {channels});
  memset(patch + ({window.kernel_w} - right) * {channels}, {zero}, (size_t)right * {channels});
}}"""


def _taps(layer: Conv, row: str, column: str) -> str:
    """Every tap on its own: dilated columns, upsampled or concatenated inputs."""
    window, zero = layer.window, layer.input_zero_point
    copies = []
    at = 0
    for number, source in enumerate(layer.sources):
        iy = "iy" if source.up_h == 1 else f"iy / {source.up_h}"
        ix = "ix" if source.up_w == 1 else f"ix / {source.up_w}"
        width = window.in_w // source.up_w
        copies.append(
            f"memcpy({offset('patch', at)}, in{number} + ({iy} * {width} + {ix}) * {source.channels}, {source.channels});"
        )
        at += source.channels
    body = "\n      ".join(copies)
    return f"""
for (int ky = 0; ky < {window.kernel_h}; ky++) {{
  const int iy = {row} + {term("ky", window.dilation_h)};
  for (int kx = 0; kx < {window.kernel_w}; kx++, patch += {layer.channels_in}) {{
    const int ix = {column} + {term("kx", window.dilation_w)};
    if (iy < 0 || iy >= {window.in_h} || ix < 0 || ix >= {window.in_w}) {{
      memset(patch, {zero}, {layer.channels_in});
    }} else {{
      {body}
    }}
  }}
}}"""
