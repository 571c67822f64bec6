"""Scores that are as sure as they are right: logits over a temperature, and a shift of "nothing", chosen where nothing was learnt from.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599) mends a network that is too sure. The shift mends how common "nothing" is: training
weighs all classes alike, and no world does (Saerens et al. 2002, doi:10.1162/089976602753284446). Both are constants of the last layer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.tflite.interpreter import Int8Network
from thermo_models.metrics import expected_calibration_error
from thermo_quantize.flatfile import with_logits, without_head

TEMPERATURES = np.geomspace(0.5, 10, 61)
SHIFTS = np.linspace(0, 3, 31)
OFF_THERE = 0.035
"""Expected calibration error where the scaling is chosen; less than the goal, since elsewhere it is larger."""
LEAST_SCORE = 1 / 512
"""Stands for one that is nought, whose logarithm is none."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Logits over `temperature`, and `nothing` more for the first class.

    Attributes:
        temperature: above 0; above 1 makes scores less sure.
        nothing: what is added to the first class's logit then.
    """

    temperature: float
    nothing: float

    def of(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (n, classes) that sum to 1, scaled."""
        return _softmax(self.logits(np.log(np.maximum(scores, LEAST_SCORE)))).astype(np.float32)

    def logits(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, classes), scaled."""
        scaled = logits / self.temperature
        scaled[:, 0] += self.nothing
        return scaled


def scaled(model: bytes, inputs: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[bytes, Scaling]:
    """An int8 network with its scores made as sure as they are right in some world; its operators stay.

    Args:
        model: a .tflite file that ends in a dense layer and a softmax.
        inputs: (n, ...) of a world that neither training nor any figure has.
        classes: (n,) what is true there.

    Raises:
        UsageError: the network ends in something else.
    """
    headless = without_head(model)
    if headless is None:
        raise UsageError("The network ends in no softmax, so its scores cannot be scaled; give its task that head.")
    logits = Int8Network(headless).predict([inputs]).astype(np.float64)
    found = fitted(logits, classes)
    shift = np.zeros(logits.shape[1])
    shift[0] = found.nothing
    return with_logits(model, found.temperature, shift), found


def fitted(logits: NDArray[np.float64], classes: NDArray[np.int64]) -> Scaling:
    """The least shift under which scores are off by at most `OFF_THERE`, with the temperature under which they are off least.

    Where no shift of `SHIFTS` does, that which comes nearest: the likelier "nothing", the less of anything else is told.

    Args:
        logits: (n, classes).
        classes: (n,) what is true.
    """
    nearest: tuple[float, Scaling] | None = None
    for nothing in SHIFTS:
        tried = [Scaling(float(temperature), float(nothing)) for temperature in TEMPERATURES]
        off, best = min(
            ((expected_calibration_error(_softmax(one.logits(logits)), classes), one) for one in tried),
            key=lambda found: found[0],
        )
        if off <= OFF_THERE:
            return best
        if nearest is None or off < nearest[0]:
            nearest = off, best
    assert nearest is not None
    return nearest[1]


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))
