"""Accounts, and the matrix of routes and roles, which is made of the routes and tried on each of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from hubs import Visit

from thermo_core.errors import UsageError
from thermo_hub.accounts.book import Book
from thermo_hub.accounts.tables import ACCOUNT
from thermo_hub.alerts.life import State
from thermo_hub.app import PARTS
from thermo_hub.pages.part import PART as PAGES
from thermo_hub.security.door import Door
from thermo_hub.security.limits import MOST_KEYS, Limit
from thermo_hub.security.matrix import Entry, markdown, matrix
from thermo_hub.security.roles import Role
from thermo_hub.store.store import Store

ENTRIES = matrix(route for part in (*PARTS, PAGES) for route in part.router.routes)
ASK_NOBODY = {
    "POST /api/sign-in",
    "POST /api/passkeys/options",
    "POST /api/passkeys/sign-in",
    "POST /api/invitations/accept",
    "GET /enter",
    "POST /leave",
    "GET /{page:path}",
}
"""Routes that let people in and out, and the shell of pages, which holds nothing."""
PASSWORD = "four words that rhyme not"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def book(store: Store) -> Book:
    return Book(store, Door(store), QUICK)


def named(one: Entry) -> str:
    return f"{one.method} {one.path}"


def test_only_what_lets_people_in_asks_nobody() -> None:
    assert {named(one) for one in ENTRIES if one.roles is None} == ASK_NOBODY


def test_the_document_has_the_matrix_of_the_routes() -> None:
    """Made anew by `python -m thermo_hub.route_table`."""
    page = Path(__file__).parents[2] / "docs" / "hub-roles.md"
    assert markdown(ENTRIES) in page.read_text()


@pytest.mark.parametrize(
    "one", [one for one in ENTRIES if one.roles is not None and one.method != "WEBSOCKET"], ids=named
)
def test_a_route_is_for_its_roles_and_nobody_else(visit: Visit, one: Entry) -> None:
    assert one.roles
    path = re.sub(r"\{[^}]*\}", "nothing-of-that-name", one.path)

    def answer(csrf: str) -> int:
        body: dict[str, str] | None = None if one.method in ("GET", "DELETE") else {}
        found: Any = visit.client.request(one.method, path, json=body, headers={"x-thermo-csrf": csrf})
        return int(found.status_code)

    visit.client.cookies.clear()
    assert answer("") == 401
    for role in Role:
        status = answer(visit.be(role))
        assert (status == 403) == (role not in one.roles), f"{role} got {status}"
        assert status != 401


def test_roles_that_tend_wearables_see_nothing_that_these_measure() -> None:
    # Of live pages they get how wearables are and nothing else: tests/hub/test_live.py and test_pages.py.
    for one in ENTRIES:
        if one.roles is not None and re.search(r"/(pictures|trends|alerts$|alerts/\{alert\})", one.path):
            assert not one.roles & {Role.ENGINEER, Role.ADMINISTRATOR}


def test_somebody_is_invited_and_comes_in_by_a_password_of_their_own(visit: Visit) -> None:
    csrf = visit.come_in()
    headers = {"x-thermo-csrf": csrf}
    made = visit.client.post("/api/accounts", json={"name": "Ann", "roles": ["administrator"]}, headers=headers).json()
    token = made["link"].rpartition("/")[2]
    visit.client.cookies.clear()
    accept = {"token": token, "password": PASSWORD}
    assert visit.client.post("/api/invitations/accept", json=accept).json() == {"name": "Ann"}
    again = visit.client.post("/api/invitations/accept", json=accept)
    assert (again.status_code, "was used" in again.json()["detail"]) == (400, True)
    assert visit.client.post("/api/sign-in", json={"name": "Ann", "password": "wrong"}).status_code == 401
    signed = visit.client.post("/api/sign-in", json={"name": "Ann", "password": PASSWORD})
    assert signed.status_code == 200
    cookie = signed.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    me = visit.client.get("/api/me").json()
    assert (me["name"], me["roles"]) == ("Ann", ["administrator"])
    assert PASSWORD not in str(visit.client.get("/api/accounts").json())
    refused = visit.client.delete("/api/accounts/Ann", headers={"x-thermo-csrf": me["csrf"]})
    assert (refused.status_code, "another administrator" in refused.json()["detail"]) == (400, True)


def test_who_tries_passwords_has_to_wait(visit: Visit) -> None:
    visit.client.cookies.clear()
    found = [
        visit.client.post("/api/sign-in", json={"name": "nobody", "password": str(at)}).status_code for at in range(8)
    ]
    assert found == [401] * 5 + [429] * 3
    answer = visit.client.post("/api/sign-in", json={"name": "nobody", "password": "x"})
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_a_limit_fills_again_and_does_not_grow() -> None:
    now = [0.0]
    limit = Limit(3, 30, lambda: now[0])
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, pytest.approx(10)]
    now[0] = 10.0
    assert [limit.wait_s("a") for _ in range(2)] == [0, pytest.approx(10)]
    limit.forgive("a")
    assert limit.wait_s("a") == 0
    for number in range(2 * MOST_KEYS):
        limit.wait_s(str(number))
    assert len(limit._full_at) <= MOST_KEYS


def test_passwords_are_kept_as_argon2id_hashes_alone(store: Store) -> None:
    book = Book(store, Door(store))
    book.accept(book.invite("Ann", [Role.ADMINISTRATOR]), PASSWORD)
    with store.read() as connection:
        row = connection.execute(ACCOUNT.select()).one()
    assert row.password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in str(row)


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaaa", "ann ann ann ann", "x" * 300])
def test_a_weak_password_is_refused_and_the_invitation_stays_good(book: Book, password: str) -> None:
    token = book.invite("Ann", [Role.CARER])
    with pytest.raises(UsageError, match="password"):
        book.accept(token, password)
    assert book.accept(token, PASSWORD) == "Ann"


def test_a_password_is_the_same_however_its_letters_are_typed(book: Book) -> None:
    book.accept(book.invite("Zoë", [Role.CARER]), "café au lait und so weiter")
    assert book.sign_in("Zoe\u0308", "cafe\u0301 au lait und so weiter") == {Role.CARER}


def test_visits_end_with_the_roles_they_had(store: Store) -> None:
    door = Door(store)
    book = Book(store, door, QUICK)
    for name, role in (("Ann", Role.ADMINISTRATOR), ("Bob", Role.ADMINISTRATOR)):
        book.accept(book.invite(name, [role]), PASSWORD)
    cookies = {name: door.let_in(name, frozenset((Role.ADMINISTRATOR,))) for name in ("Ann", "Bob")}
    assert door.visitor(cookies["Ann"]) is not None
    book.set_roles("Ann", [Role.CARER])
    assert door.visitor(cookies["Ann"]) is None
    assert door.visitor(cookies["Bob"]) is not None
    book.set_roles("Ann", [Role.CARER], closed=True)
    assert book.sign_in("Ann", PASSWORD) is None
    with pytest.raises(UsageError, match="make another administrator first"):
        book.set_roles("Bob", [Role.CARER])
    with pytest.raises(UsageError, match="make another administrator first"):
        book.remove("Bob")
    assert book.sign_in("Bob", PASSWORD) == {Role.ADMINISTRATOR}
    book.change_password("Bob", PASSWORD, "another set of good words")
    assert door.visitor(cookies["Bob"]) is None


@pytest.mark.parametrize("name", ["", " ", "a\x1b[31m", "This Computer", "x" * 65, "a\u202eb", "a\nb"])
def test_what_is_no_name_is_refused(book: Book, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        book.invite(name, [Role.CARER])


def test_states_of_alerts_are_words_that_pages_know() -> None:
    script = (Path(__file__).parents[2] / "host/thermo_hub/pages/static/pages/alerts.js").read_text()
    assert all(f"{state}:" in script for state in State)


@pytest.fixture(autouse=True)
def _forgiving(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tries of one test do not count in another."""
    if "visit" in request.fixturenames:
        running = request.getfixturevalue("visit").client.app._app.state.running["accounts"]
        running.by_address._full_at.clear()
        running.by_name._full_at.clear()
    yield
