"""What is known of the wearer, kept on the device as a whole."""

import logging
from collections.abc import Mapping
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError
from thermo_core.wearable.person import problem
from thermo_device.files import DISK, Files, read_note, write_note

log = logging.getLogger(__name__)


class PersonStore:
    """Numbers by the names of `person.FIELDS`. One process and one thread at a time uses it.

    Args:
        directory: where `person.json` lies.
        files: file system.

    Attributes:
        problem: why what was stored is not used, a sentence; "" where it is.
    """

    def __init__(self, directory: Path, files: Files = DISK) -> None:
        self._path = directory / "person.json"
        self._files = files
        self.problem = ""
        self._known = self._load()

    def read(self) -> dict[str, float]:
        """What is known."""
        return dict(self._known)

    def write(self, told: Mapping[str, float]) -> dict[str, float]:
        """Know these numbers too, in place of those of before; all that is known then.

        Args:
            told: by name, each one that can be.

        Raises:
            StorageError: the system refused, as on a full disk; what was known stays.
        """
        known = {**self._known, **told}
        if known != self._known:
            write_note(self._files, self._path, {"person": known})
            self._known = known
        return dict(known)

    def _load(self) -> dict[str, float]:
        try:
            note = read_note(self._files, self._path)
        except (DamagedFileError, StorageError) as error:
            return self._none(str(error))
        if note is None:
            return {}
        stored = note.get("person")
        if not isinstance(stored, dict) or not all(_is_sound(name, value) for name, value in stored.items()):
            return self._none(f"{self._path} is not of this version.")
        return {name: float(value) for name, value in stored.items()}

    def _none(self, why: str) -> dict[str, float]:
        self.problem = f"What was known of the wearer is lost; tell it again. {why}"
        log.warning("%s", self.problem)
        return {}


def _is_sound(name: str, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not problem(name, value)
