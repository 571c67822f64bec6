"""The operations a graph is made of: one file and one row each."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Union

from thermo_core.stages.stage import Op, Stage

_NAMES = (
    "average",
    "bandpass",
    "bins",
    "body_map",
    "canny",
    "centre",
    "concatenate",
    "contact_correction",
    "contact_gate",
    "crop",
    "difference",
    "domain",
    "domain_gate",
    "enmo",
    "equalise",
    "expectile",
    "forward_fill",
    "foster",
    "foster_fit",
    "gaussian",
    "glcm",
    "hold",
    "hot_spots",
    "integral",
    "kalman_core",
    "lacking",
    "logarithm",
    "median3",
    "metabolic_rate",
    "motion_gate",
    "node_check",
    "normalise",
    "normalise_percentiles",
    "own_baseline",
    "paired_recovery",
    "prefer",
    "projection",
    "recovery",
    "reference",
    "relative",
    "resample",
    "resize",
    "scale",
    "segment",
    "select",
    "slope",
    "sobel",
    "spectrum_peak",
    "stack",
    "statistics",
    "step_removal",
    "subtract_background",
    "trees",
    "window",
)

OPS: Mapping[str, Op] = {name: import_module(f"{__name__}.{name}").OP for name in _NAMES}
"""Rows by the name a profile calls them, which is that of their file."""

if TYPE_CHECKING:
    AnyStage = Stage
else:
    AnyStage = Union[tuple(op.stage for op in OPS.values())]  # noqa: UP007 (made of a table)
"""Any stage, told apart by its "op"."""
