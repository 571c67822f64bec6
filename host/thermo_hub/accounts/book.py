"""The book of accounts: invitations, passwords as argon2id hashes, roles."""

import hashlib
import secrets
import time
import unicodedata
from collections.abc import Iterable
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, func, insert, select, update

from thermo_core.errors import UsageError
from thermo_core.text import clean
from thermo_hub.accounts.tables import ACCOUNT, INVITATION, PASSKEY
from thermo_hub.security.door import LOCAL_NAME, Door
from thermo_hub.security.roles import Role
from thermo_hub.security.scopes import EVERY
from thermo_hub.store.store import Store
from thermo_hub.store.tables import VISIT, WEARABLE

LONGEST_NAME = 64
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
INVITATION_NS = 7 * 24 * 3600 * 1_000_000_000
TOKEN_BYTES = 32
MOST_ACCOUNTS = 1000
LEAST_DIFFERENT = 5
"""Different characters of a password."""


class Book:
    """Accounts in a store. May be used in any thread.

    Args:
        store: where they are.
        door: whose visits end with an account's roles.
        hasher: of passwords.
    """

    def __init__(self, store: Store, door: Door, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._door = door
        self._hasher = hasher or PasswordHasher()
        # Compared with where there is no account, so that the time tells nobody which names there are.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(TOKEN_BYTES))

    def accounts(self) -> list[dict[str, Any]]:
        """All of them, by name, without what their passwords are known by."""
        assigned = self._door.scopes.assigned()
        with self._store.read() as connection:
            rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.name)).all()
            came = select(VISIT.c.name, func.count().label("visits")).where(VISIT.c.expires_ns >= time.time_ns())
            visits = {row.name: row.visits for row in connection.execute(came.group_by(VISIT.c.name))}
        return [
            {
                "name": row.name,
                "roles": row.roles.split(),
                "closed": row.closed,
                "since_ms": row.since_ns // 1_000_000,
                "changed_ms": row.changed_ns // 1_000_000,
                "wearables": assigned.get(row.name, []),
                "visits": visits.get(row.name, 0),
            }
            for row in rows
        ]

    def has(self, name: str) -> bool:
        """Whether there is an account of a name."""
        with self._store.read() as connection:
            return connection.execute(select(ACCOUNT.c.name).where(ACCOUNT.c.name == name)).first() is not None

    def wearables(self) -> list[dict[str, str]]:
        """Those that may be assigned, by id."""
        with self._store.read() as connection:
            rows = connection.execute(select(WEARABLE).order_by(WEARABLE.c.id)).all()
        return [{"id": row.id, "label": row.label, "profile": row.profile} for row in rows]

    def assign(self, name: str, wearables: Iterable[str], by: str) -> list[str]:
        """Have an account, or somebody who is invited, see these wearables and no others; the same sorted.

        Raises:
            UsageError: there is no such account, or no such wearable.
        """
        chosen = sorted(set(wearables))
        with self._store.read() as connection:
            known = {row.id for row in connection.execute(select(WEARABLE.c.id))}
            there = any(
                connection.execute(select(table.c.name).where(table.c.name == name)).first() is not None
                for table in (ACCOUNT, INVITATION)
            )
        if not there:
            raise UsageError(f"There is no account {name!r:.80}; look at the list.")
        for one in chosen:
            if one != EVERY and one not in known:
                raise UsageError(
                    f"There is no wearable {one!r:.80}; the hub knows {', '.join(sorted(known)) or 'none'}."
                )
        self._door.scopes.assign(name, chosen, by)
        return chosen

    def end_visits(self, name: str) -> None:
        """Have everybody who came in by an account sign in again."""
        self._door.send_away(name)

    def invite(self, name: str, roles: Iterable[Role]) -> str:
        """A one-time token by which somebody sets a password of their own; for an account that is there a new password and roles.

        Raises:
            UsageError: no name, no role, or too many accounts.
        """
        name, chosen = checked_name(name), _roles(roles)
        token, now = secrets.token_urlsafe(TOKEN_BYTES), time.time_ns()
        with self._store.write() as connection:
            accounts = set(connection.execute(select(ACCOUNT.c.name)).scalars())
            lapsed = set(connection.execute(select(INVITATION.c.name).where(INVITATION.c.expires_ns < now)).scalars())
            connection.execute(delete(INVITATION).where(INVITATION.c.expires_ns < now))
            connection.execute(delete(INVITATION).where(INVITATION.c.name == name))
            others = set(connection.execute(select(INVITATION.c.name)).scalars())
            if len(accounts | others | {name}) > MOST_ACCOUNTS:
                raise UsageError(
                    f"A hub has {MOST_ACCOUNTS} accounts and invitations at most; delete accounts that nobody uses first."
                )
            connection.execute(
                insert(INVITATION).values(
                    token_sha256=_hash(token), name=name, roles=chosen, expires_ns=now + INVITATION_NS
                )
            )
        for one in lapsed - accounts - others - {name}:  # who never came sees nothing
            self._door.scopes.assign(one, (), name)
        return token

    def accept(self, token: str, password: str) -> str:
        """Make the account of an invitation, or give it this password; its name.

        Raises:
            UsageError: the token is none, was used or is too old, or the password is too weak.
        """
        now = time.time_ns()
        with self._store.write() as connection:
            row = connection.execute(
                select(INVITATION).where(INVITATION.c.token_sha256 == _hash(token), INVITATION.c.expires_ns >= now)
            ).first()
            if row is None:
                raise UsageError("This invitation was used or is too old; ask an administrator for another.")
            hashed = self._hashed(password, row.name)
            connection.execute(delete(INVITATION).where(INVITATION.c.token_sha256 == row.token_sha256))
            # Whoever had the account before does not come in by what they registered then.
            connection.execute(delete(PASSKEY).where(PASSKEY.c.account == row.name))
            values = {"password": hashed, "roles": row.roles, "closed": False, "changed_ns": now}
            found = connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == row.name).values(**values))
            if not found.rowcount:
                connection.execute(insert(ACCOUNT).values(name=row.name, since_ns=now, **values))
        self._door.send_away(row.name)
        return str(row.name)

    def sign_in(self, name: str, password: str) -> frozenset[Role] | None:
        """Roles of somebody whose password it is; None where it is not, or there is no such account that is open."""
        name = unicodedata.normalize("NFKC", name)
        with self._store.read() as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
        known = row is not None and not row.closed
        hashed = row.password if row is not None and known else self._nobody
        if not self._proves(hashed, password) or row is None or not known:
            return None
        if self._hasher.check_needs_rehash(hashed):
            with self._store.write() as connection:
                renewed = self._hasher.hash(_normal(password))
                connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(password=renewed))
        return frozenset(role for role in Role if role in row.roles.split())

    def change_password(self, name: str, before: str, after: str) -> None:
        """Give an account another password; whoever came in by the old one has to sign in again.

        Raises:
            UsageError: the old one is wrong, or the new one too weak.
        """
        if self.sign_in(name, before) is None:
            raise UsageError("The password until now is another one; try again.")
        with self._store.write() as connection:
            connection.execute(
                update(ACCOUNT)
                .where(ACCOUNT.c.name == name)
                .values(password=self._hashed(after, name), changed_ns=time.time_ns())
            )
        self._door.send_away(name)

    def set_roles(self, name: str, roles: Iterable[Role], closed: bool = False) -> None:
        """Give an account other roles, or close it; its visits end.

        Raises:
            UsageError: there is none, no role is named, or no administrator would be left.
        """
        chosen = _roles(roles)
        with self._store.write() as connection:
            if connection.execute(select(ACCOUNT.c.name).where(ACCOUNT.c.name == name)).first() is None:
                raise UsageError(f"There is no account {name!r:.80}; look at the list.")
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(roles=chosen, closed=closed))
            _check_administrator(connection, name)
        self._door.send_away(name)

    def remove(self, name: str) -> None:
        """Delete an account; its visits end.

        Raises:
            UsageError: there is none, or no administrator would be left.
        """
        with self._store.write() as connection:
            if not connection.execute(delete(ACCOUNT).where(ACCOUNT.c.name == name)).rowcount:
                raise UsageError(f"There is no account {name!r:.80}; look at the list.")
            connection.execute(delete(INVITATION).where(INVITATION.c.name == name))
            connection.execute(delete(PASSKEY).where(PASSKEY.c.account == name))
            _check_administrator(connection, name)
        self._door.scopes.assign(name, (), name)
        self._door.send_away(name)

    def _proves(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def _hashed(self, password: str, name: str) -> str:
        plain = _normal(password)
        if not SHORTEST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
            raise UsageError(
                f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; some words in a row do."
            )
        if len(set(plain)) < LEAST_DIFFERENT or name.casefold() in plain.casefold():
            raise UsageError(
                "This password is guessed at once; take some words that have nothing to do with each other."
            )
        return self._hasher.hash(plain)


def checked_name(name: str) -> str:
    """A name as accounts have it.

    Raises:
        UsageError: it is none.
    """
    found = unicodedata.normalize("NFKC", name.strip())
    if not 1 <= len(found) <= LONGEST_NAME or clean(found) != found or found.casefold() == LOCAL_NAME:
        raise UsageError(
            f"A name has 1 to {LONGEST_NAME} printable characters, and is not {LOCAL_NAME!r}; choose another."
        )
    return found


def _check_administrator(connection: Connection, but: str) -> None:
    """Hold to it that accounts, where there are any, have an administrator among them."""
    rows = connection.execute(select(ACCOUNT.c.name, ACCOUNT.c.roles, ACCOUNT.c.closed)).all()
    if rows and not any(Role.ADMINISTRATOR in row.roles.split() and not row.closed for row in rows):
        raise UsageError(
            f"Without {but!r:.80} no account could administer the others; make another administrator first."
        )


def _roles(roles: Iterable[Role]) -> str:
    chosen = sorted(set(roles))
    if not chosen:
        raise UsageError(f"An account needs a role; there is {', '.join(Role)}.")
    return " ".join(chosen)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
