"""Sends what is known of wearers who agreed to a FHIR server: each whole hour once, tried until it is taken, each try in a log.

Every transaction is such that sending it again makes nothing twice, so one that was sent when the process ended, or whose answer was lost, is sent again.
"""

import asyncio
import json
import logging
import secrets
import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy import Connection, func, insert, select, update

from thermo_core.errors import StorageError, ThermoError, UsageError
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_hub.fhir.agreed import Refusal, check_given
from thermo_hub.fhir.bundle import bundle, transaction
from thermo_hub.fhir.known import HOUR_NS, row_of
from thermo_hub.fhir.tables import SENDING, TRY
from thermo_hub.fhir.tokens import TokenError, Tokens
from thermo_hub.fhir_settings import FhirSettings
from thermo_hub.pauses import PAUSES_S
from thermo_hub.security.consents import Purpose, consent_rows, is_given
from thermo_hub.store.store import Store
from thermo_hub.store.tables import CONSENT

LOGGER = logging.getLogger(__name__)
SETTLE_NS = 2 * 60 * 1_000_000_000
"""After its end, in which minutes of an hour may still come."""
LONGEST_NS = 24 * HOUR_NS
"""That one transaction is of."""
TIMEOUT_S = 30.0
ANSWER_LIMIT = 16 << 20
WAITING, SENT, FAILED, CANCELLED = "waiting", "sent", "failed", "cancelled"
MOST = 500


class SendError(Exception):
    """The server did not take it; what it says goes into the log, and it is tried again."""


