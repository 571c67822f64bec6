"""body_map: temperatures of a body's segments from those of some nodes on it."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.quality import NO_VALUE, Quality
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.nodes import MOST_NODES, check_constants, weights_of
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

MOST_SEGMENTS = 64


class BodyMap(OneInput, frozen=True, tag="body_map"):
    """Segments of a body by a linear model of it: level[s] + the sum over nodes i of matrix[s][i] (x[i] - usual[i]).

    Nodes without a value are told from the others before: each is usual[j] + the sum over all nodes i of weights[j][i]
    (x[i] - usual[i]), all that lack at once. With weights -P[j][i] / P[j][j] of the inverse P of the nodes' covariance, that is what
    a body with these nodes has there on average, whichever nodes lack. The sample is then flagged FILLED, in place of
    what said why they lack. With fewer than `least` nodes there is no result, flagged MISSING.

    Attributes:
        usual: of each node: its usual value, in the signal's unit.
        level: of each segment: its value where all nodes have their usual one.
        matrix: of each segment, row by row: what a step of each node adds to it.
        weights: of each node, row by row, those of all nodes, as `node_check` has them; its own is 0. The mean of the others where
            left out.
        areas: of each segment: its share of the skin, in any unit. Where given, one more number comes last: the segments' mean,
            weighed by them.
        least: fewest nodes with a value. Half of them where left out.
    """

    usual: Floats
    level: Floats
    matrix: Floats
    weights: Floats | None = None
    areas: Floats | None = None
    least: Annotated[int, Meta(ge=1, le=MOST_NODES)] | None = None


def least_nodes(stage: BodyMap, nodes: int) -> int:
    """Fewest of so many nodes that must have a value."""
    return (nodes + 1) // 2 if stage.least is None else stage.least


def shares(areas: Floats) -> Values:
    """(segments,) of the skin, together 1."""
    wide = areas.array.astype(np.float64)
    return np.asarray(wide / wide.sum(), np.float32)


def _result(stage: BodyMap, inputs: Signals) -> Signal:
    """A number a segment, and one more with `areas`; takes 2 to 64 nodes. The unit of the input."""
    (signal,) = inputs
    nodes, segments = signal.elements, len(stage.level)
    if not 2 <= nodes <= MOST_NODES:
        raise stage.fail(f'takes 2 to {MOST_NODES} nodes, and "{signal.name}" has {nodes}')
    if not 1 <= segments <= MOST_SEGMENTS:
        raise stage.fail(f"has {segments} levels; give one for each of 1 to {MOST_SEGMENTS} segments")
    check_constants(stage, stage.usual, stage.weights, nodes)
    if len(stage.matrix) != segments * nodes:
        raise stage.fail(
            f"has a matrix of {len(stage.matrix)} numbers; {segments} segments of {nodes} nodes are {segments * nodes}"
        )
    if stage.areas is not None:
        if len(stage.areas) != segments:
            raise stage.fail(f"has {len(stage.areas)} areas for {segments} segments; give {segments}")
        if (stage.areas.array < 0).any() or not stage.areas.array.any():
            raise stage.fail("has areas that weigh nothing; give numbers of which none is below 0 and one above")
    if least_nodes(stage, nodes) > nodes:
        raise stage.fail(f"needs {stage.least} nodes of {nodes}; lower least")
    return Signal(stage.gives, (segments + (stage.areas is not None),), signal.unit, signal.rate_hz, signal.clock)


def _fill(above: Values, lacking: NDArray[np.bool_], weights: Values) -> None:
    """Write into (m, nodes), 0 where `lacking` (nodes,), what the others say of those that lack.

    Gauss's elimination of (I - W) z = W x in the order of nodes, without exchanging rows: a covariance needs none.
    """
    places = np.flatnonzero(lacking)
    left = np.asarray(np.eye(len(places)) - weights[np.ix_(places, places)], np.float32)
    right = float32.products(above, weights[places])
    count = len(places)
    for pivot in range(count):
        for row in range(pivot + 1, count):
            factor = left[row, pivot] / left[pivot, pivot]
            left[row, pivot + 1 :] -= factor * left[pivot, pivot + 1 :]
            right[:, row] -= factor * right[:, pivot]
    for row in reversed(range(count)):
        for column in range(row + 1, count):
            right[:, row] -= left[row, column] * right[:, column]
        right[:, row] /= left[row, row]
    above[:, places] = right


def _apply(stage: BodyMap, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    nodes = x.shape[1]
    lacking = ~np.isfinite(x)
    with np.errstate(all="ignore"):
        above = np.where(lacking, np.float32(0), x - stage.usual.array).astype(np.float32)
        patterns, of = np.unique(lacking, axis=0, return_inverse=True)
        for number in np.flatnonzero(patterns.any(1) & ~patterns.all(1)).tolist():
            rows = np.flatnonzero(of.ravel() == number)
            alike = above[rows]
            _fill(alike, patterns[number], weights_of(stage.weights, nodes))
            above[rows] = alike
        made = float32.products(above, stage.matrix.array.reshape(-1, nodes)) + stage.level.array
        if stage.areas is not None:
            made = np.concatenate([made, float32.products(made, shares(stage.areas)[np.newaxis])], axis=1)
    few = nodes - lacking.sum(1) < least_nodes(stage, nodes)
    return np.where(few[:, np.newaxis], np.float32(np.nan), made).astype(np.float32)


def _flags(stage: BodyMap, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    lacking = ~np.isfinite(values[0].reshape(len(values[0]), -1))
    nodes = lacking.shape[1]
    few = nodes - lacking.sum(1) < least_nodes(stage, nodes)
    filled = np.where(lacking.any(1), np.uint16(Quality.FILLED), np.uint16(0))
    return np.where(few, np.uint16(Quality.MISSING), filled).astype(np.uint16)


OP = Elementwise(
    BodyMap,
    _result,
    _apply,
    "float32; sums of products in the order of nodes and of segments, each product rounded before it is added; level added last; "
    "lacking nodes by Gauss's elimination of (I - weights) z = weights (x - usual) in their order, without exchanging rows. Infinity is no "
    "value.",
    _flags,
    NO_VALUE,
)
