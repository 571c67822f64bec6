"""Who comes in: one link lets one browser in once, and nothing that another site sends is obeyed."""

import time
from pathlib import Path

import pytest
from hubs import ORIGIN, Visit
from sqlalchemy import update
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from thermo_hub.openapi import whole
from thermo_hub.security.door import Door
from thermo_hub.security.roles import Role
from thermo_hub.store.store import Store
from thermo_hub.store.tables import ENTRY, VISIT

LIVE = ORIGIN.replace("http", "ws") + "/api/live"
NOBODY_NEEDED = {"/enter", "/leave", "/{page:path}"}


def test_a_link_lets_one_browser_in_once(visit: Visit) -> None:
    token = visit.door.token()
    first = visit.client.get(f"/enter?token={token}", follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/"
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert visit.client.get("/api/me").json()["roles"] == sorted(Role)
    visit.client.cookies.clear()
    assert visit.client.get(f"/enter?token={token}", follow_redirects=False).status_code == 403
    assert visit.client.get("/api/me").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "'; DROP TABLE entry; --", "a" * 5000])
def test_what_is_no_token_lets_nobody_in(visit: Visit, token: str) -> None:
    assert visit.client.get("/enter", params={"token": token}, follow_redirects=False).status_code == 403


def test_links_and_visits_end(store: Store) -> None:
    door = Door(store)
    token, cookie = door.token(), door.let_in("somebody", frozenset({Role.CARER}))
    with store.write() as connection:
        connection.execute(update(ENTRY).values(expires_ns=time.time_ns() - 1))
        connection.execute(update(VISIT).values(expires_ns=time.time_ns() - 1))
    assert door.enter(token) is None
    assert Door(store).visitor(cookie) is None


def test_neither_tokens_nor_cookies_are_kept(store: Store) -> None:
    door = Door(store)
    token = door.token()
    cookie = door.let_in("somebody", frozenset({Role.CARER}))
    kept = b"".join(path.read_bytes() for path in _files(store))
    assert token.encode() not in kept
    assert cookie.encode() not in kept


def test_who_leaves_is_out(visit: Visit) -> None:
    csrf = visit.come_in()
    assert visit.client.post("/leave", headers={"x-thermo-csrf": csrf}).status_code == 204
    assert visit.client.get("/api/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": ORIGIN, "x-thermo-csrf": "wrong"},
    ],
)
def test_what_another_site_sends_changes_nothing(visit: Visit, headers: dict[str, str]) -> None:
    csrf = visit.come_in()
    sent = {"x-thermo-csrf": csrf, **headers}
    assert visit.client.put("/api/wearables/x/label", json={"label": "x"}, headers=sent).status_code == 403
    right = {"x-thermo-csrf": csrf, "origin": ORIGIN}
    assert visit.client.put("/api/wearables/x/label", json={"label": "x"}, headers=right).status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8123", "127.0.0.1.evil.example", "", "["])
def test_a_foreign_name_that_leads_here_is_refused(visit: Visit, host: str) -> None:
    visit.come_in()
    assert visit.client.get("/api/me", headers={"host": host}).status_code == 403


def test_live_pages_are_for_visitors_from_here(visit: Visit) -> None:
    with pytest.raises((WebSocketDenialResponse, WebSocketDisconnect)), visit.client.websocket_connect(LIVE):
        pass
    visit.come_in()
    evil = {"origin": "http://evil.example"}
    with (
        pytest.raises((WebSocketDenialResponse, WebSocketDisconnect)),
        visit.client.websocket_connect(LIVE, headers=evil),
    ):
        pass
    with visit.client.websocket_connect(LIVE, headers={"origin": ORIGIN}) as socket:
        socket.send_json({"type": "watch"})
        assert socket.receive_json()["type"] == "wall"


def test_live_pages_end_with_the_visit(visit: Visit) -> None:
    csrf = visit.come_in()
    with visit.client.websocket_connect(LIVE, headers={"origin": ORIGIN}) as socket:
        socket.send_json({"type": "watch"})
        assert socket.receive_json()["type"] == "wall"
        assert visit.client.post("/leave", headers={"x-thermo-csrf": csrf}).status_code == 204
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    assert ended.value.code == 4401


@pytest.mark.parametrize("said", ["", "{", '{"type":"nonsense"}', '{"type":"watch","every_ms":-1}', "[1]" * 1000])
def test_a_page_that_says_nonsense_is_let_go(visit: Visit, said: str) -> None:
    visit.come_in()
    with visit.client.websocket_connect(LIVE, headers={"origin": ORIGIN}) as socket:
        socket.send_text(said)
        with pytest.raises(WebSocketDisconnect):
            while True:
                socket.receive_text()


def test_every_answer_has_its_headers(visit: Visit) -> None:
    visit.come_in()
    for path in ("/", "/api/me", "/api/nothing", "/static/hub.css", "/enter"):
        headers = visit.client.get(path, follow_redirects=False).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"


def test_every_route_asks_who_wants_it(visit: Visit) -> None:
    asked = 0
    for path, methods in whole()["paths"].items():
        if path in NOBODY_NEEDED:
            continue
        for method in methods:
            plain = path.replace("{wearable}", "x").replace("{signal}", "x").replace("{name}", "x")
            answer = visit.client.request(method, plain, json={}, headers={"origin": ORIGIN})
            assert answer.status_code in (401, 422), (method, path, answer.status_code)
            asked += 1
    assert asked > 10


def test_roles_are_held_apart(visit: Visit) -> None:
    visit.be("engineer")
    assert visit.client.get("/api/wearables").status_code == 403
    assert visit.client.get("/api/devices/x").status_code == 400  # there is none of that name
    visit.be("carer")
    assert visit.client.get("/api/wearables").status_code == 200
    assert visit.client.get("/api/devices/x").status_code == 403


@pytest.mark.parametrize("name", ["../hub.sqlite", "..%2fhub.sqlite", "%2e%2e/hub.sqlite", "x.mcap", "/etc/passwd"])
def test_no_name_of_a_recording_leads_elsewhere(visit: Visit, name: str) -> None:
    visit.come_in()
    assert visit.client.get(f"/api/recordings/{name}/file").status_code == 404


def _files(store: Store) -> list[Path]:
    path = store.engine.url.database
    assert path is not None
    return sorted(Path(path).parent.glob("hub.sqlite*"))