class Sender:
    """Sends to one server.

    Args:
        store: of the hub.
        settings: of the server.
        key: secret of the hub, by which pseudonyms are made.

    Raises:
        StorageError, UsageError: secrets or certificates cannot be used.
    """

    def __init__(self, store: Store, settings: FhirSettings, key: bytes) -> None:
        self._store, self._settings, self._key = store, settings, key
        self._tokens = Tokens(settings)
        self._verify: ssl.SSLContext | bool = True
        if settings.ca_file:
            try:
                self._verify = ssl.create_default_context(cafile=settings.ca_file)
            except OSError as error:
                raise UsageError(
                    f"{settings.ca_file} holds no certificates in PEM; name another ca_file in [fhir]."
                ) from error

    async def run(self) -> None:
        """Send for ever."""
        async with self.client() as client:
            while True:
                try:
                    await self.work(client, time.time_ns())
                except StorageError as error:
                    LOGGER.error("%s", error)
                except Exception:
                    LOGGER.exception("Nothing can be sent to the FHIR server.")
                await asyncio.sleep(self._settings.every_s)

    def client(self) -> httpx.AsyncClient:
        """What the server is spoken to with."""
        agent = {"user-agent": f"thermo-hub/{software_version()}"}
        return httpx.AsyncClient(timeout=TIMEOUT_S, verify=self._verify, headers=agent, follow_redirects=False)

    async def work(self, client: httpx.AsyncClient, now_ns: int) -> None:
        """Plan what is over, and try what is due."""
        await asyncio.to_thread(self.plan, now_ns)
        for sending in await asyncio.to_thread(self.due, now_ns):
            await self.send(client, sending, now_ns)

    def plan(self, now_ns: int) -> None:
        """Have every whole hour sent of those who agree, from the first that began after they did."""
        until_ns = (now_ns - SETTLE_NS) // HOUR_NS * HOUR_NS
        with self._store.write() as connection:
            wearables = connection.execute(select(CONSENT.c.wearable).distinct()).scalars().all()
            for wearable in wearables:
                mine = [row for row in consent_rows(connection, wearable) if row.purpose == Purpose.SHARING]
                if is_given(mine, Purpose.SHARING):
                    last = connection.execute(
                        select(func.max(SENDING.c.to_ns)).where(SENDING.c.wearable == wearable)
                    ).scalar()
                    # What was measured while there was no consent is not sent later.
                    begin_ns = max(last or 0, -(-mine[-1].at_ns // HOUR_NS) * HOUR_NS)
                    while begin_ns < until_ns:
                        end_ns = min(until_ns, begin_ns + LONGEST_NS)
                        _add(connection, wearable, begin_ns, end_ns, now_ns)
                        begin_ns = end_ns

    def due(self, now_ns: int) -> list[str]:
        """Sendings that are due, oldest first."""
        with self._store.read() as connection:
            return list(
                connection.execute(
                    select(SENDING.c.id)
                    .where(SENDING.c.state == WAITING, SENDING.c.due_ns <= now_ns)
                    .order_by(SENDING.c.from_ns, SENDING.c.id)
                    .limit(64)
                ).scalars()
            )

    async def send(self, client: httpx.AsyncClient, sending: str, now_ns: int) -> None:
        """Try one; nothing goes out of which the wearer does not agree any more."""
        try:
            body = await asyncio.to_thread(self._body, sending)
        except Refusal as refusal:
            await asyncio.to_thread(self._log, sending, CANCELLED, str(refusal), now_ns)
            return
        except ThermoError as error:
            await asyncio.to_thread(self._log, sending, WAITING, str(error), now_ns)
            return
        try:
            detail, state = await self._post(client, body), SENT
        except (SendError, TokenError) as error:
            detail, state = str(error), WAITING
        await asyncio.to_thread(self._log, sending, state, detail, now_ns)

    def _body(self, sending: str) -> bytes:
        with self._store.read() as connection:
            row = connection.execute(select(SENDING).where(SENDING.c.id == sending)).one()
        check_given(self._store, row.wearable, Purpose.SHARING)
        made = transaction(bundle(self._store, row.wearable, row.from_ns, row.to_ns, self._key))
        return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> str:
        headers = {
            "content-type": "application/fhir+json",
            "accept": "application/fhir+json",
            "prefer": "return=minimal",
        }
        token = await self._tokens.token(client)
        if token:
            headers["authorization"] = f"Bearer {token}"
        try:
            async with client.stream("POST", self._settings.server or "", content=body, headers=headers) as answer:
                data = bytearray()
                async for piece in answer.aiter_bytes():
                    data += piece
                    if len(data) > ANSWER_LIMIT:
                        raise SendError("the server answers without end")
        except httpx.HTTPError as error:
            raise SendError(f"the server does not answer ({clean(str(error), 200) or type(error).__name__})") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens.forget()
        return _taken(answer.status_code, bytes(data))

    def _log(self, sending: str, state: str, detail: str, now_ns: int) -> None:
        with self._store.write() as connection:
            row = connection.execute(select(SENDING).where(SENDING.c.id == sending)).one()
            number = row.attempts + 1
            connection.execute(
                insert(TRY).values(
                    sending=sending, number=number, at_ns=now_ns, ok=state == SENT, detail=clean(detail, 500)
                )
            )
            values: dict[str, Any] = {"state": state, "attempts": number}
            if state == WAITING and number > len(PAUSES_S):
                values |= {"state": FAILED, "ended_ns": now_ns}
            elif state == WAITING:
                values["due_ns"] = now_ns + PAUSES_S[number - 1] * 1_000_000_000
            else:
                values["ended_ns"] = now_ns
            connection.execute(update(SENDING).where(SENDING.c.id == sending).values(**values))


def sendings(store: Store, wearable: str) -> list[dict[str, Any]]:
    """What was sent of a wearable, or is to be, newest first, with every try.

    Raises:
        UsageError: there is no such wearable.
    """
    with store.read() as connection:
        row_of(connection, wearable)
        rows = connection.execute(
            select(SENDING).where(SENDING.c.wearable == wearable).order_by(SENDING.c.from_ns.desc()).limit(MOST)
        ).all()
        tries = connection.execute(
            select(TRY).where(TRY.c.sending.in_([row.id for row in rows])).order_by(TRY.c.sending, TRY.c.number)
        ).all()
    return [
        {
            "id": row.id,
            "from_ms": row.from_ns // 1_000_000,
            "to_ms": row.to_ns // 1_000_000,
            "state": row.state,
            "due_ms": row.due_ns // 1_000_000 if row.state == WAITING else None,
            "tries": [
                {"at_ms": one.at_ns // 1_000_000, "ok": one.ok, "detail": one.detail}
                for one in tries
                if one.sending == row.id
            ],
        }
        for row in rows
    ]


def again(store: Store, wearable: str) -> int:
    """Have everything tried at once, what has failed too; how many.

    Raises:
        UsageError: there is no such wearable.
    """
    with store.write() as connection:
        row_of(connection, wearable)
        done = connection.execute(
            update(SENDING)
            .where(SENDING.c.wearable == wearable, SENDING.c.state.in_((WAITING, FAILED)))
            .values(state=WAITING, due_ns=0, ended_ns=None)
        )
        return done.rowcount


def _add(connection: Connection, wearable: str, from_ns: int, to_ns: int, now_ns: int) -> None:
    connection.execute(
        insert(SENDING).values(
            id=secrets.token_hex(16),
            wearable=wearable,
            from_ns=from_ns,
            to_ns=to_ns,
            state=WAITING,
            attempts=0,
            due_ns=now_ns,
            made_ns=now_ns,
        )
    )


def _taken(status: int, data: bytes) -> str:
    """What the server said of a transaction that it took as a whole.

    Raises:
        SendError: it did not.
    """
    try:
        said = json.loads(data)
    except ValueError:
        said = None
    if not 200 <= status < 300:
        raise SendError(f"{status} {_reason(said)}".rstrip())
    entries = said.get("entry") if isinstance(said, Mapping) and said.get("type") == "transaction-response" else None
    if not isinstance(entries, list):
        raise SendError(f"{status}, and no answer to a transaction; look whether the address is a FHIR server's")
    states = [str((one.get("response") or {}).get("status", "")) if isinstance(one, Mapping) else "" for one in entries]
    bad = [one for one in states if not one.startswith("2")]
    if bad:
        raise SendError(f"{len(bad)} of {len(states)} resources were not taken: {clean(bad[0], 60)}")
    made = sum(one.startswith("201") for one in states)
    return f"{status}, {made} of {len(states)} resources are new"


def _reason(said: Any) -> str:
    """The first issue of an OperationOutcome."""
    try:
        issue = said["issue"][0]
        words = issue.get("diagnostics") or issue.get("details", {}).get("text") or issue.get("code")
        return clean(str(words), 300)
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
