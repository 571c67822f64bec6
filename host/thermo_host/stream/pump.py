"""One source of items, many sinks: what carries a stream or a recording to whoever wants it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from thermo_core.graph.engine import Outcome
from thermo_host.link.items import Item

Interpret = Callable[[Item], Outcome | None]
"""Takes an item and says what came of a block."""


class Sink(Protocol):
    """Takes what comes."""

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """An item came.

        Args:
            item: it.
            outcome: what came of a block; None of anything else.
        """

    def idle(self) -> None:
        """Called after each item and whenever none came for a while."""


def pump(items: Iterable[Item | None], interpret: Interpret, sinks: Sequence[Sink], done: Callable[[], bool]) -> None:
    """Carry items to sinks until there are none, or enough.

    Args:
        items: as `listen`, `play` or a `Recording` give them; None where nothing came.
        interpret: called once with each item, before the sinks.
        sinks: in their order.
        done: asked before each item; True ends it.
    """
    for item in items:
        if done():
            # A marker may have been set with the key before the last.
            for sink in sinks:
                sink.idle()
            return
        if item is not None:
            outcome = interpret(item)
            for sink in sinks:
                sink.take(item, outcome)
        for sink in sinks:
            sink.idle()
