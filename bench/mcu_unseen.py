"""Int8 models the compiler was not written around: usual small networks of other shapes, with random weights from seeds.

Built by Keras and quantised by thermo_quantize with random pictures as calibration, so no data and no download is needed;
what they compute means nothing, what they cost does.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _tf() -> Any:
    from thermo_quantize.source import import_tensorflow

    return import_tensorflow()


def _finish(inputs: Any, outputs: Any) -> Any:
    return _tf().keras.Model(inputs, outputs)


def mobilenet_v2() -> Any:
    """MobileNetV2 of width 0.35 for 96 x 96 x 3 and two classes."""
    return _tf().keras.applications.MobileNetV2(input_shape=(96, 96, 3), alpha=0.35, weights=None, classes=2)


def resnet_8() -> Any:
    """Three residual blocks for 32 x 32 x 3, as MLPerf Tiny's image classifier."""
    layers = _tf().keras.layers
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = layers.Conv2D(filters, 3, stride, padding="same", activation="relu")(x)
        y = layers.Conv2D(filters, 3, padding="same")(y)
        if stride > 1:
            x = layers.Conv2D(filters, 1, stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.AveragePooling2D(8)(x)
    return _finish(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))


def autoencoder() -> Any:
    """Dense stack 640-128-128-128-128-8-128-128-128-128-640, as MLPerf Tiny's anomaly detector."""
    layers = _tf().keras.layers
    inputs = x = layers.Input((640,))
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.Dense(width, activation="relu")(x)
    return _finish(inputs, layers.Dense(640)(x))


def sequence() -> Any:
    """Convolutions over 128 samples of six channels, with dilation."""
    layers = _tf().keras.layers
    inputs = layers.Input((128, 6))
    x = layers.Conv1D(16, 5, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling1D(2)(x)
    x = layers.Conv1D(32, 3, padding="same", dilation_rate=2, activation="relu")(x)
    x = layers.Conv1D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return _finish(inputs, layers.Dense(6, activation="softmax")(x))


def segmenter() -> Any:
    """Encoder and decoder for 32 x 32 x 1: transposed convolution, bilinear resizing, concatenations."""
    layers = _tf().keras.layers

    def block(x: Any, filters: int) -> Any:
        return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)

    inputs = layers.Input((32, 32, 1))
    first = block(inputs, 8)
    second = block(layers.MaxPooling2D()(first), 16)
    x = block(layers.MaxPooling2D()(second), 32)
    x = layers.Conv2DTranspose(16, 2, 2, padding="same")(x)
    x = block(layers.Concatenate()([x, second]), 16)
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    x = block(layers.Concatenate()([x, first]), 8)
    return _finish(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


def plain() -> Any:
    """5 x 5 convolutions with strides for 48 x 48 x 3, then dense layers."""
    layers = _tf().keras.layers
    inputs = layers.Input((48, 48, 3))
    x = layers.Conv2D(16, 5, 2, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(24, 5, 2, padding="valid", activation="relu")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return _finish(inputs, layers.Dense(5)(x))


def odd() -> Any:
    """Channels that are no multiples of four, depthwise layers of 5 x 5 and of multiplier 3, on 30 x 23 x 5."""
    layers = _tf().keras.layers
    inputs = layers.Input((30, 23, 5))
    x = layers.Conv2D(7, 3, padding="same", activation="relu6")(inputs)
    x = layers.DepthwiseConv2D(5, 2, padding="same", activation="relu6")(x)
    x = layers.Conv2D(13, 1, activation="relu6")(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=3, activation="relu6")(x)
    x = layers.Conv2D(21, 1, activation="relu6")(x)
    x = layers.DepthwiseConv2D(3, padding="valid", dilation_rate=2, activation="relu6")(x)
    x = layers.Conv2D(11, 1)(x)
    return _finish(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def attention() -> Any:
    """Inverted residual blocks with swish and squeeze-and-excitation for 40 x 40 x 1, as EfficientNet."""
    keras = _tf().keras
    layers = keras.layers

    def swish(x: Any) -> Any:
        return layers.Multiply()([x, layers.Activation("sigmoid")(x)])

    inputs = layers.Input((40, 40, 1))
    x = swish(layers.Conv2D(16, 3, 2, padding="same")(inputs))
    for filters, stride in ((16, 1), (24, 2), (24, 1)):
        y = swish(layers.Conv2D(3 * x.shape[-1], 1)(x))
        y = swish(layers.DepthwiseConv2D(3, stride, padding="same")(y))
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Conv2D(y.shape[-1] // 4, 1, activation="relu")(gate)
        y = layers.Multiply()([y, layers.Conv2D(y.shape[-1], 1, activation="sigmoid")(gate)])
        y = layers.Conv2D(filters, 1)(y)
        x = layers.Add()([x, y]) if stride == 1 and x.shape[-1] == filters else y
    return _finish(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))


def wake_word() -> Any:
    """MobileNetV1 of width 0.25 for 96 x 96 x 3 and two classes, as MLPerf Tiny's visual wake words."""
    return _tf().keras.applications.MobileNet(input_shape=(96, 96, 3), alpha=0.25, weights=None, classes=2)


def squeeze() -> Any:
    """Fire modules for 64 x 64 x 1, as SqueezeNet: narrow and wide convolutions, concatenated."""
    layers = _tf().keras.layers
    inputs = layers.Input((64, 64, 1))
    x = layers.Conv2D(24, 3, 2, activation="relu")(inputs)
    for narrow, wide in ((8, 20), (12, 28), (16, 36)):
        x = layers.MaxPooling2D(3, 2)(x)
        x = layers.Conv2D(narrow, 1, activation="relu")(x)
        sides = [layers.Conv2D(wide, size, padding="same", activation="relu")(x) for size in (1, 3)]
        x = layers.Concatenate()(sides)
    x = layers.GlobalMaxPooling2D()(x)
    return _finish(inputs, layers.Dense(7, activation="softmax")(x))


def vibration() -> Any:
    """Separable convolutions along 512 samples of three axes, with strides and a leaky activation."""
    layers = _tf().keras.layers
    inputs = x = layers.Input((512, 3))
    for filters in (12, 20, 28, 36):
        x = layers.SeparableConv1D(filters, 7, 2, padding="same")(x)
        x = layers.LeakyReLU()(x)
    x = layers.Dense(24, activation="tanh")(layers.Flatten()(x))
    return _finish(inputs, layers.Dense(1, activation="sigmoid")(x))


MODELS: dict[str, Callable[[], Any]] = {
    "mobilenet_v2_96x96": mobilenet_v2,
    "resnet_8_32x32": resnet_8,
    "autoencoder_640": autoencoder,
    "sequence_128x6": sequence,
    "segmenter_32x32": segmenter,
    "plain_48x48": plain,
    "odd_30x23": odd,
    "attention_40x40": attention,
    "wake_word_96x96": wake_word,
    "squeeze_64x64": squeeze,
    "vibration_512x3": vibration,
}


def unseen(name: str) -> bytes:
    """The int8 .tflite file of one of MODELS; the same in every run."""
    from thermo_quantize.convert import to_int8

    keras = _tf().keras
    keras.utils.set_random_seed(sum(name.encode()))
    model = MODELS[name]()
    random = np.random.default_rng(1)
    # Biases and normalisations start at 0 and 1; what a trained network has is neither.
    model.set_weights(
        [w + random.normal(0, 0.1, w.shape).astype(np.float32) if w.ndim == 1 else w for w in model.get_weights()]
    )
    calibration = random.normal(0, 1, (16, *model.inputs[0].shape[1:])).astype(np.float32)
    return to_int8(model, calibration)
