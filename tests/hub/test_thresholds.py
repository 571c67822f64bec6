"""Thresholds of one wearer: beside the defaults, with who and when, heeded by rules, and their history."""

from typing import Any

import pytest
from hubs import ORIGIN, Visit

from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.alerts.rules import comparison, defaults

PATH = "/api/alerts/thresholds/SIM-1"


def change(visit: Visit, method: str, path: str, role: str = "clinician", **body: Any) -> Any:
    csrf = visit.be(role)
    return visit.client.request(
        method, path, json=body or None, headers={"x-thermo-csrf": csrf, "origin": ORIGIN}
    )  # fmt: skip


def test_a_threshold_of_one_wearer_is_set_told_heeded_and_taken_back(visit: Visit) -> None:
    visit.be("clinician")
    before = visit.client.get(PATH).json()
    (rule,) = [one for one in before["rules"] if one["rule"] == "losses"]
    assert rule["personal"] is None and rule["when"] == "> 0.1"
    set_ = change(visit, "PUT", f"{PATH}/losses", when="> 0.3", why="far from the hub", expected=before["version"])
    assert set_.status_code == 200, set_.text
    (rule,) = [one for one in visit.client.get(PATH).json()["rules"] if one["rule"] == "losses"]
    assert (rule["when"], rule["personal"]["when"], rule["personal"]["by"]) == ("> 0.1", "> 0.3", "somebody")
    assert rule["personal"]["at"] and rule["personal"]["why"] == "far from the hub"
    rules, _ = RuleFiles(visit.settings.place / "rules", {"page": None}).newest()
    losses = next(one for one in rules.rules if one.name == "losses")
    mine, everybody = comparison(losses, rules, "SIM-1"), comparison(losses, rules, "SIM-2")
    assert mine.personal and mine.when is not None and mine.when.number == pytest.approx(0.3)
    assert not everybody.personal and everybody.when is not None and everybody.when.number == pytest.approx(0.1)
    assert rules.rules == defaults().rules

    assert change(visit, "PUT", f"{PATH}/losses", when="> 0.5", expected=before["version"]).status_code == 400
    assert change(visit, "PUT", f"{PATH}/losses", when="warm").status_code == 400
    assert change(visit, "PUT", f"{PATH}/nothing", when="> 1").status_code == 400
    assert change(visit, "PUT", f"{PATH}/losses", role="carer", when="> 1").status_code == 403
    # Another change leaves who set this one, and when.
    assert (
        change(visit, "PUT", "/api/alerts/thresholds/SIM-2/losses", role="administrator", when="> 0.2").status_code
        == 200
    )
    (still,) = [one for one in visit.client.get(PATH).json()["rules"] if one["rule"] == "losses"]
    assert still["personal"] == rule["personal"]

    assert change(visit, "DELETE", f"{PATH}/losses").status_code == 200
    assert change(visit, "DELETE", f"{PATH}/losses").status_code == 400
    (rule,) = [one for one in visit.client.get(PATH).json()["rules"] if one["rule"] == "losses"]
    assert rule["personal"] is None
    assert [one["when"] for one in rule["history"]] == [None, "> 0.3"]
    assert all(one["by"] == "somebody" and one["at"] for one in rule["history"])
