"""Whom and what a model learnt from, so that they are known again in any file: another compression, a part, a superset.

People are known by the name their data set gives them, samples by their numbers. A file's own hash tells neither.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models.samples import Samples

_BYTES = 6
"""Of a hash that is kept: two different samples share one once in 10^14 pairs."""
_DECIMALS = 3
"""To which numbers are rounded before they are hashed, so that another version of a library gives the same hash."""


@dataclass(frozen=True, slots=True)
class Known:
    """What of some samples a model has met.

    Attributes:
        samples: (n,) bool, whether it learnt from the sample itself.
        people: (n,) bool, whether it learnt from anything of the sample's person.
    """

    samples: NDArray[np.bool_]
    people: NDArray[np.bool_]

    @property
    def any(self) -> bool:
        """Whether it has met any of them."""
        return bool(self.samples.any() or self.people.any())

    @property
    def strangers(self) -> NDArray[np.bool_]:
        """(n,) samples of whom nothing is known."""
        return ~(self.samples | self.people)


def remember(samples: Samples) -> dict[str, Any]:
    """People and samples as hashes, ready for JSON."""
    names = sorted({_of_name(name) for name in (samples.names if samples.names is not None else ())})
    return {
        "people": base64.b64encode(b"".join(names)).decode(),
        "samples": base64.b64encode(b"".join(sorted(set(_of_samples(samples))))).decode(),
    }


def recognise(learnt: Any, samples: Samples) -> Known:
    """Which samples and people are among those of `remember`.

    Raises:
        UsageError: `learnt` is not what `remember` gives.
    """
    try:
        people, rows = (_split(base64.b64decode(learnt[key], validate=True)) for key in ("people", "samples"))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "The model does not say whom it learnt from, so train it anew, or export its run folder again."
        ) from error
    names = samples.names if samples.names is not None else [""] * len(samples)
    return Known(
        np.array([digest in rows for digest in _of_samples(samples)], np.bool_),
        np.array([bool(name) and _of_name(name) in people for name in names], np.bool_),
    )


def numbered(names: Sequence[str]) -> NDArray[np.int64]:
    """People by number, in the order in which their names first come."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(name, len(first)) for name in names], np.int64)


def _of_name(name: str) -> bytes:
    return hashlib.sha256(str(name).encode()).digest()[:_BYTES]


def _of_samples(samples: Samples) -> list[bytes]:
    found = []
    for features, target in zip(samples.features, samples.targets, strict=True):
        numbers = np.concatenate([features.ravel(), np.ravel(target)]).astype(np.float64)
        # Adding zero makes one of the two zeros.
        rounded = np.round(numbers, _DECIMALS) + 0.0
        found.append(hashlib.sha256(rounded.astype("<f8").tobytes()).digest()[:_BYTES])
    return found


def _split(data: bytes) -> frozenset[bytes]:
    if len(data) % _BYTES:
        raise ValueError("not a whole number of hashes")
    return frozenset(data[at : at + _BYTES] for at in range(0, len(data), _BYTES))
