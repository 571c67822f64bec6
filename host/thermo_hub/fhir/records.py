"""Who it is about, with what, what they agreed to and who looked: Patient, Device, Consent, AuditEvent."""

from collections.abc import Iterator, Sequence
from typing import Any

from thermo_hub.fhir.codes import (
    HL7,
    OURS,
    Names,
    Resource,
    coded,
    coding,
    identified,
    line,
    moment,
    note,
    person,
    reference,
)
from thermo_hub.fhir.known import Known
from thermo_hub.security.consents import WORDS, Purpose

SCOPES = {Purpose.SHARING: "patient-privacy", Purpose.RESEARCH: "research", Purpose.TRAINING: "research"}
CATEGORIES = {
    Purpose.SHARING: (f"{HL7}/v3-ActCode", "IDSCL", "information disclosure"),
    Purpose.RESEARCH: (f"{HL7}/consentcategorycodes", "research", "Research Information Access"),
    Purpose.TRAINING: (f"{HL7}/consentcategorycodes", "rsdid", "De-identified Information Access"),
}
REASONS = {
    Purpose.SHARING: ("TREAT", "treatment"),
    Purpose.RESEARCH: ("HRESCH", "healthcare research"),
    Purpose.TRAINING: ("HRESCH", "healthcare research"),
}
ACTIONS = {"read": "R", "live": "R", "export": "R", "change": "U"}


def patient(names: Names) -> Resource:
    """A pseudonym, and nothing else."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": f"{OURS}:pseudonym", "value": names.pseudonym}],
        "active": True,
    }


def device(known: Known) -> Resource:
    """The wearable."""
    described = known.description
    versions = [("firmware", described.software), ("bundle", described.bundle)]
    return {
        "resourceType": "Device",
        "status": "active",
        "identifier": [{"system": f"{OURS}:serial", "value": line(known.worn.serial)}],
        "deviceName": [{"name": line(known.worn.profile), "type": "model-name"}],
        **({"modelNumber": line(described.platform)} if described.platform else {}),
        **(
            {
                "version": [
                    {"type": coded((OURS, name, name)), "value": line(value)} for name, value in versions if value
                ]
            }
            if any(value for _, value in versions)
            else {}
        ),
        "note": note("Its hardware is simulated." if described.simulated else "", *map(line, described.waived)),
    }


def model(known: Known, wearable: str) -> Resource:
    """What of the wearable says findings: the models of its bundle."""
    described = known.description
    return {
        "resourceType": "Device",
        "status": "active",
        "identifier": [{"system": f"{OURS}:bundle-sha256", "value": described.bundle_sha256 or "none"}],
        "deviceName": [
            {
                "name": line(", ".join(dict.fromkeys(one.model for one in described.outputs.values()))),
                "type": "model-name",
            }
        ],
        "type": coded((OURS, "model", "models of a wearable's bundle")),
        "version": [{"type": coded((OURS, "bundle", "bundle")), "value": line(described.bundle)}],
        "parent": reference(wearable),
        "note": note(),
    }


def consents(known: Known, names: Names, patient_url: str) -> Iterator[tuple[str, Resource]]:
    """Each time that a wearer agreed; where that was withdrawn it is inactive, and its period ends then."""
    for at, row in enumerate(known.consents):
        if not row.given:
            continue
        purpose = Purpose(row.purpose)
        ended = next((one for one in known.consents[at + 1 :] if one.purpose == row.purpose and not one.given), None)
        system = f"{HL7}/v3-ActReason"
        period = {"start": moment(row.at_ns), **({} if ended is None else {"end": moment(ended.at_ns)})}
        made: Resource = {
            "resourceType": "Consent",
            "status": "active" if ended is None else "inactive",
            "scope": coded((f"{HL7}/consentscope", SCOPES[purpose], SCOPES[purpose])),
            "category": [coded(CATEGORIES[purpose])],
            "patient": reference(patient_url),
            "dateTime": moment(row.at_ns),
            "performer": [person(row.by)],
            "policyRule": coded((f"{HL7}/v3-ActCode", "OPTIN", "opt-in"), text=WORDS[purpose]),
            "provision": {"type": "permit", "period": period, "purpose": [coding(system, *REASONS[purpose])]},
        }
        yield identified(made, names.url("Consent", row.id))


def audit(accesses: Sequence[Any], names: Names, patient_url: str) -> Iterator[tuple[str, Resource]]:
    """Who looked at the wearable."""
    for row in accesses:
        made: Resource = {
            "resourceType": "AuditEvent",
            "type": coding(f"{HL7}/audit-event-type", "rest", "RESTful Operation"),
            "subtype": [coding(OURS, row.action, row.action)],
            "action": ACTIONS.get(row.action, "E"),
            "recorded": moment(row.at_ns),
            "outcome": "0" if row.ok else "8",
            "agent": [{"who": person(row.who), "role": _roles(row.roles), "requestor": True}],
            "source": {"observer": {"display": "thermo-hub"}},
            "entity": [{"what": reference(patient_url), "description": line(row.what)}],
        }
        yield identified(made, names.url("AuditEvent", row.id))


def _roles(roles: str) -> list[Any]:
    return [coded((OURS, one, one)) for one in roles.split()] or [coded((OURS, "none", "none"))]
