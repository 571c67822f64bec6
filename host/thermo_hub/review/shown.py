"""What a reader gets to see: a window without what would give the model away, then what they have earned."""

from typing import Any

from thermo_core.labels import Reading
from thermo_core.schema import to_readable
from thermo_hub.review import life
from thermo_hub.review.desk import Kept
from thermo_hub.security.pseudonyms import pseudonym
from thermo_hub.security.roles import Role, Visitor


def brief(kept: Kept, visitor: Visitor, key: bytes) -> dict[str, Any]:
    """A window in the queue; nothing of why it is there, which would tell what the model said."""
    row = kept.row
    return {
        "id": row.id,
        "state": kept.state,
        "may": _may(kept, visitor),
        "person": named(kept, visitor, key),
        "profile": row.profile,
        "model": row.model,
        "classes": list(kept.classes),
        "from_ms": row.from_ns / 1e6,
        "to_ms": row.to_ns / 1e6,
        "readers": len(life.readers(kept.steps)),
        **({"wearable": row.wearable} if Role.CLINICIAN in visitor.roles else {}),
    }


def told(kept: Kept, visitor: Visitor, key: bytes) -> dict[str, Any]:
    """A window with the steps that somebody may see, and whether they may see the model's finding."""
    shows_others = life.sees_others(kept.steps, visitor.name)
    steps = [one for one in kept.steps if shows_others or one.by == visitor.name]
    return {
        **brief(kept, visitor, key),
        "mine": sum(one.by == visitor.name for one in kept.steps),
        "sees_finding": life.sees_finding(kept.steps, visitor.name),
        "steps": [_step(one, visitor) for one in steps],
        "shapes": {name: list(shape) for name, shape in kept.pictures.items()},
    }


def named(kept: Kept, visitor: Visitor, key: bytes) -> str:
    """The wearer as somebody may know them: a clinician by the name in the recording, a researcher by the pseudonym."""
    person: str = kept.row.person
    return person if Role.CLINICIAN in visitor.roles else pseudonym(person, key)


def _may(kept: Kept, visitor: Visitor) -> list[str]:
    return sorted(life.may(kept.steps, visitor.name)) if Role.CLINICIAN in visitor.roles else []


def _step(step: Reading, visitor: Visitor) -> dict[str, Any]:
    plain: dict[str, Any] = to_readable(step)
    opinion = plain["opinion"]
    if Role.CLINICIAN not in visitor.roles:
        opinion["note"] = ""  # it may name the wearer
    opinion["ranges"] = [[one["from_ns"] / 1e6, one["to_ns"] / 1e6] for one in opinion["ranges"]]
    return {
        "at_ms": plain["at_ns"] / 1e6,
        "by": plain["by"],
        "kind": plain["kind"],
        "blinded": plain["blinded"],
        "opinion": opinion,
    }
