"""A bundle of FHIR R4 resources: who, with what device, what was measured each hour, what models said, what became of alerts, who agreed and who looked."""

from collections.abc import Mapping
from typing import Any

from thermo_hub.fhir import records
from thermo_hub.fhir.alerting import alerting
from thermo_hub.fhir.check import check
from thermo_hub.fhir.codes import TAGGED, UUIDS, Names, Resource, identified, moment
from thermo_hub.fhir.known import Known, known
from thermo_hub.fhir.observations import metrics, observations, provenances
from thermo_hub.security.pseudonyms import pseudonym
from thermo_hub.store.store import Store

STAYS = frozenset(("Media", "Provenance", "AuditEvent"))
"""Kinds of resources that never change once they are made."""


def bundle(store: Store, wearable: str, from_ns: int, to_ns: int, key: bytes) -> Resource:
    """Everything of a wearable in a window.

    Args:
        store: of the hub.
        wearable: its id.
        from_ns: begin of the window, nanoseconds since 1970 UTC.
        to_ns: its end.
        key: secret of the hub, by which the pseudonym is made; another one makes another pseudonym.

    Raises:
        UsageError: there is no such wearable, or the window is none or too long.
    """
    found = known(store, wearable, from_ns, to_ns)
    names = Names(pseudonym(wearable, key))
    made = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": moment(to_ns),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in resources(found, names, wearable)],
    }
    check(made)
    return made


def resources(found: Known, names: Names, wearable: str) -> list[tuple[str, Resource]]:
    """All resources of what is known, each under its address."""
    patient, device = names.url("Patient"), names.url("Device", wearable)
    made = [identified(records.patient(names), patient), identified(records.device(found), device)]
    model = ""
    if found.description.bundle and found.description.outputs:
        model = names.url("Device", wearable, found.description.bundle_sha256)
        made.append(identified(records.model(found, device), model))
    made += metrics(found, names, device)
    made += observations(found, names, patient, device, model)
    made += alerting(found, names, patient, device)
    made += provenances(found, names, device, model)
    made += records.consents(found, names, patient)
    made += records.audit(found.accesses, names, patient)
    return made


def transaction(collection: Mapping[str, Any]) -> Resource:
    """The same for a server, such that sending it again makes nothing twice.

    What stays as it is is created where it is not there (`ifNoneExist`); what may change since, as an alert that is resolved, is put in the place of
    what it was (conditional update).
    """
    made = {
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": collection["timestamp"],
        "entry": [{**entry, "request": _request(entry["fullUrl"], entry["resource"])} for entry in collection["entry"]],
    }
    check(made)
    return made


def _request(url: str, resource: Mapping[str, Any]) -> Resource:
    kind = resource["resourceType"]
    wanted = f"{'_tag' if kind in TAGGED else 'identifier'}={UUIDS}|{url}"
    if kind in STAYS or (kind == "Observation" and "performer" in resource):
        return {"method": "POST", "url": kind, "ifNoneExist": wanted}
    return {"method": "PUT", "url": f"{kind}?{wanted}"}
