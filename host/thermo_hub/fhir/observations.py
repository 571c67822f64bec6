"""What was measured and what models said, as Observation, DeviceMetric and Provenance.

Temperatures of the skin are LOINC 61008-9, rates of the heart 8867-4; all else has a code of our own. What a model says is preliminary, under a
code of our own: 8310-5 stands only where a clinician has confirmed it, in an Observation beside it that is final and derived from it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from thermo_hub.fhir.codes import (
    BODY_TEMPERATURE,
    HEART_RATE,
    HL7,
    LOINC,
    OURS,
    SKIN_TEMPERATURE,
    UCUM,
    UCUM_CODES,
    Names,
    Resource,
    coded,
    identified,
    line,
    moment,
    narrated,
    note,
    person,
    quantity,
    reference,
)
from thermo_hub.fhir.description import Description, OutputFacts, SignalFacts
from thermo_hub.fhir.known import Known

STEPS = 1000
VITAL = f"{HL7}/observation-category", "vital-signs", "Vital Signs"
UNKNOWN = SignalFacts("computed", (), True)


class Series:
    """A series of trends, and what is known of where it comes from.

    Args:
        row: of it.
        described: the wearable.
    """

    def __init__(self, row: Any, described: Description) -> None:
        self.row = row
        self.name, self.label, self.unit = str(row.name), str(row.label), str(row.unit)
        self.output: OutputFacts | None = described.outputs.get(self.name)
        if self.output is None and ": " in self.label and self.name not in described.signals:
            # Of a model that the wearable does not have any more; its series are labelled by it.
            self.output = OutputFacts(self.label.partition(": ")[0], self.label.partition(": ")[2], self.unit, 0.0, ())
        self.signal = _signal(self.name, self.unit, described)
        self.sensors = self.signal.sensors if self.output is None else self.output.sensors
        places = [described.sensors[one].place for one in self.sensors if one in described.sensors]
        self.place = ", ".join(dict.fromkeys(filter(None, places)))
        times = [described.sensors[one].calibrated_unix_s for one in self.sensors if one in described.sensors]
        known_times = [one for one in times if one is not None]
        self.calibrated_unix_s = min(known_times) if known_times and len(known_times) == len(times) else None
        self.can_calibrate = any(
            described.sensors[one].can_calibrate for one in self.sensors if one in described.sensors
        )

    @property
    def preliminary(self) -> bool:
        """Whether it was worked out, and not measured."""
        return self.output is not None or (self.unit == "degC" and self.signal.role == "computed")

    @property
    def is_vital(self) -> bool:
        """Whether it is a vital sign that was measured: the temperature of skin, or the rate of the heart."""
        return self.output is None and (self.unit == "bpm" or (self.unit == "degC" and self.signal.role == "skin"))

    def code(self) -> Resource:
        """What it is of."""
        ours = OURS, self.name, self.label
        if self.output is None and self.unit == "degC" and self.signal.role == "skin":
            return coded((LOINC, *SKIN_TEMPERATURE), ours)
        if self.output is None and self.unit == "bpm":
            return coded((LOINC, *HEART_RATE), ours)
        return coded(ours)


def _signal(name: str, unit: str, described: Description) -> SignalFacts:
    if name in described.signals:
        return described.signals[name]
    signal = name.rpartition(".")[0]
    if signal in described.signals:
        return described.signals[signal]
    if not described.signals and unit == "degC":
        # A wearable that has not joined since descriptions are kept: temperatures of cameras' dies end so.
        return SignalFacts("around" if ".ta" in name else "skin", (), True)
    return UNKNOWN


def metrics(known: Known, names: Names, device: str) -> Iterator[tuple[str, Resource]]:
    """Each number of the wearable: its unit, and how it stands with its calibration."""
    newest = {row.series: row for row in known.hours}
    for number, row in newest.items():
        series = Series(known.series[number], known.description)
        calibration: Resource = {"type": "unspecified", "state": "calibrated" if row.calibration else "not-calibrated"}
        if row.calibration and series.calibrated_unix_s is not None:
            calibration["time"] = datetime.fromtimestamp(series.calibrated_unix_s, UTC).isoformat()
        elif not row.calibration and not series.can_calibrate:
            calibration["state"] = "unspecified"
        made = {
            "resourceType": "DeviceMetric",
            "type": series.code(),
            "unit": coded((UCUM, UCUM_CODES.get(series.unit, "1"), series.unit or "1")),
            "source": reference(device),
            "category": "calculation" if series.preliminary else "measurement",
            "calibration": [calibration],
        }
        yield identified(made, names.url("DeviceMetric", known.worn.id, series.name))


def observations(known: Known, names: Names, patient: str, device: str, model: str) -> Iterator[tuple[str, Resource]]:
    """Each hour of each number; beside what a clinician confirmed, that."""
    all_series = {number: Series(row, known.description) for number, row in known.series.items()}
    measured: dict[tuple[int, str], list[str]] = {}
    for row in known.hours:
        series = all_series[row.series]
        if series.output is None:
            for sensor in series.sensors:
                measured.setdefault((row.start_ns, sensor), []).append(_url(names, known, series, row))
    for row in known.hours:
        series = all_series[row.series]
        url = _url(names, known, series, row)
        made = _observation(known, series, row, patient, device)
        if series.output is not None:
            sources = [one for sensor in series.sensors for one in measured.get((row.start_ns, sensor), ())]
            if sources:
                made["derivedFrom"] = [reference(one) for one in dict.fromkeys(sources)]
            if model:
                made["device"] = reference(model)
        yield identified(made, url)
        said = known.confirmations.get((series.name, row.start_ns))
        if said is not None:
            yield identified(_confirmed(series, row, said, patient, url), names.url("Observation", said.id))


def provenances(known: Known, names: Names, device: str, model: str) -> Iterator[tuple[str, Resource]]:
    """Of findings: which signed bundle said them; of what was confirmed: who did, and when."""
    all_series = {number: Series(row, known.description) for number, row in known.series.items()}
    by_hour: dict[int, list[str]] = {}
    for row in known.hours:
        series = all_series[row.series]
        if series.output is not None and model:
            by_hour.setdefault(row.start_ns, []).append(_url(names, known, series, row))
        said = known.confirmations.get((series.name, row.start_ns))
        if said is not None:
            made = {
                "resourceType": "Provenance",
                "target": [reference(names.url("Observation", said.id))],
                "recorded": moment(said.at_ns),
                "activity": coded((OURS, "confirmation", "a clinician confirmed an estimate")),
                "agent": [
                    {
                        "type": coded((f"{HL7}/provenance-participant-type", "attester", "Attester")),
                        "who": person(said.by),
                    }
                ],
                "entity": [{"role": "source", "what": reference(_url(names, known, series, row))}],
            }
            yield identified(made, names.url("Provenance", said.id))
    described = known.description
    key = (
        "the development key, with which anybody can sign"
        if described.development_key
        else "a key that the wearable trusts"
    )
    for start_ns, targets in by_hour.items():
        made = {
            "resourceType": "Provenance",
            "target": [reference(one) for one in targets],
            "recorded": moment(max(row.end_ns for row in known.hours if row.start_ns == start_ns)),
            "activity": coded((OURS, "inference", "a model ran on the wearable")),
            "agent": [
                {
                    "type": coded((f"{HL7}/provenance-participant-type", "assembler", "Assembler")),
                    "who": reference(model),
                },
                {
                    "type": coded((f"{HL7}/provenance-participant-type", "performer", "Performer")),
                    "who": reference(device),
                },
            ],
            "entity": [
                {
                    "role": "source",
                    "what": {
                        "identifier": {"system": f"{OURS}:bundle-sha256", "value": described.bundle_sha256 or "none"},
                        "display": line(f"bundle {described.bundle or 'of no version'}, signed with {key}"),
                    },
                }
            ],
        }
        yield identified(made, names.url("Provenance", "inference", start_ns))


def _url(names: Names, known: Known, series: Series, row: Any) -> str:
    return names.url("Observation", known.worn.id, series.name, row.start_ns)


def _observation(known: Known, series: Series, row: Any, patient: str, device: str) -> Resource:
    mean = round(row.total / row.n) / STEPS
    components = [("5th percentile", row.p5), ("95th percentile", row.p95), ("least", row.low), ("greatest", row.high)]
    parts = [(name, value / STEPS) for name, value in components]
    if series.output is not None and series.output.spread:
        spread = series.output.spread
        parts += [("90 % interval, low", mean - spread), ("90 % interval, high", mean + spread)]
    found: Resource = {
        "resourceType": "Observation",
        "status": "preliminary" if series.preliminary else "final",
        **({"category": [coded(VITAL)]} if series.is_vital else {}),
        "code": series.code(),
        "subject": reference(patient),
        "device": reference(device),
        "effectivePeriod": {"start": moment(row.start_ns), "end": moment(row.end_ns)},
        "valueQuantity": quantity(mean, series.unit),
        "component": [
            {
                "code": coded((OURS, name.replace(" %", "").replace(",", ""), name)),
                "valueQuantity": quantity(value, series.unit),
            }
            for name, value in parts
        ],
        "note": note(
            _words(row),
            f"Model {series.output.model}, bundle {known.description.bundle or 'unknown'}." if series.output else "",
        ),
    }
    if series.output is not None:
        found["method"] = coded((OURS, "model-estimate", "estimate of a model on the wearable, not a measurement"))
    elif series.preliminary:
        found["method"] = coded((OURS, "computed", "computed of other signals, not a measurement"))
    elif series.unit == "degC" and series.signal.role == "skin":
        site = f"{series.label}, {series.place}" if series.place else series.label
        found["bodySite"] = coded((OURS, series.name, series.label), text=site)
    elif series.signal.role == "around":
        found["method"] = coded((OURS, "surroundings", "of what is around the wearer or the sensor, not of the body"))
    words = f"{series.label}: {mean:g} {series.unit}, {'preliminary' if series.preliminary else 'measured'}, mean of an hour."
    return narrated(found, words)


def _confirmed(series: Series, row: Any, said: Any, patient: str, source: str) -> Resource:
    found = {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded(VITAL)],
        "code": coded((LOINC, *BODY_TEMPERATURE), (OURS, series.name, series.label)),
        "subject": reference(patient),
        "performer": [person(said.by)],
        "effectivePeriod": {"start": moment(row.start_ns), "end": moment(row.end_ns)},
        "issued": moment(said.at_ns),
        "valueQuantity": quantity(said.value, series.unit),
        "derivedFrom": [reference(source)],
        "method": coded((OURS, "confirmed-estimate", "estimate of a model, confirmed by a clinician")),
        "note": note(line(said.note) + "." if said.note else "", f"Confirmed by {line(said.by)}."),
    }
    return narrated(found, f"{series.label}: {said.value:g} {series.unit}, confirmed by {said.by}.")


def _words(row: Any) -> str:
    parts = [f"{row.n} samples, {row.doubtful} left out as doubtful, {row.lost} blocks lost"]
    parts.append(f"calibration {line(row.calibration)}" if row.calibration else "uncalibrated")
    if row.uncertainty is not None:
        parts.append(f"uncertainty {row.uncertainty / STEPS:g} (k = 2)")
    if row.ambients:
        parts.append(f"ambient {row.ambient / row.ambients / STEPS:.1f} degC")
    return f"{', '.join(parts)}."
