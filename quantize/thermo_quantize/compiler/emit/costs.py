"""What estimates of instructions count: taps inside of an image, pixels at its edge, and the like.

Coefficients in the kernels' `instructions` come from least squares on some 1,200 single layers of random shapes, compiled by GCC
12.2 at -O3 and counted by QEMU; `bench/mcu_layers.py` counts those of a model beside their estimates.
"""

from thermo_quantize.compiler.ir import Requant, Window

UNROLLED = 16
"""Turns of a nest of loops that GCC writes out."""


def _along(outputs: int, stride: int, pad: int, taps: int, gap: int, size: int) -> list[int]:
    """Taps inside of the image of each output along one axis."""
    return [sum(0 <= y * stride - pad + n * gap < size for n in range(taps)) for y in range(outputs)]


def taps_inside(window: Window) -> int:
    """Taps of all pixels that lie inside of the image."""
    rows, columns = _axes(window)
    return sum(rows) * sum(columns)


def pixels_inside(window: Window) -> int:
    """Pixels all of whose taps lie inside of the image."""
    rows, columns = _axes(window)
    return rows.count(window.kernel_h) * columns.count(window.kernel_w)


def rows_inside(window: Window) -> int:
    """Rows of taps inside of the image, of all pixels."""
    return sum(_axes(window)[0]) * window.out_w


def _axes(window: Window) -> tuple[list[int], list[int]]:
    w = window
    return (
        _along(w.out_h, w.stride_h, w.pad_h, w.kernel_h, w.dilation_h, w.in_h),
        _along(w.out_w, w.stride_w, w.pad_w, w.kernel_w, w.dilation_w, w.in_w),
    )


def is_uniform(requant: Requant) -> bool:
    """All channels are scaled alike."""
    return len(set(zip(requant.multipliers, requant.exponents, strict=True))) == 1
