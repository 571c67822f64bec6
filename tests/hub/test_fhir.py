"""FHIR R4 out of the hub: models of R4B take every resource, required codes are held to, and nonsense is refused."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir_mutations import mutated, one_of_each
from fhir_past import HOSTILE, PNG, agree, confirm_first, fill
from fhir_server import validate
from hubs import Visit
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import SchemaError, UsageError
from thermo_core.recording.session import Session
from thermo_core.wearable.file import read as read_wearable
from thermo_core.wire.management import Hello, SensorState
from thermo_hub.fhir.agreed import Refusal, check_given, confirm, consents, say
from thermo_hub.fhir.bundle import bundle, resources, transaction
from thermo_hub.fhir.check import REQUIRED, check
from thermo_hub.fhir.codes import Names
from thermo_hub.fhir.description import Description, OutputFacts, describe
from thermo_hub.fhir.known import Known
from thermo_hub.security.consents import Purpose
from thermo_hub.security.pseudonyms import key_of
from thermo_hub.settings import Settings
from thermo_hub.store.store import Store, open_store
from thermo_hub.trends.keeper import HOUR_NS

START_NS = 20_000 * 24 * HOUR_NS
KEY = bytes(range(32))
WEARABLES = Path(__file__).parents[2] / "models" / "thermo_models" / "wearables"
LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """What is only looked at."""
    store = open_store(Settings(folder=str(tmp_path_factory.mktemp("filled"))))
    fill(store, "w", START_NS)
    agree(store, "w")
    confirm_first(store, "w", START_NS)
    yield store
    store.close()


@pytest.fixture(scope="module")
def made(filled: Store) -> dict[str, Any]:
    return bundle(filled, "w", START_NS, START_NS + 24 * HOUR_NS, KEY)


def of_kind(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == kind]


def codes(resource: dict[str, Any], system: str = LOINC) -> list[str]:
    return [one["code"] for one in resource["code"]["coding"] if one["system"] == system]


def by_name(made: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in of_kind(made, "Observation"):
        found.setdefault(codes(one, "urn:thermo-edge:code")[0], []).append(one)
    return found


def test_every_resource_is_one_of_r4(made: dict[str, Any]) -> None:
    Bundle.model_validate_json(json.dumps(made))
    for entry in made["entry"]:
        validate(entry["resource"])
    assert Counter(entry["resource"]["resourceType"] for entry in made["entry"]) == {
        "Patient": 1,
        "Device": 2,
        "DeviceMetric": 7,
        "Observation": 22,
        "Flag": 4,
        "Task": 4,
        "Communication": 4,
        "Media": 1,
        "Provenance": 4,
        "Consent": 2,
    }


def test_only_what_skin_sensors_measure_is_a_temperature_of_the_skin(made: dict[str, Any]) -> None:
    found = by_name(made)
    loinc = {name: {code for one in ones for code in codes(one)} for name, ones in found.items() if name != "core.core"}
    assert {name: said for name, said in loinc.items() if said} == {"skin.mean": {"61008-9"}, "pulse": {"8867-4"}}
    assert len(loinc) == 6
    assert {name for name, ones in found.items() if "category" in ones[0]} == {"skin.mean", "pulse"}
    skin = found["skin.mean"][0]
    assert skin["valueQuantity"] == {
        "value": 33.601,
        "unit": "degC",
        "system": "http://unitsofmeasure.org",
        "code": "Cel",
    }
    assert skin["bodySite"]["text"].startswith("skin mean, left breast")
    assert "uncertainty 0.09 (k = 2)" in skin["note"][0]["text"]
    assert found["pulse"][0]["valueQuantity"]["code"] == "/min"
    assert {one["status"] for one in found["skin.mean"] + found["room"]} == {"final"}
    assert {one["status"] for one in found["deep"] + found["lesion.score"]} == {"preliminary"}
    assert all("bodySite" not in one for one in found["room"] + found["deep"])


def test_an_estimate_is_preliminary_until_a_clinician_confirms_it(made: dict[str, Any]) -> None:
    core = by_name(made)["core.core"]
    first = [one for one in core if one["status"] == "preliminary"]
    assert len(first) == 3
    assert all(codes(one) == [] for one in first)
    assert all("not a measurement" in one["method"]["text"] for one in first)
    interval = {one["code"]["text"]: one["valueQuantity"]["value"] for one in first[0]["component"]}
    assert (interval["90 % interval, low"], interval["90 % interval, high"]) == (36.801, 37.401)
    (final,) = [one for one in core if one["status"] == "final"]
    assert codes(final) == ["8310-5"]
    assert final["performer"] == [{"display": "Dr. Carla"}]
    assert final["valueQuantity"]["value"] == 37.4
    urls = {
        entry["resource"]["identifier"][0]["value"]: entry["fullUrl"]
        for entry in made["entry"]
        if "identifier" in entry["resource"]
    }
    assert final["derivedFrom"] == [{"reference": first[0]["identifier"][0]["value"]}]
    assert final["derivedFrom"][0]["reference"] in urls
    attested = [one for one in of_kind(made, "Provenance") if one["activity"]["coding"][0]["code"] == "confirmation"]
    assert [one["agent"][0]["who"] for one in attested] == [{"display": "Dr. Carla"}]


def test_findings_name_their_model_and_what_they_rest_on(made: dict[str, Any]) -> None:
    skin = {one["identifier"][0]["value"] for one in by_name(made)["skin.mean"]}
    for one in by_name(made)["lesion.score"]:
        assert {ref["reference"] for ref in one["derivedFrom"]} & skin
        assert "bundle 1.2.0" in one["note"][0]["text"]
    signed = [one for one in of_kind(made, "Provenance") if one["activity"]["coding"][0]["code"] == "inference"]
    assert len(signed) == 3
    assert {one["entity"][0]["what"]["identifier"]["value"] for one in signed} == {"ab" * 32}
    assert "development key" in signed[0]["entity"][0]["what"]["display"]


def test_metrics_say_how_they_stand_with_their_calibration(made: dict[str, Any]) -> None:
    states = {one["type"]["text"]: one["calibration"][0] for one in of_kind(made, "DeviceMetric")}
    assert states["Body surface temperature"] == {
        "type": "unspecified",
        "state": "calibrated",
        "time": "2023-11-14T22:13:20+00:00",
    }
    assert states["room"]["state"] == "unspecified"
    assert states["core: core"]["state"] == "not-calibrated"


def test_the_life_of_an_alert_is_mapped(made: dict[str, Any]) -> None:
    states = {
        one["focus"]["reference"]: (one["status"], one["businessStatus"]["text"]) for one in of_kind(made, "Task")
    }
    assert sorted(states.values()) == [
        ("cancelled", "resolved"),
        ("completed", "resolved"),
        ("on-hold", "snoozed"),
        ("requested", "notified"),
    ]
    flags = {one["identifier"][0]["value"]: one["status"] for one in of_kind(made, "Flag")}
    assert {states[flag][0] for flag, status in flags.items() if status == "inactive"} == {"cancelled", "completed"}
    held = next(one for one in of_kind(made, "Task") if one["status"] == "on-hold")
    assert held["restriction"]["period"]["end"] == "2024-10-04T01:00:00.000+00:00"
    told = of_kind(made, "Communication")
    assert sorted("received" in one for one in told) == [False, False, False, True]
    assert all("Informs only. Not a medical device." in one["payload"][0]["contentString"] for one in told)
    (media,) = of_kind(made, "Media")
    shown = [one for one in told if len(one["payload"]) > 1]
    assert [one["payload"][1]["contentReference"]["reference"] for one in shown] == [media["identifier"][0]["value"]]
    assert PNG.startswith(b"\x89PNG")


def test_consent_is_told_with_its_end(made: dict[str, Any]) -> None:
    sharing, research = sorted(of_kind(made, "Consent"), key=lambda one: one["scope"]["text"])
    assert (sharing["status"], "end" in sharing["provision"]["period"]) == ("active", False)
    assert (research["status"], "end" in research["provision"]["period"]) == ("inactive", True)


def test_hostile_names_stay_text(made: dict[str, Any]) -> None:
    text = json.dumps(made, ensure_ascii=False)
    assert HOSTILE not in text
    assert "\\u001b" not in text
    assert "\x1b" not in text
    for entry in made["entry"]:
        div = entry["resource"].get("text", {}).get("div")
        if div is not None:
            assert len(ElementTree.fromstring(div)) == 0, "markup came through"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_whatever_things_call_themselves_is_a_resource_of_r4(name: str, words: str, who: str) -> None:
    row = SimpleNamespace
    alert = row(
        id="a",
        rule=name,
        severity="info",
        text=words,
        condition=words,
        state="notified",
        raised_ns=0,
        resolved_ns=None,
        snoozed_ns=None,
    )
    step = row(alert="a", number=1, state="notified", at_ns=0, by=who, note=words, until_ns=None)
    delivery = row(alert="a", step=1, channel=name, calls=True, state="failed")
    series = row(id=1, name=name, label=words, unit="degC")
    hour = row(
        series=1,
        start_ns=0,
        end_ns=HOUR_NS,
        n=1,
        doubtful=0,
        lost=0,
        total=33_000,
        low=0,
        p5=0,
        p95=0,
        high=0,
        uncertainty=None,
        ambient=None,
        ambients=0,
        calibration=words,
    )
    access = row(id=1, at_ns=0, who=who, roles=name, action=words, what=words, ok=False)
    consent = row(id="c", purpose="sharing", given=True, by=who, at_ns=0, note=words)
    worn = row(id="w", serial=name, profile=words)
    described = Description(
        name, words, who, words, "", waived=(words,), outputs={name: OutputFacts(words, name, "degC", 1.0, ())}
    )
    found = Known(worn, described, {1: series}, [hour], {}, [alert], [step], [delivery], [], [consent], [access])
    for _, resource in resources(found, Names("p"), "w"):
        validate(resource)
        json.dumps(resource, ensure_ascii=False).encode()


def test_a_wearer_is_a_pseudonym_of_this_hub(filled: Store, made: dict[str, Any]) -> None:
    assert "Ann Smith" not in json.dumps(made)
    again = bundle(filled, "w", START_NS, START_NS + 24 * HOUR_NS, KEY)
    other = bundle(filled, "w", START_NS, START_NS + 24 * HOUR_NS, KEY[::-1])
    assert again == made
    assert not {one["fullUrl"] for one in other["entry"]} & {one["fullUrl"] for one in made["entry"]}


def test_nonsense_in_a_thousand_mutated_resources_is_refused(made: dict[str, Any]) -> None:
    """More of them: `python bench/hub_fhir.py`."""
    check(made)
    rng = random.Random(0)
    kinds: set[str] = set()
    few = one_of_each(made)
    for _ in range(1000):
        broken, kind = mutated(few, rng)
        with pytest.raises(SchemaError):
            check(broken)
        kinds.add(kind)
    assert kinds >= set(REQUIRED) - {"Bundle", "AuditEvent"}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Observation", {"code": {"coding": [{"system": LOINC, "code": "8310-5"}]}, "status": "preliminary"}),
        ("Observation", {"code": {"coding": [{"system": LOINC, "code": "61008-9"}]}, "status": "preliminary"}),
        ("Observation", {"code": {"coding": [{"system": LOINC, "code": "39106-0"}]}}),
        ("Provenance", {"agent": [{}]}),
        ("Consent", {"policyRule": None}),
        ("Task", {"intent": None}),
        ("Media", {"content": None}),
    ],
)
def test_what_a_resource_must_not_be_is_refused(made: dict[str, Any], kind: str, change: dict[str, Any]) -> None:
    resource = of_kind(made, kind)[0]
    check(resource)
    with pytest.raises(SchemaError):
        check({**resource, **change})


def test_a_transaction_says_what_is_to_be_done_with_each(made: dict[str, Any]) -> None:
    sent = transaction(made)
    Bundle.model_validate_json(json.dumps(sent))
    methods = {(one["resource"]["resourceType"], one["request"]["method"]) for one in sent["entry"]}
    assert ("Media", "POST") in methods
    assert ("Flag", "PUT") in methods
    del sent["entry"][0]["request"]
    with pytest.raises(SchemaError):
        check(sent)


def test_a_window_that_cannot_be_is_refused(filled: Store) -> None:
    for wearable, to_ns in (("w", START_NS), ("w", START_NS + 100 * 24 * HOUR_NS), ("x", START_NS + 1)):
        with pytest.raises(UsageError):
            bundle(filled, wearable, START_NS, to_ns, KEY)


def test_what_nobody_agreed_to_is_refused_with_the_reason(store: Store) -> None:
    fill(store, "w", START_NS)
    with pytest.raises(Refusal, match="nobody has given consent"):
        check_given(store, "w", Purpose.SHARING)
    for _ in range(2):
        say(store, "w", Purpose.SHARING, True, "Ann", "")
    check_given(store, "w", Purpose.SHARING)
    assert len(consents(store, "w")["said"]) == 1
    with pytest.raises(Refusal):
        check_given(store, "w", Purpose.TRAINING)
    say(store, "w", Purpose.SHARING, False, "Ann", "")
    with pytest.raises(Refusal, match="Ann withdrew"):
        check_given(store, "w", Purpose.SHARING)


@pytest.mark.parametrize("series", ["skin.mean", "lesion.score", "none", "core.core"])
def test_only_an_estimate_of_a_temperature_is_confirmed_and_once(filled: Store, series: str) -> None:
    with pytest.raises(UsageError):
        confirm(filled, "w", series, START_NS, None, "Carla", "")


def test_the_key_of_pseudonyms_stays_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert key_of(path) == key_of(path)
    assert len(path.read_bytes()) == 32 and path.stat().st_mode & 0o777 == 0o600


def test_a_clinician_takes_it_out_where_the_wearer_agreed(visit: Visit) -> None:
    fill(visit.store, "shared", START_NS)
    asked = f"/api/fhir/shared?from_ms={START_NS // 10**6}&to_ms={(START_NS + 3 * HOUR_NS) // 10**6}"
    visit.be("carer")
    assert visit.client.get(asked).status_code == 403
    visit.be("clinician")
    refused = visit.client.get(asked)
    assert (refused.status_code, "nobody has given consent" in refused.json()["detail"]) == (403, True)
    csrf = visit.be("wearer")
    given = visit.client.put("/api/fhir/shared/consents/sharing", json={"given": True}, headers={"x-thermo-csrf": csrf})
    assert given.json()["said"][0]["by"] == "somebody"
    csrf = visit.be("clinician")
    confirmed = visit.client.post(
        "/api/fhir/shared/confirmations",
        json={"series": "core.core", "start_ms": START_NS // 10**6, "note": "ear"},
        headers={"x-thermo-csrf": csrf},
    )
    assert (confirmed.status_code, confirmed.json()["value"]) == (200, 37.101)
    assert visit.client.get("/api/fhir/shared/estimates").json()["estimates"][-1]["confirmed"]["by"] == "somebody"
    taken = visit.client.get(asked)
    assert taken.headers["content-type"] == "application/fhir+json"
    assert sum(one["resource"]["resourceType"] == "Observation" for one in taken.json()["entry"]) == 22
    again = visit.client.post("/api/fhir/shared/sendings/again", headers={"x-thermo-csrf": csrf})
    assert (again.status_code, "hub.toml" in again.json()["detail"]) == (409, True)
    assert visit.client.get("/api/fhir/none-such?from_ms=1&to_ms=2").status_code == 400


def test_what_signals_are_is_known_of_wearables_of_this_product() -> None:
    def roles(wearable: str) -> dict[str, str]:
        profile = read_wearable(WEARABLES / wearable / "wearable.toml").profile
        states = tuple(SensorState(kind=one.kind) for one in profile.sensors)
        hello = Hello("n", "s", "1", "p", profile.name, b"", sensors=states, sensor_count=len(states))
        return {name: one.role for name, one in describe(Session(hello, profile, {}, {})).signals.items()}

    patch, clothing, core = roles("breast-patch"), roles("clothing"), roles("core-temperature")
    assert {name for name, role in patch.items() if role == "skin"} >= {"skin", "spots"}
    assert patch["skin.ta"] == "around"
    assert (clothing["chest"], clothing["microclimate"], clothing["room"]) == ("skin", "around", "around")
    assert (core["face"], core["air"]) == ("skin", "around")
