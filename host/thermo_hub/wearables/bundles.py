"""Bundles that the hub knows, by the hash that a wearable tells of the one it runs: those that are installed, and those flashed from here."""

import contextlib
import hashlib
import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.errors import ImageFormatError, ThermoError
from thermo_core.files import write_file
from thermo_core.graph.network import Network
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import library

LOGGER = logging.getLogger(__name__)
SUFFIX = ".img"
_OURS = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{16})?\.img")
"""Names of files that are kept here: SHA-256 of the image, and whose it is."""


@dataclass(frozen=True, slots=True)
class Known:
    """A bundle that is known.

    Attributes:
        sha256: of its image.
        version: of it.
        bundle: what is in it.
        installed: whether it came with the hub, and was not flashed or given here.
    """

    sha256: bytes
    version: str
    bundle: Bundle
    installed: bool


class Bundles:
    """Finds networks of wearables.

    Args:
        folder: where those that were flashed or given here are kept.
        most: that are kept of one account, and of all that were flashed.
        most_bytes: of all together.
    """

    def __init__(self, folder: Path, most: int = 16, most_bytes: int = 256 << 20) -> None:
        self._folder = folder
        self._most = most
        self._most_bytes = most_bytes
        self._known: dict[bytes, Known] = {}
        self._read: set[Path] = set()
        self._networks: dict[bytes, Mapping[str, Network]] = {}
        self._lock = threading.Lock()

    def keep(self, data: bytes, by: str = "", worn: Collection[bytes] = ()) -> bytes:
        """Know an image from here on, over restarts too; its SHA-256.

        Where there are too many, those go that nobody has used for longest: first of the same account, then of all.

        Args:
            data: the image.
            by: name of the account that gave it; "" where it was flashed.
            worn: SHA-256 of bundles that wearables run, which do not go.

        Raises:
            ImageFormatError, SignatureError, BundleError: it is no signed bundle, or a damaged one.
            StorageError: it cannot be written.
        """
        known = _read(data, False)
        name = known.sha256.hex()
        whose = f".{hashlib.sha256(by.encode()).hexdigest()[:16]}" if by else ""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            write_file(self._folder / f"{name}{whose}{SUFFIX}", data)
            self._known.setdefault(known.sha256, known)
            self._bound({name, *(one.hex() for one in worn)})
        return known.sha256

    def _bound(self, stay: Collection[str]) -> None:
        """Have those go that are too many."""
        oldest_first = sorted(_stats(self._folder), key=lambda one: one[1].st_mtime_ns)
        of: dict[str, int] = Counter(_whose(path) for path, _ in oldest_first)
        total = sum(stat.st_size for _, stat in oldest_first)
        # What accounts gave goes before what was flashed, which a wearable that is away may run.
        for path, stat in sorted(oldest_first, key=lambda one: not _whose(one[0])):
            name, whose = path.name.partition(".")[0], _whose(path)
            if name not in stay and (of[whose] > self._most or total > self._most_bytes):
                path.unlink(missing_ok=True)
                of[whose] -= 1
                total -= stat.st_size
                self._read.discard(path)
                if not list(self._folder.glob(f"{name}.*")):
                    self._forget(bytes.fromhex(name))

    def _forget(self, sha256: bytes) -> None:
        known = self._known.get(sha256)
        if known is not None and not known.installed:
            del self._known[sha256]
            self._networks.pop(sha256, None)

    def all(self) -> list[Known]:
        """All that are known, by the names of their wearables."""
        with self._lock:
            self._look()
            return sorted(self._known.values(), key=lambda one: (one.bundle.profile.name, one.version, one.sha256))

    def of(self, sha256: bytes) -> Bundle | None:
        """A bundle; None where it is not known."""
        with self._lock:
            if sha256 and sha256 not in self._known:
                self._look()
            known = self._known.get(sha256)
            if known is None:
                return None
            for path in self._folder.glob(f"{sha256.hex()}.*"):
                with contextlib.suppress(OSError):
                    os.utime(path)  # it is used
            return known.bundle

    def networks(self, sha256: bytes) -> Mapping[str, Network] | None:
        """Networks of a bundle by the names of models, one set for all who ask; None where the bundle is not known.

        They are made for this machine and may differ from the wearable's in the last bit.
        """
        bundle = self.of(sha256)
        if bundle is None:
            return None
        with self._lock:
            if sha256 not in self._networks:
                self._networks[sha256] = {name: Int8Network(one, "fast") for name, one in bundle.networks.items()}
            return self._networks[sha256]

    def _look(self) -> None:
        """Read files that were not read yet."""
        for path, installed in self._files():
            self._read.add(path)
            try:
                known = _read(path.read_bytes(), installed)
            except (OSError, ThermoError) as error:
                LOGGER.warning("%s is passed over: %s", path, error)
            else:
                if installed or known.sha256 not in self._known:
                    self._known[known.sha256] = known

    def _files(self) -> list[tuple[Path, bool]]:
        try:
            installed = sorted(library.folder().glob(f"*/{library.BUNDLE_NAME}"))
        except ThermoError:
            installed = []
        both = [(path, True) for path in installed] + [
            (path, False) for path in sorted(self._folder.glob(f"*{SUFFIX}"))
        ]
        return [(path, came) for path, came in both if path not in self._read]


def _read(data: bytes, installed: bool) -> Known:
    parsed = image.parse(image.without_padding(data))
    if parsed.computed != parsed.sha256:
        raise ImageFormatError("The bundle's hash does not match its content; get it again.")
    return Known(parsed.sha256, str(parsed.version), Bundle.from_payload(parsed.payload), installed)


def _stats(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.glob(f"*{SUFFIX}"):
        if _OURS.fullmatch(path.name):
            with contextlib.suppress(OSError):
                yield path, path.stat()


def _whose(path: Path) -> str:
    """Which account gave it, as its file says; "" where it was flashed."""
    return path.name.removesuffix(SUFFIX).partition(".")[2]
