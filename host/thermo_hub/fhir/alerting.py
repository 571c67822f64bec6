"""The life of an alert as Flag, Task, Communication and Media.

| step | Flag | Task | Communication |
|---|---|---|---|
| raised | active | requested | |
| notified | active | requested | one, of that call |
| escalated | active | requested, stat | one more |
| acknowledged | active | in-progress, owner | received, recipient |
| snoozed | active | on-hold until a time | |
| resolved | inactive, period ends | completed, or cancelled where nobody acknowledged it | |
"""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from thermo_core.wearable.profile import NOTICE
from thermo_hub.fhir.codes import (
    OURS,
    Names,
    Resource,
    coded,
    identified,
    line,
    moment,
    narrated,
    note,
    person,
    reference,
)
from thermo_hub.fhir.known import Known

PRIORITIES = {"info": "routine", "warning": "urgent", "urgent": "stat"}
TASKS = {
    "raised": "requested",
    "notified": "requested",
    "escalated": "requested",
    "acknowledged": "in-progress",
    "snoozed": "on-hold",
}
CALLS = ("notified", "escalated")


def alerting(known: Known, names: Names, patient: str, device: str) -> Iterator[tuple[str, Resource]]:
    """Everything of all alerts."""
    for alert in known.alerts:
        steps = [step for step in known.steps if step.alert == alert.id]
        flag = names.url("Flag", alert.id)
        yield identified(_flag(alert, patient, device), flag)
        yield identified(_task(alert, steps, patient, flag), names.url("Task", alert.id))
        pictures = [one for one in known.pictures if one.alert == alert.id]
        shown = [names.url("Media", alert.id, one.signal) for one in pictures]
        for url, picture in zip(shown, pictures, strict=True):
            yield identified(_media(alert, picture, patient, device), url)
        for step in steps:
            if step.state in CALLS:
                sent = [one for one in known.deliveries if (one.alert, one.step) == (alert.id, step.number)]
                told = _communication(alert, step, steps, sent, patient, flag, shown)
                yield identified(told, names.url("Communication", alert.id, step.number))


def _flag(alert: Any, patient: str, device: str) -> Resource:
    period = {"start": moment(alert.raised_ns)}
    if alert.resolved_ns is not None:
        period["end"] = moment(alert.resolved_ns)
    found = {
        "resourceType": "Flag",
        "identifier": [{"system": f"{OURS}:alert", "value": alert.id}],
        "status": "active" if alert.resolved_ns is None else "inactive",
        "code": coded((OURS, alert.rule, alert.rule), text=f"{alert.text} {NOTICE}"),
        "subject": reference(patient),
        "author": reference(device),
        "period": period,
    }
    return narrated(found, f"{alert.severity}: {alert.text} ({alert.condition}), {alert.state}.")


def _task(alert: Any, steps: Sequence[Any], patient: str, flag: str) -> Resource:
    seen = _seen(steps)
    over = alert.resolved_ns is not None
    escalated = any(step.state == "escalated" for step in steps)
    found: Resource = {
        "resourceType": "Task",
        "status": ("completed" if seen else "cancelled") if over else TASKS[alert.state],
        "businessStatus": coded((OURS, alert.state, alert.state)),
        "intent": "order",
        "priority": "stat" if escalated else PRIORITIES[alert.severity],
        "code": coded((OURS, "acknowledge-alert", "look at an alert, and say that you have seen it")),
        "focus": reference(flag),
        "for": reference(patient),
        "authoredOn": moment(alert.raised_ns),
        "lastModified": moment(steps[-1].at_ns if steps else alert.raised_ns),
        "note": [{"text": _words(step), "time": moment(step.at_ns)} for step in steps] or note(),
    }
    if seen is not None:
        found["owner"] = person(seen.by)
    if over and not seen:
        found["statusReason"] = coded((OURS, "condition-over", "its condition was over before anybody acknowledged it"))
    if not over and alert.state == "snoozed" and alert.snoozed_ns is not None:
        found["restriction"] = {"period": {"end": moment(alert.snoozed_ns)}}
        found["statusReason"] = coded((OURS, "snoozed", f"snoozed until {moment(alert.snoozed_ns)}"))
    return found


def _communication(
    alert: Any,
    step: Any,
    steps: Sequence[Any],
    deliveries: Sequence[Any],
    patient: str,
    flag: str,
    pictures: Sequence[str],
) -> Resource:
    states = {one.state for one in deliveries if one.calls}
    done = not states or "sent" in states
    found: Resource = {
        "resourceType": "Communication",
        "status": "completed" if done else "in-progress" if states & {"waiting", "sending"} else "not-done",
        "priority": PRIORITIES[alert.severity],
        "medium": [coded((OURS, f"channel-{one}", one)) for one in dict.fromkeys(one.channel for one in deliveries)]
        or [coded((OURS, "channel-page", "page"))],
        "subject": reference(patient),
        "about": [reference(flag)],
        "sent": moment(step.at_ns),
        "payload": [
            {"contentString": line(f"{alert.text} {NOTICE}")},
            *({"contentReference": reference(one)} for one in pictures),
        ],
    }
    if found["status"] == "not-done":
        found["statusReason"] = coded((OURS, "not-delivered", "no channel took it"))
    seen = _seen(steps)
    if seen is not None and seen.at_ns >= step.at_ns:
        found["received"] = moment(seen.at_ns)
        found["recipient"] = [person(seen.by)]
    return found


def _media(alert: Any, picture: Any, patient: str, device: str) -> Resource:
    return {
        "resourceType": "Media",
        "status": "completed",
        "type": coded(("http://terminology.hl7.org/CodeSystem/media-type", "image", "Image")),
        "subject": reference(patient),
        "createdDateTime": moment(picture.at_ns),
        "device": reference(device),
        "bodySite": coded((OURS, picture.signal, picture.signal)),
        "content": {
            "contentType": "image/png",
            "data": base64.b64encode(picture.png).decode(),
            "title": line(f"{picture.signal} when {alert.rule} was raised, annotated"),
        },
        "note": note(),
    }


def _seen(steps: Sequence[Any]) -> Any:
    return next((step for step in steps if step.state == "acknowledged"), None)


def _words(step: Any) -> str:
    until = "" if step.until_ns is None else f" until {moment(step.until_ns)}"
    return line(f"{step.state}{until} by {step.by}{': ' if step.note else ''}{step.note}")
