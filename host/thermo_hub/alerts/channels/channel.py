"""What a channel is, and what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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
