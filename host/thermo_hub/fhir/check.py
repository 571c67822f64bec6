"""What FHIR R4 requires of the codes of our resources: the value sets of required bindings, which models of FHIR in Python do not hold to.

https://hl7.org/fhir/R4/ has each under the name of its resource.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from thermo_core.errors import SchemaError

REQUIRED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Bundle": {
        "type": frozenset(
            "document message transaction transaction-response batch batch-response history searchset collection".split()
        )
    },
    "Observation": {
        "status": frozenset("registered preliminary final amended corrected cancelled entered-in-error unknown".split())
    },
    "Device": {"status": frozenset("active inactive entered-in-error unknown".split())},
    "DeviceMetric": {
        "category": frozenset("measurement setting calculation unspecified".split()),
        "operationalStatus": frozenset("on off standby entered-in-error".split()),
        "calibration.state": frozenset("not-calibrated calibration-required calibrated unspecified".split()),
        "calibration.type": frozenset("unspecified offset gain two-point".split()),
    },
    "Flag": {"status": frozenset("active inactive entered-in-error".split())},
    "Communication": {
        "status": frozenset(
            "preparation in-progress not-done on-hold stopped completed entered-in-error unknown".split()
        ),
        "priority": frozenset("routine urgent asap stat".split()),
    },
    "Patient": {"gender": frozenset("male female other unknown".split())},
}
"""Codes by type of resource and element."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "Bundle": ("type",),
    "Observation": ("status", "code"),
    "DeviceMetric": ("type", "category"),
    "Flag": ("status", "code", "subject"),
    "Communication": ("status",),
    "Device": (),
    "Patient": (),
}
"""Elements that must be there."""


def check(resource: Mapping[str, Any]) -> None:
    """Hold a resource, and those in it where it is a bundle, to the codes that are required and to references that lead somewhere.

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
        for code in _values(resource, element.split(".")):
            if code not in codes:
                raise SchemaError(f"{kind}.{element} is {code!r:.40}; it is one of {', '.join(sorted(codes))}.")
    if kind == "Bundle":
        entries = resource.get("entry", [])
        there = {entry["fullUrl"] for entry in entries}
        if len(there) != len(entries):
            raise SchemaError("Bundle.entry.fullUrl comes twice; each is of one resource.")
        for entry in entries:
            check(entry["resource"])
            for reference in _references(entry["resource"]):
                if reference not in there:
                    raise SchemaError(
                        f"{entry['resource']['resourceType']} refers to {reference!r:.80}, which is not there."
                    )


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
