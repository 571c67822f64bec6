"""One hand slower than the other after cold or warm water, from ten minutes of a neuro band's eight nodes.

A sample is a window as the band takes one every 30 s: each node's curve in bins that widen with time, brought to 1 at its start and 0 at
its end, how far it went, how far its end is from where it was before the challenge, and what one fit through all curves says of the sides
(`paired_recovery`). Curves are simulated; the network learns in one
world and is judged in another, whose noise, drift and changes of contact have another shape, and on simulated people of
`thermo_sim.people`, whose vessels move by themselves. Beside it stands the classical way with the same nodes: one exponential a node by
least squares, then the median over pairs of the logarithm of right over left.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.signals import Signal
from thermo_core.stages import paired_recovery
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.paired_recovery import PairedRecovery
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models.domain import domain
from thermo_models.features import LEAST_SPREAD, through
from thermo_models.metrics import auc, expected_calibration_error
from thermo_models.samples import Fold, Samples
from thermo_models.settings import Settings
from thermo_models.tasks import neuro_band_bodies as bodies
from thermo_models.tasks import neuro_band_curves as curves
from thermo_models.tasks import neuro_band_unseen
from thermo_models.tasks.neuro_band_curves import ALIKE, NO_CHALLENGE, SLOWED_LEFT, SLOWED_RIGHT, Windows
from thermo_models.tasks.neuro_band_limits import limits
from thermo_models.tasks.task import Classes, Goal, Plan, Probe, Said
from thermo_models.templates import stage_of, template

WEARABLE = template("neuro-band")
FITS, SHAPES, CHANGES, ENDS, SUMS, LOGS = (
    stage_of(WEARABLE.profile, name) for name in ("fits", "shapes", "changes", "ends", "sums", "sides-logs")
)
SIDES: PairedRecovery = stage_of(WEARABLE.profile, "sides")
STANDARD: Normalise = stage_of(WEARABLE.profile, "standard")
TAU = 1
"""Place of the time constant in what a fit gives."""
(MISFIT,) = stage_of(WEARABLE.profile, "misfit").places
"""Place of the misfit in what the fit through both hands gives."""
TRAIN_SEED, TEST_SEED = 10_000, 9_000_000
CHUNK = 500
AXES = 2
"""Of the distance to what was learnt from: each takes as much flash as all other constants."""
FITTED = 2_000
"""Windows to learn from that the classical way is tried on too, to choose its threshold."""
SLOWING = 1.6
"""Of those that the AUC is measured on."""
SETS = ("all kinds", "steps", "calm", "people, steps", "people, calm")
"""What is tested on, by the number of its group; 0 is learnt from."""
MIRROR = np.array([NO_CHALLENGE, ALIKE, SLOWED_RIGHT, SLOWED_LEFT])


class NeuroBand(Classes):
    """The task; see `tasks.task.Task`."""

    name = "neuro-band"
    summary = "one hand slower than the other after cold or warm water"
    source = "made by `thermo_models.tasks.neuro_band_curves` and `thermo_sim.people`"
    whom = "pairs of hands"
    ships = True
    needs_data = False
    wearable = WEARABLE
    entry = "seen"
    variants = ("full", "one-pair")
    outputs = len(curves.CLASSES)
    head = "softmax"
    loss = "sparse_categorical_crossentropy"
    more_is_better = MappingProxyType({"auc_steps": True})
    settings = Settings("time_constant_cnn", width=0.5, dropout=0.1, epochs=8, batch=256, rate=2e-3, decay=5e-2)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """A slowing of 1.6 with changes of contact, in the other world and on simulated people."""
        return (
            (Goal("auc_steps", 0.90, True), Goal("auc_people_steps", 0.90, True)) if settings.variant == "full" else ()
        )

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Made windows: those to learn from, and those to test on by sets."""
        learnt, tested = (1_000, 60) if quick else (24_000, 1_200)
        sets = [(0, made) for made in _chunks(learnt, TRAIN_SEED, curves.TAUGHT, None, False)]
        for group, (world, slowing) in enumerate(
            ((curves.JUDGED, None), (curves.JUDGED, SLOWING), (curves.CALM, SLOWING)), 1
        ):
            seed = TEST_SEED + 100_000 * group
            sets += [(group, made) for made in _chunks(tested, seed, world, slowing, slowing is not None)]
        for group, steps in ((4, bodies.STEPS), (5, 0.0)):
            sets.append((group, seen(bodies.make(tested, TEST_SEED + 100_000 * group, steps, SLOWING))))
        groups = np.concatenate([np.full(len(made["classes"]), group) for group, made in sets])
        joined = {name: np.concatenate([made[name] for _, made in sets]) for name in sets[0][1]}
        features = _kept(joined.pop("seen"), settings.variant)
        # Every window is of hands of its own.
        return Samples(
            features, joined.pop("classes"), np.arange(len(groups)), groups.astype(np.int64), joined, "synthetic"
        )

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """One split; some of the windows to learn from watch over training."""
        learn = np.flatnonzero(samples.groups == 0)
        return [Fold("unseen worlds", learn[200:], learn[:200], np.flatnonzero(samples.groups > 0))]

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Standardised by the windows of a challenge, then held within what was learnt; each window also with its sides exchanged."""
        challenged = train.features[train.targets != NO_CHALLENGE]
        low, high = np.nanquantile(challenged, (0.01, 0.99), axis=0)
        usual = np.clip(challenged, low, high)
        spread = np.maximum(np.nanstd(usual, 0), LEAST_SPREAD)
        centre = np.nanmean(usual, 0)
        # No side is the slower one by itself, and exchanging sides must turn the sign of what the network sees.
        centre[-1] = 0.0
        standard = Normalise(
            of=STANDARD.of, gives=STANDARD.gives, limit=STANDARD.limit, centre=Floats(centre), spread=Floats(spread)
        )
        held = domain(through((standard,), train.features), train.people, "standard", "known", axes=AXES)
        # The stage before holds each number already; one limit for all is what a microcontroller has room for.
        limit = Floats([STANDARD.limit])
        known = replace(held, low=Floats([-STANDARD.limit]), high=limit)

        def teach(features: NDArray[np.float32], targets: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[Any]]:
            return np.concatenate([features, exchanged(features)]), np.concatenate([targets, MIRROR[targets]])

        return Plan((standard, known), teach=teach)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """One exponential a node; the median logarithm of right over left, against a threshold that training chose."""
        ratio, there = test.extra["fitted"], test.extra["recovered"]
        known = train.extra["recovered"] & (train.targets != NO_CHALLENGE)
        threshold = float(np.quantile(np.abs(train.extra["fitted"][known & (train.targets == ALIKE)]), 0.8))
        slowed = 1 / (1 + np.exp(-(np.abs(ratio) - threshold) / 0.1))
        outputs = np.zeros((len(test), len(curves.CLASSES)), np.float32)
        outputs[:, NO_CHALLENGE] = np.where(there, 0.0, 0.9)
        left = (1 - outputs[:, NO_CHALLENGE]) * slowed
        outputs[:, ALIKE] = (1 - outputs[:, NO_CHALLENGE]) * (1 - slowed)
        outputs[:, SLOWED_LEFT], outputs[:, SLOWED_RIGHT] = left * (ratio < 0), left * (ratio >= 0)
        return outputs

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """AUC of a slowed side by set, what healthy sides leave of it, what the fit says alone, and how classes are told in all kinds of windows."""
        figures: dict[str, Any] = {}
        said, score = outputs.argmax(1), slowed_score(outputs)
        for group, name in enumerate(SETS[1:], 2):
            of = (samples.groups == group) & (samples.targets != NO_CHALLENGE)
            slowed = samples.targets[of] >= SLOWED_LEFT
            word = name.replace(", ", "_")
            figures[f"auc_{word}"] = auc(score[of], slowed)
            figures[f"ceiling_{word}"] = auc(np.abs(samples.extra["log_ratio"][of]), slowed)
            if settings.variant == "full":
                figures[f"fit_{word}"] = auc(np.abs(samples.extra["paired"][of]), slowed)
        mixed = samples.groups == 1
        truth = samples.targets[mixed]
        figures["macro_f1"] = float(np.mean([_f1(truth == k, said[mixed] == k) for k in range(len(curves.CLASSES))]))
        figures["no_challenge_found"] = _share(said[mixed][truth == NO_CHALLENGE] == NO_CHALLENGE)
        figures["challenge_missed"] = _share(said[mixed][truth != NO_CHALLENGE] == NO_CHALLENGE)
        figures["alike_called_slowed"] = _share(said[mixed][truth == ALIKE] >= SLOWED_LEFT)
        sided = mixed & (samples.targets >= SLOWED_LEFT) & (said >= SLOWED_LEFT)
        figures["right_side_named"] = _share(said[sided] == samples.targets[sided])
        figures["ece"] = expected_calibration_error(outputs[mixed], truth)
        return figures

    def probe(self, profile: Profile, stages: tuple[Stage, ...], said: Said, quick: bool) -> Probe:
        """Windows of nodes that are no hands after water; see `neuro_band_unseen`."""

        def seen_with_misfit(
            values: NDArray[np.float32], before: NDArray[np.float32]
        ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            return seen_of(values, before), sides_of(values, before)[:, MISFIT]

        limit: float = stage_of(profile, "told").high
        return neuro_band_unseen.probe(stages, limit, seen_with_misfit, 60 if quick else 600)

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `neuro_band_limits`."""
        return limits(metrics)


