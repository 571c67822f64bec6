"""A lesion that was not there before, under a breast patch that has learnt its wearer for a week (`thermo_models.patch_weeks`).

What is learnt from is skin of one generator, what is measured on is skin of another one, made in another way (`thermo_sim.skins`);
wearers, cameras and lesions are others too. Every other wearer who is measured leads a mild life, the others a harsh one. A sample to
learn from is four channels, difference, picture, what a lesion and what a disturbance would add, which training combines anew for every
batch; a sample to measure on has all in the first two.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.quality import DOUBTFUL
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.condition import parse
from thermo_models import patch, patch_weeks, plot, simulated
from thermo_models.augment import Augmentation
from thermo_models.features import through
from thermo_models.matched import MatchedFilters, bioheat_template
from thermo_models.metrics import auc, expected_calibration_error, threshold_at_specificity
from thermo_models.patch import Size
from thermo_models.patch_weeks import DISTURBED, KIND_NAMES, LESION, NONE
from thermo_models.samples import Fold, Samples
from thermo_models.settings import Settings
from thermo_models.tasks.breast_watch_limits import first_lines, limits
from thermo_models.tasks.task import Classes, Goal, Plan
from thermo_models.templates import stage_of, template
from thermo_sim import bioheat, disturbances, skins, worn_patch

WEARABLE = template("breast-watch")
CENTRE, REFERENCE, SEEN, TOLD = (stage_of(WEARABLE.profile, name) for name in ("above", "new", "seen", "told"))
TODAY = template("breast-patch").path.with_name("model.tflite")
"""The network that knows a picture alone."""
CONTRAST_BINS_K = ((0.15, 0.3), (0.3, 0.6), (0.6, 1.0), (1.0, 1.6))
DEEP_MM = 15.0
LIVES = ("mild", "harsh")
SKIN = {"train": "ridges", "validation": "ridges", "test": "branches"}
FIRST_SEED = {"train": 1_000, "validation": 200_000, "test": 400_000}
"""Seeds of wearers count up from here."""
FULL = {"train": Size(800, 24), "validation": Size(24, 24), "test": Size(60, 30)}
QUICK = {"train": Size(6, 24), "validation": Size(4, 12), "test": Size(4, 18)}
SIDES = tuple(FIRST_SEED)
TILES = 2
"""How often an epoch goes through the samples, each time with another body."""
NOISE_K = 0.04
"""Of a look, for the matched filter."""
FLIPS = Augmentation(flip_rows=True, flip_columns=True)
FIELDS = ("difference", "above", "rise", "disturbance", "what", "kind", "contrast_k", "depth_mm", "flags", "wearers")
ARRAYS = tuple(f"{side}_{name}" for side in SIDES for name in FIELDS)
VARIANTS = {"both": (1.0, 1.0), "difference-alone": (1.0, 0.0), "picture-alone": (0.0, 1.0)}
"""What the network sees of difference and picture."""


class BreastWatch(Classes):
    """The task; see `tasks.task.Task` and `tasks.task.Alerting`."""

    name = "breast-watch"
    summary = "a lesion that was not there before, under a breast patch that has learnt its wearer for a week, from simulated wearers"
    source = (
        "simulated by `thermo_models.patch_weeks`: wearers whose skin, rooms and habits change by the hour and the day, bioheat lesions of 6 to "
        "20 mm depth and eight kinds of disturbances, through counts, noise, decoder, two-point correction and a week of the wearable's own "
        "reference; learnt on skin of `skins.ridges`, measured on skin of `skins.branches`"
    )
    whom = "simulated wearers"
    ships = True
    needs_data = False
    keeps_samples = True
    variants = tuple(VARIANTS)
    compared_variants = ("difference-alone", "picture-alone")
    outputs = len(WEARABLE.profile.models[0].outputs)
    wearable = WEARABLE
    entry = "pair"
    head = "softmax"
    loss = "sparse_categorical_crossentropy"
    chart_files = ("contrast.svg",)
    specificity = 0.98
    more_is_better = MappingProxyType({"auc": True})
    settings = Settings("spot_cnn", width=2.0, epochs=24, batch=256, rate=4e-3, decay=1e-4, dropout=0.1, variant="both")

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """AUC of single looks on skin of another generator, after a week."""
        return (Goal("auc_0.6_1_k", 0.95, True), Goal("auc_0.3_0.6_k", 0.90, True))

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """See `breast_watch_limits`."""
        return limits(metrics)

    def first_lines(self, metrics: Mapping[str, Any]) -> str:
        """What cannot be seen, before all else."""
        return first_lines(metrics)

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Simulated looks; where a path is given they are kept there, and read from there the next time."""
        return self.samples_of(_kept(path, QUICK if quick else FULL))

    def samples_of(self, arrays: Mapping[str, NDArray[Any]], sides: Sequence[str] = SIDES) -> Samples:
        """Looks by the names in `ARRAYS`, of these sides, which are the groups; the first is learnt from."""
        learnt = {name: arrays[f"train_{name}"] for name in FIELDS}
        filters = MatchedFilters(
            np.nan_to_num(learnt["difference"]),
            np.full((1, 24, 32), NOISE_K, np.float32),
            1,
            bioheat_template,
            (7.0, 10.0, 14.0),
        )
        parts: dict[str, list[Any]] = {}
        for group, side in enumerate(sides):
            of = {name: arrays[f"{side}_{name}"] for name in FIELDS}
            pair = np.stack([of["difference"], of["above"]], axis=-1).astype(np.float32)
            added = np.stack([of["rise"], of["disturbance"]], axis=-1).astype(np.float32)
            if side == "train":
                added[of["what"] == NONE] = 0
                added[of["what"] == LESION, ..., 1] = 0
                added[(of["what"] == DISTURBED) & (np.arange(len(added)) % 2 == 0), ..., 0] = 0
                found = {name: np.full(len(pair), np.nan) for name in ("filter", "today", "today_difference")}
            else:
                added[:] = 0
                difference = np.nan_to_num(pair[..., 0])
                found = {
                    "filter": filters.anywhere(difference),
                    "today": _today(pair[..., 1]),
                    "today_difference": _today(difference),
                }
            found |= {name: of[name].astype(np.float64) for name in ("contrast_k", "depth_mm", "kind", "flags")}
            found["harsh"] = (of["wearers"] % 2).astype(np.float64)
            found |= {
                "features": np.concatenate([pair, added], axis=-1), "targets": of["what"], "people": of["wearers"],
                "groups": np.full(len(pair), group),
            }  # fmt: skip
            for name, values in found.items():
                parts.setdefault(name, []).append(values)
        whole = {name: np.concatenate(values) for name, values in parts.items()}
        digest = simulated.digest_of(arrays, tuple(f"{side}_{name}" for side in sides for name in FIELDS))
        return Samples(
            whole.pop("features"), whole.pop("targets"), whole.pop("people"), whole.pop("groups"), whole, digest
        )  # fmt: skip

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """One split; the groups are its sides."""
        train, validation, test = (np.flatnonzero(samples.groups == side) for side in range(len(SIDES)))
        return [Fold("another skin", train, validation, test)]

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 24, 32, 2): difference and picture above its median, with what is added in both."""
        return _pairs(features)

    def of_labels(
        self, values: NDArray[np.float32], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Whole pairs (n, 24, 32, 2) in the place of a body; what of them is added to it is not known: NaN."""
        return np.concatenate([values, np.full_like(values, np.nan)], axis=-1), classes

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Each batch puts its lesions and disturbances on other bodies, flipped each by itself; what somebody labelled, as a whole."""
        shares = np.array(VARIANTS[settings.variant], np.float32)
        parted = np.flatnonzero(~_whole(train.features))

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            body, whole = parted[rng.integers(len(parted), size=len(batch))], _whole(batch)
            parts = [
                FLIPS.apply(train.features[body, ..., :2], rng),
                FLIPS.apply(batch[..., 2:3], rng) * rng.uniform(0.8, 1.2, (len(batch), 1, 1, 1)).astype(np.float32),
                FLIPS.apply(batch[..., 3:], rng),
            ]
            pairs = _pairs(np.concatenate(parts, axis=-1))
            pairs[whole] = FLIPS.apply(batch[whole, ..., :2], rng)
            return through((SEEN,), pairs) * shares

        def teach(features: NDArray[np.float32], targets: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[Any]]:
            return np.tile(features, (TILES, 1, 1, 1)), np.tile(targets, TILES)

        return Plan((SEEN,), augment, teach, finish=lambda network, inputs: _blind(network, shares))

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> None:
        """None: what it is compared with stands in its table, on the same looks."""

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """AUC of looks that are not refused, by contrast; on the same looks the matched filter's and that of a picture alone."""
        score, refused = outputs[:, 1].astype(np.float64), _refused(samples, outputs)
        contrast, harsh = samples.extra["contrast_k"], samples.extra["harsh"] == 1
        healthy, lesion = samples.targets == NONE, samples.targets == LESION
        compared = {
            "auc": score,
            **{f"auc_{name}": samples.extra[name] for name in ("filter", "today", "today_difference")},
        }
        table: list[dict[str, Any]] = []
        figures: dict[str, Any] = {}
        for life in (*LIVES, "both"):
            led = np.ones(len(score), np.bool_) if life == "both" else harsh == (life == "harsh")
            for low, high in CONTRAST_BINS_K:
                of = led & ~refused & (healthy | (lesion & (contrast >= low) & (contrast < high)))
                if lesion[of].any() and healthy[of].any():
                    row: dict[str, Any] = {"life": life, "from_k": low, "to_k": high, "lesions": int(lesion[of].sum())}
                    table.append(row | {name: auc(values[of], lesion[of]) for name, values in compared.items()})
                    if life == "both":
                        figures |= {f"{name}_{low:g}_{high:g}_k": table[-1][name] for name in ("auc", "auc_filter")}
        deep = ~refused & (healthy | (lesion & (samples.extra["depth_mm"] >= DEEP_MM)))
        if lesion[deep].any() and healthy[deep].any():
            figures["auc_deep"] = auc(score[deep], lesion[deep])
        told = ~refused & (healthy | lesion)
        if lesion[told].any() and healthy[told].any():
            figures["auc"] = auc(score[told], lesion[told])
            figures["ece"] = expected_calibration_error(outputs[told], samples.targets[told])
        for name, of in (("healthy", healthy), ("lesions", lesion), ("disturbed", samples.targets == DISTURBED)):
            if of.any():
                figures[f"refused_{name}"] = float(refused[of].mean())
        return {**figures, "table": table}

    def threshold(self, outputs: NDArray[np.float32], validation: Samples) -> float:
        """Single looks above it are rare on validation, and an alert needs hours of them."""
        score, lesion = outputs[:, 1].astype(np.float64), validation.targets == LESION
        return max(1 / 256, threshold_at_specificity(score, lesion, self.specificity))

    def when(self, threshold: float) -> str:
        """The condition of the wearable's alert."""
        return f"lesion.lesion >= {threshold!r}"

    def threshold_of(self, when: str) -> float:
        """Inverse of `when`."""
        return parse(when).number

    def alerted(self, samples: Samples, outputs: NDArray[np.float32], threshold: float) -> dict[str, float]:
        """Shares of single looks that are above the threshold and not refused, by what is in them."""
        above, what = (outputs[:, 1] >= threshold) & ~_refused(samples, outputs), samples.targets
        figures = {}
        if (what == NONE).any():
            figures["specificity"] = float(np.mean(~above[what == NONE]))
        for low, high in CONTRAST_BINS_K:
            of = (what == LESION) & (samples.extra["contrast_k"] >= low) & (samples.extra["contrast_k"] < high)
            if of.any():
                figures[f"sensitivity_{low:g}_{high:g}_k"] = float(np.mean(above[of]))
        for number, kind in enumerate(KIND_NAMES):
            of = (what == DISTURBED) & (samples.extra["kind"] == number)
            if of.any():
                figures[f"above_{kind}"] = float(np.mean(above[of]))
        return figures

    def charts(self, metrics: dict[str, Any]) -> dict[str, str]:
        """AUC by contrast, a panel for each life."""
        panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for life in LIVES:
            rows = [row for row in metrics["int8"]["table"] if row["life"] == life]
            panels[f"{life} life"] = {
                label: [((row["from_k"] + row["to_k"]) / 2, row[name]) for row in rows]
                for label, name in (
                    ("network, int8", "auc"),
                    ("matched filter on the difference", "auc_filter"),
                    ("breast-patch's network on the picture", "auc_today"),
                    ("the same on the difference", "auc_today_difference"),
                )
            }
        return {self.chart_files[0]: plot.lines_svg("AUC by rise of the skin (K)", panels, (0.4, 1.0))}


