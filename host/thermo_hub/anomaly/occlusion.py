"""What a network's finding rests on: how much less it says so when a part of the picture is covered.

Each square of the picture in turn is replaced by the mean of what surrounds it (occlusion, Zeiler and Fergus 2014), the network says its
scores anew, and the loss of log-odds of its first label is what the square carries. A pixel carries the mean of the squares over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermo_core.graph.network import Network
from thermo_core.signals import Values
from thermo_hub.anomaly.outlines import Line, outlines, padded

SIDE = 7
"""Of a square, pixels: large enough to hide a warm spot, small enough to say where it is."""
STEP = 2
RIM = 2
"""Width of what surrounds it."""
LEAST = 4 * 4 / 256
"""Loss of log-odds below which a square carries nothing: four steps of an int8 score, where they are finest."""
PROMINENCE = 10.0
"""Of the greatest loss over the median one, below which no place stands out. How sure a network's scores are made (its temperature)
changes both alike."""
SHARE = 0.5
"""Of the greatest loss, along which the outline runs."""
CLIP = 1 / 512
"""Scores of int8 networks are no nearer to 0 or 1 than this."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What a finding rests on.

    Attributes:
        label: what the network says first.
        score: how sure it is, 0 to 1.
        loss: (rows, columns) of log-odds.
        outline: around what carries most of it; empty where no place does.
        peak: (x, y) of the pixel that carries most.
    """

    label: str
    score: float
    loss: Values
    outline: tuple[Line, ...]
    peak: tuple[float, float]

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "label": self.label,
            "score": round(self.score, 4),
            "outline": [[list(point) for point in line] for line in self.outline],
            "peak": list(self.peak),
            "loss": round(float(self.loss.max()), 3),
        }


def rests_on(network: Network, inputs: Sequence[Values], place: int, labels: Sequence[str]) -> Rest:
    """Work it out: one inference for each square.

    Args:
        network: gives a score for each label.
        inputs: of the moment, without NaN.
        place: of the picture (rows, columns) among them.
        labels: of the scores.

    Raises:
        ModelError: the runtime fails.
    """
    picture = inputs[place]
    whole = network.infer(inputs)
    first = int(np.argmax(whole))
    sure = _log_odds(float(whole[first]))
    sums, counts = np.zeros(picture.shape), np.zeros(picture.shape)
    others = list(inputs)
    for rows, columns in squares(picture.shape):
        others[place] = _covered(picture, rows, columns)
        sums[rows, columns] += sure - _log_odds(float(network.infer(others)[first]))
        counts[rows, columns] += 1
    loss = (sums / counts).astype(np.float32)
    row, column = np.unravel_index(int(np.argmax(loss)), loss.shape)
    greatest = float(loss[row, column])
    stands_out = greatest >= max(LEAST, PROMINENCE * float(np.median(np.abs(loss))))
    lines = outlines(padded(loss, 0.0), SHARE * greatest) if stands_out else ()
    moved = tuple(tuple((round(x - 1, 2), round(y - 1, 2)) for x, y in line) for line in lines)
    return Rest(labels[first], float(whole[first]), loss, moved, (float(column) + 0.5, float(row) + 0.5))


def _log_odds(score: float) -> float:
    held = min(max(score, CLIP), 1 - CLIP)
    return float(np.log(held / (1 - held)))


def squares(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Every square, cut off at the edges, so that each pixel is under as many as it can be."""
    firsts = [range(STEP - SIDE, length, STEP) for length in shape]
    return [
        (slice(max(row, 0), min(row + SIDE, shape[0])), slice(max(column, 0), min(column + SIDE, shape[1])))
        for row in firsts[0]
        for column in firsts[1]
    ]


def _covered(picture: Values, rows: slice, columns: slice) -> Values:
    """The picture with a square replaced by the mean of its rim."""
    outer = (
        slice(max(rows.start - RIM, 0), rows.stop + RIM),
        slice(max(columns.start - RIM, 0), columns.stop + RIM),
    )
    rim = np.ones(picture.shape, bool)
    rim[rows, columns] = False
    covered = picture.copy()
    covered[rows, columns] = picture[outer][rim[outer]].mean()
    return covered
