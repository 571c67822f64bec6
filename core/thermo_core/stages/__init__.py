"""The operations a graph is made of: one file and one row each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Union

from thermo_core.stages import (
    average,
    bandpass,
    bins,
    canny,
    centre,
    concatenate,
    contact_correction,
    contact_gate,
    crop,
    difference,
    domain_gate,
    enmo,
    equalise,
    foster,
    gaussian,
    glcm,
    hold,
    hot_spots,
    kalman_core,
    logarithm,
    median3,
    motion_gate,
    node_check,
    normalise,
    prefer,
    projection,
    recovery,
    reference,
    resample,
    resize,
    scale,
    segment,
    select,
    slope,
    sobel,
    spectrum_peak,
    stack,
    statistics,
    window,
)
from thermo_core.stages.stage import Op, Stage

OPS: Mapping[str, Op] = {
    str(module.OP.stage.__struct_config__.tag): module.OP
    for module in (
        average,
        bandpass,
        bins,
        canny,
        centre,
        concatenate,
        contact_correction,
        contact_gate,
        crop,
        difference,
        domain_gate,
        enmo,
        equalise,
        foster,
        gaussian,
        glcm,
        hold,
        hot_spots,
        kalman_core,
        logarithm,
        median3,
        motion_gate,
        node_check,
        normalise,
        prefer,
        projection,
        recovery,
        reference,
        resample,
        resize,
        scale,
        segment,
        select,
        slope,
        sobel,
        spectrum_peak,
        stack,
        statistics,
        window,
    )
}
"""Rows by the name a profile calls them."""

if TYPE_CHECKING:
    AnyStage = Stage
else:
    AnyStage = Union[tuple(op.stage for op in OPS.values())]  # noqa: UP007 (made of a table)
"""Any stage, told apart by its "op"."""
