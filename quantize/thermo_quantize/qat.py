"""Quantisation-aware training: a Keras model rebuilt in tf-keras in a process of its own, tuned, converted to int8.

tensorflow-model-optimization takes tf-keras models alone, and which Keras TensorFlow uses is settled when it is imported:
so the work is done by `thermo_quantize.qat_worker` in a subprocess.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError, UsageError
from thermo_core.tflite.verify import verify_model
from thermo_quantize.source import Source

_FAILED = 3
_LAYERS = frozenset(
    """Activation Add AveragePooling1D AveragePooling2D BatchNormalization Concatenate Conv1D Conv2D Conv2DTranspose Dense
    DepthwiseConv2D Dropout Flatten GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D
    LeakyReLU MaxPooling1D MaxPooling2D Multiply Permute ReLU Reshape Softmax SpatialDropout1D SpatialDropout2D UpSampling2D
    ZeroPadding1D ZeroPadding2D""".split()
)
_KEPT = frozenset(
    """activation alpha axis data_format depth_multiplier dilation_rate epsilon filters kernel_size keepdims max_value momentum
    negative_slope padding pool_size rate scale center size strides target_shape threshold units use_bias interpolation name
    """.split()
)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How long and how fast to train.

    Attributes:
        epochs: passes over the training inputs.
        learning_rate: of Adam.
        batch: samples a step.
        seed: of shuffling.
        timeout_s: after which the training is given up, seconds.

    Raises:
        UsageError: epochs or batch is not positive.
    """

    epochs: int = 4
    learning_rate: float = 1e-4
    batch: int = 32
    seed: int = 0
    timeout_s: float = 3600.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1:
            raise UsageError(
                f"Training for {self.epochs} epochs in batches of {self.batch} is impossible; give at least one."
            )


def train(
    source: Source, inputs: list[NDArray[np.float32]], targets: list[NDArray[np.float32]], tuning: Tuning
) -> bytes:
    """Tune the model with quantisation simulated, and convert it to int8.

    The float model's own outputs are the targets (distillation), so that any network can be tuned without labels.

    Args:
        source: of a Keras model.
        inputs: (n, ...) training inputs in the model's order, never those of the test set.
        targets: (n, ...) outputs of the float model on them.
        tuning: how long and how fast.

    Returns:
        A verified int8 .tflite file.

    Raises:
        UsageError: the source is no Keras model, or a package is missing.
        ModelError: a layer cannot be trained so; the sentence names it.
    """
    if source.keras is None:
        raise UsageError("Quantisation-aware training needs a Keras model; give a .keras or .h5 file.")
    with tempfile.TemporaryDirectory(prefix="thermo-qat-") as folder:
        place = Path(folder)
        plan, weights = _plan(source.keras)
        plan |= {
            "epochs": tuning.epochs,
            "learning_rate": tuning.learning_rate,
            "batch": tuning.batch,
            "seed": tuning.seed,
        }
        (place / "plan.json").write_text(json.dumps(plan))
        np.savez(place / "weights.npz", **weights)
        arrays = {f"x{n}": array for n, array in enumerate(inputs)} | {
            f"y{n}": array for n, array in enumerate(targets)
        }
        np.savez(place / "data.npz", **arrays)
        environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-m", "thermo_quantize.qat_worker", folder]
        try:
            finished = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=tuning.timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"Quantisation-aware training took over {tuning.timeout_s:.0f} s; give fewer epochs or samples."
            ) from error
        if finished.returncode == _FAILED:
            raise ModelError(finished.stdout.strip().splitlines()[-1])
        result = place / "model.tflite"
        if finished.returncode != 0 or not result.is_file():
            cause = (finished.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ModelError(f"Quantisation-aware training failed ({cause[:200]}); use scheme int8 or mixed.")
        data = result.read_bytes()
    verify_model(data)
    return data


def _plan(model: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The network as plain data: calls of layers in order, what each takes, and the layers' weights."""
    names: dict[tuple[int, int, int], str] = {}
    layers: list[dict[str, Any]] = []
    weights: dict[str, NDArray[Any]] = {}
    for tensor in model.inputs:
        name = f"input_{len(layers)}"
        names[_origin(tensor)] = name
        layers.append({"class": "InputLayer", "name": name, "shape": list(tensor.shape)[1:], "takes": []})
    calls: Counter[str] = Counter()
    for layer, number in _calls(model):
        if type(layer).__name__ not in _LAYERS:
            raise ModelError(
                f"Layer {layer.name!r} ({type(layer).__name__}) cannot be trained with quantisation; use scheme int8 or mixed."
            )
        takes = [names.get(_origin(tensor), "") for tensor in _taken(layer, number)]
        if "" in takes:
            raise ModelError(
                f"Layer {layer.name!r} takes what no layer makes; build the model of Keras layers alone, or use scheme int8."
            )
        calls[layer.name] += 1
        name = layer.name if calls[layer.name] == 1 else f"{layer.name}__call{calls[layer.name]}"
        names[id(layer), number, 0] = name
        config = {key: value for key, value in layer.get_config().items() if key in _KEPT and _is_simple(value)}
        made = {"class": type(layer).__name__, "name": name, "of": layer.name, "takes": takes}
        layers.append(made | {"config": config | {"name": name}})
        for number, array in enumerate(layer.get_weights()):
            weights[f"{layer.name}/{number}"] = array
    outputs = [names[_origin(tensor)] for tensor in model.outputs]
    return {"layers": layers, "outputs": outputs}, weights


def _calls(model: Any) -> list[tuple[Any, int]]:
    """Each call (layer, its number among the layer's calls) that makes up this model, after those it takes from.

    Layers may have been called in other models too: a Sequential model calls its own anew whenever it is built.
    """
    order: list[tuple[Any, int]] = []
    seen: set[tuple[int, int]] = set()

    def visit(tensor: Any) -> None:
        layer, number, _ = tensor._keras_history
        if type(layer).__name__ == "InputLayer" or (id(layer), number) in seen:
            return
        seen.add((id(layer), number))
        for source in _taken(layer, number):
            visit(source)
        order.append((layer, number))

    walk: Callable[[Any], None] = visit
    for tensor in model.outputs:
        walk(tensor)
    return order


def _taken(layer: Any, number: int) -> list[Any]:
    """What a call takes; Keras 3 and tf-keras keep it under different names."""
    node = layer._inbound_nodes[number]
    return list(node.keras_inputs if hasattr(node, "keras_inputs") else node.input_tensors)


def _origin(tensor: Any) -> tuple[int, int, int]:
    layer, number, output = tensor._keras_history
    return id(layer), number, output


def _is_simple(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_simple(one) for one in value)
    return value is None or isinstance(value, str | int | float | bool)
