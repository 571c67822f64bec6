"""Who looked at which wearable: a row before anything is given out, so that nobody looks whom no row names.

Written where a route asks for a role (`roles.Allowed`), of every route that tells of a wearable; the same again within minutes is one row.
"""

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from sqlalchemy import delete, insert, select
from starlette.requests import HTTPConnection

from thermo_core.text import clean
from thermo_hub.security.limits import Limit, held
from thermo_hub.security.scopes import Scope
from thermo_hub.security.subjects import LISTS
from thermo_hub.store.store import Store
from thermo_hub.store.tables import ACCESS

AGAIN_NS = 10 * 60 * 1_000_000_000
"""Somebody who asks for the same again within this time is not written down again."""
MOST_KEYS = 10_000
DAY_NS = 24 * 3600 * 1_000_000_000
OFTEN, OFTEN_S = 6000, 3600.0
"""Rows of one visitor that may follow each other at once, and seconds in which so many become possible again."""
EXPORTS = ("/file", "/pictures/{signal}.png", "/pictures/{signal}.svg")
LEAVING = ("/api/fhir/{wearable}", "/api/review/labels.npz")
"""Routes by which what is known leaves the hub, beside files."""


class Accesses:
    """Writes accesses down. May be used in any thread, but not in the event loop.

    Args:
        store: where they go.
        now_ns: what time it is.
        kept_ns: for which they are kept.
    """

    def __init__(self, store: Store, now_ns: Callable[[], int] = time.time_ns, kept_ns: int = 3653 * DAY_NS) -> None:
        self._store = store
        self._now_ns = now_ns
        self._kept_ns = kept_ns
        self._aged_ns = 0
        self._often = Limit(OFTEN, OFTEN_S, lambda: now_ns() / 1e9)
        self._written: dict[tuple[str, ...], int] = {}
        self._lock = Lock()

    def note(self, who: str, roles: str, wearable: str, action: str, what: str, ok: bool = True) -> None:
        """Write down that somebody looks.

        Args:
            who: name of the visitor.
            roles: of them, separated by spaces.
            wearable: id; "" for all.
            action: read, live, export or change.
            what: method and path.
            ok: whether their role may.

        Answers 429 where somebody asks for too many different things.

        Raises:
            StorageError: it cannot be written down.
        """
        now_ns = self._now_ns()
        wearable, what = clean(wearable, 80), clean(what, 200)
        key = who, roles, wearable, action, what, str(ok)
        with self._lock:
            if now_ns - self._written.get(key, now_ns - AGAIN_NS) < AGAIN_NS:
                return
            held(self._often, who, "That is too much at once")
            with self._store.write() as connection:
                if now_ns - self._aged_ns >= DAY_NS:
                    self._aged_ns = now_ns
                    connection.execute(delete(ACCESS).where(ACCESS.c.at_ns < now_ns - self._kept_ns))
                connection.execute(
                    insert(ACCESS).values(
                        at_ns=now_ns, who=who, roles=roles, wearable=wearable, action=action, what=what, ok=ok
                    )
                )
            if len(self._written) >= MOST_KEYS:
                self._written = {one: at for one, at in self._written.items() if now_ns - at < AGAIN_NS}
            self._written[key] = now_ns

    def note_route(
        self, connection: HTTPConnection, who: str, roles: str, of: str | None, seen: Scope, ok: bool
    ) -> None:
        """Write down that somebody asks for a route, where it tells of a wearable.

        Args:
            connection: the request.
            who: name of the visitor.
            roles: of them, separated by spaces.
            of: the wearable that it is of; None where its address names none.
            seen: wearables that they see, of which a list tells.
            ok: whether they get it.

        Raises:
            StorageError: it cannot be written down.
        """
        scope: Any = connection.scope
        if scope["type"] != "http":
            return  # what is looked at live is said later
        path, template = scope["path"], str(scope["route"].path)
        asked = str(connection.query_params.get("wearable", ""))
        wearables: Iterable[str] = ()
        if of is not None:
            wearables = (of,)
        elif template in LISTS:
            every = seen.wearables if seen.wearables is not None else ("",)
            wearables = (asked,) if asked else sorted(every)
        for wearable in wearables:
            self.note(who, roles, wearable, _action(scope["method"], template), f"{scope['method']} {path}", ok)

    def of(self, wearable: str, most: int) -> list[dict[str, Any]]:
        """Who looked at a wearable, newest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(ACCESS)
                .where(ACCESS.c.wearable.in_((wearable, "")))
                .order_by(ACCESS.c.at_ns.desc(), ACCESS.c.id.desc())
                .limit(most)
            ).all()
        return [
            {
                "at_ms": row.at_ns // 1_000_000,
                "who": row.who,
                "roles": row.roles.split(),
                "wearable": row.wearable,
                "action": row.action,
                "what": row.what,
                "ok": row.ok,
            }
            for row in rows
        ]


def _action(method: str, template: str) -> str:
    if method != "GET":
        return "change"
    return "export" if template in LEAVING or template.endswith(EXPORTS) else "read"
