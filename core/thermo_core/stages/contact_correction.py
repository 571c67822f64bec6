"""contact_correction: skin temperature from a node in cloth that half feels the air."""

import numpy as np

from thermo_core.schema import Floats
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals


class ContactCorrection(OneInput, frozen=True, tag="contact_correction"):
    """Skin temperature T + k (T - T_air) / (1 - k) of nodes that read T = (1 - k) T_skin + k T_air.

    The share k of the air is the cloth's, found by calibration. Without a value of the node or of the air there is none.

    Attributes:
        air: temperature of the air beside the nodes, one number at the same moments.
        share: k of each node, or one of all; 0 to below 0.9.
    """

    air: Ref
    share: Floats

    @property
    def inputs(self) -> tuple[str, ...]:
        """The nodes and the air."""
        return (self.of, self.air)


def factors(stage: ContactCorrection) -> Values:
    """k / (1 - k) of each node, or of all."""
    share = stage.share.array.astype(np.float64)
    return np.asarray(share / (1 - share), np.float32)


def _result(stage: ContactCorrection, inputs: Signals) -> Signal:
    """That of the first input; takes one number as air, and one share or one an element."""
    nodes, air = inputs
    if air.elements != 1:
        raise stage.fail(f'takes "{air.name}" as air, which has {air.elements} numbers; select one')
    if len(stage.share) not in (1, nodes.elements):
        raise stage.fail(f"has {len(stage.share)} shares for {nodes.elements} nodes; give 1 or {nodes.elements}")
    if not ((stage.share.array >= 0) & (stage.share.array < 0.9)).all():
        raise stage.fail("has a share that is not from 0 to below 0.9; correct it")
    return Signal(stage.gives, nodes.shape, nodes.unit, nodes.rate_hz, nodes.clock, nodes.spacing_s)


def _apply(stage: ContactCorrection, inputs: Signals, values: Arrays) -> Values:
    nodes = values[0].reshape(len(values[0]), -1)
    air = values[1].reshape(len(nodes), 1)
    with np.errstate(all="ignore"):
        return np.asarray(nodes + factors(stage) * (nodes - air), np.float32).reshape(values[0].shape)


OP = Elementwise(
    ContactCorrection,
    _result,
    _apply,
    "k / (1 - k) in float64, rounded to float32; one float32 subtraction, multiplication and addition an element.",
)