def simulate(sizes: Mapping[str, Size], first: Mapping[str, int] = FIRST_SEED) -> dict[str, NDArray[Any]]:
    """Looks by the names in `ARRAYS`, of the sides that have a size; `first` are their wearers' first seeds."""
    arrays: dict[str, NDArray[Any]] = {}
    for side, size in sizes.items():
        made = patch_weeks.looks(first[side], size, SKIN[side], (CENTRE, REFERENCE), side == "train")
        for name in FIELDS:
            values = getattr(made, name)
            arrays[f"{side}_{name}"] = values.astype(np.float16) if values.dtype == np.float32 else values
    return arrays


def _pairs(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is added is in both channels, less what it moves the median."""
    added = np.nan_to_num(features[..., 2:])
    above = through((CENTRE,), features[..., 1] + added[..., 0] + added[..., 1])
    difference = features[..., 0] + (above - features[..., 1])
    return np.stack([difference, above], axis=-1)


def _whole(features: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) looks of which only the whole is known."""
    return np.asarray(np.isnan(features[..., 2:]).all((1, 2, 3)))


def _blind(network: Any, shares: NDArray[np.float32]) -> Any:
    """The network with a channel that it does not see held at 0."""
    if shares.all():
        return network
    import keras

    ends = keras.Input(network.input_shape[1:])
    kept = keras.layers.DepthwiseConv2D(1, use_bias=False)
    seen = keras.Model(ends, network(kept(ends)))
    kept.set_weights([shares.reshape(1, 1, -1, 1)])
    return seen


def _refused(samples: Samples, outputs: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Looks of which the wearable says that it cannot tell."""
    lost = (samples.extra["flags"].astype(np.uint16) & np.uint16(DOUBTFUL)) != 0
    refused: NDArray[np.bool_] = lost | (outputs[:, 2] > TOLD.high)
    return refused


@cache
def _today_network() -> Int8Network:
    return Int8Network(TODAY.read_bytes())


def _today(pictures: NDArray[np.float32]) -> NDArray[np.float64]:
    return _today_network().predict([pictures[..., np.newaxis]])[:, 1].astype(np.float64)


def _kept(path: Path | None, sizes: dict[str, Size]) -> Mapping[str, NDArray[Any]]:
    key = simulated.key_of(
        (sizes, FIRST_SEED, SKIN, CENTRE, REFERENCE), (patch, patch_weeks, bioheat, disturbances, skins, worn_patch)
    )
    return simulated.kept(path, key, ARRAYS, lambda: simulate(sizes))
