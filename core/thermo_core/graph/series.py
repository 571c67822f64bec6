"""Runs a graph over whole recordings, signal by signal: the same bytes as one moment at a time, many times faster."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from thermo_core.graph.network import Network
from thermo_core.graph.plan import Node, Plan
from thermo_core.quality import Quality
from thermo_core.signals import DEPTHS, Series
from thermo_core.stages import OPS
from thermo_core.stages.learning import Learner
from thermo_core.stages.stage import Elementwise, Latched, Moments, Recursive, Remembering, window_flags
from thermo_core.wearable.profile import Model


def run(plan: Plan, sources: Mapping[str, Series], networks: Mapping[str, Network]) -> dict[str, Series]:
    """All signals of a recording.

    Args:
        plan: what runs.
        sources: signals of sensors; the `order` of each is `signals.DEPTHS` times the number of its block.
        networks: by the names of models; a model without one gives nothing.

    Returns:
        Signals by name, the sources among them.

    Raises:
        ModelError: a runtime fails.
    """
    found = dict(sources)
    for node in plan.nodes:
        inputs = [found.get(signal.name, empty(signal.shape)) for signal in node.inputs]
        found[node.gives.name] = _run(node, inputs, networks)
    return found


def empty(shape: tuple[int, ...]) -> Series:
    """No sample of a signal of that shape."""
    return Series(np.zeros(0, np.int64), np.zeros((0, *shape), np.float32))


def _run(node: Node, inputs: Sequence[Series], networks: Mapping[str, Network]) -> Series:
    if isinstance(node.what, Model):
        return _infer(node, inputs, networks.get(node.what.name))
    op = OPS[node.what.op]
    if isinstance(op, Elementwise):
        return _elementwise(node, op, inputs)
    if isinstance(op, Remembering):
        return _remembering(node, op, inputs[0])
    if isinstance(op, Recursive):
        return _recursive(node, op, inputs)
    if isinstance(op, Latched):
        return op.run(node.what, node.inputs, inputs)
    return op.start(node.what, node.inputs).run(inputs[0])


def _elementwise(node: Node, op: Elementwise, inputs: Sequence[Series]) -> Series:
    together = matched(inputs)
    values = [series.values for series in together]
    if not len(together[0]):
        return empty(node.gives.shape)
    given = op.apply(node.what, node.inputs, values)
    flags, fresh = _joined(together)
    flags &= np.uint16(op.settled(0xFFFF))
    if op.flags is not None:
        flags = flags | op.flags(node.what, node.inputs, values, given)
    return Series(together[0].times_us, given, flags, fresh, together[0].order)


def _remembering(node: Node, op: Remembering, series: Series) -> Series:
    parts = []
    for start, end in _segments(series.times_us, series.fresh, node.inputs[0].gap_us):
        part = series.pick(slice(start, end))
        places, values = op.start(node.what, node.inputs[0]).run(part.values)
        fresh = np.zeros(len(places), np.bool_)
        if len(places):
            fresh[0] = start > 0 or bool(series.fresh[0])
        flags = window_flags(part.flags, op.span(node.what))[places]
        parts.append(Series(part.times_us[places], values, flags, fresh, part.order[places]))
    return joined(parts, node.gives.shape)


def _recursive(node: Node, op: Recursive, inputs: Sequence[Series]) -> Series:
    together = matched(inputs)
    flags, fresh = _joined(together)
    first, parts = together[0], []
    learner = None if op.kept is None else op.start(node.what, node.made_for or node.inputs)
    for start, end in _segments(first.times_us, fresh, 0 if op.lasting else node.inputs[0].gap_us):
        part = slice(start, end)
        moments = Moments(first.times_us[part], [series.values[part] for series in together], flags[part])
        if node.made_for is None:
            if learner is not None:
                cast(Learner, learner).interrupt()
            values, added = (learner or op.start(node.what, node.inputs)).run(moments)
        else:
            values = np.full((end - start, *node.gives.shape), np.nan, np.float32)
            added = np.full(end - start, Quality.OUT_OF_DOMAIN, np.uint16)
        torn = np.zeros(end - start, np.bool_)
        torn[0] = start > 0 or bool(fresh[0])
        spread = window_flags(flags[part], op.span(node.what, node.made_for or node.inputs)) | added
        parts.append(Series(moments.times_us, values, spread, torn, first.order[part]))
    return joined(parts, node.gives.shape)


def _infer(node: Node, inputs: Sequence[Series], network: Network | None) -> Series:
    together = matched(inputs)
    if network is None or not len(together[0]):
        return empty(node.gives.shape)
    flags, fresh = _joined(together)
    values = np.full((len(flags), *node.gives.shape), np.nan, np.float32)
    for place in range(len(flags)):
        moment = [series.values[place] for series in together]
        if any(np.isnan(one).any() for one in moment):
            flags[place] |= np.uint16(Quality.MISSING)
        else:
            values[place] = network.infer(moment).reshape(node.gives.shape)
    return Series(together[0].times_us, values, flags, fresh, together[0].order)


def _segments(times_us: NDArray[np.int64], fresh: NDArray[np.bool_], gap_us: int) -> Iterator[tuple[int, int]]:
    """Stretches without a gap and without anything fresh in between."""
    if not len(times_us):
        return
    breaks = fresh.copy()
    if gap_us:
        breaks[1:] |= np.diff(times_us) > gap_us
    breaks[0] = False
    borders = [0, *np.flatnonzero(breaks).tolist(), len(times_us)]
    yield from itertools.pairwise(borders)


def _joined(together: Sequence[Series]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    flags, fresh = together[0].flags.copy(), together[0].fresh.copy()
    for series in together[1:]:
        flags |= series.flags
        fresh |= series.fresh
    return flags, fresh


def matched(inputs: Sequence[Series]) -> list[Series]:
    """The moments that all of them have."""
    first = inputs[0]
    if all(len(series) == len(first) and (series.order == first.order).all() for series in inputs[1:]) and all(
        (series.times_us == first.times_us).all() for series in inputs[1:]
    ):
        return list(inputs)
    common = set(_moments(first)).intersection(*(_moments(series) for series in inputs[1:]))
    return [
        series.pick(np.array([place for place, moment in enumerate(_moments(series)) if moment in common], np.int64))
        for series in inputs
    ]


def _moments(series: Series) -> list[tuple[int, int]]:
    return list(zip(series.order.tolist(), series.times_us.tolist(), strict=True))


def joined(parts: Sequence[Series], shape: tuple[int, ...]) -> Series:
    """Parts of a signal one after another."""
    if not parts:
        return empty(shape)
    return Series(
        np.concatenate([part.times_us for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.flags for part in parts]),
        np.concatenate([part.fresh for part in parts]),
        np.concatenate([part.order for part in parts]),
    )


def order_of_blocks(count: int, first: int = 0) -> NDArray[np.int64]:
    """(count,) orders of consecutive blocks."""
    return DEPTHS * np.arange(first, first + count, dtype=np.int64)
