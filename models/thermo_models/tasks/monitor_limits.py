"""What a card of the monitor tells beside its figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from thermo_sim.people import Person

WITHOUT = {
    "without-temperature": "without skin and air",
    "temperature-only": "from skin and air alone",
    "without-heart": "without the heart",
    "without-movement": "without movement",
    "without-who": "without who the wearer is",
    "clock-alone": "from the hours it was worn alone",
}


MADE_WITH = (
    "How many people it learns from was chosen on others; sizes, epochs and the share that the interval holds on a third of those it is "
    "measured on: others may give somewhat worse figures."
)
"""Of the model that is shipped."""


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences of the card; numbers come from the metrics."""
    figures, beside = metrics["int8"], metrics.get("baseline", {})
    sentences = [*_ablations(metrics)]
    scripts = {
        name.removeprefix("core_rmse_"): value for name, value in figures.items() if name.startswith("core_rmse_")
    }
    parts = [
        f"{name} {scripts[name]:.2f} (ECTemp {beside.get(f'core_rmse_{name}', float('nan')):.2f})"
        for name in ("day", "rest", "outdoors", "workout", "fever")
        if name in scripts
    ]
    sentences.append(
        f"Simulated bodies alone: {metrics['people']} of JOS-3, whose heart follows cardiac output with a stroke volume, a fitness and a "
        "heat term of its own, never ECTemp's equation. No measured person is in it, and a real one differs in more ways. Root mean square of core "
        f"temperature by script, in K: {', '.join(parts)}; the constant 37.0 degC is off by {figures['core_rmse_constant_37']:.2f}."
    )
    sentences.append(MADE_WITH)
    people = [Person.drawn(seed) for seed in range(200)]
    apart = np.std([one.core_k for one in people])
    swing = np.sqrt(np.mean([one.circadian_k**2 / 2 for one in people]))
    sentences.append(
        f"What limits it: people of one build differ by {apart:.2f} K in core temperature, and each swings by {swing:.2f} K (root mean square) a day "
        "that the wearable has no clock for; neither shows in heart, skin or movement. Where age, weight, height and sex are not told, it takes usual ones "
        "and is off by more."
    )
    sentences.append(
        f"States are what the simulation calls so: fever-like is a core of 38 degC or more with a fever, heat strain the same from work. "
        f'"Sensor off" was said of {figures["off_found"]:.1%} of the moments in which the monitor was off the skin, and of '
        f"{figures['off_said_of_worn']:.2%} of the others. Beta-blockers, arrhythmia and stress in a chair move the estimate without moving the body."
    )
    return (*sentences, *metrics.get("probe", {}).get("told", ()))


def _ablations(metrics: Mapping[str, Any]) -> list[str]:
    variants = metrics.get("variants", {})
    if "without-temperature" not in variants:
        return []
    own = metrics["int8"]["core_rmse"]
    low, high = metrics["intervals"]["int8"].get("core_rmse", (own, own))
    without = variants["without-temperature"]["int8"]
    adds = "adds" if without["core_rmse"] > high else "adds nothing that could be shown"
    parts = [
        f"{words} {variants[name]['int8']['core_rmse']:.3f} K and AUC of fever {variants[name]['int8']['auc_fever']:.3f}"
        for name, words in WITHOUT.items()
        if name in variants
    ]
    return [
        f"Temperature {adds}: core temperature is off by {own:.3f} K ({low:.3f} to {high:.3f}) and the AUC of fever is "
        f"{metrics['int8']['auc_fever']:.3f} with all, {'; '.join(parts)}."
    ]
