"""The frame of depthwise layers that go a channel at a time through a plane: its inputs with their padding around them."""

from thermo_quantize.compiler.emit.common import products_note
from thermo_quantize.compiler.emit.kernel import window_lag
from thermo_quantize.compiler.emit.unit import Unit, indent
from thermo_quantize.compiler.ir import Depthwise
from thermo_quantize.compiler.memory import NONE, Overlap

PLANE_BYTES = 2048
"""Larger planes go through in bands of rows."""
MOST_PLANE_BYTES = 4 * PLANE_BYTES
"""Of a band of one row: what is larger yet goes the plain way."""
MAX_TAPS = 25


def in_place(layer: Depthwise, rows_out: int) -> Overlap:
    """In place, since a channel's outputs lie on that channel's inputs, read before; bands make `rows_out` rows each."""
    window = layer.window
    if layer.channels_in > 1 and layer.multiplier > 1:
        return NONE
    lag = None
    if rows_out < window.out_h:
        lag = window_lag(window, layer.channels_in, layer.channels_out, rows_out * window.out_w)
    return Overlap(lag=lag, step=layer.channels_in)


def plane_layer(
    unit: Unit, layer: Depthwise, position: int, rows_out: int, *, setup: str, load: str, channel: str, rows: str
) -> None:
    """Write a layer: loops over input channels `i`, bands that begin with output row `y0`, and output channels `c`.

    Args:
        unit: where it is written.
        layer: the layer.
        position: of the layer in the model.
        rows_out: of a band; `y0` is there only if the layer has more.
        setup: statements that come once.
        load: statements that fill the plane with channel i.
        channel: statements that take weights and constants of channel c.
        rows: statements that make its outputs, the first of them at `to`.
    """
    window = layer.window
    single = rows_out >= window.out_h
    start = "out" if single else f"out + y0 * {window.out_w * layer.channels_out}"
    run = f"""
const int c = {f"i * {layer.multiplier} + j" if layer.multiplier > 1 else "i"};
{channel}
int8_t *to = {start} + c;
{rows}""".strip()
    if layer.multiplier > 1:
        run = f"for (int j = 0; j < {layer.multiplier}; j++) {{\n{indent(run)}\n}}"
    body = f"{load}\n{run}"
    if not single:
        body = f"for (int y0 = 0; y0 < {window.out_h}; y0 += {rows_out}) {{\n{indent(body)}\n}}"
    whole = f"""
{unit.source(layer.inputs[0])}
{unit.target(layer.output).replace("*out", "*const out")}
{setup}
for (int i = 0; i < {layer.channels_in}; i++) {{
{indent(body)}
}}"""
    unit.layer(layer, position, whole, products_note(layer))
