"""Who looked at which wearable is written down before anything is given out."""

from datetime import UTC
from typing import Any

import pytest
from fhir_past import HOSTILE
from fhir_server import validate
from hubs import ORIGIN, Visit
from sqlalchemy import select

from thermo_core.errors import StorageError
from thermo_hub.alerts.keeper import Keeper, Raised
from thermo_hub.alerts.rules import Rule
from thermo_hub.alerts.watches import AgeWatch
from thermo_hub.fhir.codes import Names
from thermo_hub.fhir.records import audit
from thermo_hub.security.accesses import AGAIN_NS, Accesses
from thermo_hub.store.store import Store
from thermo_hub.store.tables import ACCESS

LIVE = ORIGIN.replace("http", "ws") + "/api/live"


def rows(store: Store, wearable: str) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(ACCESS).where(ACCESS.c.wearable == wearable).order_by(ACCESS.c.id)))


def test_every_way_to_look_is_written_down(visit: Visit) -> None:
    visit.be("clinician", "researcher")
    for path in ("/api/trends/seen/series", "/api/fhir/seen?from_ms=1&to_ms=2", "/api/alerts?wearable=seen"):
        visit.client.get(path)
    rule = Rule(name="hot", watch=AgeWatch())
    kept = Keeper(visit.store, lambda: UTC).begin(Raised("seen", rule, 1, "x", 1.0, "", "x"), 1)
    assert kept is not None
    visit.client.get(f"/api/alerts/{kept.facts['id']}")
    csrf = visit.be("carer")
    visit.client.put("/api/wearables/seen/label", json={"label": "x"}, headers={"x-thermo-csrf": csrf})
    visit.be("engineer")
    assert visit.client.get("/api/wearables/seen/pictures/skin.png").status_code == 403
    with visit.client.websocket_connect(LIVE, headers={"origin": ORIGIN}) as socket:
        socket.send_json({"type": "watch", "wearables": ["seen"]})
        socket.receive_json()
    assert [
        (one.action, one.what.partition("?")[0].replace(kept.facts["id"], "ID"), one.ok)
        for one in rows(visit.store, "seen")
    ] == [
        ("read", "GET /api/trends/seen/series", True),
        ("export", "GET /api/fhir/seen", True),
        ("read", "GET /api/alerts", True),
        ("read", "GET /api/alerts/ID", True),
        ("change", "PUT /api/wearables/seen/label", True),
        ("export", "GET /api/wearables/seen/pictures/skin.png", False),
        ("live", "WEBSOCKET /api/live", True),
    ]
    visit.be("wearer")
    told = visit.client.get("/api/accesses/seen").json()["accesses"]
    assert {tuple(one["roles"]) for one in told} >= {("clinician", "researcher"), ("carer",), ("engineer",)}
    assert {one["who"] for one in told if one["wearable"]} == {"somebody"}


def test_what_tells_of_nobody_is_not_written_down(visit: Visit) -> None:
    before = len(rows(visit.store, ""))
    visit.be("administrator", "wearer")
    for path in ("/api/me", "/api/drawing", "/api/roles", "/api/accounts", "/api/alerts/channels", "/api/openapi.json"):
        assert visit.client.get(path).status_code == 200
    assert len(rows(visit.store, "")) == before


def test_the_same_again_within_minutes_is_one_row(store: Store) -> None:
    now_ns = 10**18
    accesses = Accesses(store, lambda: now_ns)
    for step_ns in (0, 1, AGAIN_NS - 2, 1, 1):
        now_ns += step_ns
        accesses.note("Ann", "carer", "w", "read", "GET /x")
    accesses.note("Ann", "carer", "w", "read", "GET /x", ok=False)
    accesses.note("Bea", "carer", "w", "read", "GET /x")
    assert [(one.who, one.at_ns - 10**18, one.ok) for one in rows(store, "w")] == [
        ("Ann", 0, True),
        ("Ann", AGAIN_NS, True),
        ("Ann", AGAIN_NS + 1, False),
        ("Bea", AGAIN_NS + 1, True),
    ]


def test_who_cannot_be_written_down_is_given_nothing(store: Store) -> None:
    with store.write() as connection:
        ACCESS.drop(connection)
    with pytest.raises(StorageError):
        Accesses(store).note("Ann", "carer", "w", "read", "GET /x")


def test_accesses_leave_the_hub_as_audit_events(store: Store) -> None:
    accesses = Accesses(store)
    accesses.note(HOSTILE[:60], "carer engineer", "w", "read", f"GET /{HOSTILE}")
    accesses.note("Bea", "", "w", "export", "GET /api/fhir/w", ok=False)
    found = [resource for _, resource in audit(rows(store, "w"), Names("p"), "urn:uuid:x")]
    for one in found:
        validate(one)
    assert [(one["action"], one["outcome"]) for one in found] == [("R", "0"), ("R", "8")]
    assert [len(one["agent"][0]["role"]) for one in found] == [2, 1]
    assert "\x1b" not in str(found)
