"""Which samples set the ranges: drawn class by class, disjoint from the test set by hash, written down in an index file."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from thermo_core.errors import SchemaError, UsageError
from thermo_core.schema import Record, from_plain
from thermo_quantize.samples import Samples

FORMAT = "thermo-representative-set"
VERSION = 1
DEFAULT_COUNT = 256


class _Index(Record, frozen=True):
    """An index file, as `RepresentativeSet.to_dict` makes it."""

    format: Literal["thermo-representative-set"]
    version: Literal[1]
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
    rows: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1, max_length=1 << 20)]
    by_class: dict[str, int]
    hashes: Annotated[tuple[str, ...], Meta(max_length=1 << 20)]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RepresentativeSet:
    """The drawn samples and how to draw them again.

    Attributes:
        samples: those drawn.
        rows: their rows in the data.
        seed: of the draw.
        hashes: SHA-256 of each.
    """

    samples: Samples
    rows: tuple[int, ...]
    seed: int
    hashes: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the drawn samples, whatever file they came from."""
        return hashlib.sha256("".join(sorted(self.hashes)).encode()).hexdigest()

    def to_dict(self) -> dict[str, object]:
        """The index, ready for JSON."""
        classes = self.samples.classes
        counts = {} if classes is None else {str(c): int(np.sum(classes == c)) for c in np.unique(classes)}
        return {
            "format": FORMAT,
            "version": VERSION,
            "seed": self.seed,
            "rows": list(self.rows),
            "by_class": counts,
            "hashes": list(self.hashes),
            "fingerprint": self.fingerprint,
        }


def draw(samples: Samples, count: int = DEFAULT_COUNT, seed: int = 0) -> RepresentativeSet:
    """Draw a representative set, the same number from every class where there are classes.

    Args:
        samples: to draw from.
        count: how many to draw at most.
        seed: of the draw.

    Raises:
        UsageError: count or seed is out of range, or all samples are one constant or the same, which gives no ranges.
    """
    if count < 1:
        raise UsageError(f"A representative set of {count} samples is impossible; draw at least one.")
    if seed < 0:
        raise UsageError(f"A seed of {seed} is impossible; give 0 or more.")
    generator = np.random.default_rng(seed)
    classes = samples.classes
    if classes is None:
        rows = generator.permutation(len(samples))[:count]
    else:
        queues = [generator.permutation(np.flatnonzero(classes == one)) for one in np.unique(classes)]
        order = np.concatenate([np.arange(len(queue)) for queue in queues])
        turn = np.lexsort((np.concatenate([np.full(len(q), n) for n, q in enumerate(queues)]), order))
        rows = np.concatenate(queues)[turn][:count]
    rows = np.sort(rows)
    return _set(samples, tuple(int(row) for row in rows), seed)


def draw_again(samples: Samples, index: object) -> RepresentativeSet:
    """The set that an index file describes.

    Raises:
        UsageError: the index is malformed, or the data are not those it was made from.
    """
    try:
        found = from_plain(index, _Index, "index", "correct it")
    except SchemaError as error:
        problem = str(error).removesuffix("; correct it.")
        raise UsageError(
            f"The representative index is no file that quantize wrote ({problem}); give its representative.json."
        ) from error
    if max(found.rows) >= len(samples):
        raise UsageError(
            f"The representative index names rows that {samples.name} has not; use the data it was made from."
        )
    drawn = _set(samples, found.rows, found.seed)
    if drawn.hashes != found.hashes:
        raise UsageError(f"{samples.name} has changed since the representative index was made; make a new index.")
    return drawn


def check_disjoint(representative: RepresentativeSet, test: Samples) -> None:
    """Refuse a test set that shares samples with the representative set.

    Raises:
        UsageError: a sample is in both; the sentence names its rows.
    """
    known = dict(zip(representative.hashes, representative.rows, strict=True))
    shared = [(known[digest], row) for row, digest in enumerate(test.hashes()) if digest in known]
    if shared:
        raise UsageError(
            f"{len(shared)} samples are in both the representative and the test set (row {shared[0][0]} of "
            f"{representative.samples.name} is row {shared[0][1]} of {test.name}); keep them apart."
        )


def _set(samples: Samples, rows: tuple[int, ...], seed: int) -> RepresentativeSet:
    chosen = samples.take(list(rows))
    if all(np.ptp(array) == 0 for array in chosen.inputs.values()):
        raise UsageError(f"The representative set from {samples.name} is one constant value; give it real samples.")
    hashes = tuple(chosen.hashes())
    if len(rows) > 1 and len(set(hashes)) == 1:
        raise UsageError(
            f"The representative set from {samples.name} is one sample {len(rows)} times over; give it real samples."
        )
    return RepresentativeSet(chosen, rows, seed, hashes)
