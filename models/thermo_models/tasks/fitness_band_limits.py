"""What the figures of `fitness-band` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models.day_card import an_hour

EVERY_S = 30.0
"""From one moment of a session to the next."""


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    own, trees = metrics["int8"]["macro_f1"], metrics["baseline"]["macro_f1"]
    low, high = metrics["intervals"]["int8"].get("macro_f1", (own, own))
    sentences = [
        "What tells the classes are boosted trees, in stages before a network that only carries on what they say. The baseline, extra trees "
        f"on the same numbers, of which there are too many for a microcontroller, gives macro F1 {trees:.3f}: "
        + (
            "outside the interval."
            if not low <= trees <= high
            else "within the interval, so which is better is not shown."
        )
        + " Three classes by chance give about 0.33.",
    ]
    found = metrics["int8"]
    if "exercise_found" in found:
        sentences.append(
            "Over whole sessions, two minutes in a row that are more likely exercise than not: "
            f"{100 * found['exercise_found']:.0f} % of exercise is called, and {found['exercise_false_an_hour']:.2f} times an hour of sitting or of a session "
            f"that was called already; sprints {100 * found['sprints_found']:.0f} %, and {found['sprints_false_an_hour']:.2f} times an hour for nothing, "
            f"{found['sprints_delay_s'] / 60:.0f} minutes (median) after a session begins. Scores are off by {found['ece']:.3f} (expected calibration error)."
        )
        sure, hours = metrics["intervals"]["int8"], metrics["samples"] * EVERY_S / 3600
        sentences += [
            an_hour(found[f"{name}_false_an_hour"], sure.get(f"{name}_false_an_hour"), hours, name)
            for name in ("exercise", "sprints")
        ]
    examined = metrics.get("examined", {})
    if "network" in examined:
        sentences.append(
            "A dense network on the same numbers, an eighth of the people left out at a time, gives "
            f"{_figure(examined['network'])}, and is not shipped for that."
        )
    parts = {row["part"]: row for row in examined.get("parts", ())}
    if "heart rate, motion and temperature" in parts:
        warm = parts["heart rate, motion and temperature"]["macro_f1"]
        verdict = "adds nothing that could be shown" if warm <= high else "adds something"
        sentences.append(f"Skin temperature {verdict}: with it macro F1 is {warm:.3f}, without it {own:.3f}.")
    if parts:
        told = "; ".join(f"{name} {_figure(row)}" for name, row in parts.items())
        sentences.append(f"Macro F1 of parts, an eighth of the people left out at a time, with 95 % intervals: {told}.")
    for row in examined.get("protocols", ()):
        sentences.append(
            f"Learnt from the {row['from']} people alone, the {row['to']} people are told with macro F1 {_figure(row['boosted'])}, by extra trees "
            f"{_figure(row['trees'])}: another protocol, other people, the harder split."
        )
    return (
        *sentences,
        "A class is that of a session. Pauses of a sprint session are called sprints, and a minute of them alone looks like any slow ride: "
        "what tells them apart is the ten minutes before. Levels begin with a session here; on a wrist they begin with whatever was done "
        "before.",
        f"{metrics['people']} people of 18 to 31 who sit or pedal in a laboratory: no running, no walking, no weights, no daily life.",
        "Sizes of the trees were chosen on S people, but figures of all people had been seen when the ten-minute levels and the mean of five "
        "minutes were taken in: macro F1 is a little better than it would be on others.",
        "Heart rate in these recordings is another band's; in sprints it is known to be wrong. Strength of motion is that of its "
        "accelerometer.",
    )


def _figure(row: Mapping[str, Any]) -> str:
    low, high = row["interval"]
    return f"{row['macro_f1']:.3f} ({low:.2f} to {high:.2f})"
