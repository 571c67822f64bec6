"""Layers that need not exist: upsampling and concatenation a convolution can read through, padding it can add itself."""

from dataclasses import replace

from thermo_quantize.compiler.ir import Conv, Layer, Move, Network, Source, Value


def fuse(network: Network) -> Network:
    """The same network with fewer layers and smaller values."""
    layers = list(network.layers)
    changed = True
    while changed:
        changed = False
        for position, layer in enumerate(layers):
            if isinstance(layer, Conv):
                fused = _through(layer, layers, network)
                if fused is not None:
                    gone, new = fused
                    layers[position] = new
                    layers.remove(gone)
                    changed = True
                    break
    return replace(network, layers=tuple(layers))


def _through(conv: Conv, layers: list[Layer], network: Network) -> tuple[Layer, Conv] | None:
    """(the layer that goes, the convolution that reads its inputs instead), or None."""
    if conv.window.is_pointwise and conv.window.in_h == 1 and conv.title == "FULLY_CONNECTED":
        return None
    for value in conv.inputs:
        maker = next((layer for layer in layers if value in layer.outputs), None)
        if not isinstance(maker, Move) or len(maker.outputs) != 1 or value in network.outputs:
            continue
        if sum(layer.inputs.count(value) for layer in layers) != 1 or value.id in {v.id for v in network.outputs}:
            continue
        sources = _sources(maker, value, conv)
        if sources is not None:
            return maker, _rewire(conv, value, maker.inputs, sources)
    return None


def _sources(maker: Move, value: Value, conv: Conv) -> list[Source] | None:
    """What to read instead of `value`, numbered by the maker's inputs, or None where that cannot be said."""
    if maker.fill is not None or len(value.shape) != 4:
        return None
    window = conv.window
    _, rows, columns, channels = value.shape
    outer = next(source for source in conv.sources if conv.inputs[source.number] == value)
    if (rows * outer.up_h, columns * outer.up_w) != (window.in_h, window.in_w):
        return None
    if maker.title == "RESIZE_NEAREST_NEIGHBOR":
        up_h, up_w = rows // maker.inputs[0].shape[1], columns // maker.inputs[0].shape[2]
        return [Source(0, channels, outer.up_h * up_h, outer.up_w * up_w)]
    if maker.title == "CONCATENATION" and all(len(source.shape) == 4 for source in maker.inputs):
        if any(source.shape[:3] != value.shape[:3] for source in maker.inputs):
            return None
        return [Source(number, source.shape[3], outer.up_h, outer.up_w) for number, source in enumerate(maker.inputs)]
    return None


def _rewire(conv: Conv, gone: Value, values: tuple[Value, ...], sources: list[Source]) -> Conv:
    inputs: list[Value] = []
    found: list[Source] = []

    def number(value: Value) -> int:
        if value not in inputs:
            inputs.append(value)
        return inputs.index(value)

    for source in conv.sources:
        if conv.inputs[source.number] == gone:
            found += [replace(new, number=number(values[new.number])) for new in sources]
        else:
            found.append(replace(source, number=number(conv.inputs[source.number])))
    return replace(conv, inputs=tuple(inputs), sources=tuple(found))
