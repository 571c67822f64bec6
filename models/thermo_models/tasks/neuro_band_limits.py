"""What the figures of `neuro-band` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models import foster
from thermo_models.tasks import neuro_band_curves as curves

CHANCE = 0.5


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    own, other = metrics["int8"], metrics.get("baseline", {})
    sentences = [
        "Everything about slowed sides is simulation: no measured curves of hands after cold or warm water, with or without nerve damage, were "
        "at hand. How a hand recovers has weak clinical support; it is a number with its spread, and nothing alerts on it.",
        f"Temperature is the network's only input: without it, or by the clock alone, AUC is {CHANCE} by construction. Motion only refuses.",
        f"Learnt from Foster curves of one to three time constants of {foster.TAU_S[0]:g}-{foster.TAU_S[1]:g} s; sides of healthy people differ by a "
        f"logarithm of standard deviation {curves.SIDES_LOG:g}, each time constant by {curves.PARTS_LOG:g} more, and no method that sees nothing "
        f"else can exceed the ceiling: {own['ceiling_steps']:.3f} where curves have such sides, {own['ceiling_people_steps']:.3f} on simulated people.",
    ]
    if other:
        sentences.append(
            "A side slowed by 1.6, AUC of the network against one exponential a node by least squares (median over pairs): "
            f"{own['auc_steps']:.3f} against {other['auc_steps']:.3f} with changes of contact, {own['auc_calm']:.3f} against {other['auc_calm']:.3f} "
            f"without; on simulated people {own['auc_people_steps']:.3f} against {other['auc_people_steps']:.3f} with, {own['auc_people_calm']:.3f} "
            f"against {other['auc_people_calm']:.3f} without."
        )
    if "fit_steps" in own:
        sentences.append(
            "Most of it is one fit through the curves of both hands (`paired_recovery`), which knows how noise and "
            f"vessels wander: {own['fit_steps']:.3f} by itself with changes of contact, {own['fit_calm']:.3f} without, {own['fit_people_steps']:.3f} "
            "on simulated people. Vessels that move by themselves, time constants that a window cannot tell apart and those that are over before "
            "it begins are what is left; where healthy sides differ by one factor alone more can be told (`python bench/paired_recovery.py`)."
        )
    sentences.append(
        f"In windows of all kinds {100 * own['alike_called_slowed']:.0f} % of hands that are alike are called slowed (slowing from 1.25 on is "
        f"learnt as such, and sides of healthy people differ), and the right side is named in {100 * own['right_side_named']:.1f} % of those found."
    )
    if alone := metrics.get("variants", {}).get("one-pair", {}).get("int8"):
        sentences.append(
            f"The pair on the backs of the hands alone (`--set variant=one-pair`): {alone['auc_steps']:.3f}, and {alone['auc_people_steps']:.3f} on "
            "simulated people."
        )
    sentences += [*_taus(metrics.get("taus", {})), *_pairs(metrics.get("pairs", {}))]
    sentences.append(
        "Figures on simulated people were watched while one feature was made and its window set: other people may give somewhat worse ones."
    )
    return (*sentences, "One training: the intervals are of hands alone, and another training differs too.")


def _taus(found: Mapping[str, Any]) -> tuple[str, ...]:
    """What `bench/neuro_band_claims.py` found of time constants."""
    if not found:
        return ()
    rows = "; ".join(
        f"{name}: {100 * one['median']:.2f} ({100 * one['p90']:.1f}) against {100 * one['least_squares_median']:.2f} "
        f"({100 * one['least_squares_p90']:.1f}) %, the difference of medians {100 * one['difference'][0]:+.2f} to "
        f"{100 * one['difference'][1]:+.2f} %, {100 * one['told']:.0f} % of {one['hands']:,} hands told"
        for name, one in found.items()
    )
    return (
        "Median (and 90th percentile) of the error of `left-tau` and `right-tau`, which no network makes, where a hand has one time constant, "
        f"against least squares through the same nodes (`python bench/neuro_band_claims.py`): {rows}.",
    )


def _pairs(found: Mapping[str, Any]) -> tuple[str, ...]:
    """What it found of pairs."""
    if not found:
        return ()
    return (
        f"Pairs of {found['bands']} simulated bands agree to {found['worst_k']:.3f} K at most at set-points that their calibration did not fit "
        f"(goal: {found['goal_k']:g} K).",
    )
