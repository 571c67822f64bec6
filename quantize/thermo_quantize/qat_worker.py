"""The process in which quantisation-aware training runs; `python -m thermo_quantize.qat_worker FOLDER`, see qat.py."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

FAILED = 3
OBSERVED = 256
"""Samples that activation ranges start from."""


class Unsupported(Exception):
    """A layer that cannot be trained with quantisation; the message is the sentence for the user."""


def run(folder: Path) -> None:
    """Read plan.json, weights.npz and data.npz; write model.tflite."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras

    plan = json.loads((folder / "plan.json").read_text())
    with np.load(folder / "data.npz") as data, np.load(folder / "weights.npz") as weights:
        inputs = [data[f"x{n}"] for n in range(sum(key.startswith("x") for key in data.files))]
        targets = [data[f"y{n}"] for n in range(sum(key.startswith("y") for key in data.files))]
        model = _build(tf_keras, plan, {key: weights[key] for key in weights.files})
    tf_keras.utils.set_random_seed(plan["seed"])
    ranges = _observed_ranges()
    aware = _aware(tf_keras, model, _lone_normalisations(plan["layers"]))
    _start_ranges(tf, aware, ranges, inputs)
    losses = [_loss(tf_keras, layer) for layer in plan["outputs_layers"]]
    aware.compile(tf_keras.optimizers.Adam(plan["learning_rate"]), losses if len(losses) > 1 else losses[0])
    aware.fit(
        inputs if len(inputs) > 1 else inputs[0],
        targets if len(targets) > 1 else targets[0],
        batch_size=plan["batch"],
        epochs=plan["epochs"],
        verbose=0,
    )
    if _tie(aware, plan["layers"]):
        _observe(tf, aware, inputs, True)
    (folder / "model.tflite").write_bytes(_convert(tf, aware, inputs))


def _build(tf_keras: Any, plan: dict[str, Any], weights: dict[str, Any]) -> Any:
    tensors: dict[str, Any] = {}
    built: dict[str, Any] = {}
    for layer in plan["layers"]:
        if layer["class"] == "InputLayer":
            tensors[layer["name"]] = tf_keras.Input(layer["shape"], batch_size=None, name=layer["name"])
            continue
        kind = getattr(tf_keras.layers, layer["class"], None)
        if kind is None:
            raise Unsupported(
                f"Layer {layer['name']!r} ({layer['class']}) is not one quantisation-aware training knows; use scheme int8."
            )
        made = kind(**_fitting(kind, layer["config"]))
        # The float model's outputs were made with these statistics and without dropout, and are what is learnt.
        if layer["class"] == "BatchNormalization":
            made.trainable = False
        elif "Dropout" in layer["class"]:
            made.rate = 0.0
        takes = [tensors[name] for name in layer["takes"]]
        tensors[layer["name"]] = made(takes if len(takes) > 1 else takes[0])
        built[layer["name"]] = made
    origins = {layer["name"]: layer.get("of", layer["name"]) for layer in plan["layers"]}
    for name, made in built.items():
        of = origins[name]
        mine = [weights[f"{of}/{n}"] for n in range(sum(key.startswith(f"{of}/") for key in weights))]
        made.set_weights([array.reshape(have.shape) for array, have in zip(mine, made.get_weights(), strict=True)])
    plan["outputs_layers"] = [
        next(layer for layer in plan["layers"] if layer["name"] == name) for name in plan["outputs"]
    ]
    inputs = [tensors[layer["name"]] for layer in plan["layers"] if layer["class"] == "InputLayer"]
    outputs = [tensors[name] for name in plan["outputs"]]
    return tf_keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])


def _fitting(kind: Any, config: dict[str, Any]) -> dict[str, Any]:
    """The settings this class of tf-keras takes; names that Keras 3 changed are changed back."""
    import inspect

    known: set[str] = set()
    for parent in kind.__mro__:
        known |= set(inspect.signature(parent.__init__).parameters)
    renamed = {"negative_slope": "alpha"} if kind.__name__ == "LeakyReLU" else {}
    return {renamed.get(key, key): value for key, value in config.items() if renamed.get(key, key) in known}


def _observed_ranges() -> Any:
    """Let tfmot's moving average of activation ranges begin at what is observed.

    It begins at -6 to 6 and keeps 99.9 % of that at each step, so that a short training ends with ranges that are mostly
    this guess: for a layer whose values reach 0.5 that is all but three of the eight bits.

    Returns:
        The class of the quantisers; while its `observing` is set, ranges grow to all they see.
    """
    from tensorflow_model_optimization.python.core.quantization.keras import quant_ops, quantizers

    class Ranges(quantizers.MovingAverageQuantizer):  # type: ignore[misc]
        observing = False
        variables: ClassVar[list[Any]] = []

        def build(self, tensor_shape: Any, name: str, layer: Any) -> Any:
            made = super().build(tensor_shape, name, layer)
            self.variables.extend((made["min_var"], made["max_var"]))
            return made

        def __call__(self, inputs: Any, training: Any, weights: Any, **others: Any) -> Any:
            if not Ranges.observing:
                return super().__call__(inputs, training, weights, **others)
            return quant_ops.AllValuesQuantize(inputs, weights["min_var"], weights["max_var"], num_bits=self.num_bits)

    quantizers.MovingAverageQuantizer = Ranges
    return Ranges


