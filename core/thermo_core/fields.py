"""Strict reading of plain maps (JSON, CBOR) into typed values, with the full name of a bad field in the error.

Every reader of untrusted structure in a bundle goes through here, so that a profile with a typo is refused with
"profile.picture_sensor.emissivity" in the sentence instead of running with a default.
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeGuard

from thermo_core.errors import BundleError

MAX_TEXT = 200


def is_plain(value: object, maximum: int = MAX_TEXT) -> TypeGuard[str]:
    """Whether it is a text of 1 to `maximum` printable characters."""
    return isinstance(value, str) and 1 <= len(value) <= maximum and value.isprintable()


class Fields:
    """One map of which every field must be asked for exactly.

    Args:
        data: what was decoded, of any type.
        where: dotted name of the map, for errors.

    Raises:
        BundleError: `data` is not a map with text keys.
    """

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
            raise BundleError(f"{where} must be a map with text keys, so correct that part and sign the bundle again.")
        self._data: Mapping[str, object] = data
        self._where = where
        self._seen: set[str] = set()

    def fail(self, name: str, problem: str) -> NoReturn:
        """Raise BundleError about field `name`; `problem` reads on from its name, as in "must be positive"."""
        raise BundleError(f"{self._where}.{name} {problem}, so correct it and sign the bundle again.")

    def value(self, name: str) -> object:
        """The field as it is."""
        self._seen.add(name)
        if name not in self._data:
            self.fail(name, "is missing")
        return self._data[name]

    def absent(self, name: str) -> bool:
        """Whether the field is missing or null; either counts as read."""
        self._seen.add(name)
        return self._data.get(name) is None

    def text(self, name: str, maximum: int = MAX_TEXT) -> str:
        """A text of 1 to `maximum` printable characters: it may reach a terminal, where control characters act."""
        value = self.value(name)
        if not is_plain(value, maximum):
            self.fail(name, f"must be a text of 1 to {maximum} printable characters")
        return value

    def document(self, name: str, maximum: int) -> str:
        """A text of 1 to `maximum` characters, of any lines."""
        value = self.value(name)
        if not isinstance(value, str) or not 1 <= len(value) <= maximum:
            self.fail(name, f"must be a text of 1 to {maximum} characters")
        return value

    def data(self, name: str, maximum: int) -> bytes:
        """A byte string of 1 to `maximum` bytes."""
        value = self.value(name)
        if not isinstance(value, bytes) or not 1 <= len(value) <= maximum:
            self.fail(name, f"must be a byte string of 1 to {maximum} bytes")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer within `low` to `high`."""
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(name, f"must be a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number within `low` to `high`; a whole number is taken too."""
        value = self.value(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            self.fail(name, f"must be a number from {low:g} to {high:g}")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            self.fail(name, "must be true or false")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of the texts in `allowed`."""
        value = self.value(name)
        if not isinstance(value, str) or value not in allowed:
            self.fail(name, f"must be one of {', '.join(allowed)}")
        return value

    def items(self, name: str, maximum: int) -> Sequence[object]:
        """A list of at most `maximum` items."""
        value = self.value(name)
        if not isinstance(value, list | tuple) or len(value) > maximum:
            self.fail(name, f"must be a list of at most {maximum} items")
        return value

    def map(self, name: str) -> "Fields":
        """A map within this one."""
        return Fields(self.value(name), f"{self._where}.{name}")

    def finish(self) -> None:
        """Refuse fields that nobody asked for.

        Raises:
            BundleError: a field is unknown.
        """
        for name in self._data:
            if name not in self._seen:
                self.fail(name[:MAX_TEXT], "is not a field this version knows")
