"""What a network's outputs say of a profile's labels: a score each, and which wins."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError


def scores_of(probabilities: NDArray[np.float32], labels: int) -> NDArray[np.float32]:
    """A score for each label.

    With as many labels as outputs a label's score is its output. With one label more, the first label says that none of the
    others holds: its score is one minus the greatest output. So a network of one sigmoid has two labels, and a low output
    is a finding like a high one.

    Args:
        probabilities: (outputs,) float32, dequantised.
        labels: how many the profile has.

    Returns:
        (labels,) float32, 0 to 1.

    Raises:
        ModelError: labels and outputs do not fit each other.
    """
    clipped: NDArray[np.float32] = np.clip(probabilities, np.float32(0), np.float32(1))
    if len(clipped) == labels:
        return clipped
    if len(clipped) + 1 != labels:
        raise ModelError(f"The network has {len(clipped)} outputs and the profile {labels} labels; sign it anew.")
    none = np.float32(1) - clipped.max()
    scores: NDArray[np.float32] = np.concatenate([none[np.newaxis], clipped])
    return scores
