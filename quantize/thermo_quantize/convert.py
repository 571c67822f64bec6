"""Quantisation schemes: float .tflite and activation ranges in, quantised .tflite out.

Convolutions have a weight scale a channel, fully connected layers one a tensor in every scheme: with several, the reference
kernels of tflite-runtime 2.14 take the first scale for all channels where the layer keeps its dimensions, and have no
kernel for the dynamic scheme.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError, UsageError
from thermo_core.tflite.verify import verify_model
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.flatfile import unpack, with_known_versions, with_ranges
from thermo_quantize.quiet import quiet
from thermo_quantize.ranges import Range, choose, observe
from thermo_quantize.source import Source, convert_quietly, from_keras, import_tensorflow
from thermo_quantize.wide import int16x8

RANGED = (Scheme.INT8, Scheme.INT8_PER_TENSOR, Scheme.MIXED, Scheme.INT16X8)
"""Schemes that need the range of every activation."""


def convert(
    source: Source,
    scheme: Scheme,
    ranges: Sequence[Range] = (),
    keep_float: Sequence[int] = (),
) -> bytes:
    """Quantise by a post-training scheme.

    Args:
        source: the float model.
        scheme: any but QAT (see qat.py).
        ranges: of every activation, for `RANGED` schemes.
        keep_float: numbers of the float model's tensors whose operators stay float32, for the mixed scheme.

    Returns:
        A verified .tflite file; int8 schemes take and give int8, int16x8 int16, the others float32.

    Raises:
        ModelError: TensorFlow cannot quantise it, or the result has something that is not supported.
        UsageError: the scheme needs a Keras model or SavedModel and the source is a .tflite file.
    """
    if scheme is Scheme.FLOAT32:
        data = source.float_model
    elif scheme is Scheme.DYNAMIC:
        data = _dynamic(source)
    elif scheme not in RANGED:
        raise UsageError(f"Scheme {scheme} trains and converts in one; use thermo_quantize.qat.")
    elif not ranges:
        raise UsageError(f"Scheme {scheme} needs activation ranges; observe the representative set first.")
    elif scheme is Scheme.INT16X8:
        data = int16x8(source.float_model, ranges, source.name)
    else:
        data = _int8(source, ranges, scheme is Scheme.INT8_PER_TENSOR, keep_float)
    _check(data, scheme)
    return data


def to_int8(model: Any, representative: NDArray[np.float32], calibrator: Calibrator = Calibrator.MINMAX) -> bytes:
    """Quantise a Keras model of one input to int8, weights per channel, ends included.

    Args:
        model: a built Keras model.
        representative: (N, ...) float32 inputs that set the activation ranges.
        calibrator: how they set them.

    Returns:
        The .tflite file.

    Raises:
        ModelError: an operator is not supported, or TensorFlow cannot quantise the model.
    """
    source = from_keras(model)
    ranges = choose(observe(source.float_model, [representative]), calibrator)
    return convert(source, Scheme.INT8, ranges)


def _check(data: bytes, scheme: Scheme) -> None:
    try:
        verify_model(data)
    except ModelError as error:
        found, _, advice = str(error).rpartition("; ")
        if "thermo-quantize" not in advice:
            raise
        # To quantise it anew would give the same.
        raise ModelError(f"{found} once quantised by scheme {scheme}; try another scheme.") from error


def _int8(source: Source, ranges: Sequence[Range], per_tensor: bool, keep: Sequence[int]) -> bytes:
    tf = import_tensorflow()
    from tensorflow.lite.python.convert import convert_tensor_tf_type_to_tflite_type, mlir_quantize
    from tensorflow.lite.python.util import modify_model_io_type

    tensors = unpack(source.float_model).subgraphs[0].tensors
    keep_float = [tensors[number].name.decode() for number in keep]
    ranged = with_ranges(source.float_model, {one.index: one.chosen for one in ranges})
    int8 = convert_tensor_tf_type_to_tflite_type(tf.int8)
    float32 = convert_tensor_tf_type_to_tflite_type(tf.float32)
    try:
        with quiet():
            data = mlir_quantize(
                ranged,
                disable_per_channel=per_tensor,
                disable_per_channel_for_dense_layers=True,
                fully_quantize=not keep_float,
                inference_type=int8,
                input_data_type=float32 if keep_float else int8,
                output_data_type=float32 if keep_float else int8,
                denylisted_nodes=keep_float or None,
            )
            if keep_float:
                data = modify_model_io_type(data, tf.float32, tf.float32)
    except Exception as error:  # TensorFlow's binding raises RuntimeError, ValueError and its own types
        cause = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"TensorFlow cannot quantise {source.name} ({cause[0][:200]}); try another scheme.") from error
    return with_known_versions(bytes(data))


def _converter(source: Source, scheme: Scheme) -> Any:
    if source.converter is None:
        raise UsageError(
            f"Scheme {scheme} needs the Keras model or SavedModel, not a .tflite file; give that or use int8."
        )
    tf = import_tensorflow()
    converter = source.converter()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return converter


def _dynamic(source: Source) -> bytes:
    return with_known_versions(convert_quietly(_converter(source, Scheme.DYNAMIC), source.name))
