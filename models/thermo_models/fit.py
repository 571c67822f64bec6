"""Trains one network on one fold; the same seed and data give the same network on the same machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models.settings import Settings

Augment = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]
Progress = Callable[[int, int, float], None]
"""Called with epochs done, epochs in all, training loss."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Loss by epoch; `validation` is empty without a validation side."""

    training: tuple[float, ...]
    validation: tuple[float, ...]


def fit(
    network: Any,
    loss: Any,
    train: tuple[NDArray[np.float32], NDArray[Any]],
    validation: tuple[NDArray[np.float32], NDArray[Any]] | None,
    settings: Settings,
    seed: int,
    augment: Augment | None = None,
    progress: Progress = lambda done, total, loss: None,
) -> Curves:
    """Train in place.

    Args:
        network: an untrained Keras model.
        loss: as Keras takes it.
        train: features and targets.
        validation: features and targets that stop training, or None.
        settings: epochs, batch, rate, decay, patience, balance.
        seed: of shuffling and augmentation.
        augment: changes each training batch.
        progress: told about each epoch.
    """
    import keras

    features, targets = train
    rng = np.random.default_rng([seed, 0xF17])
    weights = class_weights(targets) if settings.balance else None
    steps = -(-len(features) // settings.batch)

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, unused-ignore]
        """Shuffled anew each epoch."""

        def __init__(self) -> None:
            super().__init__()
            self.order = rng.permutation(len(features))

        def __len__(self) -> int:
            return steps

        def __getitem__(self, step: int) -> tuple[NDArray[Any], ...]:
            index = self.order[step * settings.batch : (step + 1) * settings.batch]
            batch = features[index]
            if augment is not None:
                batch = augment(batch, rng)
            if weights is None:
                return batch, targets[index]
            return batch, targets[index], weights[index]

        def on_epoch_end(self) -> None:
            self.order = rng.permutation(len(features))

    class Told(keras.callbacks.Callback):  # type: ignore[misc, unused-ignore]
        """Passes each epoch on."""

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            progress(epoch + 1, settings.epochs, (logs or {}).get("loss", float("nan")))

    stops = settings.patience > 0 and validation is not None
    schedule = keras.optimizers.schedules.CosineDecay(settings.rate, settings.epochs * steps)
    average = {} if stops else {"use_ema": True, "ema_momentum": 0.99 if steps * settings.epochs > 1000 else 0.9}
    network.compile(
        keras.optimizers.AdamW(schedule, weight_decay=settings.decay, clipnorm=1.0, **average), loss, jit_compile=False
    )
    callbacks: list[Any] = [Told()]
    if stops:
        callbacks.append(
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=settings.patience, restore_best_weights=True)
        )
    history = network.fit(
        Batches(),
        validation_data=validation,
        validation_batch_size=1024,
        epochs=settings.epochs,
        callbacks=callbacks,
        verbose=0,
    ).history
    return Curves(tuple(history["loss"]), tuple(history.get("val_loss", ())))


def class_weights(targets: NDArray[Any]) -> NDArray[np.float32]:
    """A weight for each sample, so that each class weighs the same and the mean weight is 1.

    Args:
        targets: (n,) or (n, 1) classes.
    """
    _, inverse, counts = np.unique(targets.ravel(), return_inverse=True, return_counts=True)
    weights: NDArray[np.float32] = (len(inverse) / (len(counts) * counts[inverse])).astype(np.float32)
    return weights
