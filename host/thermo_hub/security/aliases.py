"""What researchers know wearers, wearables and recordings by: pseudonyms, in addresses as in answers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select, union

from thermo_hub.security.pseudonyms import KEY_FILE, key_of, pseudonym
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store
from thermo_hub.store.tables import CONSENT, WEARABLE

SUFFIX = ".mcap"
"""Of recordings."""


class Aliases:
    """Makes pseudonyms of names, and finds what a pseudonym stands for. May be used in any thread but the event loop's.

    Args:
        settings: where secret and recordings are.
        store: where wearables are.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    @cached_property
    def _key(self) -> bytes:
        return key_of(self._settings.place / KEY_FILE)

    def of(self, whom: str) -> str:
        """The pseudonym of a wearer or a wearable."""
        return pseudonym(whom, self._key)

    def recording(self, name: str) -> str:
        """The name of a recording's file under which it is known without naming anybody."""
        return f"{self.of(name)}{SUFFIX}"

    def resolve(self, parameters: dict[str, Any]) -> None:
        """Have an address that names a wearable or a recording by its pseudonym name what that stands for; "" where it stands for none."""
        finders = {"wearable": self._wearable, "recording": self._recording}
        for kind in finders.keys() & parameters.keys():
            parameters[kind] = finders[kind](str(parameters[kind]))

    def scrubbed(self, text: str) -> str:
        """A text of an error with every wearable and recording in it by its pseudonym."""
        known = {one.name: self.recording(one.name) for one in self._files()}
        with self._store.read() as connection:
            for row in connection.execute(select(WEARABLE)):
                known |= {name: self.of(row.id) for name in (row.id, row.serial, row.label) if name}
        if not known:
            return text
        longest_first = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
        return re.sub(rf"(?<!\w)(?:{longest_first})(?!\w)", lambda found: known[found[0]], text)

    def _wearable(self, alias: str) -> str:
        with self._store.read() as connection:
            rows = connection.execute(union(select(WEARABLE.c.id), select(CONSENT.c.wearable)))
            return next((one for (one,) in rows if self.of(one) == alias), "")

    def _recording(self, alias: str) -> str:
        return next((one.name for one in self._files() if self.recording(one.name) == alias), "")

    def _files(self) -> Iterable[Path]:
        folder = self._settings.recordings
        return folder.glob(f"*{SUFFIX}") if folder.is_dir() else ()


@dataclass(frozen=True, slots=True)
class Names:
    """Names as a visitor may know them.

    Attributes:
        aliases: makes pseudonyms; None for who knows wearers by their names.
    """

    aliases: Aliases | None

    @property
    def hidden(self) -> bool:
        """Whether nobody is named, and so no text that people wrote of them is told either."""
        return self.aliases is not None

    def person(self, name: str) -> str:
        """A wearer."""
        return name if self.aliases is None else self.aliases.of(name)

    def wearable(self, wearable: str) -> str:
        """The id of a wearable."""
        return wearable if self.aliases is None else self.aliases.of(wearable)

    def recording(self, name: str) -> str:
        """The name of a recording."""
        return name if self.aliases is None else self.aliases.recording(name)

    def text(self, text: str) -> str:
        """What somebody wrote."""
        return text if self.aliases is None else ""
