"""Words of a page that may have been damaged on the bus: the MLX90640 sends no checksum, so only jumps give them away.

A flipped bit changes one word. A word is suspicious where it jumped against the last page of the same subpage by more
than noise explains and its neighbours did not jump with it, as they do where something moves. Suspicious words are read
again. A flip that changes a pixel by less than about `limit` cannot be told from noise and is not seen.
"""

import numpy as np
from numpy.typing import NDArray

from thermo_core.robust import mad_sigma
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS, Words
from thermo_core.sensors.mlx90640.registers import (
    CP_SUBPAGE_0,
    CP_SUBPAGE_1,
    GAIN,
    PTAT,
    RAM_START,
    VBE,
    VDD,
    ControlRegister,
    subpage_mask,
)

SMALLEST_JUMP = 12
"""Counts at 18 bit, about 2 K at body temperature."""
SIGMAS = 6.0
AUXILIARY_JUMP = 48
"""Counts at 18 bit; a used auxiliary word moves by a few between two pages."""

_AUXILIARY = np.array([address - RAM_START for address in (VBE, CP_SUBPAGE_0, GAIN, PTAT, CP_SUBPAGE_1, VDD)])
_DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
_SAME_ROW = ((0, -1), (0, 1))


def limit(change: NDArray[np.int32], resolution_code: int) -> float:
    """Largest change of a pixel that passes for noise.

    Args:
        change: changes of one subpage's pixels, counts.
        resolution_code: of the control register, 0 (16 bit) to 3 (19 bit).
    """
    smallest = SMALLEST_JUMP * 2.0 ** (resolution_code - 2)
    return max(smallest, SIGMAS * float(mad_sigma(change, 0)))


def suspicious(ram: Words, before: Words, number: int, control: ControlRegister) -> NDArray[np.intp]:
    """Words that jumped alone.

    Args:
        ram: (832,) RAM words of a page.
        before: the same of the last page of this subpage.
        number: subpage.
        control: settings both were measured with.

    Returns:
        Indices into `ram`, in order; of pixels only those of the subpage, of auxiliary words only those in use.
    """
    change = ram.astype(np.int16).astype(np.int32) - before.astype(np.int16).astype(np.int32)
    mask = subpage_mask(number, control.chess)
    pixels = change[:PIXELS].reshape(ROWS, COLUMNS)
    jump = np.where(mask, np.abs(pixels - int(np.median(pixels[mask]))), 0)
    threshold = limit(pixels[mask] - int(np.median(pixels[mask])), control.resolution_code)
    found = np.empty(0, dtype=np.intp)
    if int(jump.max()) > threshold:
        around = np.zeros((ROWS + 2, COLUMNS + 2), dtype=jump.dtype)
        around[1:-1, 1:-1] = jump
        neighbours = np.zeros_like(jump)
        for row, column in _DIAGONAL if control.chess else _SAME_ROW:
            np.maximum(neighbours, around[1 + row : 1 + row + ROWS, 1 + column : 1 + column + COLUMNS], out=neighbours)
        found = np.flatnonzero((jump > threshold) & (jump > 2 * neighbours))
    allowed = AUXILIARY_JUMP * max(1.0, 2.0 ** (control.resolution_code - 2))
    return np.concatenate([found, _AUXILIARY[np.abs(change[_AUXILIARY]) > allowed]])