def _start_ranges(tf: Any, aware: Any, ranges: Any, inputs: list[Any]) -> None:
    _observe(tf, aware, inputs, True)  # the ranges of weights and inputs are set in training steps alone
    for variable in ranges.variables:
        variable.assign(tf.zeros_like(variable))
    ranges.observing = True
    _observe(tf, aware, inputs, False)
    ranges.observing = False


def _observe(tf: Any, aware: Any, inputs: list[Any], training: bool) -> None:
    for start in range(0, min(len(inputs[0]), OBSERVED), 32):
        batch = [tf.constant(array[start : min(start + 32, OBSERVED)]) for array in inputs]
        aware(batch if len(batch) > 1 else batch[0], training=training)


def _tie(aware: Any, layers: list[dict[str, Any]]) -> bool:
    """Give calls of one layer the mean of the weights they were trained to; whether there are any such.

    tfmot cannot share a layer, so each call was trained as a layer of its own, from the same start.
    """
    trained = {layer.name.removeprefix("quant_"): layer for layer in aware.layers}
    calls: dict[str, list[Any]] = {}
    for layer in layers:
        if "of" in layer and layer["name"] in trained:
            calls.setdefault(layer["of"], []).append(trained[layer["name"]])
    shared = [group for group in calls.values() if len(group) > 1]
    for group in shared:
        for variables in zip(*(layer.trainable_weights for layer in group), strict=True):
            mean = np.mean([variable.numpy() for variable in variables], axis=0)
            for variable in variables:
                variable.assign(mean)
    return bool(shared)


def _lone_normalisations(layers: list[dict[str, Any]]) -> set[str]:
    """Batch normalisations that no layer before them can take into its weights, as after an activation."""
    by_name = {layer["name"]: layer for layer in layers}

    def folds(layer: dict[str, Any]) -> bool:
        weighted = layer["class"] in ("Conv2D", "DepthwiseConv2D", "Dense")
        return weighted and layer["config"].get("activation", "linear") == "linear"

    normalising = [layer for layer in layers if layer["class"] == "BatchNormalization"]
    return {layer["name"] for layer in normalising if not folds(by_name[layer["takes"][0]])}


def _aware(tf_keras: Any, model: Any, lone: set[str]) -> Any:
    """The model with quantisation simulated in every layer; `lone` are normalisations that keep their own output."""
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_configs,
        default_8bit_quantize_registry,
    )
    from tensorflow_model_optimization.quantization.keras import (
        quantize_annotate_layer,
        quantize_apply,
        quantize_scope,
    )

    output = default_8bit_quantize_configs.Default8BitOutputQuantizeConfig
    weights = default_8bit_quantize_registry.Default8BitQuantizeConfig
    # Layers that tfmot has no rule of its own for, although their kernels are those of layers it has.
    more = {
        "Multiply": lambda: output(),
        "MaxPooling1D": lambda: default_8bit_quantize_configs.NoOpQuantizeConfig(),
        "Conv1D": lambda: weights(["kernel"], ["activation"], False),
    }

    def mark(layer: Any) -> Any:
        if isinstance(layer, tf_keras.layers.InputLayer):
            return layer
        config = output if layer.name in lone else more.get(type(layer).__name__)
        return quantize_annotate_layer(layer, config()) if config else quantize_annotate_layer(layer)

    try:
        with quantize_scope({one.__name__: one for one in (output, weights)}):
            return quantize_apply(tf_keras.models.clone_model(model, clone_function=mark))
    except (RuntimeError, ValueError) as error:
        found = re.search(r"Layer (\w+):<class '[\w.]*\.(\w+)'>", str(error))
        layer = (
            f"Layer {found[1]!r} ({found[2]})" if found else f"The model ({str(error).strip().splitlines()[0][:150]})"
        )
        raise Unsupported(f"{layer} cannot be trained with quantisation; use scheme int8 or mixed.") from error


def _loss(tf_keras: Any, layer: dict[str, Any]) -> Any:
    """Relative entropy to the float model's probabilities, squared error to its other outputs."""
    softmax = layer["class"] == "Softmax" or layer.get("config", {}).get("activation") == "softmax"
    return tf_keras.losses.KLDivergence() if softmax else tf_keras.losses.MeanSquaredError()


def _convert(tf: Any, model: Any, inputs: list[Any]) -> bytes:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    specs = [tf.TensorSpec((1, *array.shape[1:]), tf.float32, name=f"input_{n}") for n, array in enumerate(inputs)]
    function = tf.function(lambda *tensors: model(list(tensors) if len(tensors) > 1 else tensors[0], training=False))
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(*specs))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]

    def representative() -> Iterator[list[Any]]:
        for sample in zip(*(array[:64] for array in inputs), strict=True):
            yield [array[np.newaxis] for array in sample]

    # Trained ranges stand in the graph; the samples give those of tensors training left out.
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return bytes(converter.convert())


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]))
    except Unsupported as error:
        print(error)
        sys.exit(FAILED)
