"""What the figures of `time-constants` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models import foster


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    sentences = [
        "A temperature over time is all it sees, so there is nothing beside temperature to leave out; without it, or by a clock alone, one curve is like "
        "another.",
        "Synthetic Foster curves with white noise alone, and figures of the network alone. The wearable goes on from what the network says by least "
        "squares that know of an offset, a drift and another amplitude, tell how sure they are, and say 0 parts of what is no such curve (stage "
        "`foster_fit`): `python bench/recovery_worlds.py` prints how that stands curves that are off, drift, begin late, have outliers or coloured noise.",
        f"Time constants of {foster.TAU_S[0]:g}-{foster.TAU_S[1]:g} s whose neighbours differ by a factor of {foster.LEAST_RATIO:g} or more, each "
        f"with at least {100 * foster.LEAST_SHARE:g} % of the amplitude.",
        "The baseline is multi-start least squares on all 600 samples, told the number of parts.",
    ]
    theirs = {row["noise"]: row for row in metrics.get("baseline", {}).get("table", []) if row["parts"] == "all"}
    pairs = [
        (row, theirs[row["noise"]])
        for row in metrics["int8"].get("table", [])
        if row["parts"] == "all" and row["noise"] in theirs
    ]
    if pairs:
        said = ", ".join(
            f"{100 * own['unknown_median']:.1f} ({100 * own['unknown_p90']:.1f}) against {100 * other['known_median']:.1f} "
            f"({100 * other['known_p90']:.1f}) % at {100 * own['noise']:g} % noise"
            for own, other in pairs
        )
        sentences.append(
            f"Median (and 90th percentile) of the error of tau over all curves, the number of parts unknown to the network: {said}. Without "
            "noise, rounding within the network is what is left."
        )
    sentences += metrics.get("probe", {}).get("told", ())
    return (*sentences, "One training: the interval is of curves alone, and another training differs too.")
