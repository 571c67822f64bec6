"""Golden MLX90640 recordings as the tests of core use them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.frames import Words


@dataclass(frozen=True)
class Golden:
    """A recording: EEPROM, the two subpages of a picture, and whatever else its file holds."""

    eeprom: Words
    frames: NDArray[np.uint16]
    more: dict[str, NDArray[np.float64]]


def _load(path: Path) -> Golden:
    with np.load(path) as data:
        arrays = {name: data[name] for name in data.files}
    return Golden(arrays.pop("eeprom"), arrays.pop("frames"), arrays)


@pytest.fixture(scope="session")
def example(golden_dir: Path) -> Golden:
    """The vendor's worked example."""
    return _load(golden_dir / "s1_melexis_example.npz")


@pytest.fixture(scope="session")
def recording(golden_dir: Path) -> Golden:
    """A real sensor, 16-bit resolution; its two rows are one RAM image."""
    return _load(golden_dir / "s2_signaloid.npz")


@pytest.fixture(scope="session")
def vectors(golden_dir: Path) -> Golden:
    """Forty cases decoded by the vendor's C library."""
    return _load(golden_dir / "vendor_vectors.npz")