def slowed_score(outputs: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(n,) log odds that one side is slowed and not both alike, of scores (n, classes)."""
    odds = np.maximum(outputs.astype(np.float64), 1e-6)
    score: NDArray[np.float64] = np.log(odds[:, SLOWED_LEFT] + odds[:, SLOWED_RIGHT]) - np.log(odds[:, ALIKE])
    return score


def seen_of(values: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, numbers) what the wearable's stages make of windows (n, rows, nodes), a second apart, and of the level before (n, nodes)."""
    shapes, changes, ends = (through((one,), values, 1.0).reshape(len(values), -1) for one in (SHAPES, CHANGES, ENDS))
    sides = sides_of(values, before)
    return np.concatenate([shapes, changes, before - ends, through((LOGS,), sides[:, 1:]), sides[:, :1]], axis=1)


def sides_of(values: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4) what the stage "sides" says of windows (n, rows, nodes) and of the level before (n, nodes)."""
    sums = through((SUMS,), values, 1.0)
    given = (
        Signal("sums", sums.shape[1:], "", 1.0, "features"),
        Signal("before", before.shape[1:], "", 1.0, "features"),
    )
    return np.asarray(paired_recovery.OP.apply(SIDES, given, [sums, before]), np.float32)


def fitted_of(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n,) median over pairs of ln(right / left time constant), 0 without one, and whether half of the nodes recover."""
    tau = through((FITS,), values, 1.0)[..., TAU].astype(np.float64)
    apart = np.log(tau[:, curves.RIGHT] / tau[:, curves.LEFT])
    known = np.isfinite(apart)
    ratio = np.nanmedian(np.where(known.any(1)[:, np.newaxis], apart, 0.0), axis=1)
    return ratio, known.sum(1) >= 2


def _chunks(
    count: int, seed: int, world: curves.World, slowing: float | None, challenged: bool
) -> list[dict[str, NDArray[Any]]]:
    return [
        seen(curves.make(min(CHUNK, count - first), seed + first, world, slowing, challenged), first < FITTED)
        for first in range(0, count, CHUNK)
    ]


def seen(windows: Windows, fits: bool = True) -> dict[str, NDArray[Any]]:
    """What the band sees of windows, and what is true of them; `fits` adds the classical way, which takes longer."""
    nothing = np.zeros(len(windows.classes))
    fitted, recovered = fitted_of(windows.values) if fits else (nothing, nothing > 0)
    features = seen_of(windows.values, windows.before)
    return {
        "seen": features,
        "paired": features[:, -1].astype(np.float64),
        "classes": windows.classes,
        "log_ratio": windows.log_ratio,
        "fitted": fitted,
        "recovered": recovered,
    }


def _kept(seen: NDArray[np.float32], variant: str) -> NDArray[np.float32]:
    """What a variant sees: the pair on the backs of the hands alone, or all."""
    if variant == "full":
        return seen
    only = np.full_like(seen, np.nan)
    places = [
        *range(4 * SHAPES.bins, 6 * SHAPES.bins),
        *(curves.NODES * (SHAPES.bins + k) + node for k in (0, 1) for node in (4, 5)),
    ]
    only[:, places] = seen[:, places]
    # A number that is missing everywhere has no spread; its centre stands for it.
    return np.where(np.isnan(only), np.float32(0), only)


def exchanged(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the wearable sees (..., numbers) with its sides exchanged; the last number is the logarithm of right over left."""
    other = features[..., _mirrored()]
    other[..., -1] *= np.float32(-1)
    return other


def _mirrored() -> NDArray[np.int64]:
    """Places of what the wearable sees with its sides exchanged."""
    nodes = np.arange(curves.NODES).reshape(-1, 2)[:, ::-1].ravel()
    shapes = (nodes[:, np.newaxis] * SHAPES.bins + np.arange(SHAPES.bins)).ravel()
    numbers = curves.NODES * SHAPES.bins
    whole = numbers + 2 * curves.NODES + np.arange(paired_recovery.RESULTS)
    return np.concatenate([shapes, numbers + nodes, numbers + curves.NODES + nodes, whole])


def _f1(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    both = float((truth & said).sum())
    return 2 * both / max(float(truth.sum() + said.sum()), 1.0)


def _share(right: NDArray[np.bool_]) -> float:
    return float(np.mean(right)) if right.size else float("nan")
