"""What people and programs can make without end is bounded, or ages."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from fastapi import HTTPException
from host_sessions import camera_constants, session_of
from hubs import ORIGIN, Visit
from sqlalchemy import delete, func, insert, select, update

from thermo_core import image
from thermo_core.errors import StorageError, UsageError
from thermo_core.labels import Opinion, Reading
from thermo_core.wearable import file, library
from thermo_core.wearable.library import resolve
from thermo_hub.accounts import book as books
from thermo_hub.accounts import passkeys
from thermo_hub.accounts.book import Book
from thermo_hub.accounts.passkeys import MOST_PASSKEYS, Passkeys, Site
from thermo_hub.accounts.tables import INVITATION, PASSKEY
from thermo_hub.alerts import rule_files
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.live import part as live
from thermo_hub.recordings import sink as sinks
from thermo_hub.recordings.sink import RecordingSink
from thermo_hub.review import life
from thermo_hub.security import door as doors
from thermo_hub.security.accesses import DAY_NS, OFTEN, Accesses
from thermo_hub.security.door import Door
from thermo_hub.security.roles import Role
from thermo_hub.settings import read_settings
from thermo_hub.store.store import Store
from thermo_hub.store.tables import ACCESS, ASSIGNMENT, CONSENT, VISIT, WEARABLE
from thermo_hub.wearables.bundles import Bundles
from thermo_sim.chips.mlx90640 import eeprom

KINDS = ("breast-patch", "breast-watch", "clothing", "monitor", "wrist-stress")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


SHIPPED = library.folder()


def images(*kinds: str) -> list[bytes]:
    return [(SHIPPED / kind / "bundle.img").read_bytes() for kind in kinds]


def kept(folder: Path) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in folder.glob("*.img"))


def names(*data: bytes) -> list[str]:
    return sorted(image.parse(one).sha256.hex() for one in data)


def test_of_given_bundles_the_one_goes_that_nobody_has_used_for_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "folder", lambda: tmp_path / "nothing is installed")
    patch, watch, clothing, monitor, wrist = images(*KINDS)
    bundles = Bundles(tmp_path, most=2)
    flashed = bundles.keep(wrist)
    first, second = bundles.keep(patch, "Ann"), bundles.keep(watch, "Ann")
    tick(tmp_path)
    assert bundles.of(first) is not None  # it is used
    bundles.keep(clothing, "Ann")
    assert kept(tmp_path) == names(wrist, patch, clothing)
    assert bundles.of(second) is None and bundles.networks(second) is None
    bundles.keep(watch, "Bea")  # whose own bundles are counted alone
    tick(tmp_path)
    bundles.keep(monitor, "Ann", worn=[first])
    assert kept(tmp_path) == names(wrist, patch, watch, monitor)
    assert Bundles(tmp_path, most=2).of(flashed) is not None
    size = sum(path.stat().st_size for path in tmp_path.glob("*.img"))
    Bundles(tmp_path, most=9, most_bytes=size).keep(clothing)  # what was flashed goes last
    assert set(names(wrist, clothing)) <= set(kept(tmp_path)) and len(kept(tmp_path)) < 5


def tick(folder: Path) -> None:
    """Let a second pass for every file."""
    for path in folder.glob("*.img"):
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns - 10**9, stat.st_mtime_ns - 10**9))


def test_hub_toml_says_how_much_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text("[keep]\nbundles = 3\nbundles_mb = 64\nspare_mb = 0\n")
    keep = read_settings(path).keep
    assert (keep.bundles, keep.bundles_mb, keep.spare_mb, keep.accesses_days) == (3, 64, 0, 3653)
    path.write_text("[keep]\nbundles = 0\n")
    with pytest.raises(UsageError, match="bundles"):
        read_settings(path)


def test_bundles_that_an_account_gives_are_counted(visit: Visit) -> None:
    headers = {"x-thermo-csrf": visit.be("researcher")}
    for data in images("breast-patch", "monitor"):
        assert visit.client.post("/api/bundles", content=data, headers=headers).status_code == 200
    mine = [path for path in visit.settings.bundles.glob("*.img") if path.name.count(".") == 2]
    assert set(names(*images("breast-patch", "monitor"))) <= {path.name.partition(".")[0] for path in mine}


def test_of_many_visits_of_a_name_the_oldest_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MOST_VISITS", 3)
    door = Door(store)
    cookies = [door.let_in("Ann", frozenset((Role.CARER,))) for _ in range(4)]
    other = door.let_in("Bea", frozenset((Role.CARER,)))
    assert [door.visitor(one) is not None for one in (*cookies, other)] == [False, True, True, True, True]
    with store.write() as connection:
        connection.execute(update(VISIT).values(expires_ns=1))
    door._known = {key: (visitor, 1) for key, (visitor, _) in door._known.items()}
    door.let_in("Cleo", frozenset((Role.CARER,)))
    assert not door._known


def test_an_account_has_so_many_passkeys_however_they_are_begun(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(store, Door(store), QUICK)
    book.accept(book.invite("Ann", [Role.CARER]), "four words that rhyme not")
    keys, site = Passkeys(store), Site("http://localhost", "localhost")
    number = iter(range(100))
    monkeypatch.setattr(keys, "_take", lambda credential, name: b"")
    monkeypatch.setattr(
        passkeys,
        "verify_registration_response",
        lambda **_: SimpleNamespace(credential_id=bytes([next(number)]), credential_public_key=b"", sign_count=0),
    )
    for _ in range(MOST_PASSKEYS):
        keys.register("Ann", {}, site)
    with pytest.raises(UsageError, match="remove one first"):
        keys.register("Ann", {}, site)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(PASSKEY)).scalar() == MOST_PASSKEYS


def test_accounts_and_invitations_are_so_many_and_who_never_came_sees_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "MOST_ACCOUNTS", 2)
    book = Book(store, Door(store), QUICK)
    for name in ("Ann", "Bea", "Bea"):
        book.invite(name, [Role.CARER])
    book.assign("Ann", ["*"], "Ann")
    with pytest.raises(UsageError, match="delete accounts that nobody uses"):
        book.invite("Cleo", [Role.CARER])
    with store.write() as connection:
        connection.execute(update(INVITATION).values(expires_ns=1))
    book.invite("Cleo", [Role.CARER])
    with store.read() as connection:
        assert connection.execute(select(ASSIGNMENT)).all() == []


def test_who_looked_is_kept_for_its_time_and_nobody_fills_the_log(store: Store) -> None:
    now_ns = 10**18
    accesses = Accesses(store, lambda: now_ns, kept_ns=30 * DAY_NS)
    for day in range(40):
        now_ns = 10**18 + day * DAY_NS
        accesses.note("Ann", "carer", "w", "read", "GET /x")
    with store.read() as connection:
        rows = connection.execute(select(ACCESS.c.at_ns)).scalars().all()
    assert len(rows) <= 31 and min(rows) >= now_ns - 31 * DAY_NS
    accesses._often.wait_s("Bea")
    accesses._often._full_at["Bea"] = now_ns / 1e9 + 3600.0
    with pytest.raises(HTTPException, match="too much at once; wait") as refused:
        accesses.note("Bea", "carer", "w", "read", f"GET /{OFTEN}")
    assert refused.value.status_code == 429
    accesses.note("Ann", "carer", "w", "read", "GET /y")


def test_readers_who_never_agree_come_to_an_end() -> None:
    steps: list[Reading] = []

    def take(who: str, kind: str, label: str) -> None:
        opinion = Opinion(label=label, shapes=(), ranges=(), note="")
        steps.append(life.step(steps, who, kind, opinion, len(steps)))  # type: ignore[arg-type]

    for who, label in (("ada", "a"), ("ben", "b")):
        take(who, "first", label)
        take(who, "changed", label)
    with pytest.raises(UsageError, match="have a third reader decide"):
        for _ in range(life.MOST_STEPS):
            take("ada", "revised", "a")
    assert len(steps) == life.MOST_STEPS
    take("cleo", "adjudicated", "a")
    assert life.state(steps) is life.State.ADJUDICATED


def test_of_versions_of_the_rules_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_files, "MOST_VERSIONS", 3)
    files = RuleFiles(tmp_path / "rules", {"page": None})
    for _ in range(5):
        files.add(lambda rules: rules, "Ann")
    assert files.versions() == [3, 4, 5] and files.newest()[0].version == 5


def test_a_recording_leaves_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(file.read(resolve("breast-patch")).profile, {0: camera_constants(eeprom.generate(5))})
    with pytest.raises(StorageError, match="make room, or say another spare_mb"):
        RecordingSink(tmp_path / "a.mcap", session, spare_bytes=1 << 60)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sinks, "LOOK_S", 0.0)
    sink = RecordingSink(tmp_path / "b.mcap", session, spare_bytes=0)
    sink._spare_bytes = 1 << 60
    sink.mark("the disk fills")
    assert not sink.running and "make room" in sink.failure


def test_so_many_pages_are_open_under_one_name(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_OPEN", 1)
    visit.be("carer")
    address, headers = ORIGIN.replace("http", "ws") + "/api/live", {"origin": ORIGIN}
    for _ in range(2):  # what was closed does not count
        with visit.client.websocket_connect(address, headers=headers) as first:
            first.send_json({"type": "watch"})
            first.receive_json()
            with visit.client.websocket_connect(address, headers=headers) as second:
                assert second.receive()["code"] == live.TOO_MANY


def test_consent_is_withdrawn_however_often_it_was_given(visit: Visit) -> None:
    with visit.store.write() as connection:
        row = {"id": "often", "serial": "often", "profile": "p", "first_ns": 1, "last_ns": 1}
        connection.execute(insert(WEARABLE).values(**row))
    headers = {"x-thermo-csrf": visit.come_in()}

    def say(given: bool) -> int:
        path = "/api/fhir/often/consents/research"
        return int(visit.client.put(path, json={"given": given}, headers=headers).status_code)

    assert {say(True) for _ in range(30)} == {200}
    assert (say(True), say(False), say(False)) == (429, 200, 200)
    assert not visit.client.get("/api/fhir/often/consents").json()["purposes"][1]["given"]
    with visit.store.write() as connection:
        connection.execute(delete(CONSENT).where(CONSENT.c.wearable == "often"))
        connection.execute(delete(WEARABLE).where(WEARABLE.c.id == "often"))
