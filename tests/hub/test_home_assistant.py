"""What Home Assistant is told, held to the keys, classes and units that its documentation of MQTT discovery has, and to its templates."""

import json
import re
from typing import Any

import jinja2
import pytest
import recorded
from host_sessions import session_of

from thermo_core.recording.session import Session
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_hub.broker.topics import Place
from thermo_hub.mqtt.discovery import entities
from thermo_hub.mqtt.numbers import Numbers

PLACE = Place("home", "SIM.1@x")
RULES = {"own-lesion": "Show this to a physician.", "stale": "Silent."}

COMMON = {
    "availability",
    "availability_mode",
    "device",
    "enabled_by_default",
    "entity_category",
    "icon",
    "name",
    "origin",
    "unique_id",
}
ATTRIBUTES = {"json_attributes_template", "json_attributes_topic"}
STATE = {"device_class", "expire_after", "force_update", "qos", "state_topic", "value_template"}
KEYS = {
    "sensor": COMMON
    | ATTRIBUTES
    | STATE
    | {"options", "state_class", "suggested_display_precision", "unit_of_measurement"},
    "binary_sensor": COMMON | ATTRIBUTES | STATE | {"off_delay", "payload_off", "payload_on"},
    "image": COMMON
    | ATTRIBUTES
    | {"content_type", "encoding", "image_encoding", "image_topic", "url_template", "url_topic"},
}
"""Configuration variables of each integration, as far as they are of this century and read nothing back."""
REQUIRED = {"sensor": {"state_topic"}, "binary_sensor": {"state_topic"}, "image": {"image_topic"}}
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name",
    "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
UNITS: dict[str, set[str | None]] = {
    "temperature": {"°C", "°F", "K"},
    "voltage": {"V", "mV", "µV", "kV", "MV"},
    "battery": {"%"},
    "duration": {"d", "h", "min", "s", "ms", "µs"},
    "enum": {None},
}
"""Units that a class of sensors may have."""
BINARY_CLASSES = {"problem", "safety", "connectivity", "battery", "heat"}


def wearables() -> list[Any]:
    named = ("breast-patch", "neuro-band", "fitness-band", "monitor", "clothing")
    shipped = [pytest.param(session_of(file.read(resolve(name)).profile, {}), id=name) for name in named]
    return [*shipped, pytest.param(recorded.session(recorded.PATCH), id="patch")]


@pytest.mark.parametrize("session", wearables())
def test_every_entity_is_as_the_documentation_has_it(session: Session) -> None:
    made = entities("homeassistant", PLACE, "", session, RULES)
    ids: set[str] = set()
    topics: set[str] = set()
    for one in made:
        match = re.fullmatch(r"homeassistant/(\w+)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/config", one.topic)
        assert match is not None, one.topic
        component = match[1]
        facts: dict[str, Any] = json.loads(one.payload)
        assert one.retain and one.topic not in topics and facts["unique_id"] not in ids
        topics.add(one.topic)
        ids.add(facts["unique_id"])
        assert set(facts) <= KEYS[component], set(facts) - KEYS[component]
        assert REQUIRED[component] <= set(facts)
        assert set(facts["device"]) <= DEVICE and facts["device"]["identifiers"]
        assert set(facts["origin"]) <= {"name", "sw_version", "support_url"} and facts["origin"]["name"]
        assert facts.get("entity_category") in (None, "config", "diagnostic")
        for level in ("state_topic", "image_topic", "json_attributes_topic"):
            if level in facts:
                assert facts[level].startswith("thermo/v1/home/SIM.1@x/up/") and not set("+#") & set(facts[level])
        (reached,) = facts["availability"]
        assert set(reached) <= {"topic", "value_template", "payload_available", "payload_not_available"}
        if component == "sensor":
            check_sensor(facts)
        elif component == "binary_sensor":
            assert facts["device_class"] in BINARY_CLASSES
        else:
            assert facts["content_type"] == "image/png" and "Informs only. Not a medical device." in facts["name"]
    assert sum("/image/" in one.topic for one in made) == sum(one.kind == "mlx90640" for one in session.profile.sensors)
    assert sum("/binary_sensor/" in one.topic for one in made) == len(RULES)


def check_sensor(facts: dict[str, Any]) -> None:
    kind, unit = facts.get("device_class"), facts.get("unit_of_measurement")
    if kind is not None:
        assert unit in UNITS[kind], (kind, unit)
    if kind == "enum":
        assert facts["options"] and "state_class" not in facts
    else:
        assert facts["state_class"] == "measurement" and "options" not in facts


def rendered(template: str, payload: bytes) -> str:
    """What Home Assistant makes of a message: Jinja with the message as `value` and `value_json`."""
    text = payload.decode()
    try:
        plain = json.loads(text)
    except ValueError:
        plain = None
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    return environment.from_string(template).render(value=text, value_json=plain)


def test_templates_give_what_messages_say() -> None:
    session = recorded.session(recorded.PATCH)
    found = {one.topic.split("/")[3]: json.loads(one.payload) for one in entities("ha", PLACE, "Ann", session, RULES)}
    numbers = Numbers()
    facts = {**numbers.facts(), "pictures": {"skin": {"min": 30.5, "mean": 33.25, "max": 36.75}}, "age_s": 0.5}
    now = json.dumps(facts).encode()
    for name, value in (("skin_max", "36.75"), ("skin_mean", "33.25"), ("skin_min", "30.5"), ("data_age", "0.5")):
        assert rendered(found[name]["value_template"], now) == value
    finding = json.dumps({"label": "no lesion", "scores": {"no lesion": 0.75, "lesion": 0.25}}).encode()
    assert rendered(found["lesion"]["value_template"], finding) == "no lesion"
    assert "no lesion" in found["lesion"]["options"]
    for state, on in (("none", "OFF"), ("resolved", "OFF"), ("raised", "ON"), ("snoozed", "ON"), ("escalated", "ON")):
        told = json.dumps({"alert": {"rule": "stale", "state": state}}).encode()
        assert rendered(found["alert_stale"]["value_template"], told) == on
    for status, alive, reached in (
        (b"online", "online", "online"),
        (b"lost", "offline", "online"),
        (b"offline", "offline", "offline"),
    ):
        assert rendered(found["skin_max"]["availability"][0]["value_template"], status) == alive
        assert rendered(found["data_age"]["availability"][0]["value_template"], status) == reached
    assert found["skin_max"]["device"]["name"] == "Ann"


def test_a_supply_is_a_sensor_of_its_own_and_humidity_is_none() -> None:
    made = entities("ha", PLACE, "", recorded.session(recorded.PATCH), {})
    supplies = {name: one for one in made if (name := one.topic.split("/")[3]).startswith("supply")}
    assert list(supplies) == ["supply_skin_vdd"]
    facts = json.loads(supplies["supply_skin_vdd"].payload)
    assert (facts["device_class"], facts["unit_of_measurement"]) == ("voltage", "V")
    assert rendered(facts["value_template"], json.dumps({"supply": {"skin.vdd": 3.3}}).encode()) == "3.3"
