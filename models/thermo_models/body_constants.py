"""Constants of a body for stages on the nodes of a garment, found on simulated or measured bodies."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BodyConstants:
    """A Gaussian model of nodes and segments, as `node_check` and `body_map` take it.

    Attributes:
        usual: (nodes,) mean of each node, degC.
        weights: (nodes, nodes) by which the others tell each; 0 on the diagonal.
        spread: (nodes,) K, standard deviation of what they leave of it; limits of `node_check` are some multiple.
        level: (segments,) mean of each segment, degC.
        matrix: (segments, nodes) what a step of a node adds to a segment.
    """

    usual: Floats
    weights: Floats
    spread: Floats
    level: Floats
    matrix: Floats

    def map_stage(self, **more: Any) -> dict[str, Any]:
        """Fields of a `body_map` in a profile, but for its signals."""
        fields = {name: getattr(self, name).ravel().tolist() for name in ("usual", "level", "matrix", "weights")}
        return {"op": "body_map"} | fields | more


def body_constants(nodes: NDArray[Any], segments: NDArray[Any], noise_k: float) -> BodyConstants:
    """Fit them.

    The weights of node j are -P[j][i] / P[j][j] of the inverse P of the nodes' covariance, so that the nodes which lack, whichever
    they are, are solved to their mean given all others (for example Bishop, Pattern Recognition and Machine Learning, 2.3.1).

    Args:
        nodes: (n, nodes) temperatures, degC, without a missing one.
        segments: (n, segments) what they are to tell, degC.
        noise_k: standard deviation of what a node says beside those temperatures, such as noise and its own bias, K; above 0.
    """
    x, y = nodes.astype(np.float64), segments.astype(np.float64)
    usual, level = x.mean(0), y.mean(0)
    covariance = np.cov(x, rowvar=False) + noise_k**2 * np.eye(x.shape[1])
    inverse = np.linalg.inv(covariance)
    own = np.diag(inverse)
    weights = -inverse / own[:, np.newaxis]
    np.fill_diagonal(weights, 0)
    crossed = (y - level).T @ (x - usual) / (len(x) - 1)
    return BodyConstants(usual, weights, np.sqrt(1 / own), level, crossed @ inverse)
