"""What generating a stage in C takes: its place in a graph (`Site`), and how its operation is generated (`Row`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thermo_core.graph.plan import Node
from thermo_core.signals import Signal
from thermo_quantize.compiler.graph.tables import Tables
from thermo_quantize.compiler.memory import NONE, Overlap

FLOAT = 4
ORDER_SCRATCH = 768
"""Bytes of `struct order_scratch`."""
IN_PLACE = Overlap(lag=0)
"""Each element is made of those at its own place and behind it."""


@dataclass(frozen=True, slots=True)
class Site:
    """A stage in its place.

    Attributes:
        node: which.
        number: of its call.
        room: samples of its input that one block may give at most.
        spacing_pace: 1 + number of the sensor whose rate the spacing of its input's rows follows; 0: that of none.
        rate_pace: likewise of its input's rate.
    """

    node: Node
    number: int
    room: int
    spacing_pace: int = 0
    rate_pace: int = 0

    @property
    def stage(self) -> Any:
        """Its parameters."""
        return self.node.what

    @property
    def input(self) -> Signal:
        """Its first input."""
        return self.node.inputs[0]

    def name(self, word: str) -> str:
        """Name of something of its own."""
        return f"{word}_{self.number}"


def _nothing(site: Site) -> int:
    return 0


def _one(site: Site) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class Row:
    """How an operation is generated.

    Attributes:
        parameters: fields of `struct OP_parameters`; None where there is no such struct.
        state: whether there is a `struct OP_state`.
        keeps: bytes of the graph's memory that it keeps from moment to moment.
        kept_output: its output lies where it keeps.
        scratch: bytes it needs during a call.
        overlap: how the output may lie on an input that is not needed any more.
        gives: samples that one sample of its input may lead to at most.
        assumes: what must be so in C, as an expression; "" for nothing.
        paced: parameters that C works out anew for another rate of a sensor.
    """

    parameters: Callable[[Site, Tables], Mapping[str, str]] | None = None
    state: bool = False
    keeps: Callable[[Site], int] = _nothing
    kept_output: bool = False
    scratch: Callable[[Site], int] = _nothing
    overlap: Overlap = NONE
    gives: Callable[[Site], int] = _one
    assumes: str = ""
    paced: frozenset[str] = frozenset()
