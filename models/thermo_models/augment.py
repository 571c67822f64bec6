"""What thermal sensors and scenes do to a picture, done at random to training batches."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError

KNOTS = 4
"""Values along each side of a picture between which an uneven gain varies."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much of each change; zero leaves it out. Amounts are in the unit of the features (K).

    Attributes:
        offset_k: standard deviation of one offset a sample, as ambient drift gives.
        gain: standard deviation of one gain a sample about 1, as emissivity and responsivity give.
        uneven: standard deviation of the logarithm of a gain that varies smoothly over the picture, as clothes and build do.
        noise_k: standard deviation of each pixel's noise (NETD).
        subpage_k: standard deviation of the offset between the two chess subpages of an MLX90640.
        dead_pixels: mean number of pixels a sample that take the value of a neighbour.
        occlusion: chance of a rectangle, at most half of each side, at the picture's mean.
        zoom: largest logarithm of a factor by which a picture is larger or smaller about its middle, as people and heights are; its border
            is repeated.
        shift: most pixels a picture moves in each direction; its border is repeated.
        flip_rows: upside down; only where anatomy or mounting allows it.
        flip_columns: left to right; likewise.
        turn: by quarters; square pictures of a sensor that looks straight down alone.
    """

    offset_k: float = 0.0
    gain: float = 0.0
    uneven: float = 0.0
    noise_k: float = 0.0
    subpage_k: float = 0.0
    dead_pixels: float = 0.0
    occlusion: float = 0.0
    zoom: float = 0.0
    shift: int = 0
    flip_rows: bool = False
    flip_columns: bool = False
    turn: bool = False

    def __post_init__(self) -> None:
        amounts = (
            self.offset_k, self.gain, self.uneven, self.noise_k, self.subpage_k, self.dead_pixels, self.occlusion, self.zoom,
            self.shift,
        )  # fmt: skip
        if not all(0 <= amount < np.inf for amount in amounts):
            raise UsageError("An augmentation has a negative or infinite amount, so give each as zero or more.")

    def apply(self, batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """A changed copy.

        Args:
            batch: (n, rows, columns, channels); channels of one sample (pictures of a clip) move, flip and die together.
            rng: source of all chance.

        Raises:
            UsageError: `turn` is on and the pictures are not square.
        """
        batch = self._placed(self._sized(batch, rng) if self.zoom else batch, rng)
        count, rows, columns, _ = batch.shape
        each = (count, 1, 1, 1)
        if self.gain:
            batch *= rng.normal(1.0, self.gain, each).astype(np.float32)
        if self.uneven:
            batch *= np.exp(self._smooth(count, rows, columns, rng))
        if self.offset_k:
            batch += rng.normal(0.0, self.offset_k, each).astype(np.float32)
        if self.subpage_k:
            chess = (np.indices((rows, columns)).sum(0) % 2 - 0.5)[np.newaxis, :, :, np.newaxis]
            batch += (rng.normal(0.0, self.subpage_k, each) * chess).astype(np.float32)
        if self.noise_k:
            batch += self.noise_k * rng.standard_normal(batch.shape, np.float32)
        for sample, dead in enumerate(rng.poisson(self.dead_pixels, count)):
            row, column = rng.integers(rows, size=dead), rng.integers(columns, size=dead)
            batch[sample, row, column] = batch[sample, row, (column + 1) % columns]
        for sample in np.flatnonzero(rng.random(count) < self.occlusion):
            height, width = rng.integers(1, rows // 2 + 1), rng.integers(1, columns // 2 + 1)
            top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
            batch[sample, top : top + height, left : left + width] = batch[sample].mean((0, 1))
        return batch

    def _smooth(self, count: int, rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """(count, rows, columns, 1), linear between `KNOTS` x `KNOTS` independent values."""
        knots = rng.normal(0.0, self.uneven, (count, KNOTS, KNOTS)).astype(np.float32)
        down, across = _hats(rows), _hats(columns)
        smooth: NDArray[np.float32] = (down @ knots @ across.T)[..., np.newaxis]
        return smooth

    def _sized(self, batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Each sample by a factor of its own, linear between pixels."""
        count, rows, columns, channels = batch.shape
        apart = np.exp(rng.uniform(-self.zoom, self.zoom, (count, 1)))
        down = _between(apart, rows) @ batch.reshape(count, rows, columns * channels)
        across = _between(apart, columns)[:, np.newaxis] @ down.reshape(batch.shape)
        sized: NDArray[np.float32] = across
        return sized

    def _placed(self, batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        count, rows, columns, _ = batch.shape
        if self.turn and rows != columns:
            raise UsageError(f"Pictures of {rows} x {columns} cannot turn by a quarter, so leave `turn` off.")
        shift = self.shift
        padded = np.pad(batch, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
        placed = np.empty_like(batch, dtype=np.float32)
        for sample in range(count):
            top, left = rng.integers(2 * shift + 1, size=2)
            picture = padded[sample, top : top + rows, left : left + columns]
            if self.turn:
                picture = np.rot90(picture, rng.integers(4))
            if self.flip_rows and rng.random() < 0.5:
                picture = picture[::-1]
            if self.flip_columns and rng.random() < 0.5:
                picture = picture[:, ::-1]
            placed[sample] = picture
        return placed


def _between(apart: NDArray[np.float64], pixels: int) -> NDArray[np.float32]:
    """(n, pixels, pixels) weights that take pixels (n, 1) times as far apart, about their middle, from those there are."""
    place = np.clip((np.arange(pixels) - (pixels - 1) / 2) * apart + (pixels - 1) / 2, 0, pixels - 1)
    weights: NDArray[np.float32] = np.maximum(0, 1 - np.abs(place[:, :, np.newaxis] - np.arange(pixels))).astype(
        np.float32
    )
    return weights


def _hats(pixels: int) -> NDArray[np.float32]:
    """(pixels, KNOTS) weights of linear interpolation, the outermost knots on the outermost pixels."""
    place = np.linspace(0, KNOTS - 1, pixels)[:, np.newaxis]
    return np.maximum(0, 1 - np.abs(place - np.arange(KNOTS))).astype(np.float32)
