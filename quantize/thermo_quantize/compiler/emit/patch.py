"""Collecting a convolution's inputs: the C that copies what one output pixel sees into a row of bytes."""

from thermo_quantize.compiler.emit.common import offset, term
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Conv


def is_direct(layer: Conv) -> bool:
    """The patch of pixel p is the p-th run of input bytes itself."""
    return layer.window.is_pointwise and len(layer.sources) == 1 and layer.sources[0].up_h == layer.sources[0].up_w == 1


def pixel(unit: Unit, number: str, width: int) -> str:
    """C expressions of row and column of pixel `number`, as a patch's function takes them."""
    row, column = (number, "0") if width == 1 else (f"{number} / {width}", f"{number} % {width}")
    return f"{unit.row(row)}, {column}"


def emit_patch(unit: Unit, layer: Conv, position: int, copy: str = "memcpy") -> str:
    """Add a function `(int8_t *patch, int y, int x)` that fills patch[depth]; gives a call's text up to the patch.

    `copy` is called with what memcpy takes. Places outside of the image get the input's zero point, which the folded bias cancels.
    """
    window = layer.window
    head, call = unit.patch(layer, position)
    unit.includes.add("<string.h>")
    simple = len(layer.sources) == 1 and layer.sources[0].up_h == layer.sources[0].up_w == 1
    pointers = "\n".join(
        unit.source(layer.inputs[source.number], f"in{number}") for number, source in enumerate(layer.sources)
    )
    row, column = first_tap(layer)
    if simple and window.dilation_w == 1:
        body = _rows(layer, row, column, any_row=unit.row("") != "")
    else:
        body = _taps(layer, row, column)
    body = body.replace("memcpy(", f"{copy}(")
    unit.functions.append(
        f"LAYER static void {head}int8_t *patch, int y, int x) {{\n{indent(pointers)}\n{indent(body)}\n}}"
    )
    return call


def _rows(layer: Conv, row: str, column: str, any_row: bool) -> str:
    """A kernel row is one run of input bytes: all of known length inside the image, clipped left and right at its edges.

    Every window has a column in the image, since padding is narrower than the kernel: what is cut left and right never meets.
    With `any_row` the function is asked for other rows than the window has.
    """
    window, channels, zero = layer.window, layer.channels_in, layer.input_zero_point
    run = window.kernel_w * channels
    bottom = window.in_h - (window.kernel_h - 1) * window.dilation_h - 1
    end = window.in_w - window.kernel_w
    above, left = any_row or window.pad_h > 0, window.pad_w > 0
    below = any_row or (window.out_h - 1) * window.stride_h - window.pad_h > bottom
    right = (window.out_w - 1) * window.stride_w - window.pad_w > end
    tests = [("top >= 0", above), (f"top <= {bottom}", below), ("first >= 0", left), (f"first <= {end}", right)]
    inside = " && ".join(text for text, needed in tests if needed)
    straight = "\n".join(
        f"memcpy({offset('patch', ky * run)}, {offset('at', ky * window.dilation_h * window.in_w * channels)}, {run});"
        for ky in range(window.kernel_h)
    )
    at = f"const int8_t *const at = in0 + (top * {window.in_w} + first) * {channels};"
    head = f"const int top = {row}, first = {column};"
    if not inside:
        return f"{head}\n{at}\n{straight}"
    # What a single test has told already is not asked again.
    alone = above + below + left + right == 1
    shift = f"first - {end}" if end >= 0 else f"first + {-end}"
    names, cuts = [], []
    if left:
        names.append("left = -first" if alone else "left = first < 0 ? -first : 0")
        cuts.append(f"memset(patch, {zero}, (size_t)left * {channels});")
    if right:
        names.append(f"right = {shift}" if alone else f"right = first > {end} ? {shift} : 0")
        cuts.append(f"memset(patch + ({window.kernel_w} - right) * {channels}, {zero}, (size_t)right * {channels});")
    whole = f"{window.kernel_w}" + " - left" * left + " - right" * right
    cuts.append(
        f"memcpy(patch{f' + left * {channels}' * left}, in0 + (iy * {window.in_w} + first{' + left' * left}) * {channels}, "
        f"(size_t)({whole}) * {channels});"
    )
    sizes = f"const int {', '.join(names)};\n" if names else ""
    loop = f"const int iy = top + {term('ky', window.dilation_h)};\n"
    cut = "\n".join(cuts)
    if above or below:
        outside = " || ".join(t for t, needed in (("iy < 0", above), (f"iy >= {window.in_h}", below)) if needed)
        loop += f"if ({outside}) {{\n  memset(patch, {zero}, {run});\n}} else {{\n{indent(cut)}\n}}"
    else:
        loop += cut
    return f"""
{head}
if ({inside}) {{
  {at}
{indent(straight)}
  return;
}}
{sizes}for (int ky = 0; ky < {window.kernel_h}; ky++, patch += {run}) {{
{indent(loop)}
}}"""


def _taps(layer: Conv, row: str, column: str) -> str:
    """Every tap on its own: dilated columns, upsampled or concatenated inputs."""
    copies = []
    at = 0
    for place, channels in pixel_runs(layer):
        copies.append(f"memcpy({offset('patch', at)}, {place}, {channels});")
        at += channels
    outside = f"memset(patch, {layer.input_zero_point}, {layer.channels_in});"
    return each_tap(layer, row, column, outside, "\n".join(copies), f", patch += {layer.channels_in}")


def pixel_runs(layer: Conv) -> list[tuple[str, int]]:
    """Of each source its bytes of the input pixel at (iy, ix): a C expression of where they are, and how many."""
    runs = []
    for number, source in enumerate(layer.sources):
        iy = "iy" if source.up_h == 1 else f"iy / {source.up_h}"
        ix = "ix" if source.up_w == 1 else f"ix / {source.up_w}"
        width = layer.window.in_w // source.up_w
        runs.append((f"in{number} + ({iy} * {width} + {ix}) * {source.channels}", source.channels))
    return runs


def each_tap(layer: Conv, row: str, column: str, outside: str, inside: str, step: str = "") -> str:
    """Loops over the taps of a pixel.

    Args:
        layer: the convolution.
        row: C expression of the input row of the first tap.
        column: C expression of the input column of the first tap.
        outside: statements of a tap outside of the image.
        inside: statements of a tap at (iy, ix).
        step: what each tap moves on besides.
    """
    window = layer.window
    return f"""
for (int ky = 0; ky < {window.kernel_h}; ky++) {{
  const int iy = {row} + {term("ky", window.dilation_h)};
  for (int kx = 0; kx < {window.kernel_w}; kx++{step}) {{
    const int ix = {column} + {term("kx", window.dilation_w)};
    if (iy < 0 || iy >= {window.in_h} || ix < 0 || ix >= {window.in_w}) {{
{indent(outside, "      ")}
    }} else {{
{indent(inside, "      ")}
    }}
  }}
}}"""


def first_tap(layer: Conv) -> tuple[str, str]:
    """C expressions of the input row and column of the first tap of output pixel (y, x)."""
    window = layer.window
    return offset(term("y", window.stride_h), -window.pad_h), offset(term("x", window.stride_w), -window.pad_w)
