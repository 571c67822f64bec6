"""What researchers get: of wearers with consent to research alone, and no name of any in whatever a route of theirs answers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from host_sessions import with_hello
from hubs import Visit
from reviewed import items, session
from sqlalchemy import delete, insert, select

from thermo_core.recording.layout import Gap, LslSamples, LslStream, Marker
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording
from thermo_hub.app import routes
from thermo_hub.fhir.agreed import say
from thermo_hub.review.tables import ITEM, SCAN, STEP
from thermo_hub.security.consents import HOW, Purpose
from thermo_hub.security.matrix import Entry, matrix
from thermo_hub.security.roles import Role
from thermo_hub.store.tables import ACCESS, CONSENT, WEARABLE
from thermo_hub.trends.keeper import MINUTE_NS, Minute, TrendKeeper

ANNA, BERTA = "Quilla-7", "Zorba-8"
NAMES = re.compile(rb"quilla|zorba", re.IGNORECASE)
START_NS = 20_000 * 24 * 3600 * 10**9
WINDOW = f"from_ms={START_NS // 10**6}&to_ms={START_NS // 10**6 + 3_600_000}"
QUERIES = {
    "/api/trends/{wearable}": [WINDOW, f"{WINDOW}&name=none", "from_ms=2&to_ms=1"],
    "/api/trends/{wearable}/baseline": ["name=skin.mean", "name=none"],
    "/api/recordings/{recording}/rests/{model}": ["at_ms={at_ms}", "at_ms=1"],
    "/api/review": ["state=all", "state=mine"],
    "/api/review/labels.npz": ["profile=breast-patch", "profile=none", "profile=breast-patch&decided=true"],
}
READ = [one for one in matrix(routes()) if one.roles is not None and Role.RESEARCHER in one.roles]
OF_SOMEBODY = [one for one in READ if re.search(r"\{(wearable|recording|item)\}", one.path)]


def record(folder: Path, who: str) -> str:
    """A recording in which a wearer's name stands wherever somebody can write it; its name."""
    name = f"{who}-20260101T000000Z.mcap"
    hello = with_hello(session(), serial=who, name=f"{who}'s patch")
    described = replace(hello, subject=who, note=f"of {who}", port=f"/dev/serial/by-id/{who}")
    folder.mkdir(parents=True, exist_ok=True)
    with Recorder(folder / name, described) as recorder:
        heard = items([0.5] * 6, has_lesion=False)
        at_ns = heard[-1].received_ns
        stream = LslStream("eeg", "EEG", who, f"{who}s-laptop", "maker", "float32", 0, ("a",), ("uV",))
        texts = msgspec.structs.replace(stream, name="said", format="string")
        for item in heard:
            recorder.add(item)
        for more in (
            Marker(at_ns=at_ns, text=f"{who} lies down"),
            Gap(from_ns=at_ns, to_ns=at_ns + 1, reason=f"/dev/{who} vanished"),
            stream,
            texts,
            LslSamples("said", at_ns, (at_ns,), 0.0, texts=((who,),)),
            replace(described, note=f"{who} again"),
        ):
            recorder.add(more)
    return name


@pytest.fixture(scope="module")
def worn(alone: Visit) -> Iterator[dict[str, str]]:
    """Two wearers with all that is kept of any: names of their recordings."""
    recordings = {who: record(alone.settings.recordings, who) for who in (ANNA, BERTA)}
    keeper = TrendKeeper(alone.store, lambda: UTC)
    for who in recordings:
        with alone.store.write() as connection:
            row = {"id": who, "serial": who, "profile": "breast-patch", "label": f"{who}, left", "first_ns": 1}
            connection.execute(insert(WEARABLE).values(**row, last_ns=1))
        counts = {33_600: 3}
        minute = Minute(who, "skin.mean", "skin mean", "degC", START_NS, counts, 0, 0, 0, 0, "")  # type: ignore[arg-type]
        keeper.add([minute], START_NS + MINUTE_NS)
    yield recordings
    for name in recordings.values():
        (alone.settings.recordings / name).unlink()
    with alone.store.write() as connection:
        for table in (STEP, ITEM, SCAN):
            connection.execute(delete(table))
        for table, column in ((WEARABLE, WEARABLE.c.id), (CONSENT, CONSENT.c.wearable)):
            connection.execute(delete(table).where(column.in_(recordings)))


