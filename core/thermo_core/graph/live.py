"""Runs a graph one moment at a time, as a wearable does.

A block of a sensor gives moments of its signals: none, one, or as many as a FIFO held. All stages and models that rest on a
moment run in the order of the plan, in one pass for each moment. What a stage with a clock of its own gives runs in passes after
those of the whole block: first what stages nearest to sensors gave, and of this the earliest first. Whole recordings have the
same order, because all samples of a block carry its number in their `order` and moments compare by that before their times.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from thermo_core.errors import ModelError
from thermo_core.graph.network import Network
from thermo_core.graph.plan import Plan
from thermo_core.graph.runners import Runner, Samples, runner
from thermo_core.signals import DEPTHS, Sample


class LiveGraph:
    """A graph at work.

    Args:
        plan: what runs.
        networks: by the names of models; a model without one gives nothing.

    Attributes:
        failures: models that their runtime could not run so far, and the newest reason.
    """

    def __init__(self, plan: Plan, networks: Mapping[str, Network]) -> None:
        self.failures = 0
        self.failure = ""
        self._runners = [runner(node, networks, self._fail) for node in plan.nodes]
        self._taken = [frozenset(signal.name for signal in node.inputs) for node in plan.nodes]
        self._waiting: list[tuple[int, int, str, Sample]] = []
        self._blocks = 0

    def reset(self) -> None:
        """Start anew, as after a change of profile or of what is known of the wearer."""
        for one in self._runners:
            one.reset()
        self._waiting.clear()

    def runner(self, node: int) -> Runner:
        """What runs a node of the plan, by its number."""
        return self._runners[node]

    def push(self, moments: Sequence[Samples]) -> Iterator[Samples]:
        """Take what one block gave.

        Args:
            moments: of rising time; each has a sample of each of the sensor's signals. Their `order` is set here.

        Returns:
            What came of it, pass by pass: samples by signal, those given among them.
        """
        order = self._blocks * DEPTHS
        self._blocks += 1
        for samples in moments:
            yield self._run({name: _ordered(sample, order) for name, sample in samples.items()})
        while self._waiting:
            first = min(item[:2] for item in self._waiting)
            now = {name: sample for depth, time_us, name, sample in self._waiting if (depth, time_us) == first}
            self._waiting = [item for item in self._waiting if item[:2] != first]
            yield self._run(now)

    def _run(self, produced: dict[str, Sample]) -> Samples:
        for one, taken in zip(self._runners, self._taken, strict=True):
            if taken.isdisjoint(produced):
                continue
            given = one.push(produced)
            gives = one.node.gives
            if isinstance(given, Sample):
                produced[gives.name] = given
            elif given:
                self._waiting += [(gives.depth, sample.time_us, gives.name, sample) for sample in given]
        return produced

    def _fail(self, error: ModelError) -> None:
        self.failures += 1
        self.failure = str(error)


def _ordered(sample: Sample, order: int) -> Sample:
    # A copy: memories may keep it for longer than who gave it leaves it alone.
    return Sample(sample.time_us, np.array(sample.values, np.float32), sample.flags, sample.fresh, order)
