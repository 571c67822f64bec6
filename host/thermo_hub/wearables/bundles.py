"""Bundles that the hub knows, by the hash that a wearable tells of the one it runs: those that are installed, and those flashed from here."""

import logging
import threading
from collections.abc import Mapping
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
        folder: where those that were flashed from here are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[bytes, Known] = {}
        self._read: set[Path] = set()
        self._networks: dict[bytes, Mapping[str, Network]] = {}
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> bytes:
        """Know an image from here on, over restarts too; its SHA-256.

        Raises:
            ImageFormatError, SignatureError, BundleError: it is no signed bundle, or a damaged one.
            StorageError: it cannot be written.
        """
        known = _read(data, False)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_file(self._folder / f"{known.sha256.hex()}.img", data)
        with self._lock:
            self._known.setdefault(known.sha256, known)
        return known.sha256

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
            return None if known is None else known.bundle

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
        both = [(path, True) for path in installed] + [(path, False) for path in sorted(self._folder.glob("*.img"))]
        return [(path, came) for path, came in both if path not in self._read]


def _read(data: bytes, installed: bool) -> Known:
    parsed = image.parse(image.without_padding(data))
    if parsed.computed != parsed.sha256:
        raise ImageFormatError("The bundle's hash does not match its content; get it again.")
    return Known(parsed.sha256, str(parsed.version), Bundle.from_payload(parsed.payload), installed)