@pytest.fixture
def agreed(alone: Visit, worn: dict[str, str]) -> Iterator[dict[str, str]]:
    """Both agree to research and to training."""
    for who in worn:
        for purpose in (Purpose.RESEARCH, Purpose.TRAINING):
            say(alone.store, who, purpose, True, "she", "")
    yield worn
    for who in worn:
        for purpose in (Purpose.RESEARCH, Purpose.TRAINING):
            say(alone.store, who, purpose, False, "she", "")


def known(visit: Visit) -> list[dict[str, str]]:
    """What addresses of each wearer name, as a researcher finds it out."""
    recordings = visit.client.get("/api/recordings").json()["recordings"]
    windows = visit.client.get("/api/review?state=all").json()["items"]
    return [
        {
            "recording": one["name"],
            "wearable": one["wearable"],
            "person": one["subject"],
            "item": next((w["id"] for w in windows if w["person"] == one["subject"]), "none"),
            "signal": "skin",
            "model": "lesion",
            "at_ms": str(next((w["to_ms"] for w in windows if w["person"] == one["subject"]), 1)),
        }
        for one in recordings
    ]


def asked(visit: Visit, one: Entry, names: dict[str, str], csrf: str) -> Iterator[Any]:
    """Answers of a route, asked in every way."""
    path = re.sub(r"\{(\w+)[^}]*\}", lambda found: names.get(found[1], "x"), one.path)
    for query in QUERIES.get(one.path, [""]):
        where = f"{path}?{query.format(**names)}" if query else path
        body: dict[str, Any] | None = {"bundle": "0" * 64} if one.method != "GET" else None
        yield visit.client.request(one.method, where, json=body, headers={"x-thermo-csrf": csrf})


def test_no_route_of_a_researcher_names_a_wearer(visit: Visit, agreed: dict[str, str]) -> None:
    visit.be("clinician")
    window = visit.client.get("/api/review?state=all").json()["items"][0]
    csrf = visit.be("clinician")
    for kind, opinion in (("first", {"label": "lesion", "shapes": [], "ranges": [], "note": ANNA}), ("kept", None)):
        step = {"kind": kind, "opinion": opinion, "expected": 0 if kind == "first" else 1}
        headers = {"x-thermo-csrf": csrf}
        assert visit.client.post(f"/api/review/{window['id']}/steps", json=step, headers=headers).status_code == 200
    csrf = visit.be("researcher")
    found = known(visit)
    assert len(found) == 2 and len({one["person"] for one in found}) == 2
    assert {one["wearable"] for one in found} == {
        one["serial"] for one in visit.client.get("/api/recordings").json()["recordings"]
    }
    assert {one["wearable"] for one in found} == {
        one["wearable"] for one in visit.client.get("/api/trends").json()["wearables"]
    }
    statuses: dict[str, set[int]] = {}
    for one in READ:
        for names in found:
            for answer in asked(visit, one, names, csrf):
                statuses.setdefault(f"{one.method} {one.path}", set()).add(answer.status_code)
                said = answer.content + str(answer.headers).encode()
                assert not NAMES.search(said), (one.path, answer.text[:300], NAMES.findall(said))
    # what there is to read was read
    nothing = {"POST /api/bundles", "POST /api/me/password", "DELETE /api/me/passkeys/{passkey}"}
    unread = {name for name, seen in statuses.items() if 200 not in seen and name.startswith("GET")} - nothing
    assert unread <= {"GET /api/review/{item}/finding"}, unread  # which is for who has read the window


