"""Does a network that has seen one task's pictures learn another task from fewer samples?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.fit import Augment, fit
from thermo_models.metrics import accuracy
from thermo_models.settings import Settings

CLASSES_LOSS = "sparse_categorical_crossentropy"
Pictures = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Features (n, rows, columns, channels) and classes (n,)."""


@dataclass(frozen=True, slots=True)
class Point:
    """Accuracy on the target's test side after learning from `samples` of it, one figure a seed."""

    samples: int
    scratch: tuple[float, ...]
    transferred: tuple[float, ...]


def turned(pictures: NDArray[np.float32], seed: int) -> Pictures:
    """A task without labels: pictures turned by 0 or 180 degrees, flipped or not, and which of the four it was.

    Args:
        pictures: (n, rows, columns, channels) of any task.
        seed: of the choice.
    """
    which = np.random.default_rng([seed, 0x7A]).integers(0, 4, len(pictures))
    changed = pictures.copy()
    changed[which % 2 == 1] = changed[which % 2 == 1][:, ::-1]
    changed[which >= 2] = changed[which >= 2][:, :, ::-1]
    return changed, which.astype(np.int64)


def carry_over(source: Any, target: Any) -> int:
    """Copy the weights of all layers but the last dense one, by order; return how many layers were copied.

    Raises:
        UsageError: the networks are not of one kind, width and number of channels.
    """
    weighted = [[layer for layer in network.layers if layer.get_weights()] for network in (source, target)]
    if len(weighted[0]) != len(weighted[1]):
        raise UsageError("Weights cannot move between networks of different layers, so build both by the same name.")
    for one, other in zip(weighted[0][:-1], weighted[1][:-1], strict=True):
        weights = one.get_weights()
        if [w.shape for w in weights] != [w.shape for w in other.get_weights()]:
            raise UsageError(
                f"Layer {other.name} has other shapes than its source, so give both networks one width and number of channels."
            )
        other.set_weights(weights)
    return len(weighted[0]) - 1


def compare(
    build: Callable[[tuple[int, ...], int], Any],
    source: Pictures,
    target: Pictures,
    test: Pictures,
    sizes: Sequence[int],
    settings: Settings,
    augment: Augment | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Point]:
    """Pre-train on the source, fine-tune on growing parts of the target, and train the same from scratch.

    Args:
        build: makes the network for an input shape and a number of classes.
        source: pictures and classes to pre-train on.
        target: pictures and classes a part of which is learnt from; `sizes` are drawn by class.
        test: the target's pictures of people who are not in `target`.
        sizes: samples of the target, ascending.
        settings: of every training; `seeds` repeats with other parts and weights. A small part gets as many steps as the whole.
        augment: changes the target's training batches.
        report: told a line a size.
    """
    import keras

    classes = int(max(target[1].max(), test[1].max())) + 1
    found: dict[int, tuple[list[float], list[float]]] = {size: ([], []) for size in sizes}
    for seed in range(settings.seeds):
        keras.utils.set_random_seed(seed)
        first = build(source[0].shape[1:], int(source[1].max()) + 1)
        fit(first, CLASSES_LOSS, source, None, settings, seed)
        for size in sizes:
            index = _by_class(target[1], size, seed)
            repeated = np.tile(index, max(1, len(target[1]) // len(index)))
            for carried, results in zip((False, True), found[size], strict=True):
                keras.utils.set_random_seed(1000 + seed)
                network = build(target[0].shape[1:], classes)
                if carried:
                    carry_over(first, network)
                part = (target[0][repeated], target[1][repeated])
                fit(network, CLASSES_LOSS, part, None, settings, seed, augment)
                said = network.predict(test[0], verbose=0, batch_size=1024).argmax(1)
                results.append(accuracy(said, test[1]))
            report(
                f"seed {seed}, {size} samples: scratch {found[size][0][-1]:.3f}, transferred {found[size][1][-1]:.3f}"
            )
    return [Point(size, tuple(scratch), tuple(carried)) for size, (scratch, carried) in found.items()]


def _by_class(classes: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """`size` indices, the classes in turn."""
    if not 0 < size <= len(classes):
        raise UsageError(f"{size} samples cannot be drawn from {len(classes)}, so give smaller sizes.")
    rng = np.random.default_rng([seed, 0x51])
    shuffled = rng.permutation(len(classes))
    rank = np.zeros(len(classes), np.int64)
    for value in np.unique(classes):
        of = shuffled[classes[shuffled] == value]
        rank[of] = np.arange(len(of))
    order = shuffled[np.argsort(rank[shuffled], kind="stable")]
    return order[:size]
