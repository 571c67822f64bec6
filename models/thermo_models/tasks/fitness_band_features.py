"""What `fitness-band` learns activity from: numbers of a session's moments as the wearable's graph makes them, and trees on these."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.stages.concatenate import Concatenate
from thermo_core.stages.hold import Hold
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models.boosting import Boosting
from thermo_models.domain import domain
from thermo_models.features import moments, signal_from, standardise, through
from thermo_models.templates import stage_of, template

CLASSES = ("sitting", "aerobic", "sprints")
WEARABLE = template("fitness-band")
DOUBLED = {"STRESS/S02": 1549}
"""Second from which a session says what it said before."""
NOT_WORN = frozenset({"STRESS/f07"})
"""Sessions with a cap on the band: neither heart rate nor temperature."""
HOTTEST_CELSIUS = 45.0
COLUMNS = ("rate", "motion", "motion", "temperature")
"""What each column of the graph's seconds is of, with the last one that is put there to measure what it adds."""
LEVELS = 3
"""Levels of each column."""
LIMIT = 4.0
"""Standard deviations."""
TREES = Boosting()
"""Its sizes were chosen on S people alone, each left out in turn, and of equal ones the smaller."""
SPAN = np.array([[-0.1] * len(CLASSES), [1.1] * len(CLASSES)], np.float32)
"""Scores at 0 and 1 are within what the network holds, not at its ends."""
EVERY_S, MEMORY_S = 30.0, stage_of(WEARABLE.profile, "activity-lately").memory_s


def columns(seconds: int, used: Sequence[str]) -> list[int]:
    """Places of the numbers of what is used: of columns by statistics, then of levels by columns."""
    each = len(stage_of(WEARABLE.profile, "numbers").give)
    of_numbers = [place for place in range(seconds * each) if COLUMNS[place // each] in used]
    of_levels = [place for place in range(seconds * LEVELS) if COLUMNS[place % seconds] in used]
    return of_numbers + [seconds * each + place for place in of_levels]


def standard_of(features: NDArray[np.float32], people: NDArray[np.int64]) -> tuple[Stage, ...]:
    """Each number standardised over the training side, and held within what that shows."""
    standard = standardise(features, LIMIT, "facts", "standard")
    return (standard, domain(through((standard,), features), people, "standard", "known"))


def stages_of(
    features: NDArray[np.float32], people: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[Stage, ...]:
    """The same, and the trees."""
    before = standard_of(features, people)
    return (*before, TREES.learn(through(before, features), targets, len(CLASSES), "known", "told"))


def carry(network: Any) -> None:
    """Let a `dense_residual` give what it takes: scores of trees become a finding that way."""
    first, last = (layer for layer in network.layers if layer.get_weights())
    first.set_weights([np.zeros_like(weights) for weights in first.get_weights()])
    kernel, bias = last.get_weights()
    kernel[:] = np.eye(*kernel.shape)
    last.set_weights([kernel, np.zeros_like(bias)])


def lately(outputs: NDArray[np.float32], elapsed_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scores as the wearable reads them: their mean over the session so far, later over about its `MEMORY_S`.

    Args:
        outputs: (n, classes), session after session.
        elapsed_s: (n,) seconds of the session, which begins anew where they do not rise.
    """
    begins = np.flatnonzero(np.diff(elapsed_s, prepend=np.inf) <= 0)
    number = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(outputs)))
    place = np.arange(len(outputs)) - begins[number]
    table = np.zeros((len(begins), int(place.max(initial=0)) + 1, outputs.shape[1]))
    table[number, place] = outputs
    for step in range(1, table.shape[1]):
        share = EVERY_S / min(EVERY_S * (step + 1), MEMORY_S)
        table[:, step] = table[:, step - 1] + share * (table[:, step] - table[:, step - 1])
    read: NDArray[np.float64] = table[number, place]
    return read


def with_temperature(profile: Profile) -> Profile:
    """The graph with skin temperature among its seconds, to measure what it adds."""
    held = Hold(of="skin", on="moved", gives="skin-each-second", oldest_s=10.0)
    stages = [
        replace(stage, of=(*stage.of, held.gives))
        if isinstance(stage, Concatenate) and stage.gives == "each-second"
        else stage
        for stage in profile.stages
    ]
    return replace(profile, stages=(*stages, held))


def samples_of(session: str, of: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Features (n, numbers) of a session's moments; its seconds till then, and the numbers of skin temperature."""
    cut = DOUBLED.get(session)
    rate = np.where(of["hr_x50"] < 0, np.nan, of["hr_x50"] / 50.0).astype(np.float32)[:cut]
    celsius = (of["temp_centi"] / 100.0).astype(np.float32)[:cut]
    if session in NOT_WORN:
        rate = np.full_like(rate, np.nan)
    if session in NOT_WORN or (celsius > HOTTEST_CELSIUS).any():
        celsius = np.full_like(celsius, np.nan)
    motion = np.stack([of["enmo_g"], of["acc_sd_g"]], axis=1).astype(np.float32)[:cut]
    given = moments({"beating": rate[:, np.newaxis], "moved": motion, "skin": celsius})
    facts = signal_from(with_temperature(WEARABLE.profile), given, dict.fromkeys(given, 1.0), "facts")
    own, warm = (columns(len(COLUMNS), used) for used in (("rate", "motion"), ("temperature",)))
    return facts.values[:, own], {"elapsed_s": facts.times_us / 1e6, "temperature": facts.values[:, warm]}
