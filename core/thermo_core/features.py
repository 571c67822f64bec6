"""Pictures -> features of the network: the same code in training and on the device."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.frames import COLUMNS, ROWS, Celsius
from thermo_core.profile import Preprocessing

Features = NDArray[np.float32]
FEATURE_SHAPE = (ROWS, COLUMNS, 1)


class FeatureExtractor:
    """Running mean of the last N pictures, minus its spatial median, times a scale.

    The mean lowers the noise by the square root of N; the median takes away what ambient and skin temperature add
    to every pixel alike and, unlike the mean, hardly moves with a lesion.

    Args:
        preprocessing: number of pictures, centre and scale, from the wearable's profile.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._preprocessing = preprocessing
        self._pictures: deque[Celsius] = deque(maxlen=preprocessing.average_pictures)

    @property
    def pictures(self) -> int:
        """How many pictures the mean holds at present."""
        return len(self._pictures)

    def push(self, celsius: Celsius) -> Features | None:
        """Take one picture.

        Args:
            celsius: (24, 32) float32, degC.

        Returns:
            (24, 32, 1) float32, K times the profile's scale; None until N pictures have come since the last reset.

        Raises:
            UsageError: the picture has another shape or a value that is not finite; it is not taken.
        """
        if celsius.shape != (ROWS, COLUMNS) or not np.isfinite(celsius).all():
            raise UsageError(f"A picture must be {ROWS} x {COLUMNS} finite temperatures, so pass a merged picture.")
        self._pictures.append(np.array(celsius, dtype=np.float32))
        if len(self._pictures) < self._preprocessing.average_pictures:
            return None
        # float32 throughout; the firmware keeps pictures in steps of 1/128 K, so its mean is up to 1/256 K off this one
        mean = np.zeros((ROWS, COLUMNS), dtype=np.float32)
        for picture in self._pictures:
            mean += picture
        mean /= np.float32(len(self._pictures))
        if self._preprocessing.centre == "median":
            mean -= np.float32(np.median(mean))
        mean *= np.float32(self._preprocessing.scale)
        return mean.reshape(FEATURE_SHAPE)

    def reset(self) -> None:
        """Forget all pictures, as after a gap that makes the mean meaningless."""
        self._pictures.clear()
