"""trees: scores of classes by boosted decision trees."""

import numpy as np
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

LEAF = -1
MAX_CLASSES = 32
MAX_FEATURES = 255
MAX_NODES = 65_535


class Trees(OneInput, frozen=True, tag="trees"):
    """Scores of classes, 0 to 1, by decision trees whose leaves add to the logarithm of a class's odds (Friedman 2001).

    From its root on, each node of a tree leads to its first child, or to the second where its feature is above its threshold, until
    there is a leaf. The first tree adds to the first class, the next one to the next class, and so on around. Scores are the softmax
    of the sums. A feature without a value is above no threshold.

    Attributes:
        roots: number of the first node of each tree.
        feature: of each node, the element of the sample that it asks for; -1 for a leaf.
        threshold: of each node; of a leaf what it adds.
        child: of each node the number of its first child, behind it, which the second one follows; of a leaf it means nothing.
        start: of each class, what its sum begins with.
    """

    roots: Floats
    feature: Floats
    threshold: Floats
    child: Floats
    start: Floats


def whole(numbers: Floats) -> NDArray[np.int64]:
    """Numbers that are whole."""
    return np.rint(numbers.array).astype(np.int64)


def _result(stage: Trees, inputs: Signals) -> Signal:
    """A number a class; takes at most 255 elements, of which the features are."""
    (signal,) = inputs
    nodes = len(stage.feature)
    if not nodes == len(stage.threshold) == len(stage.child) or nodes > MAX_NODES:
        raise stage.fail(
            f"has {nodes} features, {len(stage.threshold)} thresholds and {len(stage.child)} children; give one a node, and at most "
            f"{MAX_NODES} nodes"
        )
    for name, numbers in (("roots", stage.roots), ("feature", stage.feature), ("child", stage.child)):
        if (np.rint(numbers.array) != numbers.array).any():
            raise stage.fail(f"has a number in {name} that is not whole; correct it")
    feature, child = whole(stage.feature), whole(stage.child)
    inner = feature != LEAF
    if signal.elements > MAX_FEATURES or (feature[inner] < 0).any() or (feature >= signal.elements).any():
        raise stage.fail(
            f'asks for a feature that "{signal.name}" with its {signal.elements} elements does not have, or has more than '
            f"{MAX_FEATURES}; correct feature"
        )
    if (child[inner] <= np.flatnonzero(inner)).any() or (child[inner] + 1 >= nodes).any():
        raise stage.fail("has a node whose children are not behind it; correct child")
    if (stage.roots.array < 0).any() or (stage.roots.array >= nodes).any():
        raise stage.fail("has a root that is no node; correct roots")
    if not 2 <= len(stage.start) <= MAX_CLASSES:
        raise stage.fail(f"has {len(stage.start)} classes and may have 2 to {MAX_CLASSES}; correct start")
    return Signal(stage.gives, (len(stage.start),), "", signal.rate_hz, signal.clock)


def _apply(stage: Trees, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    feature, child, threshold = whole(stage.feature), whole(stage.child), stage.threshold.array
    rows, classes = np.arange(len(x)), len(stage.start)
    total = np.tile(stage.start.array, (len(x), 1))
    with np.errstate(all="ignore"):
        for number, root in enumerate(whole(stage.roots).tolist()):
            node = np.full(len(x), root)
            while (inner := feature[node] != LEAF).any():
                beyond = x[rows, np.maximum(feature[node], 0)] > threshold[node]
                node = np.where(inner, child[node] + beyond, node)
            total[:, number % classes] += threshold[node]
        odds = float32.exp(total - total.max(1, keepdims=True))
        return np.asarray(odds / float32.total(odds)[:, np.newaxis], np.float32)


OP = Elementwise(
    Trees,
    _result,
    _apply,
    "float32; sums in the order of trees; the exponential of `float32.exp` of each sum less the greatest, over their sum in the order of "
    "classes.",
)
