"""Any Keras model, SavedModel or float .tflite as one float32 .tflite with a batch of one, the start of every scheme."""

import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thermo_core.errors import ModelError, StorageError, UnsupportedOperatorError, UsageError
from thermo_core.files import check_readable, read_file
from thermo_core.tflite.schema import TensorType
from thermo_core.tflite.verify import Verified, verify_model
from thermo_quantize.install import INSTALL_TRAIN
from thermo_quantize.keras_files import SUFFIXES, first_line, load_keras
from thermo_quantize.layers import layer_name
from thermo_quantize.quiet import quiet

_UNSUPPORTED = re.compile(r"Op: (\w+)|tf\.(\w+)\b.*op is neither|error: '(tf\.\w+)'")


@dataclass(frozen=True)
class Source:
    """What is quantised.

    Attributes:
        name: of the model, for messages and reports.
        float_model: a float32 .tflite file with a batch of one.
        converter: makes TFLite converters of it anew; None where it came as a .tflite file.
        keras: the Keras model, where it is one.
        layers: name of the Keras layer by the name TensorFlow gave its scope.
    """

    name: str
    float_model: bytes
    converter: Callable[[], Any] | None = field(default=None, repr=False)
    keras: Any = field(default=None, repr=False)
    layers: Mapping[str, str] = field(default_factory=dict, repr=False)


def load_source(path: Path) -> Source:
    """Load a model from a .keras or .h5 file, a SavedModel folder or a float .tflite file.

    Raises:
        StorageError: it cannot be read.
        ModelError: it is none of these, damaged, has a dynamic shape or an operator that is not supported.
    """
    if not path.exists():
        raise StorageError(f"Cannot read {path}: no such file or directory; check the path.")
    if path.suffix == ".tflite":
        return from_tflite(read_file(path), str(path))
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ModelError(f"{path} is a folder without saved_model.pb; name a SavedModel or a .keras file.")
        for part in (path / "saved_model.pb", *sorted(path.glob("variables/*"))):
            check_readable(part)
        return from_function(_serving_function(import_tensorflow(), path), str(path))
    if path.suffix not in SUFFIXES:
        raise ModelError(
            f"{path} is no model: its name ends in none of .keras, .h5 and .tflite, and it is no SavedModel."
        )
    import_tensorflow()
    return from_keras(load_keras(path), str(path))


def from_keras(model: Any, name: str = "") -> Source:
    """A built Keras model.

    Raises:
        ModelError: it computes in float16, an input has a dynamic shape, or an operator is not supported.
    """
    tf = import_tensorflow()
    name = name or model.name
    if not getattr(model, "inputs", None):
        raise ModelError(
            f"{name} has no fixed inputs; begin it with keras.Input(shape), or give the folder that model.export(FOLDER) writes."
        )
    for layer in model._flatten_layers():
        if layer.compute_dtype != "float32" and layer.weights:
            raise ModelError(
                f"{name} computes in {layer.compute_dtype} in layer {layer.name!r}; build it with the dtype policy "
                "float32 and give it the same weights."
            )
    inputs = list(model.inputs)
    names = [_plain(tensor.name) for tensor in inputs]
    specs = []
    for tensor, plain in zip(inputs, names, strict=True):
        shape = tuple(tensor.shape)[1:]
        if any(size is None for size in shape):
            raise ModelError(
                f"{name} has the dynamic shape {_shape(tensor.shape)} at its input {plain!r}; build it with a fixed one."
            )
        specs.append(tf.TensorSpec((1, *shape), tf.float32, name=plain))

    # A model may take its inputs as a list, a map or one by itself; Keras keeps that to itself.
    own = next((getattr(model, name) for name in ("_inputs_struct", "_nested_inputs") if hasattr(model, name)), None)
    structure = own if own is not None else inputs if len(inputs) > 1 else inputs[0]

    def call(*tensors: Any) -> Any:
        return model(tf.nest.pack_sequence_as(structure, tensors), training=False)

    try:
        with quiet():
            function = tf.function(call, autograph=False).get_concrete_function(*specs)
    except Exception as error:  # layers raise whatever they like
        raise ModelError(
            f"{name} cannot be run on its own inputs ({first_line(error)}); export it with model.export(FOLDER)."
        ) from error
    layers = _scopes(model)
    return replace(from_function(function, name, layers), keras=model)


