"""What wearers agreed to: for each purpose the last word holds, from the moment on in which it is said; where there is none, nobody agreed."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from thermo_hub.store.store import Store
from thermo_hub.store.tables import CONSENT


class Purpose(StrEnum):
    """What a wearer may agree to."""

    SHARING = "sharing"
    RESEARCH = "research"
    TRAINING = "training"


WORDS = {
    Purpose.SHARING: "giving what was measured to those who treat the wearer",
    Purpose.RESEARCH: "research under a pseudonym",
    Purpose.TRAINING: "training of models",
}
"""What each purpose is, in words."""
HOW = "the wearer or an administrator gives it on the page Sharing"
"""Who can give consent, and where."""


def consent_rows(connection: Connection, wearable: str) -> Sequence[Any]:
    """What a wearer agreed to and withdrew, oldest first."""
    return connection.execute(
        select(CONSENT).where(CONSENT.c.wearable == wearable).order_by(CONSENT.c.at_ns, CONSENT.c.id)
    ).all()


def is_given(rows: Sequence[Any], purpose: Purpose) -> bool:
    """Whether the last word on a purpose is consent."""
    last = [row.given for row in rows if row.purpose == purpose]
    return bool(last and last[-1])


def agreed_to(store: Store, purpose: Purpose) -> frozenset[str]:
    """Ids of wearables whose wearers have given consent for a purpose, and not withdrawn it; looked up anew each time."""
    with store.read() as connection:
        rows = connection.execute(
            select(CONSENT.c.wearable, CONSENT.c.given)
            .where(CONSENT.c.purpose == purpose)
            .order_by(CONSENT.c.at_ns, CONSENT.c.id)
        ).all()
    return frozenset(wearable for wearable, given in {row.wearable: row.given for row in rows}.items() if given)


def lacking(store: Store, wearable: str, purpose: Purpose) -> str:
    """Why nothing of a wearer may be had for a purpose, a sentence that names nobody; "" where they agreed."""
    with store.read() as connection:
        rows = consent_rows(connection, wearable)
    if is_given(rows, purpose):
        return ""
    why = "consent was withdrawn" if any(row.purpose == purpose for row in rows) else "nobody has given consent for it"
    return f"Nothing of this wearer may be read for {WORDS[purpose]}: {why}; {HOW}."
