"""Each item as a line of JSON."""

from collections.abc import Callable
from typing import Any

from thermo_core.graph.engine import Outcome
from thermo_host.link.items import Item
from thermo_host.sinks.describe import describe
from thermo_host.sinks.monitor import Monitor


class JsonLines:
    """Writes items as they come.

    Args:
        write: takes each object.
        monitor: knows what session holds; it has taken each item before this.
        whole: every number of every sample.
    """

    def __init__(self, write: Callable[[dict[str, Any]], None], monitor: Monitor, whole: bool = False) -> None:
        self._write = write
        self._monitor = monitor
        self._whole = whole

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        for told in describe(item, outcome, self._monitor.session, self._monitor.decoding.plan, self._whole):
            self._write(told)

    def idle(self) -> None:
        """Nothing waits."""
