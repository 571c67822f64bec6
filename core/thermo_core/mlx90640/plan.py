"""What decoding needs of one subpage and no frame changes: indices, masks and constant terms, computed once."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.frames import COLUMNS, PIXELS, ROWS, Mask
from thermo_core.mlx90640 import registers
from thermo_core.mlx90640.calibration import Calibration

HALF = PIXELS // 2
"""Pixels of a subpage."""

CHECKED_AUXILIARY = np.array(
    [
        address - registers.RAM_START
        for address in range(registers.AUXILIARY_START, registers.AUXILIARY_START + 64)
        if address not in registers.UNUSED_AUXILIARY
    ]
)
"""Auxiliary words that must have been measured, as indices into a frame's words."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What decoding one subpage in one reading pattern needs and no frame changes.

    Attributes:
        number: subpage.
        pixels: the 384 pixels it carries, ascending indices.
        gather: the same, then the auxiliary words to check, as indices into a frame's words.
        sensitivity: (384,) float32, 1 / alpha, 0 for bad pixels.
        terms: (6, 384) float32; their product with the six coefficients of a frame is IR / alpha.
        scaled_counts: row 0 of terms, which receives counts * sensitivity.
        scatter: (24, 32) indices into 384 values and a final 0.
        measured: pixels it carries.
        valid: those that are not bad.
        cp_offset: offset of its compensation pixel, counts.
    """

    number: int
    pixels: NDArray[np.intp]
    gather: NDArray[np.intp]
    sensitivity: NDArray[np.float32]
    terms: NDArray[np.float32]
    scaled_counts: NDArray[np.float32]
    scatter: NDArray[np.intp]
    measured: Mask
    valid: Mask
    cp_offset: float

    @classmethod
    def make(cls, c: Calibration, number: int, chess: bool) -> "Plan":
        """The plan for subpage `number` in chess or interleaved pattern."""
        measured = registers.subpage_mask(number, chess)
        pixels = np.flatnonzero(measured)
        good = np.ones(PIXELS, dtype=np.bool_)
        good[list(c.bad)] = False
        alpha, offset, kta, kv = (array.ravel()[pixels] for array in (c.alpha, c.offset, c.kta, c.kv))
        sensitivity = np.where(good[pixels], 1 / np.where(good[pixels], alpha, 1.0), 0.0)
        pattern = np.zeros(HALF)
        cp_offset = c.cp_offset[number]
        if chess != c.chess_calibrated:
            row, column = np.divmod(pixels, COLUMNS)
            conversion = np.array([0, -1, 0, 1])[column % 4] * (1 - 2 * (row % 2))
            pattern = c.il_chess_c[2] * (2 * (row % 2) - 1) - c.il_chess_c[1] * conversion
            cp_offset += c.il_chess_c[0] * number
        terms = np.array(
            [np.zeros(HALF), pattern - offset, -offset * kta, -offset * kv, -offset * kta * kv, -np.ones(HALF)]
        )
        terms = np.ascontiguousarray(terms * sensitivity, dtype=np.float32)
        scatter = np.full(PIXELS, HALF)
        kept = good[pixels]
        scatter[pixels[kept]] = np.flatnonzero(kept)
        valid = measured & good.reshape(ROWS, COLUMNS)
        valid.flags.writeable = False
        return cls(
            number=number,
            pixels=pixels,
            gather=np.concatenate((pixels, CHECKED_AUXILIARY)),
            sensitivity=sensitivity.astype(np.float32),
            terms=terms,
            scaled_counts=terms[0],
            scatter=scatter.reshape(ROWS, COLUMNS),
            measured=measured,
            valid=valid,
            cp_offset=cp_offset,
        )


def image_scale(calibration: Calibration) -> np.float32:
    """The vendor's GetImage multiplies with 1e-6 / alpha, raised by a power of two until the largest reaches 32768."""
    largest = 1e-6 / calibration.alpha[calibration.alpha > 0].min()
    return np.float32(1e-6 * 2.0 ** max(0, math.ceil(math.log2(32768 / largest))))
