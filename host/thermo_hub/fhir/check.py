"""What FHIR R4 requires of our resources beyond their shape, which models of FHIR in Python do not hold to.

Codes of required bindings, elements that must be there, references that lead somewhere, and the vocabularies that we write;
https://hl7.org/fhir/R4/ has each under the name of its resource.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from thermo_core.errors import SchemaError
from thermo_hub.fhir.codes import BODY_TEMPERATURE, HEART_RATE, HL7, LOINC, SKIN_TEMPERATURE, UCUM, UCUM_CODES


def _codes(words: str) -> frozenset[str]:
    return frozenset(words.split())


_EVENT = _codes("preparation in-progress not-done on-hold stopped completed entered-in-error unknown")
_PRIORITY = _codes("routine urgent asap stat")
REQUIRED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Bundle": {
        "type": _codes(
            "document message transaction transaction-response batch batch-response history searchset collection"
        ),
        "entry.request.method": _codes("GET HEAD POST PUT DELETE PATCH"),
    },
    "Observation": {
        "status": _codes("registered preliminary final amended corrected cancelled entered-in-error unknown")
    },
    "Device": {
        "status": _codes("active inactive entered-in-error unknown"),
        "deviceName.type": _codes(
            "udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name other"
        ),
    },
    "DeviceMetric": {
        "category": _codes("measurement setting calculation unspecified"),
        "operationalStatus": _codes("on off standby entered-in-error"),
        "calibration.state": _codes("not-calibrated calibration-required calibrated unspecified"),
        "calibration.type": _codes("unspecified offset gain two-point"),
    },
    "Flag": {"status": _codes("active inactive entered-in-error")},
    "Communication": {"status": _EVENT, "priority": _PRIORITY},
    "Task": {
        "status": _codes(
            "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed entered-in-error"
        ),
        "intent": _codes("unknown proposal plan order original-order reflex-order filler-order instance-order option"),
        "priority": _PRIORITY,
    },
    "Media": {"status": _EVENT, "content.contentType": frozenset(("image/png",))},
    "Provenance": {"entity.role": _codes("derivation revision quotation source removal")},
    "AuditEvent": {"action": _codes("C R U D E"), "outcome": _codes("0 4 8 12")},
    "Consent": {
        "status": _codes("draft proposed active rejected inactive entered-in-error"),
        "provision.type": _codes("deny permit"),
    },
    "Patient": {"gender": _codes("male female other unknown")},
}
"""Codes by kind of resource and element."""
NARRATIVE = _codes("generated extensions additional empty")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "Bundle": ("type",),
    "Observation": ("status", "code"),
    "DeviceMetric": ("type", "category"),
    "Flag": ("status", "code", "subject"),
    "Communication": ("status",),
    "Task": ("status", "intent"),
    "Media": ("status", "content"),
    "Provenance": ("target", "recorded", "agent"),
    "AuditEvent": ("type", "recorded", "agent", "source"),
    "Consent": ("status", "scope", "category", "policyRule"),
    "Device": (),
    "Patient": (),
}
"""Elements that must be there."""
SYSTEMS: Mapping[str, frozenset[str]] = {
    LOINC: frozenset((SKIN_TEMPERATURE[0], HEART_RATE[0], BODY_TEMPERATURE[0])),
    UCUM: frozenset((*UCUM_CODES.values(), "1")),
    f"{HL7}/observation-category": _codes("vital-signs"),
    f"{HL7}/media-type": _codes("image video audio"),
    f"{HL7}/provenance-participant-type": _codes(
        "enterer performer author verifier legal attester informant custodian assembler composer"
    ),
    f"{HL7}/consentscope": _codes("adr research patient-privacy treatment"),
    f"{HL7}/consentcategorycodes": _codes("acd dnr emrgonly hcd npp polst research rsdid rsreid"),
    f"{HL7}/v3-ActCode": _codes("IDSCL OPTIN OPTOUT"),
    f"{HL7}/v3-ActReason": _codes("TREAT HRESCH"),
    f"{HL7}/audit-event-type": _codes("rest"),
}
"""Codes that we write of vocabularies that are not ours."""


def check(resource: Mapping[str, Any]) -> None:
    """Hold a resource, and those in it where it is a bundle, to what R4 requires.

    Raises:
        SchemaError: it does not hold; the sentence names resource, element and code.
    """
    kind = str(resource.get("resourceType"))
    if kind not in REQUIRED:
        raise SchemaError(f"{kind!r:.40} is no resource that the hub writes; there is {', '.join(REQUIRED)}.")
    for element in NEEDED[kind]:
        if not resource.get(element):
            raise SchemaError(f"{kind}.{element} is missing; it must be there.")
    for element, codes in REQUIRED[kind].items():
        _check_codes(kind, element, _values(resource, element.split(".")), codes)
    _check_codes(kind, "text.status", _values(resource, ["text", "status"]), NARRATIVE)
    if kind == "Bundle":
        _check_entries(resource)
        return
    for coding in _codings(resource):
        known = SYSTEMS.get(coding.get("system", ""))
        if known is not None and coding.get("code") not in known:
            raise SchemaError(
                f"{kind} has the code {coding.get('code')!r:.40}, which is none of {coding['system']} that the hub writes."
            )
    _BY_KIND.get(kind, _nothing)(resource)


def _check_codes(kind: str, element: str, found: Iterator[Any], codes: frozenset[str]) -> None:
    for code in found:
        if code not in codes:
            raise SchemaError(f"{kind}.{element} is {code!r:.40}; it is one of {', '.join(sorted(codes))}.")


def _check_entries(bundle: Mapping[str, Any]) -> None:
    entries = bundle.get("entry", [])
    there = {entry["fullUrl"] for entry in entries}
    if len(there) != len(entries):
        raise SchemaError("Bundle.entry.fullUrl comes twice; each is of one resource.")
    for entry in entries:
        check(entry["resource"])
        if bundle["type"] in ("transaction", "batch") and not (entry.get("request") or {}).get("method"):
            raise SchemaError(
                "Bundle.entry.request is missing; a transaction says what is to be done with each resource."
            )
        for reference in _references(entry["resource"]):
            if reference not in there:
                raise SchemaError(
                    f"{entry['resource']['resourceType']} refers to {reference!r:.80}, which is not there."
                )


def _check_observation(one: Mapping[str, Any]) -> None:
    codes = {coding.get("code") for coding in _codings(one["code"]) if coding.get("system") == LOINC}
    confirmed = one["status"] == "final" and one.get("performer") and one.get("derivedFrom")
    if BODY_TEMPERATURE[0] in codes and not confirmed:
        raise SchemaError(
            "An Observation of 8310-5 is an estimate that a clinician confirmed: final, with performer and derivedFrom."
        )
    if not codes & set(_MEASURED) or one["status"] != "preliminary":
        return
    raise SchemaError("A preliminary Observation has a code of ours; LOINC's are of what was measured.")


_MEASURED = SKIN_TEMPERATURE[0], HEART_RATE[0]


def _check_audit(one: Mapping[str, Any]) -> None:
    if any(not isinstance(agent.get("requestor"), bool) for agent in one["agent"]):
        raise SchemaError("AuditEvent.agent.requestor is missing; it must be there.")
    if not one["source"].get("observer"):
        raise SchemaError("AuditEvent.source.observer is missing; it must be there.")


def _check_provenance(one: Mapping[str, Any]) -> None:
    if any(not agent.get("who") for agent in one["agent"]):
        raise SchemaError("Provenance.agent.who is missing; it must be there.")


def _nothing(_: Mapping[str, Any]) -> None:
    """Of a kind of which there is nothing more to check."""


_BY_KIND = {"Observation": _check_observation, "AuditEvent": _check_audit, "Provenance": _check_provenance}


def _values(part: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(part, list):
        for one in part:
            yield from _values(one, path)
    elif not path:
        yield part
    elif isinstance(part, Mapping) and path[0] in part:
        yield from _values(part[path[0]], path[1:])


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _references(one)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            if name == "reference":
                yield value
            else:
                yield from _references(value)


def _codings(part: Any) -> Iterator[Mapping[str, Any]]:
    """Everything with a system and a code: codings and quantities."""
    if isinstance(part, list):
        for one in part:
            yield from _codings(one)
    elif isinstance(part, Mapping):
        if "system" in part and "code" in part:
            yield part
        for value in part.values():
            yield from _codings(value)
