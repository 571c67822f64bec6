"""Fixtures every room's tests use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of golden vectors and data that lies beside a checkout; tests that need it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("THERMO_SHARED", default))
    if not path.is_dir():
        pytest.skip(f"golden data not found at {path}; set THERMO_SHARED to the folder that holds golden/")
    return path


@pytest.fixture(scope="session")
def golden_dir(shared_dir: Path) -> Path:
    """MLX90640 golden vectors."""
    return shared_dir / "golden" / "mlx90640"
