"""Entities of Home Assistant: what its MQTT discovery is told of a wearable, so that a home shows it without being set up."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from thermo_core.recording.session import Session
from thermo_core.version import software_version
from thermo_core.wearable.profile import NOTICE
from thermo_hub.broker.topics import ALERT, FINDING, NOW, PICTURE, STATUS, Place
from thermo_hub.mqtt.numbers import pictures, supplies
from thermo_hub.mqtt.uplink import Said

UNITS = {"degC": "°C"}
CLASSES = {"degC": "temperature", "V": "voltage"}
MAKER = "thermo-edge"
EXPIRE_S = 120
_NOT_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
_ALIVE = "{{ 'online' if value == 'online' else 'offline' }}"
_REACHED = "{{ 'offline' if value == 'offline' else 'online' }}"
_Found = Iterable[tuple[str, str, dict[str, Any]]]
"""Component, name within the wearable, and what is told of it."""


def entities(prefix: str, place: Place, label: str, session: Session, rules: Mapping[str, str]) -> list[Said]:
    """Messages by which a home finds what a wearable gives.

    Args:
        prefix: under which it looks: "homeassistant" unless it is set up otherwise.
        place: whose topics.
        label: what people call the wearable; "" for nothing.
        session: what holds.
        rules: of alerts, in words, by name.
    """
    hello = session.hello
    node = _NOT_AN_ID.sub("_", f"{place.site}-{place.wearable}")
    common = {
        "device": {
            "identifiers": [f"thermo-{node}"],
            "name": label or f"{hello.profile} {hello.serial}",
            "manufacturer": MAKER,
            "model": hello.profile,
            "sw_version": hello.software,
        },
        "origin": {"name": "thermo-hub", "sw_version": software_version()},
    }
    made = []
    for component, name, told in (
        *_of_pictures(place, session),
        *_of_models(place, session),
        *_of_line(place, session),
        *_of_alerts(place, rules),
    ):
        name = _NOT_AN_ID.sub("_", name)
        reached = {"topic": place.up(STATUS), "value_template": _REACHED if name == "data_age" else _ALIVE}
        facts = {**told, **common, "unique_id": f"thermo-{node}-{name}", "availability": [reached]}
        payload = json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode()
        made.append(Said(f"{prefix}/{component}/thermo-{node}/{name}/config", payload, retain=True))
    return made


def _of_pictures(place: Place, session: Session) -> _Found:
    for signal in pictures(session):
        for name, words in (("max", "warmest"), ("mean", "mean"), ("min", "coolest")):
            value = f"{{{{ value_json.pictures['{signal.name}'].{name} }}}}"
            yield (
                "sensor",
                f"{signal.name}_{name}",
                _number(place.up(NOW), f"{signal.name} {words}", value, signal.unit),
            )
        yield (
            "image",
            f"{signal.name}_picture",
            {
                "name": f"{signal.name}. {NOTICE}",
                "image_topic": place.up(PICTURE, signal.name),
                "content_type": "image/png",
            },
        )


def _of_models(place: Place, session: Session) -> _Found:
    for model in session.profile.models:
        topic = place.up(FINDING, model.name)
        if model.scores is not None:
            told = {
                "name": f"{model.name}. {NOTICE}",
                "state_topic": topic,
                "value_template": "{{ value_json.label }}",
                "device_class": "enum",
                "options": list(model.scores),
                "json_attributes_topic": topic,
            }
            yield "sensor", model.name, told
        for one in model.quantities or ():
            value = f"{{{{ value_json.quantities['{one.name}'].value }}}}"
            found = _number(topic, f"{model.name} {one.name}. {NOTICE}", value, one.unit)
            yield "sensor", f"{model.name}_{one.name}", {**found, "json_attributes_topic": topic}


def _of_line(place: Place, session: Session) -> _Found:
    age = {
        "name": "data age",
        "state_topic": place.up(NOW),
        "value_template": "{{ value_json.age_s }}",
        "device_class": "duration",
        "unit_of_measurement": "s",
        "state_class": "measurement",
        "entity_category": "diagnostic",
        "expire_after": EXPIRE_S,
    }
    yield "sensor", "data_age", age
    for signal in supplies(session):
        value = f"{{{{ value_json.supply['{signal.name}'] }}}}"
        found = _number(place.up(NOW), signal.name, value, signal.unit)
        yield "sensor", f"supply_{signal.name}", {**found, "entity_category": "diagnostic"}


def _of_alerts(place: Place, rules: Mapping[str, str]) -> _Found:
    for rule in rules:
        topic = place.up(ALERT, rule)
        told = {
            "name": f"{rule}. {NOTICE}",
            "state_topic": topic,
            "value_template": "{{ 'OFF' if value_json.alert.state in ('none', 'resolved') else 'ON' }}",
            "payload_on": "ON",
            "payload_off": "OFF",
            "device_class": "problem",
            "json_attributes_topic": topic,
            "json_attributes_template": "{{ value_json.alert | tojson }}",
        }
        yield "binary_sensor", f"alert_{rule}", told


def _number(topic: str, name: str, value: str, unit: str) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "state_topic": topic, "value_template": value, "state_class": "measurement"}
    if unit:
        told["unit_of_measurement"] = UNITS.get(unit, unit)
    if unit in CLASSES:
        told["device_class"] = CLASSES[unit]
    return told
