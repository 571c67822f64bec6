"""Train a task's network, quantise it, measure the int8 model on unseen sensors, write model, card and bundle parts."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.contract import InputContract, OutputContract
from thermo_models.metrics import auc, threshold_at_specificity
from thermo_models.networks.mobilenet import mobilenet_v1
from thermo_models.tasks import breast_patch
from thermo_quantize.convert import to_int8
from thermo_quantize.reference import Reference

Report = Callable[[str], None]
CALIBRATION_SAMPLES = 256
CONTRAST_BINS_K = (0.3, 0.6, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives.

    Attributes:
        model: the int8 .tflite file.
        input: what its input numbers mean.
        output: what its output numbers mean.
        threshold: score from which the wearable alerts.
        metrics: figures on validation and test, ready for JSON.
    """

    model: bytes
    input: InputContract
    output: OutputContract
    threshold: float
    metrics: dict[str, Any]


def train(seed: int, quick: bool, report: Report) -> Trained:
    """Train, quantise and measure the breast-patch network.

    Args:
        seed: of weights and shuffling; the data have their own.
        quick: a few samples and epochs, to try the path and not to get a model.
        report: called with a line at each step.
    """
    import keras

    keras.utils.set_random_seed(seed)
    sizes = breast_patch.QUICK if quick else breast_patch.FULL
    splits = {}
    for split, size in sizes.items():
        splits[split] = breast_patch.make(breast_patch.FIRST_SEED[split], size)
        report(f"{split}: {len(splits[split].labels)} samples of {size.sensors} simulated sensors")
    training, validation, test = splits["train"], splits["validation"], splits["test"]

    network = mobilenet_v1(training.features.shape[1:], len(breast_patch.LABELS))
    epochs = 2 if quick else 25
    steps = epochs * -(-len(training.labels) // 64)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        "sparse_categorical_crossentropy",
    )
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)
    network.fit(
        _augmented(training, seed),
        validation_data=(validation.features, validation.labels),
        epochs=epochs,
        callbacks=[best],
        verbose=0,
    )
    model = to_int8(network, training.features[:: max(1, len(training.labels) // CALIBRATION_SAMPLES)])
    reference = Reference(model)
    report(f"int8 model of {len(model)} bytes")

    def scores(samples: breast_patch.Samples) -> NDArray[np.float64]:
        return reference.scores(samples.features)[:, 1].astype(np.float64)

    validation_scores, test_scores = scores(validation), scores(test)
    threshold = max(1 / 256, threshold_at_specificity(validation_scores, validation.labels == 1))
    metrics: dict[str, Any] = {
        "seed": seed,
        "parameters": int(network.count_params()),
        "bytes": len(model),
        "samples": {split: len(samples.labels) for split, samples in splits.items()},
        "sensors": {split: size.sensors for split, size in sizes.items()},
        "threshold": threshold,
        "float": {"test_auc": auc(network.predict(test.features, verbose=0)[:, 1], test.labels == 1)},
        "int8": {
            "validation_auc": auc(validation_scores, validation.labels == 1),
            "test_auc": auc(test_scores, test.labels == 1),
            "test_specificity": float(np.mean(test_scores[test.labels == 0] <= threshold)),
            "test_sensitivity": float(np.mean(test_scores[test.labels == 1] > threshold)),
            "by_contrast": _by_contrast(test, test_scores, threshold),
        },
    }
    return Trained(model, reference.input, reference.output, threshold, metrics)


def _by_contrast(
    samples: breast_patch.Samples, scores: NDArray[np.float64], threshold: float
) -> list[dict[str, float | int]]:
    rows: list[dict[str, float | int]] = []
    healthy = samples.labels == 0
    for low, high in itertools.pairwise(CONTRAST_BINS_K):
        lesions = (samples.contrast_k >= low) & (samples.contrast_k < high)
        if lesions.any():
            both = healthy | lesions
            rows.append(
                {
                    "from_k": low,
                    "to_k": high,
                    "lesions": int(lesions.sum()),
                    "auc": auc(scores[both], lesions[both]),
                    "sensitivity": float(np.mean(scores[lesions] > threshold)),
                }
            )
    return rows


def _augmented(samples: breast_patch.Samples, seed: int) -> Any:
    """A Keras data set of flipped pictures with a little extra noise, shuffled anew each epoch."""
    import tensorflow as tf

    def augment(features: Any, label: Any) -> tuple[Any, Any]:
        features = tf.image.random_flip_left_right(tf.image.random_flip_up_down(features))
        return features + tf.random.normal(tf.shape(features), stddev=0.03), label

    data = tf.data.Dataset.from_tensor_slices((samples.features, samples.labels))
    return data.shuffle(len(samples.labels), seed=seed).map(augment).batch(64).prefetch(2)


def metrics_json(trained: Trained) -> str:
    """The figures as they stand beside the model."""
    return json.dumps(trained.metrics, indent=2) + "\n"
