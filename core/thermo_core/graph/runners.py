"""The nodes of a graph at work, one moment at a time: what each kind of operation, and a model, makes of what a pass produced."""

from collections.abc import Callable, Mapping
from typing import Protocol, cast

import numpy as np

from thermo_core.errors import ModelError
from thermo_core.graph.network import Network
from thermo_core.graph.plan import Node
from thermo_core.quality import Quality
from thermo_core.signals import Sample
from thermo_core.stages import OPS
from thermo_core.stages.learning import Learner
from thermo_core.stages.stage import (
    Elementwise,
    FlagSpan,
    Gridding,
    Latched,
    Moments,
    Recursion,
    Recursive,
    Remembering,
)
from thermo_core.wearable.profile import Model

Samples = Mapping[str, Sample]


class Runner(Protocol):
    """A node at work.

    Attributes:
        node: which.
    """

    node: Node

    def push(self, produced: Samples) -> Sample | list[Sample] | None:
        """Take what a pass has produced so far.

        Returns:
            What it gives at this moment; a list of what it gives at moments of its own; None where it gives nothing.
        """

    def reset(self) -> None:
        """Start anew."""


def runner(node: Node, networks: Mapping[str, Network], on_failure: Callable[[ModelError], None]) -> Runner:
    """A node, ready to run.

    Args:
        node: a stage or a model.
        networks: by the names of models.
        on_failure: told what a runtime could not do.
    """
    if isinstance(node.what, Model):
        return _Inference(node, networks.get(node.what.name), on_failure)
    op = OPS[node.what.op]
    if isinstance(op, Elementwise):
        return _Elementwise(node, op)
    if isinstance(op, Remembering):
        return _Remembering(node, op)
    if isinstance(op, Recursive):
        return RecursiveRunner(node, op)
    if isinstance(op, Latched):
        return _Latched(node, op)
    return _Regridded(node, op.start(node.what, node.inputs))


def _gather(node: Node, produced: Samples) -> list[Sample] | None:
    """Samples of all inputs, or None where the pass has not produced each of them."""
    found = [produced[signal.name] for signal in node.inputs if signal.name in produced]
    return found if len(found) == len(node.inputs) else None


def _joined(samples: list[Sample]) -> int:
    """Flags of all."""
    flags = 0
    for sample in samples:
        flags |= sample.flags
    return flags


class _Elementwise:
    def __init__(self, node: Node, op: Elementwise) -> None:
        self.node, self._op = node, op

    def push(self, produced: Samples) -> Sample | None:
        samples = _gather(self.node, produced)
        if samples is None:
            return None
        values = [sample.values[np.newaxis] for sample in samples]
        given = self._op.apply(self.node.what, self.node.inputs, values)
        flags = self._op.settled(_joined(samples))
        if self._op.flags is not None:
            flags |= int(self._op.flags(self.node.what, self.node.inputs, values, given)[0])
        first = samples[0]
        return Sample(first.time_us, given[0], flags, any(sample.fresh for sample in samples), first.order)

    def reset(self) -> None:
        pass


class _Remembering:
    def __init__(self, node: Node, op: Remembering) -> None:
        self.node, self._op = node, op
        self._flags = FlagSpan(op.span(node.what))
        self._gap_us = node.inputs[0].gap_us
        self._newest_us: int | None = None
        self._torn = False
        self._memory = op.start(node.what, node.inputs[0])

    def push(self, produced: Samples) -> Sample | None:
        sample = produced.get(self.node.inputs[0].name)
        if sample is None:
            return None
        if sample.fresh or self._gap(sample.time_us):
            self.reset()
            self._torn = True
        self._newest_us = sample.time_us
        flags = self._flags.push(sample.flags)
        given = self._memory.push(sample.values)
        if given is None:
            return None
        torn, self._torn = self._torn, False
        return Sample(sample.time_us, given, flags, torn, sample.order)

    def reset(self) -> None:
        self._memory = self._op.start(self.node.what, self.node.inputs[0])
        self._flags.reset()
        self._newest_us, self._torn = None, False

    def _gap(self, time_us: int) -> bool:
        return bool(self._gap_us) and self._newest_us is not None and time_us - self._newest_us > self._gap_us


