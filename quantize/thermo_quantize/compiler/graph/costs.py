"""What a graph costs a processor: an estimate of the instructions of each stage for a sample it gives.

Counted on an emulated Cortex-M4 with a floating-point unit by `bench/stages.py`, an element at a time; processors with one of their
own take about as many, those without take many times more, so there is no estimate for these.
"""

from collections.abc import Callable, Mapping
from typing import Any

from thermo_core.graph.plan import Node
from thermo_core.stages.statistics import terms
from thermo_core.wearable.profile import Model
from thermo_quantize.compiler.compile import Compiled

WITH_FLOATS = ("m4", "m7", "m33", "m55")
"""Targets that have a floating-point unit."""
_CALL = 100
_SORTED, _SEARCHED = 42.0, 23.0
_TERMS: Mapping[str, float] = {
    "mean": 6.3,
    "sd": 14.0,
    "slope": 10.0,
    "min": _SEARCHED,
    "max": _SEARCHED,
    "range": 30.0,
    "first": 0.1,
    "last": 0.1,
    "change": 10.0,
    "rise": _SEARCHED,
    "fall": _SEARCHED,
    "median": _SORTED,
    "p": _SORTED,
}
"""Instructions an element by statistic."""


def _taken(node: Node) -> int:
    return node.inputs[0].elements


def _given(node: Node) -> int:
    return node.gives.elements


def _statistics(node: Node) -> float:
    stage: Any = node.what
    rows = _taken(node) if stage.over == "all" else node.inputs[0].shape[0]
    columns = _taken(node) // rows
    return sum(columns * term.length(rows) * _TERMS[term.what] for text in stage.give for term in terms(text))


def _projection(node: Node) -> float:
    stage: Any = node.what
    return 8.0 * int(stage.rows) * _taken(node) * (2 if stage.least_noise else 1)


def _equalise(node: Node) -> float:
    stage: Any = node.what
    tiles = int(stage.tile_rows) * int(stage.tile_columns)
    if tiles == 1 and not stage.clip:
        return 13.5 * _taken(node) + 15.0 * int(stage.levels)
    return 85.0 * _taken(node) + 30.0 * int(stage.levels) * tiles


def _resize(node: Node) -> float:
    stage: Any = node.what
    if stage.by == "bilinear":
        return 72.0 * _given(node)
    return 35.0 * _given(node) + 10.0 * _taken(node)


def _segment(node: Node) -> float:
    stage: Any = node.what
    threshold = 35.0 if stage.threshold is None else 28.0
    return (threshold + 75.0 * int(stage.opening) + (34.0 if stage.largest else 0.0)) * _taken(node)


_STAGES: Mapping[str, Callable[[Node, Any], float]] = {
    "average": lambda node, stage: (30 + stage.pictures) * _taken(node),
    "bandpass": lambda node, stage: (60 + 50 * stage.order) * _taken(node),
    "bins": lambda node, stage: (13 if stage.settled else 8) * _taken(node),
    "body_map": lambda node, stage: 8 * _taken(node) * (len(stage.level) + 1),
    "canny": lambda node, stage: 80 * _taken(node),
    "centre": lambda node, stage: (48 if stage.by == "median" else 14) * _taken(node),
    "stack": lambda node, stage: 6 * _given(node),
    "concatenate": lambda node, stage: 2.5 * _given(node),
    "crop": lambda node, stage: 5 * _given(node),
    "domain_gate": lambda node, stage: 2.5 * _given(node) + 15.5 * node.inputs[1].elements,
    "difference": lambda node, stage: (10 if stage.first else 8) * _given(node),
    "contact_correction": lambda node, stage: 14 * _taken(node),
    "contact_gate": lambda node, stage: 40 * _taken(node),
    "domain": lambda node, stage: (24 + 14.5 * len(stage.spread)) * _taken(node),
    "enmo": lambda node, stage: 15 * _taken(node),
    "equalise": lambda node, stage: _equalise(node),
    "expectile": lambda node, stage: 100 + 60 * _taken(node),
    "forward_fill": lambda node, stage: 20 + 15 * _taken(node),
    "foster": lambda node, stage: 24 * _taken(node),
    "foster_fit": lambda node, stage: 27_000 * stage.samples,
    "gaussian": lambda node, stage: (19 if stage.size == 3 else 40) * _taken(node),
    "glcm": lambda node, stage: 10 * _taken(node) + len(stage.angles) * (8 * _taken(node) + 20 * stage.levels**2),
    "hold": lambda node, stage: 2.5 * _given(node),
    "integral": lambda node, stage: 60 + 40 * _taken(node),
    "kalman_core": lambda node, stage: 200,
    "hot_spots": lambda node, stage: 75 * _taken(node),
    "lacking": lambda node, stage: 9 * _taken(node),
    "logarithm": lambda node, stage: 56 * _taken(node),
    "median3": lambda node, stage: 48 * _taken(node),
    "metabolic_rate": lambda node, stage: 150,
    "motion_gate": lambda node, stage: 100 + 5 * _given(node),
    "node_check": lambda node, stage: 20 * _taken(node) ** 2,
    "normalise": lambda node, stage: 31 * _taken(node),
    "normalise_percentiles": lambda node, stage: 78 * _taken(node),
    "own_baseline": lambda node, stage: 100 + 90 * _taken(node),
    "paired_recovery": lambda node, stage: 5_200 * _taken(node),
    "prefer": lambda node, stage: 12 * _given(node),
    "projection": lambda node, stage: _projection(node),
    "recovery": lambda node, stage: 715 * _taken(node),
    "reference": lambda node, stage: 100 + (47 + (590 if stage.most_shift else 0)) * node.inputs[0].elements,
    "relative": lambda node, stage: 45 * _taken(node) + 8 * node.inputs[1].elements,
    "resample": lambda node, stage: 23 * _taken(node) * max(1.0, node.inputs[0].rate_hz / node.gives.rate_hz),
    "resize": lambda node, stage: _resize(node),
    "scale": lambda node, stage: 8 * _taken(node),
    "segment": lambda node, stage: _segment(node),
    "select": lambda node, stage: 7 * _given(node),
    "slope": lambda node, stage: 130 * _taken(node) * (stage.span_s * node.inputs[0].rate_hz + 1),
    "sobel": lambda node, stage: 24 * _taken(node),
    "spectrum_peak": lambda node, stage: (
        8.4 * sum(one.elements for one in node.inputs) * (stage.high_bpm - stage.low_bpm) / stage.step_bpm
    ),
    "statistics": lambda node, stage: _statistics(node),
    "step_removal": lambda node, stage: 200 * _taken(node),
    "subtract_background": lambda node, stage: 42 * _taken(node),
    "trees": lambda node, stage: 100 * len(stage.start) + 14 * len(stage.value),
    "window": lambda node, stage: 3 * _given(node) + 3 * _taken(node) * stage.every,
}


def instructions(node: Node, networks: Mapping[str, Compiled], target: str) -> int | None:
    """Instructions for each sample that a stage or model gives.

    Args:
        node: of a plan.
        networks: compiled for the target, by the names of models.
        target: a key of `targets.TARGETS`.

    Returns:
        None where nobody knows: a stage on a processor without floats, an operation without a row, a model without its network.
    """
    if isinstance(node.what, Model):
        compiled = networks.get(node.what.name)
        return None if compiled is None else sum(kernel.instructions for kernel in compiled.kernels)
    estimate = _STAGES.get(node.what.op)
    if estimate is None or target not in WITH_FLOATS:
        return None
    return _CALL + round(estimate(node, node.what))
