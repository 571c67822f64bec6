"""What the figures of `breast-watch` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any


def first_lines(metrics: Mapping[str, Any]) -> str:
    """What cannot be seen, with its numbers."""
    figures = metrics["int8"]
    faint = figures.get("auc_0.15_0.3_k")
    if faint is None:
        return ""
    return (
        f"**What it cannot see.** Lesions that raise the skin by 0.15 to 0.3 K, which is what most of 15 mm depth and more do, are told from "
        f"none with an AUC of {faint:.2f} in a single look (0.5 is chance); smaller and deeper ones not at all. "
        "What was there in the first week is learnt as usual and is never told."
    )


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    figures = metrics["int8"]
    sentences = [
        "Simulated wearers alone: no skin, no person, no disease. How much vessels, rooms and fits change is assumed: vessels by 20 to 30 %, "
        "fits by half a pixel to a pixel and half a degree to a degree, a smooth field by 0.07 to 0.1 K.",
    ]
    if "auc_deep" in figures:
        sentences.append(
            f"Of depths of 15 mm and more only large lesions raise the skin by 0.15 K; of these alone the AUC is {figures['auc_deep']:.2f}."
        )
    variants = metrics.get("variants", {})
    for name, told in (("difference-alone", "From the difference alone"), ("picture-alone", "From the picture alone")):
        if name in variants:
            found = variants[name]["int8"]
            sentences.append(
                f"{told} (`--set variant={name}`) the same network gives AUC {found['auc_0.3_0.6_k']:.3f} at 0.3 to 0.6 K and "
                f"{found['auc_0.6_1_k']:.3f} at 0.6 to 1 K, against {figures['auc_0.3_0.6_k']:.3f} and {figures['auc_0.6_1_k']:.3f} from both."
            )
    if "refused_disturbed" in figures:
        sentences.append(
            f"Refused, of single looks: {100 * figures['refused_healthy']:.1f} % without anything in them, {100 * figures['refused_lesions']:.1f} % "
            f"with a lesion, {100 * figures['refused_disturbed']:.1f} % with a disturbance. A disturbance that is not refused is mostly one that "
            "hardly differs from none, as a hot-water bottle that covers the whole picture; the table above says how many pass for a lesion."
        )
    return (
        *sentences,
        "The difference from the reference alone (`--set variant=difference-alone`) does as well: the picture beside it adds nothing that could be "
        "shown. Of two kinds of networks the one that is kept was chosen on these figures; its width and the number of wearers that it learns from "
        "were chosen on others. The specificity was chosen on months of yet others, on skin of the generator that was learnt from (`python "
        "bench/patch_days.py --skin ridges --seed 900000 --wearers 24 --lesions 12`; none of 24 mild ones was alerted), the three hours of an alert, "
        "for an earlier network, on twelve of those that `bench/patch_days.py` counts.",
        "Tried for more at 0.3 to 0.6 K, judged on 60 wearers of no side and of the skin that was learnt from: AUC 0.884 as it ships, twice as wide as "
        "the network is by itself and of 800 wearers (`python bench/breast_watch.py --width 2`), 0.886 as the mean of a look and its mirror images at "
        "four times the instructions; of 200 wearers (`--wearers 200`) 0.856 as wide as it is by itself, 0.885 twice, and 0.886 three times as wide, "
        "which is 33 kB too large for an nRF52840 behind its loader. None reaches 0.9. What limits it is what changes by itself: in a harsh life "
        "vessels and fits add as much as such a lesion.",
        "Temperature is all it sees: without it, or by a clock alone, AUC is 0.5 by construction.",
        "The reference is the mean of its first eight days and follows over two months from then on: a lesion that grows more slowly than over some "
        "months becomes usual.",
        "In months a lesion is partly learnt while it grows, over thirty days here. By the rise of the skin at the time the AUC of one look is 0.85 (95 % "
        "interval 0.82 to 0.87) at 0.3 to 0.6 K and 0.96 (0.95 to 0.97) at 0.6 to 1 K, of the mean of six hours 0.90 (0.88 to 0.93) and 0.98 (0.97 to 0.99), "
        "and 20 of 24 lesions that come to 0.3 to 0.6 K are told within 45 days (`python bench/patch_days.py --wearers 24 --lesions 12`). Where the "
        "reference stays the mean of all days for two months (`settled_s = 0`), they are 0.77, 0.90, 0.83 and 0.94, and 16 of 24; that it settles was "
        "chosen on the months that the specificity was chosen on.",
        "An alert needs three hours of looks above the threshold that are not refused: `python bench/patch_days.py` prints how many there are in a "
        "month of a healthy wearer, and after how long a lesion that grows is told.",
    )
