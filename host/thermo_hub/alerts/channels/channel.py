"""What a channel is, and what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from thermo_core.errors import StorageError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.wearable.profile import NOTICE


class DeliveryError(Exception):
    """A channel could not deliver; what it says goes into the log, and it is tried again."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is delivered.

    Attributes:
        delivery: id, the same at each try, by which receivers tell repeats.
        calls: whether it is to call somebody; else it only tells.
        at_ms: of the step, milliseconds since 1970 UTC.
        step: state that the step led to.
        by: who took it.
        alert: as it stands now (`keeper.facts_of`).
        label: what people call the wearable.
    """

    delivery: str
    calls: bool
    at_ms: int
    step: str
    by: str
    alert: Mapping[str, Any]
    label: str

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "delivery": self.delivery,
            "calls": self.calls,
            "at_ms": self.at_ms,
            "step": self.step,
            "by": self.by,
            "label": self.label,
            "alert": dict(self.alert),
            "notice": NOTICE,
        }

    def subject(self) -> str:
        """One line for people."""
        return f"{self.alert['severity']}: {self.label or self.alert['wearable'] or 'hub'}: {self.alert['text']}"


class Channel(Protocol):
    """A way to somebody.

    Attributes:
        name: of it.
        what: it is, in words.
        follows: whether it hears of every step, not of calls alone.
    """

    name: str
    what: str
    follows: bool

    async def send(self, message: Message) -> str:
        """Deliver a message; what the receiver said.

        Raises:
            DeliveryError: it could not.
        """


def secret_of(path: str) -> str:
    """First line of a file that holds a secret.

    Raises:
        StorageError: it cannot be read, or others may read it.
        UsageError: it is empty.
    """
    file = Path(path).expanduser()
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise storage_error("read", file, error) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text; write the secret into its first line.") from error
    if mode & 0o077:
        raise StorageError(f"{file} holds a secret and others may read it; run `chmod 600 {file}`.")
    if not lines or not lines[0].strip():
        raise UsageError(f"{file} is empty; write the secret into its first line.")
    return lines[0].strip()