class RecursiveRunner:
    """A `Recursive` stage at work."""

    def __init__(self, node: Node, op: Recursive) -> None:
        self.node, self._op = node, op
        self._made_for = node.made_for or node.inputs
        self._nothing = None if node.made_for is None else np.full(node.gives.shape, np.nan, np.float32)
        self._flags = FlagSpan(op.span(node.what, self._made_for))
        self._gap_us = 0 if op.lasting else node.inputs[0].gap_us
        self._newest_us: int | None = None
        self._state: Recursion
        self.forget()

    @property
    def learner(self) -> Learner | None:
        """Its state, where it learns."""
        return None if self._op.kept is None else cast(Learner, self._state)

    def forget(self) -> None:
        """Know nothing."""
        self._state = self._op.start(self.node.what, self._made_for)

    def push(self, produced: Samples) -> Sample | None:
        """As `Runner`."""
        samples = _gather(self.node, produced)
        if samples is None:
            return None
        time_us = samples[0].time_us
        torn = any(sample.fresh for sample in samples) or self._gap(time_us)
        if torn:
            self.reset()
        self._newest_us = time_us
        flags = _joined(samples)
        if self._nothing is not None:
            barred = self._flags.push(flags) | Quality.OUT_OF_DOMAIN
            return Sample(time_us, self._nothing, barred, torn, samples[0].order)
        moment = Moments(
            np.array([time_us], np.int64),
            [sample.values[np.newaxis] for sample in samples],
            np.array([flags], np.uint16),
        )
        given, added = self._state.run(moment)
        return Sample(time_us, given[0], self._flags.push(flags) | int(added[0]), torn, samples[0].order)

    def reset(self) -> None:
        """As `Runner`; what was learned stays."""
        if self.learner is not None:
            self.learner.interrupt()
        else:
            self.forget()
        self._flags.reset()
        self._newest_us = None

    def _gap(self, time_us: int) -> bool:
        return bool(self._gap_us) and self._newest_us is not None and time_us - self._newest_us > self._gap_us


class _Latched:
    def __init__(self, node: Node, op: Latched) -> None:
        self.node = node
        self._joining = op.start(node.what, node.inputs)

    def push(self, produced: Samples) -> Sample | None:
        return self._joining.push(produced)

    def reset(self) -> None:
        self._joining.reset()


class _Regridded:
    def __init__(self, node: Node, gridding: Gridding) -> None:
        self.node, self._gridding = node, gridding

    def push(self, produced: Samples) -> list[Sample] | None:
        sample = produced.get(self.node.inputs[0].name)
        return None if sample is None else self._gridding.push(sample)

    def reset(self) -> None:
        self._gridding.reset()


class _Inference:
    """A model: without a value at each input it gives none, and says so."""

    def __init__(self, node: Node, network: Network | None, on_failure: Callable[[ModelError], None]) -> None:
        self.node, self._network, self._on_failure = node, network, on_failure
        self._nothing = np.full(node.gives.shape, np.nan, np.float32)

    def push(self, produced: Samples) -> Sample | None:
        samples = _gather(self.node, produced)
        if samples is None or self._network is None:
            return None
        values, flags = self._nothing, _joined(samples)
        if any(np.isnan(sample.values).any() for sample in samples):
            flags |= Quality.MISSING
        else:
            try:
                values = self._network.infer([sample.values for sample in samples]).reshape(self.node.gives.shape)
            except ModelError as error:
                self._on_failure(error)
                return None
        first = samples[0]
        return Sample(first.time_us, values, flags, any(sample.fresh for sample in samples), first.order)

    def reset(self) -> None:
        pass
