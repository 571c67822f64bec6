"""The long way (`Decoder.decode`) for many subpages side by side: the same float64 operations in the same order, so the same bytes."""

from dataclasses import dataclass

import numpy as np

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.equations import OPEN_AIR_K, Array, surroundings, temperatures
from thermo_core.sensors.mlx90640.frames import PIXELS, Celsius, Mask
from thermo_core.sensors.mlx90640.limits import OBJECT_CELSIUS
from thermo_core.sensors.mlx90640.quick_many import Half
from thermo_core.sensors.mlx90640.registers import INVALID_WORD, subpage_mask


@dataclass(frozen=True, slots=True)
class LongWay:
    """What stays the same between the subpages of one sensor.

    Attributes:
        constants: of the sensor.
        emissivity: a number or (24, 32).
        reflected: degC, a number or (24, 32), or None for open air.
        background: (4, 768) of `background_terms`, of interleaved and of chess pattern.
        alpha: (24, 32) sensitivities, 1 where a pixel is broken.
        good: (24, 32) which are not.
    """

    constants: Constants
    emissivity: Array
    reflected: Array | None
    background: tuple[Array, Array]
    alpha: Array
    good: Mask

    def around(self, ta: float) -> Array:
        """TaTr, K^4, at a die temperature in degC: of no dimension, or (24, 32) where emissivity or what is reflected are maps."""
        reflected = np.asarray(ta - OPEN_AIR_K) if self.reflected is None else self.reflected
        return np.asarray(surroundings(ta, reflected, self.emissivity))

    def solve(self, half: Half, number: int, chess: bool, celsius: Celsius, valid: Mask) -> Mask:
        """Write the pixels that such subpages measure.

        Args:
            half: subpages that can be read, all of that number and pattern.
            number: 0 or 1.
            chess: the pattern.
            celsius: (n, 768) float32, receives temperatures, 0 where there is none.
            valid: (n, 768) bool, receives where there is one.

        Returns:
            (n,) whether a subpage has any.
        """
        said, places = half.readings, np.flatnonzero(subpage_mask(number, chess))
        counts = half.words[:, places].view(np.int16)
        shared = np.stack((np.ones(len(counts)), said.dta, said.dv, said.dta * said.dv), axis=1)
        background = np.empty((len(counts), PIXELS))
        # BLAS adds up as `decode` has it only where it is given one vector at a time.
        for one, of_page in zip(shared, background, strict=True):
            one.dot(self.background[chess], out=of_page)
        signal = counts * said.gain[:, np.newaxis] - background[:, places] - said.compensation[:, np.newaxis]
        scale = (1 + self.constants.ks_ta * said.dta)[:, np.newaxis]
        x = signal / ((self.alpha * self.emissivity).reshape(PIXELS)[places] * scale)
        # A power of one number is not to the last bit that of an array.
        tatr = np.stack([self.around(dta + 25) for dta in said.dta.tolist()]).reshape(len(counts), -1)
        to = temperatures(x, tatr if tatr.shape[1] == 1 else tatr[:, places], self.constants)
        coldest, hottest = OBJECT_CELSIUS
        fine = self.good.reshape(PIXELS)[places] & (counts != INVALID_WORD) & (to >= coldest) & (to <= hottest)
        celsius[:, places], valid[:, places] = np.where(fine, to, 0), fine
        found: Mask = fine.any(axis=1)
        return found
