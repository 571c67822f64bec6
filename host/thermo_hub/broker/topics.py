"""Topics: `thermo/v1/SITE/WEARABLE/up/WHAT` from a wearable's hub, `.../down/WHAT` to it."""

import re
from dataclasses import dataclass

ROOT = "thermo/v1"
BIRTH, STATUS, RECORDS, SPOOL, NOW, MINUTE, FINDING, ALERT, PICTURE = (
    "birth",
    "status",
    "records",
    "spool",
    "now",
    "minute",
    "finding",
    "alert",
    "picture",
)
KEPT = "kept"
_NOT_A_LEVEL = re.compile(r"[^A-Za-z0-9_.@-]")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose topics they are.

    Attributes:
        site, wearable: a level each.
    """

    site: str
    wearable: str

    def up(self, what: str, of: str = "") -> str:
        """Topic of what comes from it; `of` is a name below it."""
        return f"{ROOT}/{self.site}/{self.wearable}/up/{what}" + (f"/{level(of)}" if of else "")

    def down(self, what: str) -> str:
        """Topic of what goes to it."""
        return f"{ROOT}/{self.site}/{self.wearable}/down/{what}"


def level(text: str) -> str:
    """A text as one level: what has a meaning in topics is replaced."""
    return _NOT_A_LEVEL.sub("_", text) or "_"


def read(topic: str) -> tuple[Place, str] | None:
    """Whose a topic is and what is told there, as "birth" or "finding/lesion"; None where it comes from no wearable."""
    parts = topic.split("/", 5)
    if len(parts) < 6 or "/".join(parts[:2]) != ROOT or parts[4] != "up":
        return None
    if level(parts[2]) != parts[2] or level(parts[3]) != parts[3]:
        return None
    return Place(parts[2], parts[3]), parts[5]
