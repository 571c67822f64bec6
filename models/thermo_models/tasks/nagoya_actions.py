"""Eight actions of people under a ceiling sensor of 16 x 16 pixels.

Data: muralab Low-Resolution FIR Action Dataset, CC BY-NC-SA 4.0.
A sample is a clip that annotators cut out, as 16 pictures minus the sequence's background and their own median (`clips`, and
`clips-small` for a smaller network). Days are left out one by one; their people are disjoint. The licence forbids shipping data or
weights. Whole recordings, as a sensor sees them, are `nagoya-stream`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.schema import Floats
from thermo_core.stages.centre import Centre
from thermo_core.stages.normalise import Normalise
from thermo_models import by_hand
from thermo_models.augment import Augmentation
from thermo_models.features import through
from thermo_models.metrics import accuracy, f1
from thermo_models.samples import Fold, Samples, digest_of, groups_left_out, open_npz
from thermo_models.settings import Settings
from thermo_models.tasks.task import Goal, Plan

CLASSES = ("walk", "sitdown", "standup", "falling1", "falling2", "sit", "stand", "lie")
FALLS = (3, 4)
FIVE = np.array([0, 1, 2, 3, 3, 4, 4, 4])
"""Class of the five-class figure: walk, sit down, stand up, fall, still."""
PICTURES = 16
WARP_PICTURES = 24
"""Pictures kept a clip in training, of which time warping takes `PICTURES`."""
AUGMENTATION = Augmentation(
    offset_k=0.08, gain=0.05, uneven=0.15, noise_k=0.04, shift=1, flip_rows=True, flip_columns=True, turn=True
)
LEVEL = Centre(of="above-room", gives="level", by="median")
STAGES = (Normalise(of="level", gives="held", centre=Floats([0.0]), spread=Floats([1.0]), limit=4.0),)
ARRAYS = ("frames", "clip_start", "clip_len", "label", "group", "person_slot", "seq", "background")


class NagoyaActions:
    """The task; see `tasks.task.Task`."""

    name = "nagoya-actions"
    summary = "eight actions seen from the ceiling; falls"
    source = "muralab/Low-Resolution-FIR-Action-Dataset, commit ce5f424, CC BY-NC-SA 4.0"
    whom = "people"
    wearable = None
    entry = "level"
    ships = False
    needs_data = True
    variants = ("clips", "clips-small")
    by_variant = MappingProxyType({"clips-small": {"width": 0.4, "views": 2}})
    outputs = len(CLASSES)
    head = "softmax"
    loss = "sparse_categorical_crossentropy"
    more_is_better = MappingProxyType({"accuracy8": True, "macro_f1": True, "accuracy5": True, "fall_f1": True})
    settings = Settings("clip_cnn", epochs=200, batch=64, rate=3e-3, decay=1e-3, variant="clips", views=4)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Goals of a variant."""
        if settings.variant == "clips-small":
            return (Goal("accuracy8", 0.955, True), Goal("parameters", 10_000, False))
        return (
            Goal("accuracy8", 0.97, True),
            Goal("worst_fold_accuracy8", 0.95, True),
            Goal("fall_f1", 0.985, True),
            Goal("parameters", 50_000, False),
        )

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Clips of a file; `quick` keeps every eighth sequence."""
        if path is None:
            raise UsageError("nagoya-actions needs --data, the .npz file of clips.")
        arrays = open_npz(path, ARRAYS)
        frames, starts, lengths, labels = (arrays[name] for name in ARRAYS[:4])
        if frames.ndim != 3 or (starts + lengths > len(frames)).any() or labels.max() >= len(CLASSES):
            raise UsageError(
                f"{path} holds clips outside its frames or unknown classes, so check that it is the data of this task."
            )
        bad = np.flatnonzero(~np.isfinite(frames).all((1, 2)))
        if len(bad):
            raise UsageError(
                f"{path} holds no number in a pixel of frame {bad[0]}, so repair that frame or leave its clip out."
            )
        sequence = np.repeat(arrays["seq"], lengths)
        order = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)])
        warm = (frames[order].astype(np.float32) - arrays["background"][sequence]) / 100.0
        ends = np.cumsum(lengths)
        kept = arrays["seq"] % 8 == 0 if quick else np.ones(len(labels), bool)
        clips = [
            _resampled(warm[end - n : end], WARP_PICTURES)
            for end, n, keep in zip(ends, lengths, kept, strict=True)
            if keep
        ]
        features, index = levelled(np.stack(clips)), np.flatnonzero(kept)
        targets = labels[index].astype(np.int64)
        groups = arrays["group"][index].astype(np.int64)
        people = 100 * groups + arrays["person_slot"][index]
        names = np.array([f"day {person // 100} person {person % 100}" for person in people])
        return Samples(features, targets, people, groups, {}, digest_of(path), names)

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """Leave one group out; a single group is split by its people."""
        by = samples.groups if len(np.unique(samples.groups)) > 1 else samples.people
        return groups_left_out(dataclasses.replace(samples, groups=by))

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Clips at the even pace the network takes; training warps them instead."""
        return _unwarped(features)

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Fixed scale; training clips are warped in time, turned and flipped."""

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            return through(STAGES, AUGMENTATION.apply(_warped(batch, rng), rng))

        return Plan(STAGES, augment)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """Hand-made features and kernel ridge regression."""
        clips, asked = (_unwarped(side.features) for side in (train, test))
        return by_hand.tell(clips, train.targets, asked, len(CLASSES))

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Accuracy with 8 and 5 classes, macro F1, F1 of a fall against the rest."""
        said, truth = outputs.argmax(-1), samples.targets
        return told(said, truth)

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show."""
        return (
            "Data and weights are CC BY-NC-SA 4.0 and are not shipped.",
            f"{len(metrics['groups'])} recording days, {metrics['people']} people, one room and one sensor height.",
        )


def told(said: NDArray[np.int64], truth: NDArray[np.int64]) -> dict[str, float]:
    """Figures of which of the eight actions (n,) was said of samples."""
    return {
        "accuracy8": accuracy(said, truth),
        "macro_f1": float(np.mean([f1(said == k, truth == k) for k in range(len(CLASSES))])),
        "accuracy5": accuracy(FIVE[said], FIVE[truth]),
        "fall_f1": f1(np.isin(said, FALLS), np.isin(truth, FALLS)),
    }


def _resampled(clip: NDArray[np.float32], pictures: int) -> NDArray[np.float32]:
    """(n, rows, columns) to (rows, columns, pictures), evenly spaced in time, by the nearest picture."""
    index = np.rint(np.linspace(0, len(clip) - 1, pictures)).astype(int)
    resampled: NDArray[np.float32] = clip[index].transpose(1, 2, 0)
    return resampled


def levelled(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each sample around 0, whatever the room has warmed or cooled since its background."""
    return through((LEVEL,), features)


def _unwarped(features: NDArray[np.float32]) -> NDArray[np.float32]:
    if features.shape[-1] == PICTURES:
        return features
    return features[..., np.rint(np.linspace(0, features.shape[-1] - 1, PICTURES)).astype(int)]


def _warped(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Each clip from a little after its start to a little before its end, unevenly."""
    if batch.shape[-1] == PICTURES:
        return batch.copy()
    last = batch.shape[-1] - 1
    start, end = rng.uniform(0, 0.12, len(batch)), rng.uniform(0.88, 1, len(batch))
    bend = rng.uniform(0.85, 1.18, len(batch))
    even = np.linspace(0, 1, PICTURES)
    index = np.rint(last * (start[:, None] + (end - start)[:, None] * even ** bend[:, None])).astype(int)
    warped: NDArray[np.float32] = np.take_along_axis(batch, index[:, None, None, :], axis=3)
    return warped
