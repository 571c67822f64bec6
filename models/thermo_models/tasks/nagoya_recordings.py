"""Recordings of `nagoya-stream` as windows that a sensor would see one after another, with what they show and when.

The clips' file beside them says whose they are: the labelled stretches of a sequence are its clips, in their order. Between two
people's, the nearer one's is the moment.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.samples import open_npz
from thermo_models.streams import NO_EVENT
from thermo_models.tasks.nagoya_actions import CLASSES, FALLS, PICTURES

ARRAYS = ("frames", "label", "seq", "background")
WHOSE = ("label", "group", "person_slot", "seq")
PERIOD_S = 0.1
STRIDE = 3
"""Pictures from one window to the next."""
EMPTY = 20
"""First pictures of a recording, in which nobody is under the sensor: their median is its background."""
OTHER = len(CLASSES)
EARLY_S, LATE_S = 0.5, 1.0
"""An alarm within so much of the annotators' beginning and end of a fall finds it."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Of all recordings, one after another.

    Attributes:
        warm: (n, rows, columns, pictures) in K above the background.
        sequence: (n,) its recording, as the others.
        action: most of its pictures show, `OTHER` for none.
        day: it was recorded on.
        person: whose it is.
        time_s: its end within the recording.
        fall: that an alarm then would find; `NO_EVENT` for none.
        since_s: that fall began.
    """

    warm: NDArray[np.float32]
    sequence: NDArray[np.int64]
    action: NDArray[np.int64]
    day: NDArray[np.int64]
    person: NDArray[np.int64]
    time_s: NDArray[np.float64]
    fall: NDArray[np.int64]
    since_s: NDArray[np.float64]


def windows(path: Path, known_background: bool, every: int) -> Windows:
    """Of a file of recordings.

    Args:
        path: the file; a file of the same name with `clips` in place of `recordings` lies beside it.
        known_background: take the data set's median picture of a whole recording, which nobody has while it is made.
        every: keep one sequence of so many.

    Raises:
        StorageError: a file cannot be read.
        UsageError: a file is damaged, or the two do not belong together.
    """
    arrays = open_npz(path, ARRAYS)
    frames, labels, sequences = (arrays[name] for name in ARRAYS[:3])
    if frames.ndim != 3 or len({len(frames), len(labels), len(sequences)}) != 1 or not len(frames):
        raise UsageError(f"{path} holds pictures, labels and sequences of different lengths, so fetch it again.")
    if labels.max() >= len(CLASSES) or sequences.min() < 0 or sequences.max() >= len(arrays["background"]):
        raise UsageError(f"{path} holds unknown classes or sequences, so check that it is the data of this task.")
    bad = np.flatnonzero(~np.isfinite(frames).all((1, 2)))
    if len(bad):
        raise UsageError(f"{path} holds no number in a pixel of picture {bad[0]}, so repair that picture.")
    whose = open_npz(_clips_beside(path), WHOSE)
    parts = []
    for number in np.unique(sequences)[::every]:
        of = sequences == number
        parts.append(_of_one(path, arrays, of, whose, int(number), known_background))
    return Windows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _clips_beside(path: Path) -> Path:
    beside = path.with_name(path.name.replace("recordings", "clips"))
    if beside == path or not beside.is_file():
        raise UsageError(
            f"{path} does not say whose its recordings are, so name it recordings....npz and put the file clips....npz beside it."
        )
    return beside


def _of_one(
    path: Path,
    arrays: dict[str, NDArray[Any]],
    of: NDArray[np.bool_],
    whose: dict[str, NDArray[Any]],
    number: int,
    known_background: bool,
) -> tuple[NDArray[Any], ...]:
    """The fields of `Windows` of one sequence."""
    frames, labels = arrays["frames"][of].astype(np.float32), arrays["label"][of].astype(np.int64)
    starts, ends = stretches(labels)
    clips = whose["seq"] == number
    if not np.array_equal(labels[starts], whose["label"][clips]):
        raise UsageError(f"Sequence {number} of {path} is labelled unlike its clips, so fetch both files again.")
    if len(frames) < EMPTY + PICTURES or not len(starts):
        raise UsageError(f"Sequence {number} of {path} is too short or nothing in it is labelled, so leave it out.")
    background = arrays["background"][number] if known_background else np.median(frames[:EMPTY], axis=0)
    warm = (frames - background) / 100.0
    first = np.arange(EMPTY, len(frames) - PICTURES + 1, STRIDE)
    each = first[:, np.newaxis] + np.arange(PICTURES)
    shown = np.where(labels >= 0, labels, OTHER)[each]
    counts = (shown[:, :, np.newaxis] == np.arange(OTHER + 1)).sum(1)
    last = first + PICTURES - 1
    # Half-way between two labelled stretches one person's part ends.
    stretch = np.searchsorted((ends[:-1] + starts[1:]) / 2, last)
    day, slot = (whose[name][clips].astype(np.int64)[stretch] for name in ("group", "person_slot"))
    time_s = (last + 1) * PERIOD_S
    fall, since_s = np.full(len(first), NO_EVENT), np.zeros(len(first))
    for place in np.flatnonzero(np.isin(labels[starts], FALLS)):
        begins, is_over = starts[place] * PERIOD_S, ends[place] * PERIOD_S
        now = (time_s >= begins - EARLY_S) & (time_s <= is_over + LATE_S)
        fall[now], since_s[now] = place, time_s[now] - begins
    return (
        warm[each].transpose(0, 2, 3, 1),
        np.full(len(first), number),
        counts.argmax(1),
        day,
        100 * day + slot,
        time_s,
        fall,
        since_s,
    )


def stretches(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First pictures, and those behind the last ones, of the stretches of (n,) that have one label; -1 is none."""
    changes = np.flatnonzero(np.diff(labels)) + 1
    starts, ends = np.r_[0, changes], np.r_[changes, len(labels)]
    labelled = labels[starts] >= 0
    return starts[labelled], ends[labelled]
