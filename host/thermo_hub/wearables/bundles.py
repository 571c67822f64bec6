"""Bundles that the hub knows, by the hash that a wearable tells of the one it runs: those that are installed, and those flashed from here."""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.errors import ThermoError
from thermo_core.files import write_file
from thermo_core.graph.network import Network
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import library

LOGGER = logging.getLogger(__name__)


class Bundles:
    """Finds networks of wearables.

    Args:
        folder: where those that were flashed from here are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[bytes, Bundle] = {}
        self._read: set[Path] = set()
        self._networks: dict[bytes, Mapping[str, Network]] = {}
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> None:
        """Know an image from here on, over restarts too.

        Raises:
            StorageError: it cannot be written.
        """
        parsed = image.parse(data)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_file(self._folder / f"{parsed.sha256.hex()}.img", data)

    def networks(self, sha256: bytes) -> Mapping[str, Network] | None:
        """Networks of a bundle by the names of models, one set for all who ask; None where the bundle is not known.

        They are made for this machine and may differ from the wearable's in the last bit.
        """
        with self._lock:
            if sha256 not in self._networks:
                bundle = self._find(sha256)
                if bundle is None:
                    return None
                self._networks[sha256] = {name: Int8Network(one, "fast") for name, one in bundle.networks.items()}
            return self._networks[sha256]

    def _find(self, sha256: bytes) -> Bundle | None:
        if sha256 and sha256 not in self._known:
            for path in self._files():
                self._look_into(path)
        return self._known.get(sha256)

    def _files(self) -> list[Path]:
        try:
            installed = sorted(library.folder().glob(f"*/{library.BUNDLE_NAME}"))
        except ThermoError:
            installed = []
        return [path for path in (*installed, *sorted(self._folder.glob("*.img"))) if path not in self._read]

    def _look_into(self, path: Path) -> None:
        self._read.add(path)
        try:
            parsed = image.parse(image.without_padding(path.read_bytes()))
            if parsed.computed == parsed.sha256:
                self._known[parsed.sha256] = Bundle.from_payload(parsed.payload)
        except (OSError, ThermoError) as error:
            LOGGER.warning("%s is passed over: %s", path, error)
