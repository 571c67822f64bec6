"""Which wearables an account sees: those that an administrator assigned to it, or all of them."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, delete, insert, select

from thermo_hub.store.store import Store
from thermo_hub.store.tables import ASSIGNMENT

EVERY = "*"
"""Stands in an assignment for all wearables, those to come too."""
ASSIGNS = "administrator"
"""The role that assigns, and so is bound by no assignment."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Wearables that somebody sees.

    Attributes:
        wearables: ids; None for all.
    """

    wearables: frozenset[str] | None

    @property
    def is_all(self) -> bool:
        """Whether it is all of them."""
        return self.wearables is None

    def sees(self, wearable: str) -> bool:
        """Whether a wearable is among them."""
        return self.wearables is None or wearable in self.wearables

    def within(self, wearables: frozenset[str]) -> "Scope":
        """Those of them that are among others too."""
        return Scope(wearables if self.wearables is None else self.wearables & wearables)


ALL = Scope(None)


class Scopes:
    """Assignments in a store. May be used in any thread; what was looked up once is known from then on.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Scope] = {}
        self._lock = Lock()

    def of(self, name: str, roles: Collection[str]) -> Scope:
        """What somebody sees.

        Args:
            name: of the account.
            roles: of it.
        """
        if ASSIGNS in roles:
            return ALL
        known = self._known.get(name)
        if known is None:
            with self._lock:
                with self._store.read() as connection:
                    known = _scope(_assigned(connection, name))
                self._known[name] = known
        return known

    def assigned(self) -> dict[str, list[str]]:
        """Ids of wearables by name of account, sorted; `EVERY` for all."""
        found: dict[str, list[str]] = {}
        with self._store.read() as connection:
            for row in connection.execute(select(ASSIGNMENT).order_by(ASSIGNMENT.c.account, ASSIGNMENT.c.wearable)):
                found.setdefault(row.account, []).append(row.wearable)
        return found

    def assign(self, name: str, wearables: Iterable[str], by: str) -> None:
        """Have an account see these wearables and no others, from this moment on.

        Args:
            name: of the account.
            wearables: ids; `EVERY` among them is all.
            by: who says so.
        """
        chosen = set(wearables)
        with self._lock:
            with self._store.write() as connection:
                before = set(_assigned(connection, name))
                gone = ASSIGNMENT.c.wearable.in_(before - chosen)
                connection.execute(delete(ASSIGNMENT).where(ASSIGNMENT.c.account == name, gone))
                for wearable in sorted(chosen - before):
                    values = {"account": name, "wearable": wearable, "by": by, "at_ns": time.time_ns()}
                    connection.execute(insert(ASSIGNMENT).values(**values))
            self._known[name] = _scope(chosen)


def _assigned(connection: Connection, name: str) -> list[str]:
    return [row.wearable for row in connection.execute(select(ASSIGNMENT).where(ASSIGNMENT.c.account == name))]


def _scope(wearables: Collection[str]) -> Scope:
    return ALL if EVERY in wearables else Scope(frozenset(wearables))
