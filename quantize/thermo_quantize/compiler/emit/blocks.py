"""The frame of convolutions that collect a block of pixels, then multiply it by all weights."""

from collections.abc import Callable

from thermo_quantize.compiler.emit.common import products_note
from thermo_quantize.compiler.emit.kernel import ConvOrder
from thermo_quantize.compiler.emit.patch import is_direct
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Conv


def block_layer(
    unit: Unit,
    layer: Conv,
    position: int,
    order: ConvOrder,
    ranges: list[tuple[int, int, int]],
    body: Callable[[int], str],
) -> None:
    """Write a layer that goes through its pixels `p`, whose outputs begin at `out`, with words of scratch called `inputs`.

    Args:
        unit: where it is written.
        layer: the convolution.
        position: of the layer in the model.
        order: whether it goes from the first pixel or from the last.
        ranges: (pixels a block, first pixel, end), ascending.
        body: statements of a block of so many pixels from p on.
    """
    window, channels = layer.window, layer.channels_out
    parts = [
        unit.source(layer.inputs[0]) if is_direct(layer) else "",
        unit.target(layer.output),
        f"word_t *const inputs = (word_t *)(void *){unit.scratch(position)};",
    ]
    if order.backward:
        parts.append(f"int p = {window.pixels};\nout += {window.pixels * channels};")
        for pixels, start, _ in reversed(ranges):
            step = f"p -= {pixels};\nout -= {pixels * channels};"
            parts += [f"while (p > {start}) {{", indent(f"{step}\n{body(pixels)}"), "}"]
    else:
        parts.append("int p = 0;")
        for pixels, _, end in ranges:
            step = f"out += {pixels * channels};"
            parts += [f"for (; p < {end}; p += {pixels}) {{", indent(f"{body(pixels)}\n{step}"), "}"]
    unit.layer(layer, position, "\n".join(part for part in parts if part), products_note(layer))
