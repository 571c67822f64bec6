"""Makes the small models beside it, with every kind of layer our networks have: `python tests/quantize/data/make.py`."""

from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.tflite.schema import operator_code
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.convert import convert
from thermo_quantize.flatfile import pack, unpack
from thermo_quantize.ranges import choose, observe
from thermo_quantize.runtimes import Runner
from thermo_quantize.source import from_keras

HERE = Path(__file__).parent


def pictures() -> Any:
    """Convolutions, a residual, channel and spatial attention, pools, a hidden layer, softmax."""
    import keras

    layers = keras.layers
    inputs = keras.Input((24, 32, 1))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, 2, padding="same")(inputs)))
    y = layers.ReLU()(layers.DepthwiseConv2D(3)(layers.ZeroPadding2D()(x)))
    x = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    x = layers.Multiply()([x, layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))])
    both = [keras.ops.max(x, axis=-1, keepdims=True), keras.ops.mean(x, axis=-1, keepdims=True)]
    x = x * layers.Conv2D(1, 3, padding="same", activation="sigmoid")(layers.Concatenate()(both))
    x = layers.Flatten()(layers.AveragePooling2D(2)(layers.MaxPooling2D()(x)))
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(layers.Dense(16, activation="relu")(x)))


def series() -> Any:
    """A one-dimensional branch beside a few numbers, two outputs."""
    import keras

    layers = keras.layers
    curve, facts = keras.Input((600, 1), name="curve"), keras.Input((4,), name="facts")
    x = layers.MaxPooling1D(4)(
        layers.DepthwiseConv1D(3, padding="same")(layers.Conv1D(8, 5, 2, activation="relu")(curve))
    )
    x = layers.GlobalAveragePooling1D()(layers.Conv1D(8, 3, dilation_rate=2)(x))
    x = layers.Concatenate()([x, layers.Dense(4)(facts)])
    return keras.Model([curve, facts], [layers.Dense(3)(x), layers.Dense(2, activation="tanh")(x)])


def parts() -> Any:
    """Tensors taken apart and put together again: slices with steps, one with an axis shrunk, a split, hard swish."""
    import keras

    layers, ops = keras.layers, keras.ops
    inputs = keras.Input((24, 32, 2))
    x = layers.Conv2D(8, 3, 2, padding="same", activation="hard_swish")(inputs)
    first, second = ops.split(x, 2, axis=-1)
    x = layers.Concatenate()([layers.Conv2D(8, 3, padding="same", activation="relu6")(first), second])
    x = layers.Conv2D(8, 3, padding="same")(x[:, 1:11:2, 2:-2, :])
    row = layers.GlobalAveragePooling1D()(x[:, 2])
    return keras.Model(inputs, layers.Dense(3)(layers.Concatenate()([row, layers.GlobalAveragePooling2D()(x)])))


def unrolled() -> Any:
    """Recurrent layers as ordinary operators, step by step."""
    import keras

    layers = keras.layers
    inputs = keras.Input((4, 6))
    x = layers.LSTM(32, unroll=True, return_sequences=True)(inputs)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GRU(32, unroll=True)(x)))


