"""Rule sets on disk: one TOML file a version, none of which is ever changed; the highest holds.

A person may also put the next version there with an editor. What cannot be used is refused as a whole, and the one before holds.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from thermo_core import schema
from thermo_core.errors import SchemaError, StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.files import make_folder, read_text, write_file
from thermo_core.text import clean
from thermo_hub.alerts.rules import Personal, RuleSet, check, defaults
from thermo_hub.alerts.toml_text import to_toml
from thermo_hub.security.scopes import ALL, Scope

MAX_FILE = 1 << 20
MOST_VERSIONS = 1000
"""That are kept, the newest."""
_NAME = re.compile(r"^(\d{6})\.toml$")
NOTICE = "# Rules of alerts. Informs only. Not a medical device.\n"


class RuleFiles:
    """The rule sets of a hub.

    Args:
        folder: where they are; made where it is not there.
        channels: that there are, by name.
    """

    def __init__(self, folder: Path, channels: Mapping[str, object]) -> None:
        self._folder = folder
        self._channels = channels
        self._lock = Lock()
        make_folder(folder)

    def versions(self) -> list[int]:
        """Those that are there, rising; 0, what holds at first, is not."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError as error:
            raise storage_error("read", self._folder, error) from error
        return sorted(int(found[1]) for name in names if (found := _NAME.match(name)) and int(found[1]))

    def newest(self) -> tuple[RuleSet, str]:
        """The set that holds, and why a higher version does not, a sentence; "" where there is none."""
        wrong = ""
        for version in reversed(self.versions()):
            try:
                return self.read(version), wrong
            except (UsageError, StorageError) as error:
                wrong = wrong or str(error)
        return defaults(), wrong

    def read(self, version: int) -> RuleSet:
        """A version.

        Raises:
            StorageError: it cannot be read.
            UsageError: there is none, or it is no rule set.
        """
        if version == 0:
            return defaults()
        path = self._path(version)
        if not path.exists():
            raise UsageError(f"There is no version {version} of the rules; there is {_listed(self.versions())}.")
        found = self.parse(read_text(path, MAX_FILE), str(path))
        if found.version != version:
            raise UsageError(f"{path} says that it is version {found.version}; name file and version alike.")
        return found

    def text(self, version: int, seen: Scope = ALL) -> str:
        """A version as TOML, without what is of wearables that are not seen."""
        return NOTICE + to_toml(schema.to_readable(_of_seen(self.read(version), seen)))

    def parse(self, text: str, where: str = "The rules") -> RuleSet:
        """A rule set of TOML.

        Raises:
            UsageError: it is none; the sentence names the field.
        """
        try:
            plain: Any = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise UsageError(f"{where} is no TOML ({clean(str(error), 200)}); correct it.") from error
        try:
            found = schema.from_plain(plain, RuleSet, "")
            check(found, self._channels)
        except SchemaError as error:
            raise UsageError(f"{where}: {error}") from None
        return found

    def add(
        self, change: Callable[[RuleSet], RuleSet], by: str, expected: int | None = None, now: datetime | None = None
    ) -> RuleSet:
        """Write a new version.

        Args:
            change: gives it of the one that holds.
            by: who makes it.
            expected: version that the change was made of; None takes whatever holds.
            now: when.

        Raises:
            UsageError: somebody else made a version meanwhile, or the change makes no rule set.
            StorageError: it cannot be written.
        """
        with self._lock:
            before, wrong = self.newest()
            if wrong:
                raise UsageError(f"{wrong} Mend or remove that file first.")
            if expected is not None and expected != before.version:
                raise UsageError(
                    f"Version {before.version} was made since version {expected}; look at it and change that one."
                )
            changed, who = change(before), clean(by, 80)
            at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
            personal = _signed(changed.personal, before.personal, who, at)
            made = msgspec.structs.replace(changed, version=before.version + 1, by=who, at=at, personal=personal)
            # What types cannot hold, as a text of control characters, would make a file that is refused later.
            text = NOTICE + to_toml(schema.to_readable(made))
            made = self.parse(text)
            write_file(self._path(made.version), text.encode())
            for version in self.versions()[:-MOST_VERSIONS]:
                self._path(version).unlink(missing_ok=True)
            return made

    def _path(self, version: int) -> Path:
        return self._folder / f"{version:06d}.toml"


def _signed(personal: Sequence[Personal], before: Sequence[Personal], by: str, at: str) -> tuple[Personal, ...]:
    """Thresholds of single wearers with who set each and when: what is as it was keeps that, whatever a text says of it."""
    known = {msgspec.structs.replace(one, by="", at=""): one for one in before}
    plain = [msgspec.structs.replace(one, by="", at="") for one in personal]
    return tuple(known.get(one) or msgspec.structs.replace(one, by=by, at=at) for one in plain)


def _listed(versions: list[int]) -> str:
    return ", ".join(map(str, [0, *versions][-8:]))


def _of_seen(rules: RuleSet, seen: Scope) -> RuleSet:
    if seen.is_all:
        return rules
    kept = []
    for rule in rules.rules:
        wearables = tuple(one for one in rule.wearables if seen.sees(one))
        if wearables or not rule.wearables:
            kept.append(msgspec.structs.replace(rule, wearables=wearables))
    personal = tuple(one for one in rules.personal if seen.sees(one.wearable))
    return msgspec.structs.replace(rules, rules=tuple(kept), personal=personal)
