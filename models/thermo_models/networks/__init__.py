"""Networks by name: each file has its reference, shapes, parameters and MACs, and each quantises fully to int8."""

from collections.abc import Callable
from typing import Any

from thermo_core.errors import UsageError
from thermo_models.networks.clip import clip_cnn
from thermo_models.networks.curve import time_constant_cnn
from thermo_models.networks.dense import dense_residual
from thermo_models.networks.densenet import densenet_1d, densenet_small
from thermo_models.networks.fusion import fusion_cnn
from thermo_models.networks.inception import inception_1d, inception_small
from thermo_models.networks.mobilenet import mobilenet_v1
from thermo_models.networks.mobilenet_v2 import mobilenet_v2
from thermo_models.networks.plain import cnn2d_shallow, custom_cnn
from thermo_models.networks.residual import resnet_small
from thermo_models.networks.series import series_cnn
from thermo_models.networks.spot import spot_cnn

NETWORKS: dict[str, Callable[..., Any]] = {
    builder.__name__: builder
    for builder in (
        mobilenet_v1,
        mobilenet_v2,
        resnet_small,
        custom_cnn,
        cnn2d_shallow,
        spot_cnn,
        clip_cnn,
        time_constant_cnn,
        series_cnn,
        inception_small,
        inception_1d,
        densenet_small,
        densenet_1d,
        dense_residual,
        fusion_cnn,
    )
}


def build(name: str, input_shape: tuple[int, ...], outputs: int, **options: Any) -> Any:
    """An untrained network of the registry.

    Args:
        name: key of `NETWORKS`.
        input_shape: (rows, columns, channels); a time series has one row.
        outputs: classes or quantities.
        options: `width` (multiplier of all channel counts), `dropout` (share of features dropped in training), `attention`
            ("none", "channel", "spatial", "both"), `head_kind` ("softmax", "sigmoid", "linear") and what the network's own
            file adds.

    Raises:
        UsageError: no such network, or an option it does not have.
    """
    if name not in NETWORKS:
        raise UsageError(f"There is no network {name!r}, so choose one of {', '.join(NETWORKS)}.")
    try:
        return NETWORKS[name](input_shape, outputs, **options)
    except TypeError as error:
        raise UsageError(f"The network {name} does not take these options ({error}), so see its file.") from error
    except ValueError as error:
        raise UsageError(f"The network {name} cannot take an input of {input_shape}, so use a larger one.") from error


def macs(network: Any) -> int:
    """Multiply-accumulates of one inference: convolutions and dense layers, without biases and activations."""
    total = 0
    calls = {layer["name"]: len(layer["inbound_nodes"]) for layer in network.get_config()["layers"]}
    for layer in network.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D"):
            _, rows, columns, _ = layer.output.shape
            total += calls[layer.name] * int(layer.kernel.shape.num_elements()) * int(rows) * int(columns)
        elif kind == "Dense":
            total += calls[layer.name] * int(layer.kernel.shape.num_elements())
    return total
