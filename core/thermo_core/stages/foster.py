"""foster: time constants and shares of a Foster network, out of what a network says of a recovery curve."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core import float32
from thermo_core.signals import Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Foster(OneInput, frozen=True, tag="foster"):
    """The number of parts that scores best, then the time constants and shares that the network gives for that number.

    A network has places for one part, for two, ... up to the largest number: p = 1 + 2 + ... of them. It says the scaled natural
    logarithm of a time constant in seconds at each place, then the scaled share at each place, then a score for each number of
    parts, then further copies of the logarithms, whose mean with the first counts.

    The result is the number of parts, the time constants in ascending order, their shares; no value beyond the number of parts.

    Attributes:
        parts: the largest number of parts.
        copies: how often the logarithms are said.
        log_centre, log_spread: ln(tau / s) = log_centre + log_spread * what is said; share = (1 + what is said) / 2.
    """

    parts: Annotated[int, Meta(ge=1, le=4)] = 3
    copies: Annotated[int, Meta(ge=1, le=16)] = 1
    log_centre: float = 0.0
    log_spread: float = 1.0

    @property
    def places(self) -> int:
        """Places of parts, of all numbers of parts."""
        return self.parts * (self.parts + 1) // 2


def _result(stage: Foster, inputs: Signals) -> Signal:
    """1 + 2 `parts` numbers; takes p (1 + `copies`) + `parts` of them, with p = `parts` (`parts` + 1) / 2."""
    (signal,) = inputs
    wanted = stage.places * (1 + stage.copies) + stage.parts
    if signal.elements != wanted:
        raise stage.fail(
            f"reads {wanted} numbers for {stage.parts} parts in {stage.copies} copies, not {signal.elements}"
        )
    return Signal(stage.gives, (1 + 2 * stage.parts,), "", signal.rate_hz, signal.clock)


def _apply(stage: Foster, inputs: Signals, values: Arrays) -> Values:
    said = values[0].reshape(len(values[0]), -1)
    places, parts = stage.places, stage.parts
    first, shares, scores, rest = np.split(said, [places, 2 * places, 2 * places + parts], axis=1)
    logs = float32.mean(
        np.stack([first, *np.split(rest, stage.copies - 1, axis=1)] if rest.size else [first], axis=1), 1
    )
    number = scores.argmax(1) + 1
    result = np.full((len(said), 1 + 2 * parts), np.nan, np.float32)
    known = ~np.isnan(said).any(1)
    result[known, 0] = number[known].astype(np.float32)
    for k in range(1, parts + 1):
        of = np.flatnonzero((number == k) & known)
        here = slice(k * (k - 1) // 2, k * (k + 1) // 2)
        order = np.argsort(logs[of, here], axis=1, kind="stable")
        ascending = np.take_along_axis(logs[of, here], order, 1)
        scaled = np.float32(stage.log_centre) + ascending * np.float32(stage.log_spread)
        result[of, 1 : 1 + k] = float32.exp(scaled)
        share = (np.take_along_axis(shares[of, here], order, 1) + np.float32(1)) * np.float32(0.5)
        result[of, 1 + parts : 1 + parts + k] = share
    return result


OP = Elementwise(
    Foster,
    _result,
    _apply,
    "float32; copies summed in their order, over their number; the first of equal scores; the float32 exponential of `float32.exp`.",
)
