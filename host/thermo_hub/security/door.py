"""Coming in: a one-time token in the link that the hub prints becomes a cookie; of both only hashes are kept."""

import hashlib
import secrets
import time
from threading import Lock

from sqlalchemy import delete, insert, select

from thermo_hub.security.roles import Role, Visitor
from thermo_hub.security.scopes import Scopes
from thermo_hub.store.store import Store
from thermo_hub.store.tables import ENTRY, VISIT

ENTRY_NS = 3600 * 1_000_000_000
"""How long a link that was printed is good."""
VISIT_NS = 7 * 24 * 3600 * 1_000_000_000
MOST_VISITS = 64
"""Of one name; where there would be more, the oldest ends."""
TOKEN_BYTES = 32
LOCAL_NAME = "this computer"
"""Who comes in by the link: whoever sits at the machine, and may do everything with it."""


class Door:
    """Lets people in, and knows them again.

    Args:
        store: where they are kept.

    Attributes:
        scopes: which wearables they see.
    """

    def __init__(self, store: Store) -> None:
        self.scopes = Scopes(store)
        self._store = store
        self._known: dict[str, tuple[Visitor, int]] = {}
        self._lock = Lock()

    def token(self) -> str:
        """A new one-time token."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = time.time_ns()
        with self._store.write() as connection:
            connection.execute(delete(ENTRY).where(ENTRY.c.expires_ns < now))
            connection.execute(insert(ENTRY).values(token_sha256=_hash(token), expires_ns=now + ENTRY_NS))
        return token

    def enter(self, token: str) -> str | None:
        """The cookie that a one-time token is exchanged for; None where it is none, was used or is too old."""
        with self._store.write() as connection:
            used = connection.execute(
                delete(ENTRY).where(ENTRY.c.token_sha256 == _hash(token), ENTRY.c.expires_ns >= time.time_ns())
            )
        return self.let_in(LOCAL_NAME, frozenset(Role)) if used.rowcount else None

    def let_in(self, name: str, roles: frozenset[Role]) -> str:
        """The cookie of somebody whose name and roles were proved."""
        cookie, now = secrets.token_urlsafe(TOKEN_BYTES), time.time_ns()
        with self._lock, self._store.write() as connection:
            mine = select(VISIT.c.token_sha256).where(VISIT.c.name == name).order_by(VISIT.c.since_ns.desc())
            too_many = set(connection.execute(mine.offset(MOST_VISITS - 1)).scalars())
            gone = (VISIT.c.expires_ns < now) | VISIT.c.token_sha256.in_(too_many)
            connection.execute(delete(VISIT).where(gone))
            self._known = {key: known for key, known in self._known.items() if known[1] >= now and key not in too_many}
            connection.execute(
                insert(VISIT).values(
                    token_sha256=_hash(cookie),
                    csrf=secrets.token_urlsafe(TOKEN_BYTES),
                    name=name,
                    roles=" ".join(sorted(roles)),
                    since_ns=now,
                    expires_ns=now + VISIT_NS,
                )
            )
        return cookie

    def visitor(self, cookie: str) -> Visitor | None:
        """Who has a cookie; None where nobody does, or no longer."""
        key = _hash(cookie)
        known = self._known.get(key)
        if known is None:
            with self._lock:
                with self._store.read() as connection:
                    row = connection.execute(select(VISIT).where(VISIT.c.token_sha256 == key)).first()
                if row is None:
                    return None
                roles = frozenset(role for role in Role if role in row.roles.split())
                known = self._known[key] = Visitor(row.name, roles, row.csrf), row.expires_ns
        visitor, expires_ns = known
        if expires_ns < time.time_ns():
            self.leave(cookie)
            return None
        return visitor

    def knows(self, cookie: str) -> bool:
        """Whether somebody who was let in a moment ago still is, without a look into the store."""
        known = self._known.get(_hash(cookie))
        return known is not None and known[1] >= time.time_ns()

    def leave(self, cookie: str) -> None:
        """Forget somebody."""
        with self._lock:
            with self._store.write() as connection:
                connection.execute(delete(VISIT).where(VISIT.c.token_sha256 == _hash(cookie)))
            self._known.pop(_hash(cookie), None)

    def send_away(self, name: str) -> None:
        """Forget all visits of a name, as where its roles are not what they were."""
        # A visit that is being looked up meanwhile must not be known again after this.
        with self._lock:
            with self._store.write() as connection:
                connection.execute(delete(VISIT).where(VISIT.c.name == name))
            self._known = {key: known for key, known in self._known.items() if known[0].name != name}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
