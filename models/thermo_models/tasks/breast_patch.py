"""Lesion or no lesion under a breast patch, from simulated sensors (`thermo_models.patch`).

Train, validation and test have different sensors (EEPROM, response errors), different bodies and different lesions. A sample
to learn from is kept as three channels, healthy body, lesion and noise, which training combines anew for every batch, with the
noise of 1 to 64 averaged pictures. A sample to measure on is a picture as a device sees it, at each of four numbers of averages.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640 import decode
from thermo_core.stages.stage import Stage
from thermo_core.wearable.condition import parse
from thermo_core.wearable.profile import Profile
from thermo_models import patch, plot, simulated
from thermo_models.augment import Augmentation
from thermo_models.features import through
from thermo_models.matched import MatchedFilters
from thermo_models.metrics import auc, threshold_at_specificity
from thermo_models.patch import Size
from thermo_models.samples import Fold, Samples
from thermo_models.settings import Settings
from thermo_models.tasks import breast_patch_domain, breast_patch_unseen
from thermo_models.tasks.breast_patch_limits import first_lines, limits
from thermo_models.tasks.task import Classes, Goal, Plan, Probe, Said
from thermo_models.templates import stage_of, template
from thermo_sim import scenes
from thermo_sim.chips.mlx90640 import dataset, eeprom, radiometry

WEARABLE = template("breast-patch")
ABOVE = stage_of(WEARABLE.profile, "above")
PICTURES = int(stage_of(WEARABLE.profile, "calm").pictures)
"""How many the wearable averages."""
AVERAGES = (1, 4, 16, 64)
"""Numbers of averaged pictures measured at."""
KNOWN_BY = 4_000
"""Pictures that tell what is like what was learnt from."""
LEARNT_AVERAGES = (1, 2, 4, 8, 16, 32, 64)
CONTRAST_BINS_K = ((0.3, 0.6), (0.6, 1.0), (1.0, 1.5), (1.5, 2.0), (0.3, 2.0))
FIRST_SEED = {"train": 1_000, "validation": 200_000, "test": 400_000}
"""Seeds of sensors and bodies count up from here, so that no split shares one with another."""
FULL = {"train": Size(200, 80), "validation": Size(24, 50), "test": Size(40, 60)}
QUICK = {"train": Size(6, 60), "validation": Size(2, 20), "test": Size(3, 24)}
SIDES = tuple(FIRST_SEED)
FLIPS = Augmentation(flip_rows=True, flip_columns=True)
"""A patch sits on either side and either way up."""
SCALED_ON, FIRST_SCALED_ON = 24, 780_000
"""Wearers by whom scores are scaled, and the seed of the first; their skin is of another generator than that of the wearers of its card."""
SCALED_ON_SKIN = "ridges"
DEFECTS = Augmentation(dead_pixels=0.5)
"""A sensor may have four defective pixels, which the decoder fills from their neighbours."""
MEASURED = ("pictures", "has_lesion", "lesions", "sensors")
ARRAYS = ("healthy", "rise", "noise", "train_sensors", *(f"{side}_{name}" for side in SIDES[1:] for name in MEASURED))


class BreastPatch(Classes):
    """The task; see `tasks.task.Task` and `tasks.task.Wearable`."""

    name = "breast-patch"
    summary = "lesion or none under a breast patch, from simulated sensors"
    source = (
        "simulated by `thermo_models.patch`: scenes of skin with vessels, a smooth field and a dome of warmth, half of "
        "them with one warm spot of 0.3-2.0 K and radius 1.5-4 pixels, through counts, noise, decoder and two-point correction"
    )
    whom = "simulated sensors"
    ships = True
    needs_data = False
    keeps_samples = True
    variants = ("full",)
    outputs = len(WEARABLE.profile.models[0].outputs)
    wearable = WEARABLE
    entry = "calm"
    head = "softmax"
    loss = "sparse_categorical_crossentropy"
    chart_files = ("limit.svg",)
    specificity = 0.95
    more_is_better = MappingProxyType({"auc": True, "below_filter_anywhere": False, "below_filter_told": False})
    settings = Settings("spot_cnn", epochs=40, batch=256, rate=4e-3, decay=1e-4, dropout=0.1)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """AUC at every contrast and number of pictures, at most this far below either filter's."""
        return (Goal("below_filter_anywhere", 0.02, False), Goal("below_filter_told", 0.02, False))

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Simulated samples; where a path is given they are kept there, and read from there the next time."""
        arrays = _kept(path, QUICK if quick else FULL)
        count = len(arrays["healthy"])
        learn = np.stack([arrays[name] for name in ("healthy", "rise", "noise")], axis=-1).astype(np.float32)
        shown = arrays["rise"].any((1, 2))
        features, targets = [learn], [shown.astype(np.int64)]
        people, groups = [arrays["train_sensors"]], [np.zeros(count, np.int64)]
        extra = {name: [np.full(count, np.nan)] for name in ("pictures", "contrast_k", "anywhere", "told")}
        for number, averages in enumerate(AVERAGES):
            filters = MatchedFilters(arrays["healthy"], arrays["noise"], averages)
            for group, side in enumerate(SIDES[1:], start=1):
                of = {name: arrays[f"{side}_{name}"] for name in MEASURED}
                seen = of["pictures"][:, number]
                parts = np.zeros((*seen.shape, learn.shape[-1]), np.float32)
                parts[..., 0] = seen
                features.append(parts)
                targets.append(of["has_lesion"].astype(np.int64))
                people.append(of["sensors"])
                groups.append(np.full(len(seen), group))
                extra["pictures"].append(np.full(len(seen), float(averages)))
                extra["contrast_k"].append(np.where(of["has_lesion"], of["lesions"][:, 3], 0.0))
                above = _centred(seen)
                extra["anywhere"].append(filters.anywhere(above))
                extra["told"].append(filters.told(above, of["lesions"][:, :3]))
        digest = simulated.digest_of(arrays, ARRAYS)
        return Samples(
            np.concatenate(features),
            np.concatenate(targets),
            np.concatenate(people),
            np.concatenate(groups),
            {name: np.concatenate(values) for name, values in extra.items()},
            digest,
        )

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """One split; the groups are its sides. Validation, which sets the threshold, is of as many pictures as the device's."""
        train, validation, test = (samples.groups == side for side in range(len(SIDES)))
        validation &= samples.extra["pictures"] == PICTURES
        return [Fold("unseen sensors", np.flatnonzero(train), np.flatnonzero(validation), np.flatnonzero(test))]

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum of the parts: (n, 24, 32, 1), averaged pictures."""
        pictures: NDArray[np.float32] = np.nansum(features, -1, keepdims=True)
        return pictures

    def of_labels(
        self, values: NDArray[np.float32], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Whole pictures (n, 24, 32) in the place of a body; what of them is lesion and what noise is not known: NaN."""
        features = np.full((*values.shape, 3), np.nan, np.float32)
        features[..., 0] = values - np.nanmedian(values, (1, 2), keepdims=True)
        return features, classes

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """The median taken away; each batch pairs its lesions with other bodies and other noise, flipped each by itself.

        A picture that somebody labelled is flipped as a whole.
        """
        parted = np.flatnonzero(~_whole(train.features))

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            body, other = parted[rng.integers(len(parted), size=(2, len(batch)))]
            healthy = FLIPS.apply(train.features[body, ..., :1], rng)
            noise = FLIPS.apply(train.features[other, ..., 2:], rng)
            each = (len(batch), 1, 1, 1)
            share = rng.choice((-1.0, 1.0), each) / np.sqrt(rng.choice(LEARNT_AVERAGES, each))
            picture = healthy + FLIPS.apply(batch[..., 1:2], rng) + share.astype(np.float32) * noise
            whole = _whole(batch)
            picture[whole] = FLIPS.apply(batch[whole, ..., :1], rng)
            return _centred(DEFECTS.apply(picture, rng))

        rng = np.random.default_rng(seed)
        of = rng.permutation(parted)[:KNOWN_BY]
        pictures = breast_patch_domain.learnt_from(train.features[of], FLIPS, rng)
        known = breast_patch_domain.known(WEARABLE.profile, pictures, train.people[of])
        return Plan((ABOVE,), augment, beside=known)

    def held_out(self, stages: Sequence[Stage], settings: Settings) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Looks at further wearers, with skin of yet another generator and nothing or a lesion beneath, but for what is refused."""
        pictures, names = breast_patch_unseen.looks(SCALED_ON, FIRST_SCALED_ON, SCALED_ON_SKIN, strange=())
        kept = ~breast_patch_domain.refused(breast_patch_domain.taught(WEARABLE.profile, stages), pictures)
        return _centred(pictures[kept, ..., np.newaxis]), breast_patch_unseen.classes(names[kept])

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """The matched filter that is not told where the lesion is."""
        score = test.extra["anywhere"].astype(np.float32)
        return np.stack([-score, score], axis=1)

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """AUC at 16 pictures and at each number; how far it is below the filters at worst; the table of it all."""
        score, positive = outputs[:, 1].astype(np.float64), samples.targets == 1
        contrast = samples.extra["contrast_k"]
        table = []
        for averages in AVERAGES:
            at = samples.extra["pictures"] == averages
            for low, high in CONTRAST_BINS_K:
                of = at & (~positive | ((contrast >= low) & (contrast < high)))
                if positive[of].any() and not positive[of].all():
                    limits = {
                        f"filter_{name}": auc(samples.extra[name][of], positive[of]) for name in ("anywhere", "told")
                    }
                    row = {"pictures": averages, "from_k": low, "to_k": high, "lesions": int(positive[of].sum())}
                    table.append(row | {"auc": auc(score[of], positive[of])} | limits)
        figures: dict[str, Any] = {}
        for row in table:
            if (row["from_k"], row["to_k"]) == CONTRAST_BINS_K[-1]:
                figures[f"auc_{row['pictures']}"] = row["auc"]
                if row["pictures"] == PICTURES:
                    figures["auc"] = row["auc"]
        for limit in ("filter_anywhere", "filter_told"):
            if table:
                figures[f"below_{limit}"] = max(row[limit] - row["auc"] for row in table)
        return {**figures, "table": table}

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `breast_patch_limits`."""
        return limits(metrics)

    def first_lines(self, metrics: Mapping[str, Any]) -> str:
        """What becomes of who wears it, before all else."""
        return first_lines(metrics)

    def threshold(self, outputs: NDArray[np.float32], validation: Samples) -> float:
        """95 % specificity on validation pictures."""
        return max(1 / 256, threshold_at_specificity(outputs[:, 1].astype(np.float64), validation.targets == 1))

    def when(self, threshold: float) -> str:
        """The condition of the wearable's alert."""
        return f"lesion.lesion >= {threshold!r}"

    def threshold_of(self, when: str) -> float:
        """Inverse of `when`."""
        return parse(when).number

    def alerted(self, samples: Samples, outputs: NDArray[np.float32], threshold: float) -> dict[str, float]:
        """Specificity and sensitivity at the device's number of pictures, the latter by contrast too."""
        at = samples.extra["pictures"] == PICTURES
        above, lesion, contrast = outputs[at, 1] >= threshold, samples.targets[at] == 1, samples.extra["contrast_k"][at]
        figures = {}
        if lesion.any() and not lesion.all():
            figures = {"specificity": float(np.mean(~above[~lesion])), "sensitivity": float(np.mean(above[lesion]))}
        for low, high in CONTRAST_BINS_K[:-1]:
            of = lesion & (contrast >= low) & (contrast < high)
            if of.any():
                figures[f"sensitivity_{low:g}_{high:g}_k"] = float(np.mean(above[of]))
        return figures

    def probe(self, profile: Profile, stages: tuple[Stage, ...], said: Said, quick: bool) -> Probe:
        """Looks at wearers of another simulator, with bioheat lesions, with nothing, and with what is none."""
        threshold = self.threshold_of(profile.alerts[0].when)
        return breast_patch_unseen.probe(profile, stages, said, threshold, 2 if quick else 24)

    def charts(self, metrics: dict[str, Any]) -> dict[str, str]:
        """AUC by contrast against both filters, a panel for each number of pictures."""
        table = metrics["int8"]["table"]
        panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for averages in AVERAGES:
            rows = [
                row
                for row in table
                if row["pictures"] == averages and (row["from_k"], row["to_k"]) != CONTRAST_BINS_K[-1]
            ]
            panels[f"mean of {averages} picture{'s' if averages > 1 else ''}"] = {
                label: [((row["from_k"] + row["to_k"]) / 2, row[name]) for row in rows]
                for label, name in (
                    ("network, int8", "auc"),
                    ("matched filter, any place", "filter_anywhere"),
                    ("matched filter, place known", "filter_told"),
                )
            }
        return {self.chart_files[0]: plot.lines_svg("AUC by contrast of the lesion (K)", panels, (0.4, 1.0))}


def simulate(sizes: dict[str, Size]) -> dict[str, NDArray[Any]]:
    """All sides by the names in `ARRAYS`."""
    parts = patch.parts(FIRST_SEED["train"], sizes["train"])
    arrays: dict[str, NDArray[Any]] = {
        "healthy": parts.healthy,
        "rise": parts.rise,
        "noise": parts.noise,
        "train_sensors": parts.sensors,
    }
    for side in SIDES[1:]:
        measured = patch.measure(FIRST_SEED[side], sizes[side], AVERAGES)
        for name in MEASURED:
            arrays[f"{side}_{name}"] = getattr(measured, name)
    return arrays


def _centred(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    return through((ABOVE,), pictures)


def _whole(features: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) samples of which only the whole picture is known."""
    return np.asarray(np.isnan(features[..., 1]).all((1, 2)))


def _kept(path: Path | None, sizes: dict[str, Size]) -> Mapping[str, NDArray[Any]]:
    key = simulated.key_of((sizes, FIRST_SEED, AVERAGES), (patch, dataset, eeprom, radiometry, scenes, decode))
    return simulated.kept(path, key, ARRAYS, lambda: simulate(sizes), ARRAYS)