def from_function(function: Any, name: str, layers: Mapping[str, str] | None = None) -> Source:
    """A TensorFlow concrete function whose inputs have a batch of one.

    Args:
        function: what to convert.
        name: of the model, for messages.
        layers: names of layers by their scopes.

    Raises:
        ModelError: TensorFlow cannot convert it, or an operator is not supported; the sentence names the layer.
    """
    tf = import_tensorflow()
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    with quiet():
        frozen = convert_variables_to_constants_v2(function)

    def converter() -> Any:
        return tf.lite.TFLiteConverter.from_concrete_functions([frozen])

    data = convert_quietly(converter(), name)
    _check(data, name, layers or {})
    return Source(_stem(name), data, converter, layers=layers or {})


def from_tflite(data: bytes, name: str) -> Source:
    """A float32 .tflite file.

    Raises:
        ModelError: it is damaged, not float32, has a dynamic shape or an operator that is not supported.
    """
    verified = _check(data, name, {})
    for tensor in verified.model.tensors:
        if tensor.type in (TensorType.INT8, TensorType.INT16):
            raise ModelError(
                f"{name} is quantised already ({tensor.label} is {tensor.type.name}); give the float model."
            )
    return Source(_stem(name), data)


def _check(data: bytes, name: str, layers: Mapping[str, str]) -> Verified:
    try:
        return verify_model(data)
    except UnsupportedOperatorError as error:
        layer = layer_name(error.tensor, layers) if error.tensor else "output"
        where = "at its output" if layer == "output" else f"in layer {layer!r}"
        raise ModelError(
            f"{name} has the operator {error.operator} {where}, which no engine of a wearable supports; replace that layer."
        ) from error
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error


def import_tensorflow() -> Any:
    """TensorFlow with its chatter off.

    Raises:
        UsageError: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet():
            import tensorflow
    except ImportError as error:
        raise UsageError(f"Quantising needs TensorFlow, which is not installed; {INSTALL_TRAIN}.") from error
    for logger in ("tensorflow", "absl"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return tensorflow


def convert_quietly(converter: Any, name: str) -> bytes:
    """Run a converter without its chatter.

    Raises:
        ModelError: it cannot convert; the sentence names the operator where TensorFlow does.
    """
    try:
        with quiet():
            return bytes(converter.convert())
    except Exception as error:  # the converter raises its own error type, ValueError and RuntimeError
        found = _UNSUPPORTED.search(str(error))
        operator = next((group for group in found.groups() if group), "") if found else ""
        what = f"has the unsupported operator {operator}" if operator else f"cannot be converted ({first_line(error)})"
        raise ModelError(f"{name} {what}; replace that layer.") from error


def _serving_function(tf: Any, path: Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures["serving_default"]
    except Exception as error:  # TensorFlow raises whatever the damage leads to
        raise ModelError(
            f"{path} is no SavedModel with a serving_default signature; export it with model.export(FOLDER)."
        ) from error
    names = list(signature.structured_input_signature[1])
    specs = []
    for name in names:
        spec = signature.structured_input_signature[1][name]
        shape = spec.shape.as_list() if spec.shape.rank is not None else [None, None]
        if any(size is None for size in shape[1:]):
            raise ModelError(f"{path} has the dynamic shape {shape} at its input {name!r}; export it with a fixed one.")
        if spec.dtype != tf.float32:
            raise ModelError(f"{path} takes {spec.dtype.name} at its input {name!r}; export it with a float32 input.")
        specs.append(tf.TensorSpec([1, *shape[1:]], spec.dtype, name=_plain(name)))

    def call(*tensors: Any) -> Any:
        return signature(**dict(zip(names, tensors, strict=True)))

    function = tf.function(call).get_concrete_function(*specs)
    function._keeps_alive = loaded
    return function


def _scopes(model: Any) -> dict[str, str]:
    """Layer names by scope: Keras 3 opens each layer's scope twice in tracing, and TensorFlow numbers names it has seen."""
    used: set[str] = set()
    scopes = {}
    for layer in model.layers:
        for _ in range(2):
            name, number = layer.name, 0
            while name in used:
                number += 1
                name = f"{layer.name}_{number}"
            used.add(name)
        scopes[name] = layer.name
    return scopes


def _stem(name: str) -> str:
    return Path(name).name.removesuffix(".tflite").removesuffix(".keras").removesuffix(".h5")


def _shape(shape: Any) -> list[int | None]:
    return [None if size is None else int(size) for size in shape]


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name.split(":")[0])
