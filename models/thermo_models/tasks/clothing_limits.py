"""What the figures of garments do not show, as sentences of their cards; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from thermo_models.metrics import MOST_OFF
from thermo_models.tasks.clothing_scenes import BIAS_K, CALIBRATED, NOISE_K
from thermo_sim.people.table import AREA

MOSTLY = 0.8
"""Share of an error that is left where what was taken away was little of it."""


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    found = metrics["int8"]
    low, high = metrics["intervals"]["int8"].get("map_k", (found["map_k"], found["map_k"]))
    nodes_most = found["map_calibrated_k"] < MOSTLY * found["map_k"]
    of_what = (
        "Nodes' own errors are most of the map's:"
        if nodes_most
        else "Segments without a node are most of the map's error:"
    )
    left_k = BIAS_K * float(np.sqrt(np.square(AREA).sum()))
    why = (
        f" With a node on each segment, errors of {BIAS_K:g} K that know nothing of one another leave {left_k:.3f} K of the mean by the areas alone, "
        "however many bodies are learnt from and however long their noise is averaged."
        if nodes_most
        else ""
    )
    sentences = [
        f"Simulated bodies alone, {metrics['people']:,} of them, with nodes that are off by {BIAS_K:g} K each and have {NOISE_K:g} K of noise. "
        "Nobody has worn it. The map is a Gaussian model of the body in stages, no network; the network tells events.",
        f"{of_what} {found['map_k']:.2f} K ({low:.2f} to {high:.2f}) come to {found['map_calibrated_k']:.2f} K, and the mean of the skin from "
        f"{found['mean_skin_k']:.3f} to {found['mean_skin_calibrated_k']:.3f} K, where a calibration leaves {BIAS_K * CALIBRATED:.2g} K of nodes' "
        "own errors. Skin of one body cannot be told from nodes that are off alike: ninety minutes hold nothing that parts the two."
        + why,
        f"A node that hangs loose is told by the others where it reads some kelvin beside skin. {found['loose_found']:.1%} of them were found that "
        "read the room's air; under warm cloth air is as warm as skin, and nothing tells then. `python bench/clothing.py` prints both.",
        "Days of other bodies are harder: a warm cup makes a hand's node look loose for minutes, which is why an alert waits for ten, and events "
        "are told while nothing happens; no alert goes by events. Outdoors in the cold most events are refused: bodies that it learnt them from "
        "stood in rooms. `python bench/clothing.py` prints how often, and the errors of the map then.",
        f"{found['accuracy']:.0%} of moments, each kind of event weighing the same, are told right at the minute. A coat that is put off is a "
        "jacket that is opened.",
    ]
    changes = metrics.get("variants", {}).get("changes-alone")
    if changes:
        sentences.append(
            f"One-sided events: without the levels of temperature, from changes alone, AUC {changes['int8']['one_sided_auc']:.3f} (`--set "
            "variant=changes-alone`); from left less right alone the baseline's; 0.5 is chance."
        )
    examined = metrics.get("examined", {})
    if "without_node_k" in examined:
        bare = examined["without_node"]
        whose = f"{bare[0].lower()}, which has no node," if len(bare) == 1 else f"{len(bare)} segments without a node"
        verb = "is" if len(bare) == 1 else "are"
        others = (
            " Learnt from the file's bodies alone, a quadratic model of the body is no better than a linear one; a kernel model, which is no stage and "
            "knows no answer to a dead node, brings a twentieth, and calibrated nodes a third (`python bench/clothing_map.py` prints models and "
            "each segment)."
            if nodes_most
            else ""
        )
        sentences.append(
            f"The {whose} {verb} off by {examined['without_node_k']:.2f} K, segments with one by {examined['with_node_k']:.2f} K: that is what limits "
            f"the map.{others}"
        )
    if examined:
        sentences.append(
            f"Without temperature nothing is left: the mean body has a map error of {examined['mean_body_k']:.2f} K, the room's air alone brings "
            f"it to {examined['room_alone_k']:.2f} K, activity and room to {examined['room_and_work_k']:.2f} K. A clock alone tells one-sided "
            f"events with AUC {examined['clock_auc']:.2f}, activity alone with {examined['work_auc']:.2f}."
        )
    probe = metrics.get("probe", {})
    return (
        *sentences,
        *probe.get("told", ()),
        *_calibration(found.get("ece", 0.0), probe.get("ece", 0.0)),
        "Bodies it is measured on were watched while training worlds, limits and inputs were chosen: others may give somewhat worse figures.",
    )


def _calibration(bodies: float, days: float) -> list[str]:
    """What becomes of the goal for scores on bodies that are measured on, and on days."""
    if max(bodies, days) <= MOST_OFF:
        return []
    missed = " and ".join(
        f"{name} by {off:.3f}"
        for name, off in (("the bodies it was measured on", bodies), ("days", days))
        if off > MOST_OFF
    )
    return [
        f"Scores are off for {missed}, goal {MOST_OFF:g}. A temperature alone, a temperature and a shift of nothing that make what happened likeliest, and "
        "the least shift, which ships, were tried on people of neither; `python bench/score_scaling.py` prints them. What limits it: the network is too sure "
        "on days and too unsure on bodies of JOS-3, and how well events are told differs so much from person to person that no one scaling is right "
        "for all; a larger shift tells fewer events."
    ]
