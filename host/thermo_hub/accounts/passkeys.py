"""Passkeys of accounts (WebAuthn level 2): by one somebody comes in without a password, from the hub's own pages alone."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from thermo_core.errors import UsageError
from thermo_hub.accounts.tables import ACCOUNT, PASSKEY
from thermo_hub.security.roles import Role
from thermo_hub.store.store import Store

CHALLENGE_S = 120.0
"""How long a challenge may be answered."""
MOST_CHALLENGES = 10_000
MOST_PASSKEYS = 20
"""Of an account."""
RP_NAME = "thermo-hub"
WRONG = "This passkey does not let you in here; use another, or your password."


@dataclass(frozen=True, slots=True)
class Site:
    """The pages that somebody uses, as their browser names them.

    Attributes:
        origin: scheme, host and port.
        rp_id: host alone, to which passkeys are bound.
    """

    origin: str
    rp_id: str


class Passkeys:
    """Passkeys in a store. May be used in any thread.

    Args:
        store: where they are.
        now_s: seconds of a clock that only rises.
    """

    def __init__(self, store: Store, now_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now_s = now_s
        self._open: dict[bytes, tuple[float, str]] = {}
        self._lock = Lock()

    def of(self, name: str) -> list[dict[str, Any]]:
        """Those of an account, oldest first."""
        with self._store.read() as connection:
            rows = _rows(connection, name)
        return [
            {
                "id": row.id,
                "since_ms": row.since_ns // 1_000_000,
                "used_ms": None if row.used_ns is None else row.used_ns // 1_000_000,
            }
            for row in rows
        ]

    def counts(self) -> dict[str, int]:
        """How many each account has that has any."""
        with self._store.read() as connection:
            rows = connection.execute(select(PASSKEY.c.account, func.count().label("n")).group_by(PASSKEY.c.account))
            return {row.account: row.n for row in rows}

    def registration(self, name: str, site: Site) -> dict[str, Any]:
        """What a browser needs to make a passkey for an account.

        Raises:
            UsageError: there is no such account, or it has as many as it may have.
        """
        with self._store.read() as connection:
            if connection.execute(select(ACCOUNT.c.name).where(ACCOUNT.c.name == name)).first() is None:
                raise UsageError("Only an account has passkeys; sign in by one.")
            rows = _rows(connection, name)
        _check_room(len(rows))
        made = generate_registration_options(
            rp_id=site.rp_id,
            rp_name=RP_NAME,
            user_name=name,
            user_id=hashlib.sha256(name.encode()).digest(),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.id)) for row in rows],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        self._begin(made.challenge, name)
        return _plain(options_to_json(made))

    def register(self, name: str, credential: Mapping[str, Any], site: Site) -> None:
        """Keep the passkey that a browser has made.

        Raises:
            UsageError: it is none, answers no challenge of this account that is open, is of another site, or the account has as many as
                it may have.
        """
        challenge = self._take(credential, name)
        try:
            made = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=site.rp_id,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise UsageError("This passkey cannot be kept; try again from the hub's own page.") from error
        key = bytes_to_base64url(made.credential_id)
        with self._store.write() as connection:
            if connection.execute(select(PASSKEY.c.id).where(PASSKEY.c.id == key)).first() is not None:
                raise UsageError("This passkey is known already.")
            _check_room(len(_rows(connection, name)))
            connection.execute(
                insert(PASSKEY).values(
                    id=key,
                    account=name,
                    public_key=made.credential_public_key,
                    sign_count=made.sign_count,
                    since_ns=time.time_ns(),
                )
            )

    def request(self, site: Site) -> dict[str, Any]:
        """What a browser needs to sign somebody in by whatever passkey they have for this site."""
        made = generate_authentication_options(rp_id=site.rp_id, user_verification=UserVerificationRequirement.REQUIRED)
        self._begin(made.challenge, "")
        return _plain(options_to_json(made))

    def sign_in(self, credential: Mapping[str, Any], site: Site) -> tuple[str, frozenset[Role]]:
        """Name and roles of the account whose passkey answers.

        Raises:
            UsageError: it is of no account that is open, answers no open challenge, is of another site, or is a copy, whose counter
                stands behind.
        """
        challenge = self._take(credential, "")
        key = str(credential.get("id", ""))
        with self._store.write() as connection:
            row = connection.execute(
                select(PASSKEY, ACCOUNT.c.roles, ACCOUNT.c.closed)
                .join(ACCOUNT, ACCOUNT.c.name == PASSKEY.c.account)
                .where(PASSKEY.c.id == key)
            ).first()
            if row is None or row.closed:
                raise UsageError(WRONG)
            try:
                proved = verify_authentication_response(
                    credential=dict(credential),
                    expected_challenge=challenge,
                    expected_rp_id=site.rp_id,
                    expected_origin=site.origin,
                    credential_public_key=row.public_key,
                    credential_current_sign_count=row.sign_count,
                    require_user_verification=True,
                )
            except (WebAuthnException, ValueError, TypeError, KeyError) as error:
                raise UsageError(WRONG) from error
            used = {"sign_count": proved.new_sign_count, "used_ns": time.time_ns()}
            connection.execute(update(PASSKEY).where(PASSKEY.c.id == key).values(**used))
        return row.account, frozenset(role for role in Role if role in row.roles.split())

    def remove(self, name: str, key: str | None = None) -> None:
        """Forget a passkey of an account, or all of them."""
        mine = PASSKEY.c.account == name
        with self._store.write() as connection:
            connection.execute(delete(PASSKEY).where(mine if key is None else mine & (PASSKEY.c.id == key)))

    def _begin(self, challenge: bytes, name: str) -> None:
        now_s = self._now_s()
        with self._lock:
            if len(self._open) >= MOST_CHALLENGES:
                self._open = {one: kept for one, kept in self._open.items() if kept[0] > now_s}
            if len(self._open) >= MOST_CHALLENGES:
                raise UsageError("Too many sign in by passkeys at once; wait two minutes, and try again.")
            self._open[challenge] = now_s + CHALLENGE_S, name

    def _take(self, credential: Mapping[str, Any], name: str) -> bytes:
        """The challenge that a browser answers, which nobody can answer again."""
        try:
            said = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
            challenge = base64url_to_bytes(said["challenge"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError("This is no answer of a passkey; try again from the hub's own page.") from error
        with self._lock:
            until_s, whose = self._open.pop(challenge, (0.0, ""))
        if until_s <= self._now_s() or whose != name:
            raise UsageError("This was answered before, or too late; try again.")
        return challenge


def _check_room(count: int) -> None:
    if count >= MOST_PASSKEYS:
        raise UsageError(f"An account has {MOST_PASSKEYS} passkeys at most; remove one first.")


def _rows(connection: Connection, name: str) -> list[Any]:
    wanted = select(PASSKEY).where(PASSKEY.c.account == name).order_by(PASSKEY.c.since_ns)
    return list(connection.execute(wanted))


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
