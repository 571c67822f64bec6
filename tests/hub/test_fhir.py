"""FHIR R4 out of the hub: models of R4B take every resource, required codes are held to, and nonsense is refused."""

import copy
import json
import random
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from hubs import Visit
from sqlalchemy import insert

from thermo_core.errors import SchemaError, UsageError
from thermo_hub.alerts.keeper import Keeper, Raised
from thermo_hub.alerts.rules import Rule
from thermo_hub.alerts.watches import AgeWatch
from thermo_hub.fhir.bundle import bundle
from thermo_hub.fhir.check import REQUIRED, check
from thermo_hub.fhir.part import key_of
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE
from thermo_hub.trends.keeper import HOUR_NS, MINUTE_NS, Minute, TrendKeeper

START_NS = 20_000 * 24 * HOUR_NS
KEY = bytes(range(32))
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as connection:
        connection.execute(
            insert(WEARABLE).values(id="w", serial=HOSTILE, profile="monitor", label="Ann Smith", first_ns=0, last_ns=0)
        )
    keeper = TrendKeeper(store, lambda: UTC)
    for name, label, unit, value in (
        ("skin.mean", "skin mean", "degC", 33_600),
        ("pulse", "pulse", "bpm", 61_000),
        ("core.core", "core: core", "degC", 37_100),
        ("skin.vdd", "skin.vdd", "V", 3_300),
    ):
        for hour in range(3):
            at_ns = START_NS + hour * HOUR_NS
            one = Minute(
                "w", name, label, unit, at_ns, Counter({value: 9, value + 10: 1}), 1, 2, 21_000, 90, "0123abcd"
            )
            keeper.add([one], at_ns + MINUTE_NS)
    alerts = Keeper(store, lambda: UTC)
    for number in range(2):
        rule = Rule(name=f"hot-{number}", watch=AgeWatch(), severity="urgent")
        kept = alerts.begin(Raised("w", rule, 1, "> 38 degC", 38.2, "degC", f"Too warm {HOSTILE}"), START_NS + number)
        assert kept is not None
        if number:
            alerts.acknowledge(kept.facts["id"], START_NS + 60 * 10**9, "Carla")
            alerts.resolve("w", rule.name, START_NS + 90 * 10**9)
    return store


@pytest.fixture
def made(filled: Store) -> dict[str, Any]:
    return bundle(filled, "w", START_NS, START_NS + 24 * HOUR_NS, KEY)


def of_kind(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == kind]


def test_every_resource_is_one_of_r4(made: dict[str, Any]) -> None:
    Bundle.model_validate_json(json.dumps(made))
    for entry in made["entry"]:
        model = get_fhir_model_class(entry["resource"]["resourceType"])
        model.model_validate_json(json.dumps(entry["resource"]))
    assert Counter(entry["resource"]["resourceType"] for entry in made["entry"]) == {
        "Patient": 1,
        "Device": 1,
        "DeviceMetric": 4,
        "Observation": 12,
        "Flag": 2,
        "Communication": 2,
    }


def test_what_is_estimated_is_preliminary_and_never_a_measured_temperature(made: dict[str, Any]) -> None:
    by_code: dict[str, list[dict[str, Any]]] = {}
    for one in of_kind(made, "Observation"):
        by_code.setdefault(one["code"]["coding"][0]["code"], []).append(one)
    assert set(by_code) == {"61008-9", "8867-4", "core.core", "skin.vdd"}
    assert {one["status"] for one in by_code["core.core"]} == {"preliminary"}
    assert all("not a measurement" in one["method"]["text"] for one in by_code["core.core"])
    assert {one["status"] for one in by_code["61008-9"]} == {"final"}
    skin = by_code["61008-9"][0]
    assert skin["valueQuantity"] == {
        "value": 33.601,
        "unit": "degC",
        "system": "http://unitsofmeasure.org",
        "code": "Cel",
    }
    assert skin["bodySite"]["text"] == "skin mean"
    assert "uncertainty 0.09 (k = 2)" in skin["note"][0]["text"]
    assert by_code["8867-4"][0]["valueQuantity"]["code"] == "/min"


def test_alerts_are_flags_and_what_was_said_of_them(made: dict[str, Any]) -> None:
    assert sorted(one["status"] for one in of_kind(made, "Flag")) == ["active", "inactive"]
    told = of_kind(made, "Communication")
    assert sorted("received" in one for one in told) == [False, True]
    assert {one["priority"] for one in told} == {"stat"}
    seen = next(one for one in told if "received" in one)
    assert seen["recipient"] == [{"display": "Carla"}]
    assert all("Informs only. Not a medical device." in one["payload"][0]["contentString"] for one in told)


def test_a_wearer_is_a_pseudonym_of_this_hub(filled: Store, made: dict[str, Any]) -> None:
    text = json.dumps(made)
    assert "Ann Smith" not in text
    again = bundle(filled, "w", START_NS, START_NS + 24 * HOUR_NS, KEY)
    other = bundle(filled, "w", START_NS, START_NS + 24 * HOUR_NS, KEY[::-1])
    assert again == made
    assert of_kind(other, "Patient")[0]["identifier"] != of_kind(made, "Patient")[0]["identifier"]


def test_nonsense_in_any_required_code_is_refused(made: dict[str, Any]) -> None:
    """A thousand resources with one code changed, a reference that leads nowhere, or something needed taken away."""
    check(made)
    rng = random.Random(0)
    refused = 0
    for _ in range(1000):
        broken = copy.deepcopy(made)
        resource = rng.choice(broken["entry"])["resource"]
        kind = resource["resourceType"]
        elements = [name for name in REQUIRED[kind] if name.partition(".")[0] in resource]
        if elements and rng.random() < 0.8:
            first, _, inner = rng.choice(elements).partition(".")
            if inner:
                resource[first][0][inner] = rng.choice(["nonsense", "", "FINAL", None, 7])
            else:
                resource[first] = rng.choice(["nonsense", "", "FINAL", None, 7])
        elif "subject" in resource:
            resource["subject"] = {"reference": "urn:uuid:00000000-0000-0000-0000-000000000000"}
        elif "source" in resource:
            resource["source"] = {"reference": "Device/1"}
        else:
            resource["resourceType"] = rng.choice(["patient", "Observations", "", None])
        with pytest.raises(SchemaError):
            check(broken)
        refused += 1
    assert refused == 1000


def test_a_window_that_cannot_be_is_refused(filled: Store) -> None:
    for wearable, to_ns in (("w", START_NS), ("w", START_NS + 100 * 24 * HOUR_NS), ("x", START_NS + 1)):
        with pytest.raises(UsageError):
            bundle(filled, wearable, START_NS, to_ns, KEY)


def test_the_key_of_pseudonyms_stays_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert key_of(path) == key_of(path)
    assert len(path.read_bytes()) == 32 and path.stat().st_mode & 0o777 == 0o600


def test_a_clinician_alone_takes_it_out(visit: Visit) -> None:
    visit.be("carer")
    assert visit.client.get("/api/fhir/w?from_ms=1&to_ms=2").status_code == 403
    visit.be("clinician")
    answer = visit.client.get("/api/fhir/none-such?from_ms=1&to_ms=2")
    assert (answer.status_code, "no wearable" in answer.json()["detail"]) == (400, True)
