"""relative: numbers in proportion to how large they may be by chance."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from thermo_core.schema import Floats
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class Relative(OneInput, frozen=True, tag="relative"):
    """x / sqrt(floor^2 + sum of (share what goes with it)^2): how far a number stands out where more noise comes with more of other things.

    A left hand that warms by 1 K more than the right one tells much at rest, and little while both warm by 5 K. Without a value of what
    goes with a number there is none.

    Attributes:
        to: the numbers that go with each of `of`, one after another: as many for each, those of the first element first.
        floor: standard deviation by chance where all of `to` are 0, in the signal's unit.
        shares: standard deviation by chance for each that one of the numbers of `to` is: of the first that goes with an element, of the
            second and so on.
    """

    to: Ref
    floor: Annotated[float, Meta(gt=0, le=1e6)]
    shares: Floats

    @property
    def inputs(self) -> tuple[str, ...]:
        """The numbers, and what goes with them."""
        return (self.of, self.to)


def _result(stage: Relative, inputs: Signals) -> Signal:
    """That of the first input, without a unit; takes a number a share for each of its elements as `to`."""
    numbers, to = inputs
    if to.elements != len(stage.shares) * numbers.elements:
        raise stage.fail(
            f'takes "{to.name}" with {to.elements} numbers, and {len(stage.shares)} for each of {numbers.elements} of "{numbers.name}" are '
            f"{len(stage.shares) * numbers.elements}"
        )
    return Signal(stage.gives, numbers.shape, "", numbers.rate_hz, numbers.clock, numbers.spacing_s)


def _apply(stage: Relative, inputs: Signals, values: Arrays) -> Values:
    x = values[0].reshape(len(values[0]), -1)
    to = values[1].reshape(*x.shape, -1)
    floor = np.float32(stage.floor)
    with np.errstate(all="ignore"):
        squares = np.full(x.shape, floor * floor, np.float32)
        for place, share in enumerate(stage.shares.array):
            part: Values = to[:, :, place] * share
            squares += part * part
        return np.asarray(x / np.sqrt(squares), np.float32).reshape(values[0].shape)


OP = Elementwise(
    Relative,
    _result,
    _apply,
    "float32; floor * floor, then the square of each product added in the order of `to`; one root and one division an element.",
)
