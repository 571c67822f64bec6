"""Which wearables an account sees, tried on each route that names one, on lists, and on what goes to live pages."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from host_sessions import camera_constants, session_of
from hubs import ORIGIN, Visit
from sqlalchemy import delete, insert

from thermo_core.errors import UsageError
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_hub.accounts.book import Book
from thermo_hub.alerts.keeper import Keeper, Raised
from thermo_hub.alerts.rules import Rule
from thermo_hub.alerts.watches import AgeWatch
from thermo_hub.app import routes
from thermo_hub.events import Left
from thermo_hub.live.presenter import Presenter
from thermo_hub.live.viewers import Viewer
from thermo_hub.recordings.sink import RecordingSink
from thermo_hub.review.tables import ITEM
from thermo_hub.security.door import Door
from thermo_hub.security.matrix import Entry, matrix
from thermo_hub.security.roles import Role
from thermo_hub.security.scopes import ALL, EVERY, Scope, Scopes
from thermo_hub.security.subjects import LISTS
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE
from thermo_sim.chips.mlx90640 import eeprom

ENTRIES = [one for one in matrix(routes()) if one.roles is not None and one.method != "WEBSOCKET"]
NAMING = {"wearable", "alert", "item", "recording"}
"""Parts of addresses that say of which wearable a request is."""
WITHIN = {"signal", "model", "rule", "purpose"}
"""Parts of addresses that say what of it."""
ELSE = {"name", "passkey"}
"""Of accounts."""
REFUSAL = "There is nothing of that name that you see; an administrator assigns wearables."
MINE = "mine"


def parameters(one: Entry) -> set[str]:
    return set(re.findall(r"\{(\w+)[^}]*\}", one.path))


NAMED = [one for one in ENTRIES if parameters(one) & NAMING]


@pytest.fixture(scope="module")
def theirs(alone: Visit) -> Iterator[dict[str, str]]:
    """A wearable of somebody else, with a recording, an alert and a window of review."""
    session = session_of(file.read(resolve("breast-patch")).profile, {0: camera_constants(eeprom.generate(5))})
    other = session.hello.serial
    alone.settings.recordings.mkdir(parents=True, exist_ok=True)
    recording = alone.settings.recordings / "theirs.mcap"
    RecordingSink(recording, session).end()
    keeper = Keeper(alone.store, lambda: UTC)
    kept = keeper.begin(Raised(other, Rule(name="hot", watch=AgeWatch()), 1, "x", 1.0, "", "x"), 1)
    assert kept is not None
    item = secrets.token_hex(8)
    texts = {"recording": recording.name, "person": other, "profile": "p", "model": "m"}
    json = {"classes": "[]", "pictures": "{}", "alerts": "[]", "finding": "{}"}
    numbers = {"from_ns": 0, "to_ns": 1, "uncertainty": 0.5, "made_ns": 1}
    with alone.store.write() as connection:
        for one in (other, MINE):
            row = {"id": one, "serial": one, "profile": "p", "first_ns": 1, "last_ns": 1}
            connection.execute(insert(WEARABLE).values(**row))
        connection.execute(insert(ITEM).values(id=item, wearable=other, **texts, **json, **numbers))
    yield {"wearable": other, "recording": recording.name, "alert": kept.facts["id"], "item": item}
    recording.unlink()
    keeper.resolve(other, "hot", 2, note="over")
    with alone.store.write() as connection:
        connection.execute(delete(ITEM))


@pytest.fixture
def seeing(visit: Visit, theirs: dict[str, str]) -> Visit:
    """A place at the hub of somebody who sees one wearable, and not the other."""
    assert theirs
    visit.door.scopes.assign("somebody", [MINE], "a test")
    visit.door.scopes.assign("somebody", [MINE], "a test")
    return visit


def test_every_part_of_an_address_is_known_to_name_a_wearable_or_not() -> None:
    assert {part for one in ENTRIES for part in parameters(one)} <= NAMING | WITHIN | ELSE
    assert len(NAMED) > 30


def ask(visit: Visit, one: Entry, names: dict[str, str], csrf: str) -> Any:
    path = re.sub(r"\{(\w+)[^}]*\}", lambda found: names.get(found[1], "x"), one.path)
    body: dict[str, Any] | None = None if one.method in ("GET", "DELETE") else {}
    return visit.client.request(one.method, path, json=body, headers={"x-thermo-csrf": csrf})


@pytest.mark.parametrize("one", NAMED, ids=lambda one: f"{one.method} {one.path}")
def test_a_route_tells_of_a_wearable_to_those_alone_who_see_it(
    seeing: Visit, theirs: dict[str, str], one: Entry
) -> None:
    assert one.roles
    aliases = seeing.client.app._app.state.aliases  # type: ignore[attr-defined]
    hidden = {"wearable": aliases.of(theirs["wearable"]), "recording": aliases.recording(theirs["recording"])}
    for role in sorted(one.roles - {Role.ADMINISTRATOR}):
        csrf = seeing.see(role)
        if role is Role.RESEARCHER:
            refused = ask(seeing, one, theirs | hidden, csrf)
            assert (refused.status_code, refused.json()["detail"]) == (404, REFUSAL)
        refused = ask(seeing, one, theirs, csrf)
        assert (refused.status_code, refused.json()["detail"]) == (404, REFUSAL), role
        assert theirs["wearable"] not in refused.text
        if "wearable" in parameters(one) and one.method == "GET":
            mine = aliases.of(MINE) if role is Role.RESEARCHER else MINE
            assert REFUSAL not in ask(seeing, one, {"wearable": mine}, csrf).text
    csrf = seeing.be(*(one.roles - {Role.ADMINISTRATOR}))
    assert REFUSAL not in ask(seeing, one, theirs, csrf).text


def test_lists_leave_out_what_somebody_does_not_see(seeing: Visit, theirs: dict[str, str]) -> None:
    everything = ["/api/alerts?state=all", "/api/recordings", "/api/review?state=all"]
    seeing.see("clinician")
    for path in (*everything, "/api/wearables", "/api/alerts/watched"):
        told = seeing.client.get(path).text
        assert not [one for one in theirs.values() if one in told], path
    assert seeing.client.get(f"/api/alerts?state=all&wearable={theirs['wearable']}").json()["alerts"] == []
    seeing.be("clinician")
    for path in everything:
        told = seeing.client.get(path).text
        assert [one for one in theirs.values() if one in told], path
    assert {one.path for one in ENTRIES} >= LISTS


def test_a_recording_is_of_the_file_that_is_asked_for(seeing: Visit, theirs: dict[str, str]) -> None:
    """A name that would be cleaned into another one is not taken for it."""
    seeing.see("clinician")
    for name in ("theirs.mcap%00", "..%2Frecordings%2Ftheirs.mcap", "%2e%2e", "theirs.mcap "):
        assert seeing.client.get(f"/api/recordings/{name}").status_code == 404


def test_an_account_without_assignment_sees_none_and_an_administrator_all(store: Store) -> None:
    scopes = Scopes(store)
    assert not scopes.of("Ann", [Role.CARER]).sees("w")
    assert scopes.of("Ann", [Role.ADMINISTRATOR]) == ALL
    scopes.assign("Ann", ["w"], "Bob")
    assert scopes.of("Ann", [Role.CARER]) == Scopes(store).of("Ann", [Role.CARER]) == Scope(frozenset({"w"}))
    scopes.assign("Ann", [EVERY], "Bob")
    assert Scopes(store).of("Ann", [Role.CARER]).is_all
    assert scopes.assigned() == {"Ann": [EVERY]}
    scopes.assign("Ann", [], "Bob")
    assert not scopes.of("Ann", [Role.CARER]).sees("w")


def test_only_what_is_there_is_assigned_and_a_removed_account_leaves_nothing(store: Store) -> None:
    book = Book(store, Door(store))
    with pytest.raises(UsageError, match="no account 'Ann'"):
        book.assign("Ann", [EVERY], "Bob")
    book.invite("Ann", [Role.CARER])
    with pytest.raises(UsageError, match="no wearable 'w'"):
        book.assign("Ann", ["w"], "Bob")
    assert book.assign("Ann", [EVERY], "Bob") == [EVERY]
    book.accept(book.invite("Ann", [Role.ADMINISTRATOR]), "four words that rhyme not")
    book.accept(book.invite("Bob", [Role.ADMINISTRATOR]), "four words that rhyme not")
    book.remove("Ann")
    assert not Scopes(store).of("Ann", [Role.CARER]).sees("w")


def test_a_viewer_hears_of_what_it_sees_from_one_event_to_the_next(seeing: Visit) -> None:
    presenter = Presenter(seeing.client.app._app.state.hub.wearables)  # type: ignore[attr-defined]
    scopes = seeing.door.scopes
    viewer = Viewer(seen=lambda: scopes.of("somebody", [Role.CARER]))
    presenter.open(viewer)

    def heard(wearable: str) -> int:
        presenter.take(Left(wearable, 1, "unplugged"))
        return len(list(viewer.take()))

    assert (heard(MINE), heard("other")) == (1, 0)
    viewer.wearables = frozenset({MINE, "other"})
    assert (heard(MINE), heard("other")) == (1, 0)
    scopes.assign("somebody", ["other"], "a test")
    assert (heard(MINE), heard("other")) == (0, 1)


def test_who_asks_to_watch_what_they_do_not_see_is_written_down_and_told_nothing(
    seeing: Visit, theirs: dict[str, str]
) -> None:
    def looks() -> list[bool]:
        seeing.be("clinician")
        told = seeing.client.get(f"/api/accesses/{theirs['wearable']}").json()["accesses"]
        return [one["ok"] for one in told if one["action"] == "live" and one["roles"] == ["carer"]]

    before = len(looks())
    seeing.see_only(MINE, "carer")
    address = ORIGIN.replace("http", "ws") + "/api/live"
    with seeing.client.websocket_connect(address, headers={"origin": ORIGIN}) as socket:
        socket.send_json({"type": "watch", "wearables": [theirs["wearable"]]})
        assert socket.receive_json() == {"type": "wall", "wearables": [], "shut": []}
    assert looks()[: -before or None] == [False]


def test_rules_are_shown_without_the_thresholds_of_others_and_changed_by_those_who_see_all(
    seeing: Visit, theirs: dict[str, str]
) -> None:
    headers = {"x-thermo-csrf": seeing.be("clinician")}
    rule = next(one for one in seeing.client.get(f"/api/alerts/thresholds/{MINE}").json()["rules"] if one["when"])
    for wearable in (MINE, theirs["wearable"]):
        path = f"/api/alerts/thresholds/{wearable}/{rule['rule']}"
        said = seeing.client.put(path, json={"when": rule["when"], "why": f"of {wearable}"}, headers=headers)
        assert said.status_code == 200, said.text
    assert f"of {theirs['wearable']}" in seeing.client.get("/api/alerts/rules").json()["toml"]
    headers = {"x-thermo-csrf": seeing.see_only(MINE, "clinician")}
    for path in ("/api/alerts/rules", "/api/alerts/rules.toml"):
        told = seeing.client.get(path).text
        assert f"of {MINE}" in told
        assert theirs["wearable"] not in told
    rules = seeing.client.get("/api/alerts/rules").json()
    body = {"toml": rules["toml"], "expected": rules["version"]}
    refused = seeing.client.put("/api/alerts/rules", json=body, headers=headers)
    assert (refused.status_code, "you do not see all" in refused.json()["detail"]) == (403, True)
