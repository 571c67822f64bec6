"""trees: scores of classes by boosted decision trees."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

MAX_CLASSES = 32
MAX_FEATURES = 256
MAX_LEAVES = 64


class Trees(OneInput, frozen=True, tag="trees"):
    """Scores of classes, 0 to 1, by decision trees whose leaves add to the logarithm of a class's odds (Friedman 2001).

    A tree begins with one leaf, 0, and is grown by splits: the n-th of them, from 1 on, parts a leaf, and what is above the
    threshold of a feature goes to the new leaf n. The first tree adds to the first class, the next one to the next class, and so on
    around. Scores are the softmax of the sums. A feature without a value is above no threshold.

    Attributes:
        leaves: of each tree.
        split: of each tree, the leaf that each of its splits parts.
        feature: of each split, the element of the sample that it asks for.
        threshold: of each split.
        value: of each tree, what each of its leaves adds.
        start: of each class, what its sum begins with.
    """

    leaves: Annotated[int, Meta(ge=2, le=MAX_LEAVES)]
    split: Floats
    feature: Floats
    threshold: Floats
    value: Floats
    start: Floats


def whole(numbers: Floats) -> NDArray[np.int64]:
    """Numbers that are whole."""
    return np.rint(numbers.array).astype(np.int64)


def _result(stage: Trees, inputs: Signals) -> Signal:
    """A number a class; takes at most 256 elements, of which the features are."""
    (signal,) = inputs
    trees, splits = len(stage.value) // stage.leaves, stage.leaves - 1
    if (
        len(stage.value) % stage.leaves
        or not len(stage.split) == len(stage.feature) == len(stage.threshold) == trees * splits
    ):
        raise stage.fail(
            f"has {len(stage.value)} values and {len(stage.split)}, {len(stage.feature)} and {len(stage.threshold)} numbers of splits; give "
            f"{stage.leaves} values and {splits} splits a tree"
        )
    for name, numbers in (("split", stage.split), ("feature", stage.feature)):
        if (np.rint(numbers.array) != numbers.array).any():
            raise stage.fail(f"has a number in {name} that is not whole; correct it")
    split, feature = whole(stage.split).reshape(trees, splits), whole(stage.feature)
    if (split < 0).any() or (split > np.arange(splits)).any():
        raise stage.fail("splits a leaf that is not there yet; correct split")
    if signal.elements > MAX_FEATURES or (feature < 0).any() or (feature >= signal.elements).any():
        raise stage.fail(
            f'asks for a feature that "{signal.name}" with its {signal.elements} elements does not have, or has more than '
            f"{MAX_FEATURES}; correct feature"
        )
    if not 2 <= len(stage.start) <= MAX_CLASSES:
        raise stage.fail(f"has {len(stage.start)} classes and may have 2 to {MAX_CLASSES}; correct start")
    return Signal(stage.gives, (len(stage.start),), "", signal.rate_hz, signal.clock)


def _apply(stage: Trees, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    trees, splits = len(stage.value) // stage.leaves, stage.leaves - 1
    split, feature = (whole(one).reshape(trees, splits) for one in (stage.split, stage.feature))
    threshold, value = stage.threshold.array.reshape(trees, splits), stage.value.array.reshape(trees, stage.leaves)
    total = np.tile(stage.start.array, (len(x), 1))
    with np.errstate(all="ignore"):
        for tree in range(trees):
            leaf = np.zeros(len(x), np.int64)
            for n in range(splits):
                leaf[(leaf == split[tree, n]) & (x[:, feature[tree, n]] > threshold[tree, n])] = n + 1
            total[:, tree % total.shape[1]] += value[tree, leaf]
        odds = float32.exp(total - total.max(1, keepdims=True))
        return np.asarray(odds / float32.total(odds)[:, np.newaxis], np.float32)


OP = Elementwise(
    Trees,
    _result,
    _apply,
    "float32; sums in the order of trees; the exponential of `float32.exp` of each sum less the greatest, over their sum in the order of "
    "classes.",
)
