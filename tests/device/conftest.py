"""A file system that loses power, in the manner of MCUboot's and littlefs's simulators; a bundle; the firmware's acquisition."""

import ctypes
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles import breast_patch
from firmware_camera import CAMERA_MODULES
from firmware_library import build
from msgspec.structs import replace as changed
from slot_images import CAPACITY, ONE, TRUSTED, install

from thermo_core.bundle import Bundle
from thermo_core.errors import StorageError
from thermo_core.stages.average import Average
from thermo_core.stages.centre import Centre
from thermo_core.stages.scale import Scale
from thermo_device.slots import Slots


class PowerCut(Exception):
    """The power went; no code of the product may catch this."""


class FragileFiles:
    """`thermo_device.files.Files` in memory: what is not synced may be lost, kept or torn by a power cut.

    Args:
        cut_at: number of the operation at which the power goes, from 1; 0 for never.
        fail_at: number of the operation that the system refuses, as on a full disk; 0 for none.

    Attributes:
        full: every write is refused; names can be removed.
    """

    def __init__(self, cut_at: int = 0, fail_at: int = 0) -> None:
        self.cut_at = cut_at
        self.fail_at = fail_at
        self.full = False
        self.operations = 0
        self._names: dict[Path, int] = {}
        self._safe_names: dict[Path, int] = {}
        self._renames: list[dict[Path, int | None]] = []
        self._content: dict[int, bytearray] = {}
        self._safe_content: dict[int, bytes] = {}
        self._writes: dict[int, list[tuple[int, bytes]]] = {}

    def make_directory(self, path: Path) -> None:
        pass

    def read(self, path: Path) -> bytes | None:
        inode = self._names.get(path)
        return None if inode is None else bytes(self._content[inode])

    def size(self, path: Path) -> int | None:
        content = self.read(path)
        return None if content is None else len(content)

    def write(self, path: Path, offset: int, data: bytes) -> None:
        torn = self._step()
        if self.full:
            raise StorageError("Cannot write: No space left on device; make room.")
        if path not in self._names:
            inode = len(self._content)
            self._content[inode], self._safe_content[inode], self._writes[inode] = bytearray(), b"", []
            self._rename({path: inode})
        inode = self._names[path]
        done = data[: len(data) // 2] if torn else data
        self._put(self._content[inode], offset, done)
        self._writes[inode].append((offset, done))
        if torn:
            raise PowerCut

    def sync(self, path: Path) -> None:
        if self._step():
            raise PowerCut
        inode = self._existing(path)
        self._safe_content[inode] = bytes(self._content[inode])
        self._writes[inode].clear()

    def replace(self, source: Path, target: Path) -> None:
        if self._step():
            raise PowerCut
        self._rename({target: self._existing(source), source: None})

    def remove(self, path: Path) -> None:
        if self._step():
            raise PowerCut
        if path in self._names:
            self._rename({path: None})

    def sync_directory(self, path: Path) -> None:
        if self._step():
            raise PowerCut
        self._safe_names = dict(self._names)
        self._renames.clear()

    def after_power_cut(self, survival: str, seed: int = 0) -> "FragileFiles":
        """What is found when the power is back.

        Args:
            survival: of all that was not synced "nothing", "everything" or "something" is kept.
            seed: chooses what, for "something".
        """
        chance = random.Random(seed)

        def kept() -> bool:
            return survival == "everything" or (survival == "something" and chance.random() < 0.5)

        found = FragileFiles()
        names = dict(self._safe_names)
        for change in self._renames:
            if kept():
                self._apply(names, change)
        for path, inode in names.items():
            content = bytearray(self._safe_content[inode])
            for offset, data in self._writes[inode]:
                if kept():
                    self._put(content, offset, data)
            found.write(path, 0, bytes(content))
            found.sync(path)
        found.sync_directory(Path())
        found.operations = 0
        return found

    def _step(self) -> bool:
        self.operations += 1
        if self.operations == self.fail_at:
            raise StorageError("Cannot write: No space left on device; make room.")
        return self.operations == self.cut_at

    def _existing(self, path: Path) -> int:
        if path not in self._names:
            raise StorageError(f"Cannot find {path}: No such file or directory; make it.")
        return self._names[path]

    def _rename(self, change: dict[Path, int | None]) -> None:
        self._apply(self._names, change)
        self._renames.append(change)

    @staticmethod
    def _apply(names: dict[Path, int], change: dict[Path, int | None]) -> None:
        for path, inode in change.items():
            if inode is None:
                names.pop(path, None)
            else:
                names[path] = inode

    @staticmethod
    def _put(content: bytearray, offset: int, data: bytes) -> None:
        content.extend(bytes(max(0, offset + len(data) - len(content))))
        content[offset : offset + len(data)] = data


@pytest.fixture(scope="session")
def fragile_files() -> Callable[..., FragileFiles]:
    """Makes file systems that lose power."""
    return FragileFiles


@pytest.fixture(scope="session")
def power_cut() -> type[Exception]:
    """What a `FragileFiles` raises when the power goes."""
    return PowerCut


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The breast patch's network behind a mean of three pictures, with scores that vary, and no alert."""
    shipped = breast_patch()
    stages = (
        Average(of="skin", gives="calm", pictures=3),
        Centre(of="calm", gives="centred", by="median"),
        Scale(of="centred", gives="above", factor=0.3),
    )
    models = (changed(shipped.profile.models[0], read=None),)
    return changed(shipped, profile=changed(shipped.profile, stages=stages, models=models, alerts=()))


@pytest.fixture(scope="session")
def camera_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The firmware's acquisition."""
    return build(tmp_path_factory.mktemp("firmware"), "camera", CAMERA_MODULES)


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """Version 1 runs, confirmed."""
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    slots.boot()
    install(slots, ONE)
    return slots