def test_a_recording_for_research_is_the_same_telemetry_and_names_nobody(
    visit: Visit, agreed: dict[str, str], tmp_path: Path
) -> None:
    visit.be("researcher")
    names = known(visit)[0]
    copy = tmp_path / "copy.mcap"
    answer = visit.client.get(f"/api/recordings/{names['recording']}/file")
    copy.write_bytes(answer.content)
    assert names["recording"] in answer.headers["content-disposition"]
    read = Recording(copy)
    everything = list(read)
    assert not NAMES.search(repr((read.session, everything)).encode())
    assert (read.session.hello.serial, read.session.subject) == (names["wearable"], names["person"])
    assert read.complete
    of = {f"{who}": visit.settings.recordings / name for who, name in agreed.items()}
    originals = [[one.data for one in Recording(path) if hasattr(one, "data")] for path in of.values()]
    assert [one.data for one in everything if hasattr(one, "data")] in originals
    assert [one.at_ns for one in everything if isinstance(one, Marker)]
    assert not list(visit.settings.place.glob(".*.part"))


def test_without_consent_nothing_is_read_and_withdrawal_holds_at_once(visit: Visit, agreed: dict[str, str]) -> None:
    visit.be("clinician")
    visit.client.get("/api/review")
    csrf = visit.be("researcher")
    found = {one["person"]: one for one in known(visit)}
    # her pseudonym is the one that is gone once she withdraws
    say(visit.store, ANNA, Purpose.RESEARCH, False, ANNA, "")
    left = known(visit)
    (gone,) = found.keys() - {one["person"] for one in left}
    for one in OF_SOMEBODY:
        for answer in asked(visit, one, found[gone], csrf):
            assert (answer.status_code, HOW in answer.text) == (403, True), one.path
            assert "consent was withdrawn" in answer.text and not NAMES.search(answer.content)
        for answer in asked(visit, one, left[0], csrf):
            assert answer.status_code != 403, one.path
    with visit.store.read() as connection:
        rows = connection.execute(select(ACCESS).where(ACCESS.c.wearable == ANNA, ACCESS.c.ok.is_(False))).all()
    assert {row.who for row in rows} == {"somebody"} and len(rows) >= len(OF_SOMEBODY) - 1
    for who in (ANNA, BERTA):  # by the names that others use nothing is found
        assert visit.client.get(f"/api/trends/{who}/series").status_code == 404
        assert visit.client.get(f"/api/recordings/{agreed[who]}").status_code == 404
    for role in ("wearer", "clinician"):  # whose care needs no consent to research
        visit.be(role)
        assert visit.client.get(f"/api/recordings/{agreed[ANNA]}").json()["facts"]["subject"] == ANNA
        assert visit.client.get(f"/api/trends/{ANNA}/series").status_code == 200
    visit.be("carer", "researcher")
    assert visit.client.get(f"/api/recordings/{agreed[ANNA]}").status_code == 200
    say(visit.store, BERTA, Purpose.RESEARCH, False, BERTA, "")
    visit.be("researcher")
    assert known(visit) == []
    refused = visit.client.get("/api/review/labels.npz?profile=breast-patch")
    assert (refused.status_code, HOW in refused.json()["detail"]) == (403, True)


def test_consent_that_was_never_given_is_none(visit: Visit, worn: dict[str, str]) -> None:
    with visit.store.write() as connection:
        connection.execute(delete(CONSENT).where(CONSENT.c.wearable.in_(worn)))
    visit.be("researcher")
    assert known(visit) == [] and visit.client.get("/api/trends").json()["wearables"] == []
    aliases = visit.client.app._app.state.aliases  # type: ignore[attr-defined]
    refused = visit.client.get(f"/api/trends/{aliases.of(ANNA)}/series")
    assert (refused.status_code, "nobody has given consent" in refused.json()["detail"]) == (403, True)