def stateful() -> bytes:
    """Two LSTM layers as TensorFlow's own converter makes them of tf-keras: operators that keep a state."""
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    layers = tf_keras.layers
    inputs = tf_keras.Input((12, 6), batch_size=1)
    x = layers.LSTM(14)(layers.LSTM(14, return_sequences=True)(inputs))
    model = tf_keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(np.asarray(weight) * 2 + generator.uniform(-0.2, 0.2, weight.shape))
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(inputs.type_spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [generator.normal(size=(1, 12, 6)).astype(np.float32)] for _ in range(64)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def functions() -> Any:
    """Functions of one and two numbers, reductions, rearrangements, products of matrices, a convolution in groups."""
    import keras
    import tensorflow

    layers, ops, nn = keras.layers, keras.ops, tensorflow.nn

    def blocks(x: Any) -> Any:
        return nn.space_to_depth(nn.depth_to_space(x, 2), 2)

    def turned(x: Any) -> Any:
        return ops.pad(
            ops.take(x[:, ::1], [3, 0, 1, 2, 2, 1], axis=-1), [[0, 0], [1, 1], [1, 0], [0, 0]], mode="reflect"
        )

    inputs = keras.Input((12, 20, 2))
    x = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(8, 3, 2, padding="same")(inputs))
    x = layers.Conv2D(8, 3, padding="same", groups=2, activation="gelu")(x)
    x = layers.Lambda(blocks)(ops.minimum(ops.maximum(x, layers.Conv2D(8, 1)(x)), 1.5))
    x = layers.Conv2D(6, 1)(layers.Lambda(turned)(layers.Conv2D(4, 1)(x)))
    rows = layers.Lambda(lambda x: nn.l2_normalize(x, -1))(layers.Conv2D(6, 1)(ops.sum(x, axis=1, keepdims=True)))
    rows = ops.squeeze(rows, 1)
    products = ops.softmax(ops.matmul(rows, ops.swapaxes(rows, 1, 2)))
    pairs = ops.stack(ops.unstack(ops.matmul(products, rows), axis=1)[:4], axis=2)
    spread = ops.sqrt(ops.mean(ops.square(x - ops.mean(x, axis=(1, 2), keepdims=True)), axis=(1, 2)))
    parts = [layers.Flatten()(pairs), ops.min(ops.abs(x), axis=(1, 2)), ops.exp(spread)]
    return keras.Model(inputs, layers.Dense(3)(layers.Concatenate()(parts)))


def open_samples() -> Any:
    """What needs a shape where the number of samples is open: Conv1D with dilation, Conv2DTranspose, Flatten, Dense of rows."""
    import keras

    layers = keras.layers
    inputs = keras.Input((32, 3))
    x = layers.Conv1D(10, 3, dilation_rate=2, padding="same", activation="relu")(inputs)
    x = layers.Dense(10)(layers.MaxPooling1D(2)(x))
    x = layers.Conv2DTranspose(18, 3, 2, padding="same", activation="relu")(layers.Reshape((4, 4, 10))(x))
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(layers.Flatten()(x)))


def as_tutorials_have_it(model: Any) -> bytes:
    """TensorFlow's own conversion to int8, with the number of samples left open."""
    import tensorflow

    shape, generator = model.inputs[0].shape[1:], np.random.default_rng(1)
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [generator.normal(size=(1, *shape)).astype(np.float32)] for _ in range(16)
    )
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tensorflow.uint8
    converter.inference_output_type = tensorflow.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return _for_the_pinned_runtime(converter.convert())


def _for_the_pinned_runtime(model: bytes) -> bytes:
    """The same with DEPTH_TO_SPACE in the version that tflite-runtime 2.14 knows, whose kernel is the same."""
    tree = unpack(model)
    for code in tree.operatorCodes:
        if code.builtinCode == operator_code("DEPTH_TO_SPACE"):
            code.version = 1
    return pack(tree)


def main() -> None:
    """Write the models."""
    import keras

    (HERE / "lstm_int8.tflite").write_bytes(stateful())
    keras.utils.set_random_seed(2)
    for name, build in (("functions", functions), ("open", open_samples)):
        (HERE / f"{name}_int8.tflite").write_bytes(as_tutorials_have_it(build()))

    schemes = {"float": Scheme.FLOAT32, "int8": Scheme.INT8, "16x8": Scheme.INT16X8, "dynamic": Scheme.DYNAMIC}
    for name, build in (("cnn", pictures), ("ts", series), ("parts", parts), ("unrolled", unrolled)):
        keras.utils.set_random_seed(1)
        generator = np.random.default_rng(1)
        model = build()
        for weight in model.weights:  # biases and statistics that are not zero
            if weight.ndim == 1:
                weight.assign(np.asarray(weight) + generator.uniform(0, 0.3, weight.shape))
        source = from_keras(model)
        ends = Runner(source.float_model).inputs
        inputs = [generator.normal(size=(64, *end.shape[1:])).astype(np.float32) for end in ends]
        ranges = choose(observe(source.float_model, inputs), Calibrator.MINMAX)
        for suffix, scheme in schemes.items():
            if name == "cnn" or scheme is Scheme.INT8 or (name, scheme) == ("unrolled", Scheme.INT16X8):
                (HERE / f"{name}_{suffix}.tflite").write_bytes(convert(source, scheme, ranges))


if __name__ == "__main__":
    main()
