"""Parts of FHIR resources: codes, quantities, moments, identities, and the words that people read."""

import uuid
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from thermo_core.text import clean
from thermo_core.wearable.profile import NOTICE

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
OURS = "urn:thermo-edge:code"
UUIDS = "urn:ietf:rfc:3986"
"""System of identifiers that are URNs."""
SPACE = uuid.UUID("6f0f1a3e-2d7c-5c0a-9b5e-7a1f3b0c9d21")
UCUM_CODES = {
    "degC": "Cel",
    "K": "K",
    "bpm": "/min",
    "V": "V",
    "%": "%",
    "Pa": "Pa",
    "g": "[g]",
    "h": "h",
    "m": "m",
    "s": "s",
}
SKIN_TEMPERATURE = "61008-9", "Body surface temperature"
HEART_RATE = "8867-4", "Heart rate"
BODY_TEMPERATURE = "8310-5", "Body temperature"
LONGEST = 1000

Resource = dict[str, Any]


def coded(*codings: tuple[str, str, str], text: str = "") -> Resource:
    """A CodeableConcept of (system, code, words)."""
    return {"coding": [coding(*one) for one in codings], "text": line(text or codings[0][2])}


def coding(system: str, code: str, words: str) -> Resource:
    """A Coding; a code has no blanks."""
    return {"system": system, "code": "-".join(line(code).split()) or "none", "display": line(words)}


def line(text: str) -> str:
    """What somebody or something calls itself, as a string of FHIR: one line, never empty."""
    return clean(text, LONGEST).strip() or "unknown"


def quantity(value: float, unit: str) -> Resource:
    """A Quantity to the thousandth; a unit that UCUM does not have by our name has no code."""
    found: Resource = {"value": round(value, 3), "unit": unit or "1"}
    code = "1" if not unit else UCUM_CODES.get(unit)
    return found if code is None else {**found, "system": UCUM, "code": code}


def moment(ns: int) -> str:
    """An instant."""
    return datetime.fromtimestamp(ns // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds")


def person(name: str) -> Resource:
    """A reference to somebody who works with the hub, by the name of the account."""
    return {"display": line(name)}


def note(*words: str) -> list[Resource]:
    """What people read beside a resource, that it informs only among it."""
    return [{"text": f"{' '.join(one for one in words if one)} {NOTICE}".strip()}]


def narrated(resource: Resource, words: str) -> Resource:
    """A resource with a narrative; markup in names of wearables is text."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(line(words))} {escape(NOTICE)}</div>'
    return {**resource, "text": {"status": "generated", "div": div}}


def reference(url: str) -> Resource:
    """A reference to another resource of the bundle."""
    return {"reference": url}


class Names:
    """Addresses of resources: the same for the same thing, so that a receiver who gets it again makes nothing twice.

    Args:
        pseudonym: of the wearer, which only this hub can make.
    """

    def __init__(self, pseudonym: str) -> None:
        self.pseudonym = pseudonym

    def url(self, kind: str, *parts: object) -> str:
        """Of a resource."""
        return f"urn:uuid:{uuid.uuid5(SPACE, ' '.join((kind, self.pseudonym, *map(str, parts))))}"


def identified(resource: Resource, url: str) -> tuple[str, Resource]:
    """A resource under its address, with what finds it again at a server: its identifier, or a tag where its kind has none."""
    if resource["resourceType"] in TAGGED:
        return url, {**resource, "meta": {"tag": [{"system": UUIDS, "code": url}]}}
    return url, {**resource, "identifier": [{"system": UUIDS, "value": url}, *resource.get("identifier", [])]}


TAGGED = frozenset(("Provenance", "AuditEvent"))
"""Kinds of resources that R4 gives no identifier."""
