"""`looking_around`: a trained network that sees its input turned and mirrored, as averaging over such copies would, in one graph.

A convolution of a turned picture is the turned result of a convolution by the turned kernel. So each view has its own copies of
the kernels that are larger than 1 x 1, turned, and all views share everything else; no operator moves a pixel.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError

ORIENTATIONS = (0, 3, 5, 6, 1, 2, 4, 7)
"""Sums of 1 (rows reversed), 2 (columns reversed) and 4 (then rows for columns): the four turns first, their mirror images last."""
VIEWS = (1, 2, 4, 8)


def looking_around(network: Any, views: int) -> Any:
    """The same network, averaging over orientations what it has found before its last layers.

    Args:
        network: a chain of Keras layers that pools or flattens to (batch, features); trained.
        views: 1, 2 (turned by 0 and 180 degrees), 4 (by all quarters) or 8 (mirrored as well).

    Returns:
        A Keras model with the network's own layers, and turned copies of its larger kernels.

    Raises:
        UsageError: the network is no chain, does not pool, or its pictures are not square where rows become columns.
    """
    import keras

    if views not in VIEWS:
        raise UsageError(f"A network cannot look {views} ways, so choose one of {', '.join(map(str, VIEWS))}.")
    if views == 1:
        return network
    shape = network.input_shape
    if views > 2 and shape[1] != shape[2]:
        raise UsageError(f"Pictures of {shape[1]} x {shape[2]} cannot turn by a quarter, so look 2 ways at most.")
    body, tail = _parts(network)
    inputs = keras.Input(shape[1:])
    seen = []
    for orientation in ORIENTATIONS[:views]:
        x = inputs
        for layer in body:
            x = _turned(layer, orientation, x) if _spans(layer) else layer(x)
        seen.append(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Concatenate(axis=1)(seen))
    for layer in tail:
        x = layer(x)
    return keras.Model(inputs, x, name=f"{network.name}_{views}_views")


def turn(pictures: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Pictures (n, rows, columns, channels) in one of `ORIENTATIONS`."""
    if orientation & 1:
        pictures = pictures[:, ::-1]
    if orientation & 2:
        pictures = pictures[:, :, ::-1]
    return pictures.swapaxes(1, 2) if orientation & 4 else pictures


def _parts(network: Any) -> tuple[list[Any], list[Any]]:
    """Layers before and after the one that pools, without the input."""
    import keras

    layers = network.layers[1:]
    calls = [layer["inbound_nodes"] for layer in network.get_config()["layers"]]
    joined = (keras.layers.Add, keras.layers.Multiply, keras.layers.Concatenate)
    if any(len(nodes) > 1 for nodes in calls) or any(isinstance(layer, joined) for layer in layers):
        raise UsageError(f"{network.name} is no chain of layers, so it cannot look around; use clip_cnn.")
    for place, layer in enumerate(layers):
        flat = isinstance(layer, keras.layers.Flatten) and tuple(layer.input.shape[1:3]) == (1, 1)
        if flat or isinstance(layer, keras.layers.GlobalAveragePooling2D):
            return layers[:place], layers[place + 1 :]
    raise UsageError(f"{network.name} pools nowhere, so it cannot look around; use clip_cnn.")


def _spans(layer: Any) -> bool:
    return max(getattr(layer, "kernel_size", (1,))) > 1


def _turned(layer: Any, orientation: int, x: Any) -> Any:
    """The layer with its kernel turned as `turn` undoes it; padding that is not even changes sides with it."""
    import keras

    if orientation == 0:
        return layer(x)
    config = layer.get_config() | {"name": f"{layer.name}_view{orientation}"}
    padding = [(0, 0), (0, 0)]
    if config["padding"] == "same":
        for axis in (0, 1):
            size, step, kernel = int(x.shape[axis + 1]), layer.strides[axis], layer.kernel_size[axis]
            total = max((-(-size // step) - 1) * step + kernel - size, 0)
            around = (total // 2, total - total // 2)
            padding[axis] = around[::-1] if orientation & (1 << axis) else around
    if any(before != after for before, after in padding):
        x = keras.layers.ZeroPadding2D(tuple(padding))(x)
        config["padding"] = "valid"
    copy = type(layer).from_config(config)
    y = copy(x)
    kernel, *bias = layer.get_weights()
    if orientation & 4:
        kernel = kernel.swapaxes(0, 1)
    if orientation & 1:
        kernel = kernel[::-1]
    if orientation & 2:
        kernel = kernel[:, ::-1]
    copy.set_weights([kernel, *bias])
    return y
