"""Resources of FHIR with something in them changed so that they are none any more."""

import copy
import random
from collections import Counter
from typing import Any

from thermo_hub.fhir.check import REQUIRED, SYSTEMS


def mutated(made: dict[str, Any], rng: random.Random) -> tuple[dict[str, Any], str]:
    """A bundle with a code changed, a reference that leads nowhere, or a kind that is none; and the kind of the resource that was changed."""
    broken = copy.deepcopy(made)
    entry = rng.choice(broken["entry"])
    resource = entry["resource"]
    kind = resource["resourceType"]
    nonsense = rng.choice(["nonsense", "", "FINAL", None, 7])
    elements = [name for name in REQUIRED[kind] if name.partition(".")[0] in resource]
    places = [one for one in _parts(resource) if one.get("system") in SYSTEMS]
    references = [one for one in _parts(resource) if "reference" in one]
    how = rng.choice(
        ["code"] * bool(elements) + ["system"] * bool(places) + ["reference"] * bool(references) + ["kind"]
    )
    if how == "code":
        path = rng.choice(elements).split(".")
        part = resource
        for name in path[:-1]:
            part = part[name][0] if isinstance(part[name], list) else part[name]
        part[path[-1]] = nonsense
    elif how == "system":
        rng.choice(places)["code"] = nonsense
    elif how == "reference":
        rng.choice(references)["reference"] = rng.choice(
            ["urn:uuid:00000000-0000-0000-0000-000000000000", "Patient/1", ""]
        )
    else:
        resource["resourceType"] = rng.choice(["patient", "Observations", "", None])
    return broken, kind


def _parts(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [one for inner in part for one in _parts(inner)]
    if isinstance(part, dict):
        return [part, *(one for inner in part.values() for one in _parts(inner))]
    return []


def one_of_each(made: dict[str, Any]) -> dict[str, Any]:
    """The same bundle with a few of each kind, and all that these refer to."""
    by_url = {entry["fullUrl"]: entry for entry in made["entry"]}
    chosen: dict[str, dict[str, Any]] = {}

    def take(url: str) -> None:
        if url not in chosen:
            chosen[url] = by_url[url]
            for one in _parts(by_url[url]["resource"]):
                if "reference" in one:
                    take(one["reference"])

    seen: Counter[str] = Counter()
    for entry in made["entry"]:
        kind = entry["resource"]["resourceType"]
        if seen[kind] < 2 or "performer" in entry["resource"]:
            seen[kind] += 1
            take(entry["fullUrl"])
    return {**made, "entry": list(chosen.values())}
