"""What tests of the compiler share: writers of models, the reference kernels, this machine and an emulated one."""

import shutil
from collections.abc import Callable
from typing import Any

import compiled_models
import pytest
from compiled_models import Emulated
from numpy.typing import NDArray
from random_models import RandomModels
from tflite_writer import ModelBuilder


@pytest.fixture(scope="session")
def model_builder() -> type[ModelBuilder]:
    """Class that writes .tflite files."""
    return ModelBuilder


@pytest.fixture(scope="session")
def reference() -> Callable[..., list[NDArray[Any]]]:
    """Runs a model with tflite-runtime's BUILTIN_REF kernels."""
    return compiled_models.reference


@pytest.fixture(scope="session")
def random_models() -> type[RandomModels]:
    """Class that makes random models."""
    return RandomModels


@pytest.fixture(scope="session")
def host_run() -> Callable[..., NDArray[Any]]:
    """Compiles C files with the host's compiler, as strictly as it can, and runs them on inputs (n, size)."""
    return compiled_models.host_run


@pytest.fixture(scope="session")
def emulate() -> Callable[..., list[NDArray[Any]]]:
    """Runs compiled models on an emulated Cortex-M, many in one go."""
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    return compiled_models.emulate


@pytest.fixture(scope="session")
def emulated() -> type[Emulated]:
    """Class of a model to emulate."""
    return Emulated
