"""What stages on the nodes of a garment share: each node as the others tell it."""

import numpy as np

from thermo_core.schema import Floats
from thermo_core.signals import Values
from thermo_core.stages.stage import Stage

MOST_NODES = 64


def weights_of(weights: Floats | None, nodes: int) -> Values:
    """(nodes, nodes) those of all nodes by which each is told, row by row; the mean of the others where there are none."""
    if weights is not None:
        return weights.array.reshape(nodes, nodes)
    return np.asarray((1 - np.eye(nodes)) / (nodes - 1), np.float32)


def check_constants(stage: Stage, usual: Floats | None, weights: Floats | None, nodes: int) -> None:
    """Raise StageError for usual values and weights that are not those of so many nodes."""
    if usual is not None and len(usual) != nodes:
        raise stage.fail(f"has {len(usual)} usual values for {nodes} nodes; give {nodes}")
    if weights is not None:
        if len(weights) != nodes * nodes:
            raise stage.fail(f"has {len(weights)} weights for {nodes} nodes; give {nodes * nodes}")
        if np.diag(weights.array.reshape(nodes, nodes)).any():
            raise stage.fail("has a node that vouches for itself; make its own weight 0")
