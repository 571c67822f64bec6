"""Review through the hub's API: the queue, what a reader may see when, two readers and a third, labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hubs import ORIGIN, Visit
from reviewed import CLASSES, record, uncertain
from sqlalchemy import delete, insert, select

from thermo_core.labels import read_labels
from thermo_hub.alerts.tables import ALERT
from thermo_hub.review.desk import Desk
from thermo_hub.review.labels import labels as labels_of
from thermo_hub.review.tables import ITEM, SCAN, STEP
from thermo_hub.review.windows import entropy, look_through
from thermo_hub.security.cookies import name_of
from thermo_hub.security.roles import Role
from thermo_hub.store.store import Store, open_store
from thermo_hub.store.tables import ACCESS, CONSENT

RAISED = "an alert of a test"
BOX = {"kind": "box", "signal": "skin", "points": [[8, 6], [13, 11]]}


class Reader:
    """Somebody with an account, on the hub in this process."""

    def __init__(self, visit: Visit, name: str, *roles: str, sees: str = "*") -> None:
        visit.door.scopes.assign(name, [sees], "a test")
        self._client, self._settings = visit.client, visit.settings
        self._cookie = visit.door.let_in(name, frozenset(Role(role) for role in roles))
        self._come()
        self._csrf = self._client.get("/api/me").json()["csrf"]

    def _come(self) -> None:
        self._client.cookies.clear()
        self._client.cookies.set(name_of(self._settings), self._cookie)

    def get(self, path: str, status: int = 200) -> Any:
        self._come()
        answer = self._client.get(f"/api/review{path}")
        assert answer.status_code == status, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.content

    def say(self, item: str, kind: str, label: str | None = "", status: int = 200, **more: Any) -> Any:
        """Take a step; the number of this reader's own is asked for before."""
        self._come()
        known = more.pop("expected") if "expected" in more else self.get(f"/{item}")["mine"]
        body: dict[str, Any] = {"kind": kind, "expected": known}
        if kind != "kept":
            body["opinion"] = {"label": label, "shapes": [], "ranges": [], **more}
        answer = self._client.post(
            f"/api/review/{item}/steps", json=body, headers={"x-thermo-csrf": self._csrf, "origin": ORIGIN}
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def read(self, item: str, label: str | None, **more: Any) -> None:
        self.say(item, "first", label, **more)
        self.say(item, "kept")


@pytest.fixture
def kept(visit: Visit) -> Iterator[Store]:
    """Two recordings in the hub's folder, of which nothing was read; the store itself."""
    folder = visit.settings.recordings
    uncertain(folder / "a.mcap", "Anna", "serial-one")
    record(folder / "b.mcap", "Berta", "serial-two", [0.9] * 6, has_lesion=True, alerts=True)
    store = open_store(visit.settings)
    yield store
    with store.write() as connection:
        for table in (STEP, ITEM, SCAN, CONSENT):
            connection.execute(delete(table))
        connection.execute(delete(ALERT).where(ALERT.c.id == RAISED))
    for path in folder.glob("*.mcap"):
        path.unlink()
    store.close()


def consent(store: Store, wearable: str, given: bool, at_ns: int, purpose: str = "training") -> None:
    """Somebody says whether labels of a wearable may be learnt from, or something else."""
    with store.write() as connection:
        connection.execute(
            insert(CONSENT).values(
                id=f"{wearable} {at_ns}",
                wearable=wearable,
                purpose=purpose,
                given=given,
                by="she",
                at_ns=at_ns,
                note="",
            )
        )


def items(reader: Reader) -> dict[str, str]:
    """Windows of each person, by name."""
    return {one["person"]: one["id"] for one in reader.get("")["items"]}


def test_the_finding_is_refused_until_the_first_read_is_stored(visit: Visit, kept: Store) -> None:
    ada = Reader(visit, "ada", "clinician")
    item = items(ada)["Berta"]
    shown = ada.get(f"/{item}")
    assert "409" not in str(shown) and not shown["sees_finding"] and not shown["steps"]
    for told in (shown, ada.get("")["items"][0]):
        for word in ("score", "uncertainty", "alert", 'finding"', "0.9"):
            assert word not in str(told).replace("sees_finding", "").lower()
    refused = ada.get(f"/{item}/finding", 409)
    assert "once your opinion is stored" in refused["detail"]
    ada.say(item, "kept", status=400, expected=0)
    ada.say(item, "first", "lesion", shapes=[BOX])
    found = ada.get(f"/{item}/finding")
    assert found["label"] == "lesion"
    assert found["scores"]["lesion"] == pytest.approx(0.9, abs=1e-3)
    assert found["alerts"] == ["lesion"]
    assert "Informs only" in found["notice"]
    ada.say(item, "first", "no lesion", status=400)
    changed = ada.say(item, "changed", None, note="too noisy")
    assert [(one["kind"], one["blinded"], one["opinion"]["label"]) for one in changed["steps"]] == [
        ("first", True, "lesion"),
        ("changed", False, None),
    ]
    assert changed["steps"][0]["opinion"]["shapes"][0]["points"] == [[8, 6], [13, 11]]


def test_alerts_come_first_then_what_the_model_is_least_certain_of(visit: Visit, kept: Store) -> None:
    folder = visit.settings.recordings
    record(folder / "c.mcap", "Cleo", "serial-three", [0.97] * 6, has_lesion=False)
    ada = Reader(visit, "ada", "clinician")
    assert [one["person"] for one in ada.get("")["items"]] == ["Berta", "Anna", "Cleo"]
    begins = {one["person"]: round(one["from_ms"] * 1e6) for one in ada.get("")["items"]}
    with kept.write() as connection:
        connection.execute(
            insert(ALERT).values(
                id=RAISED, wearable="serial-three", rule="warm", version=1, severity="urgent", text="", condition="", personal=False,
                unit="", policy="{}", state="notified", raised_ns=begins["Cleo"] + 1_000_000, level=0,
            )
        )  # fmt: skip
    assert [one["person"] for one in ada.get("")["items"]] == ["Cleo", "Berta", "Anna"]
    cleo = items(ada)["Cleo"]
    ada.read(cleo, "lesion")
    assert ada.get(f"/{cleo}/finding")["called"] == ["warm"]


def test_two_read_alone_a_third_decides(visit: Visit, kept: Store) -> None:
    ada, ben = (Reader(visit, name, "clinician") for name in ("ada", "ben"))
    cleo, dan = (Reader(visit, name, "clinician") for name in ("cleo", "dan"))
    item = items(ada)["Anna"]
    ada.read(item, "lesion", note="left of the middle")
    assert ben.get(f"/{item}")["steps"] == []
    ben.get(f"/{item}/finding", 409)
    ben.say(item, "first", "no lesion")
    assert [one["by"] for one in ben.get(f"/{item}")["steps"]] == ["ben"]
    assert cleo.get(f"/{item}")["may"] == []
    cleo.say(item, "first", "lesion", status=400)
    shown = ben.say(item, "kept")
    assert shown["state"] == "disputed"
    assert [one["by"] for one in shown["steps"]] == ["ada", "ada", "ben", "ben"]
    assert cleo.get(f"/{item}")["may"] == ["adjudicated"]
    decided = cleo.say(item, "adjudicated", "no lesion")
    assert decided["state"] == "adjudicated"
    for who in (ada, ben, dan):
        assert who.get(f"/{item}")["may"] == []
    (pair,) = ada.get("/agreement")["pairs"]
    assert pair["readers"] == ["ada", "ben"] and pair["over_all"]["n"] == 1
    assert pair["over_all"]["kappa"] == 0


def test_readers_who_disagree_may_come_round(visit: Visit, kept: Store) -> None:
    ada, ben = (Reader(visit, name, "clinician") for name in ("ada", "ben"))
    item = items(ada)["Anna"]
    ada.read(item, "lesion")
    ben.read(item, "no lesion")
    assert ada.say(item, "revised", "no lesion")["state"] == "agreed"


@pytest.mark.parametrize(
    ("opinion", "words"),
    [
        ({"label": "fever"}, "There is no class 'fever'"),
        ({"label": "lesion", "shapes": [{**BOX, "points": [[8, 6], [40, 11]]}]}, "leaves the picture of 32 x 24"),
        ({"label": "lesion", "shapes": [{**BOX, "points": [[8, 6], [8, 11]]}]}, "encloses nothing"),
        ({"label": "lesion", "shapes": [{**BOX, "kind": "polygon"}]}, "three points or more"),
        ({"label": "lesion", "shapes": [{**BOX, "signal": "spots"}]}, "no picture of this window"),
        ({"label": "lesion", "ranges": [[1.0, 2.0]]}, "leaves the window"),
    ],
)
def test_an_opinion_that_cannot_be_is_refused_with_a_sentence(
    visit: Visit, kept: Store, opinion: dict[str, Any], words: str
) -> None:
    ada = Reader(visit, "ada", "clinician")
    item = items(ada)["Anna"]
    assert words in ada.say(item, "first", status=400, **opinion)["detail"]
    assert ada.get(f"/{item}")["state"] == "waiting"


def test_who_looked_at_a_window_stands_in_the_access_log(visit: Visit, kept: Store) -> None:
    fay = Reader(visit, "fay", "clinician")
    item = items(fay)["Anna"]
    fay.get(f"/{item}")
    fay.say(item, "first", "lesion", expected=0)
    with kept.read() as connection:
        rows = connection.execute(select(ACCESS).where(ACCESS.c.who == "fay").order_by(ACCESS.c.id)).all()
    assert [(one.wearable, one.action, one.what.replace(item, "ID")) for one in rows] == [
        ("", "read", "GET /api/review"),
        ("serial-one", "read", "GET /api/review/ID"),
        ("serial-one", "change", "POST /api/review/ID/steps"),
    ]


def test_a_reader_sees_windows_of_wearables_that_are_assigned_and_no_others(visit: Visit, kept: Store) -> None:
    of = items(Reader(visit, "ada", "clinician"))
    gus = Reader(visit, "gus", "clinician", sees="serial-two")
    assert set(items(gus)) == {"Berta"}
    for path in ("", "/finding", "/pictures/skin"):
        gus.get(f"/{of['Anna']}{path}", 404)
    gus.say(of["Anna"], "first", "lesion", status=404, expected=0)
    gus.read(of["Berta"], "lesion")


def test_a_page_that_is_out_of_date_takes_no_step(visit: Visit, kept: Store) -> None:
    ada = Reader(visit, "ada", "clinician")
    item = items(ada)["Anna"]
    ada.say(item, "first", "lesion")
    assert "elsewhere meanwhile" in ada.say(item, "changed", "no lesion", status=409, expected=0)["detail"]


def test_a_researcher_sees_pseudonyms_reads_nothing_and_takes_labels_out(
    visit: Visit, kept: Store, tmp_path: Any
) -> None:
    ada, eve = Reader(visit, "ada", "clinician"), Reader(visit, "eve", "researcher")
    of = items(ada)
    begins = ada.get(f"/{of['Anna']}")["from_ms"]
    ada.read(of["Anna"], "no lesion", ranges=[[begins + 2300, begins + 2700]], note="Anna moved")
    ada.read(of["Berta"], "lesion", shapes=[BOX])
    for number, wearable in enumerate(("serial-one", "serial-two")):
        consent(kept, wearable, True, -1 - number, "research")
    seen = [str(eve.get("?state=all")), *(str(eve.get(f"/{item}")) for item in of.values())]
    assert not any(name in text for text in seen for name in ("Anna", "Berta", "serial-", "moved"))
    assert all(one["may"] == [] for one in eve.get("?state=all")["items"])
    eve.say(of["Anna"], "first", "lesion", status=403, expected=0)
    eve.get(f"/{of['Anna']}/finding", 409)
    assert "given consent to training" in eve.get("/labels.npz?profile=breast-patch", 400)["detail"]
    left_out: list[tuple[int, int]] = []
    for number, wearable in enumerate(("serial-one", "serial-two", "serial-two", "serial-two")):
        consent(kept, wearable, number % 2 == 0 or number == 3, number)
        if number == 2:
            consent(kept, "serial-one", False, 10)
            path = tmp_path / "one.npz"
            path.write_bytes(eve.get("/labels.npz?profile=breast-patch"))
            assert {one.opinion.label for one in read_labels(path).about.items} == {"lesion"}
            folder, desk = visit.settings.recordings, Desk(kept, visit.settings.recordings)
            labels_of(desk, folder, b"key", "breast-patch", left_out=lambda *counts: left_out.append(counts))
            assert left_out == [(1, 1)]
            consent(kept, "serial-one", True, 11)
    data = eve.get("/labels.npz?profile=breast-patch")
    path = tmp_path / "labels.npz"
    path.write_bytes(data)
    labels = read_labels(path)
    assert labels.about.classes == CLASSES
    assert len({one.person for one in labels.about.items}) == 2
    text = labels.about.__repr__()
    assert not any(name in text for name in ("Anna", "Berta", "serial-", "moved"))
    by_label = {one.opinion.label: one for one in labels.about.items}
    assert [(step.by, step.kind, step.blinded) for step in by_label["lesion"].readings] == [
        ("ada", "first", True),
        ("ada", "kept", False),
    ]
    assert not by_label["lesion"].adjudicated
    inside, of_healthy = labels.within(), labels.items == labels.about.items.index(by_label["no lesion"])
    assert inside[~of_healthy].all()
    expected = (labels.utc_ns >= (begins + 2300) * 1e6) & (labels.utc_ns <= (begins + 2700) * 1e6)
    assert (inside[of_healthy] == expected[of_healthy]).all() and 0 < inside[of_healthy].sum() < of_healthy.sum()
    assert labels.signals["calm"].shape == (len(labels.items), 24, 32)
    centred = labels.signals["calm"] - np.median(labels.signals["calm"], (1, 2), keepdims=True)
    np.testing.assert_allclose(labels.signals["above"], centred, atol=1e-4)
    spot = labels.signals["above"][:, 7:10, 9:12].mean((1, 2))
    assert spot[~of_healthy].min() > spot[of_healthy].max() + 0.5
    assert "was read by two" in eve.get("/labels.npz?profile=breast-patch&decided=true", 400)["detail"]
    assert "monitor" in eve.get("/labels.npz?profile=monitor", 400)["detail"]


def test_pictures_of_a_window_are_those_of_its_time(visit: Visit, kept: Store) -> None:
    ada = Reader(visit, "ada", "clinician")
    item = items(ada)["Anna"]
    shown = ada.get(f"/{item}")
    data = ada.get(f"/{item}/pictures/skin")
    each = 11 + 2 * 24 * 32
    assert len(data) % each == 0
    times = [int.from_bytes(data[at + 1 : at + 9], "little") / 1e6 for at in range(0, len(data), each)]
    assert len(times) > 15 and times == sorted(times)
    assert shown["from_ms"] <= times[0] and times[-1] <= shown["to_ms"]


def test_what_cannot_be_reviewed_is_passed_over_once(visit: Visit, kept: Store) -> None:
    (visit.settings.recordings / "broken.mcap").write_bytes(b"nonsense")
    ada = Reader(visit, "ada", "clinician")
    assert len(ada.get("")["items"]) == len(ada.get("")["items"]) == 2
    ada.get("/nothing", 404)
    ada.get("/nothing/finding", 404)


def test_uncertainty_is_the_entropy_of_the_mean_scores() -> None:
    assert entropy([0.5, 0.5]) == pytest.approx(1.0)
    assert entropy([1.0, 0.0]) == 0.0
    # -(3/4 log2 3/4 + 1/4 log2 1/4) = 2 - 3/4 log2 3
    assert entropy([0.75, 0.25]) == pytest.approx(2 - 0.75 * np.log2(3))
    assert entropy([0.3, 0.3, 0.3]) == pytest.approx(1.0)


def test_a_window_has_what_was_said_in_its_time(tmp_path: Any) -> None:
    path = record(tmp_path / "a.mcap", "", "0001", [0.2, 0.4, 0.6], has_lesion=False)
    found = look_through(path)
    assert sum(one.finding["findings"] for one in found.windows) == 3
    assert all(found.from_ns <= one.from_ns < one.to_ns <= found.to_ns + 1 for one in found.windows)
    assert found.pictures == {"skin": (24, 32)}
