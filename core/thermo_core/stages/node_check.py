"""node_check: nodes that say what the others make implausible."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core import float32
from thermo_core.quality import Quality
from thermo_core.schema import Floats
from thermo_core.signals import Signal, Values
from thermo_core.stages.nodes import MOST_NODES, check_constants, weights_of
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

LEAST_NODES = 3
FILLS = 3
"""How often nodes that do not count are told from the others, each time from what was told before."""


class NodeCheck(OneInput, frozen=True, tag="node_check"):
    """Takes away the number of a node that is farther from what the others say of it than its limit, and flags IMPLAUSIBLE.

    What others say of node j is usual[j] + the sum over nodes i of weights[j][i] (x[i] - usual[i]): their mean where no weights are
    given, a linear model of the body where they are fitted to one. The node farthest beyond its limit goes first and is told from the
    others, then all are looked at again, `most` times at most, so that a dead node does not draw others with it.

    Nodes without a value do not count and stay so, without the flag. Where fewer than half have a value, there is nothing to check
    against, and numbers go on as they are.

    Attributes:
        limit: of each node or one of all: how far it may be from what the others say, in the signal's unit.
        usual: of each node: its usual value, of which differences alone matter without weights. The same of all where left out.
        weights: of each node, row by row, those of all nodes; its own is 0. The mean of the others where left out.
        most: most nodes that are taken away of one sample.
    """

    limit: Floats
    usual: Floats | None = None
    weights: Floats | None = None
    most: Annotated[int, Meta(ge=1, le=8)] = 2


def usual(stage: NodeCheck, nodes: int) -> Values:
    """(nodes,) usual value of each."""
    return np.zeros(nodes, np.float32) if stage.usual is None else stage.usual.array


def tightness(stage: NodeCheck, nodes: int) -> Values:
    """(nodes,) 1 / limit of each."""
    return np.asarray(np.float32(1) / np.broadcast_to(stage.limit.array, (nodes,)), np.float32)


def _result(stage: NodeCheck, inputs: Signals) -> Signal:
    """That of the input, which has 3 to 64 elements; takes 1 limit or one an element."""
    (signal,) = inputs
    nodes = signal.elements
    if not LEAST_NODES <= nodes <= MOST_NODES:
        raise stage.fail(f'checks {LEAST_NODES} to {MOST_NODES} nodes, and "{signal.name}" has {nodes}')
    if len(stage.limit) not in (1, nodes):
        raise stage.fail(f"has {len(stage.limit)} limits for {nodes} nodes; give 1 or {nodes}")
    check_constants(stage, stage.usual, stage.weights, nodes)
    if (stage.limit.array <= 0).any():
        raise stage.fail("has a limit that is not above 0; correct it")
    return Signal(stage.gives, signal.shape, signal.unit, signal.rate_hz, signal.clock, signal.spacing_s)


def _apply(stage: NodeCheck, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    nodes = x.shape[1]
    weights = weights_of(stage.weights, nodes)
    with np.errstate(all="ignore"):
        lacking = ~np.isfinite(x)
        enough = 2 * (nodes - lacking.sum(1)) >= nodes
        above = np.where(lacking, np.float32(0), x - usual(stage, nodes)).astype(np.float32)
        left_out = lacking.copy()
        for _ in range(stage.most):
            _fill(above, left_out, weights)
            beyond = np.abs(above - float32.products(above, weights)) * tightness(stage, nodes)
            beyond = np.where(left_out | np.isnan(beyond), np.float32(0), beyond)
            worst = beyond.argmax(1)
            rows = np.arange(len(x))
            found = (beyond[rows, worst] > 1) & enough & (2 * (nodes - left_out.sum(1) - 1) >= nodes)
            left_out[rows[found], worst[found]] = True
    given = np.where(left_out & enough[:, np.newaxis], np.float32(np.nan), x).astype(np.float32)
    return given.reshape(values[0].shape)


def _fill(above: Values, left_out: NDArray[np.bool_], weights: Values) -> None:
    """Write into (m, nodes) what the others say of those that are left out, beginning with the mean of the others."""
    count = (~left_out).sum(1).astype(np.float32)
    mean = float32.total(np.where(left_out, np.float32(0), above).astype(np.float32), 1) / count
    above[:] = np.where(left_out, mean[:, np.newaxis], above)
    for _ in range(FILLS):
        for node in np.flatnonzero(left_out.any(0)).tolist():
            said = float32.products(above, weights[node : node + 1])[:, 0]
            above[:, node] = np.where(left_out[:, node], said, above[:, node])


def _flags(stage: NodeCheck, inputs: Signals, values: Arrays, out: Values) -> NDArray[np.uint16]:
    taken = (np.isnan(out) & np.isfinite(values[0])).reshape(len(out), -1).any(1)
    return np.where(taken, np.uint16(Quality.IMPLAUSIBLE), np.uint16(0)).astype(np.uint16)


OP = Elementwise(
    NodeCheck,
    _result,
    _apply,
    "float32; x - usual; sums of products in the order of nodes, each product rounded before it is added; |x - said| times "
    "float32(1 / limit) above 1; the first of equal ones. Nodes that are left out begin with the mean of the others and are told from "
    "all others in their order, three times over.",
    _flags,
)
