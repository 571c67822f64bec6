"""Samples of a task and the rule that nobody stands on both sides of a split."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.arrays import BROKEN
from thermo_core.errors import StorageError, UsageError
from thermo_core.files import check_readable


@dataclass(frozen=True, slots=True)
class Samples:
    """What a task learns from.

    Attributes:
        features: (n, ...) float32, a signal of the task's wearable, or what training makes it of.
        targets: (n,) int64 classes, or (n, quantities) float32.
        people: (n,) int64, who or what a sample is of; a person is never on both sides of a split.
        groups: (n,) int64, recording campaign or day.
        extra: further (n, ...) arrays of the task's own.
        digest: SHA-256 of the source, hexadecimal.
        names: (n,) text, what the data set calls the person, the same in each of its files; None where samples are made.
        beside: arrays of the task's own that are of no sample, and stay whole whichever are picked: nothing of those tested on.
    """

    features: NDArray[np.float32]
    targets: NDArray[Any]
    people: NDArray[np.int64]
    groups: NDArray[np.int64]
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    digest: str = ""
    names: NDArray[np.str_] | None = None
    beside: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.features)

    def pick(self, index: NDArray[Any]) -> "Samples":
        """The samples at `index`, integers or bool."""
        extra = {name: values[index] for name, values in self.extra.items()}
        return Samples(
            self.features[index],
            self.targets[index],
            self.people[index],
            self.groups[index],
            extra,
            self.digest,
            None if self.names is None else self.names[index],
            self.beside,
        )

    def of_people(self, people: NDArray[np.int64]) -> "Samples":
        """The same samples as if of these people."""
        return dataclasses.replace(self, people=people)

    def without_features(self) -> "Samples":
        """What metrics need, light enough to be picked from a thousand times."""
        return dataclasses.replace(self, features=np.zeros((len(self), 0), np.float32))

    def of_groups(self, groups: tuple[int, ...]) -> "Samples":
        """The samples of these groups; all of them for an empty tuple.

        Raises:
            UsageError: a group is not there.
        """
        if not groups:
            return self
        there = set(np.unique(self.groups).tolist())
        for group in groups:
            if group not in there:
                raise UsageError(f"The data hold no group {group}, so choose from {sorted(there)}.")
        return self.pick(np.isin(self.groups, groups))


@dataclass(frozen=True, slots=True)
class Fold:
    """One split of samples, by index.

    Attributes:
        name: what is held out, in words.
        train: indices to learn from.
        validation: indices that choose the epoch; may be empty where the number of epochs is fixed beforehand.
        test: indices to measure on.
        note: a sentence on whom the split leaves out, "" where it leaves out nobody.
    """

    name: str
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    note: str = ""

    def checked(self, samples: Samples) -> "Fold":
        """This fold, if no person is on two of its sides.

        Raises:
            UsageError: a person is, or a side that is needed is empty.
        """
        sides = [set(samples.people[side].tolist()) for side in (self.train, self.validation, self.test)]
        if not sides[0] or not sides[2]:
            raise UsageError(f"Fold {self.name} has nobody to learn from or to test on, so give more groups or people.")
        if sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2]:
            raise UsageError(f"Fold {self.name} has one person on two sides, so split by person.")
        return self


def groups_left_out(samples: Samples) -> list[Fold]:
    """Each group tested by what is learnt from the others; whoever is in the group that is tested is learnt from in none.

    Fixed numbers of epochs, so nobody validates.
    """
    nobody = np.zeros(0, np.int64)
    folds = []
    for group in np.unique(samples.groups):
        tested = samples.groups == group
        both = np.isin(samples.people, samples.people[tested]) & ~tested
        count = len(np.unique(samples.people[both]))
        note = (
            f"{count} people of group {group} are in other groups too, and were not learnt from there." if count else ""
        )
        train, test = np.flatnonzero(~tested & ~both), np.flatnonzero(tested)
        folds.append(Fold(f"group {group} out", train, nobody, test, note))
    return folds


def people_folds(people: NDArray[np.int64], count: int, seed: int, validation: bool) -> Iterator[Fold]:
    """Fold k tests on every `count`-th person of a shuffled list; validation, where wanted, is the fold after it.

    Raises:
        UsageError: fewer people than folds.
    """
    everybody = np.unique(people)
    if len(everybody) < max(count, 3 if validation else 2):
        raise UsageError(f"{len(everybody)} people cannot make {count} folds, so give fewer folds or more people.")
    shuffled = np.random.default_rng(seed).permutation(everybody)
    for k in range(count):
        tested = np.isin(people, shuffled[k::count])
        validated = np.isin(people, shuffled[(k + 1) % count :: count]) if validation else np.zeros(len(people), bool)
        train = ~tested & ~validated
        sides = (np.flatnonzero(side) for side in (train, validated, tested))
        yield Fold(f"{k + 1} of {count}", next(sides), next(sides), next(sides))


def digest_of(path: Path) -> str:
    """SHA-256 of a data file.

    Raises:
        StorageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}), so check --data.") from error


def open_npz(path: Path, needed: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Arrays of a .npz file.

    Raises:
        StorageError: the file cannot be read.
        UsageError: it is no .npz file or lacks an array.
    """
    check_readable(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in needed if name not in file.files]
            if missing:
                raise UsageError(f"{path} lacks the array {missing[0]!r}, so check that it is the data of this task.")
            return {name: file[name] for name in needed}
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error}), so check --data.") from error
    except BROKEN as error:
        raise UsageError(f"{path} is no .npz file that can be read ({error}), so fetch it again.") from error
