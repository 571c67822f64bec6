"""Input samples from an .npz file: read with every number checked, named by hash, so that sets can be told apart."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.arrays import BROKEN
from thermo_core.errors import UsageError
from thermo_core.files import read_file

MAX_DATA = 4 << 30
Batch = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs, and what is known of them.

    Attributes:
        inputs: arrays (n, ...) float32 by the name of the input; one input alone may be called "x".
        labels: (n,) integers or (n, classes) one-hot are classes, (n,) or (n, outputs) real numbers are targets, (n, ...) what
            a map's cells have (`scoring.score`), None where there are none.
        name: what they are called in messages, their file as a rule.

    Raises:
        UsageError: empty, of unequal lengths, or a value is not finite; the sentence names the row.
    """

    inputs: Batch
    labels: NDArray[np.generic] | None = None
    name: str = "the data"

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError(f"{self.name} holds no inputs; store them as x, or by the name of each input.")
        lengths = {len(array) for array in self.inputs.values()} | (
            {len(self.labels)} if self.labels is not None else set()
        )
        if len(lengths) != 1:
            raise UsageError(f"{self.name} holds arrays of unequal lengths {sorted(lengths)}; store one row a sample.")
        if lengths == {0}:
            raise UsageError(f"{self.name} is empty; store at least one sample.")
        labelled = {} if self.labels is None else {"y": self.labels}
        for key, array in (*self.inputs.items(), *labelled.items()):
            finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
            if not finite.all():
                raise UsageError(
                    f"{self.name} has NaN or infinity in row {int(np.argmin(finite))} of {key!r}; remove or repair that row."
                )

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def classes(self) -> NDArray[np.int64] | None:
        """Labels as a class a sample: whole numbers, truth values or rows of one-hot; None for real numbers and maps."""
        labels = self.labels
        if labels is None or labels.size == 0 or (labels.ndim > 2 and labels.size > len(labels)):
            return None
        flat = labels.reshape(len(labels), -1)
        if flat.shape[1] > 1:
            one_hot = bool(np.all((flat == 0) | (flat == 1)) and np.all(flat.sum(axis=1) == 1))
            return flat.argmax(axis=1).astype(np.int64) if one_hot else None
        whole = np.issubdtype(flat.dtype, np.integer) or flat.dtype == np.bool_
        return flat[:, 0].astype(np.int64) if whole else None

    def take(self, rows: NDArray[np.int64] | list[int]) -> "Samples":
        """The samples of these rows."""
        chosen = np.asarray(rows, dtype=np.int64)
        labels = None if self.labels is None else self.labels[chosen]
        return Samples({key: array[chosen] for key, array in self.inputs.items()}, labels, self.name)

    def hashes(self) -> list[str]:
        """SHA-256 of each sample's inputs, by which it is known in any file."""
        found = []
        keys = sorted(self.inputs)
        for row in range(len(self)):
            digest = hashlib.sha256()
            for key in keys:
                digest.update(np.ascontiguousarray(self.inputs[key][row], dtype="<f4").tobytes())
            found.append(digest.hexdigest())
        return found

    def ordered(self, names: list[str], shapes: list[tuple[int, ...]]) -> list[NDArray[np.float32]]:
        """The arrays in a model's order.

        Args:
            names: of the model's inputs.
            shapes: of its inputs, with the batch dimension.

        Raises:
            UsageError: an input is missing, or its shape is not the model's.
        """
        if len(names) == 1 and len(self.inputs) == 1:
            arrays = list(self.inputs.values())
        elif len(names) == 1 and names[0] not in self.inputs and "x" in self.inputs:
            arrays = [self.inputs["x"]]
        else:
            arrays = [self._of(key) for key in names]
        for key, array, shape in zip(names, arrays, shapes, strict=True):
            if array.shape[1:] != tuple(shape[1:]):
                raise UsageError(
                    f"{self.name} has inputs of shape {array.shape[1:]} where the model's {key} takes {tuple(shape[1:])}; "
                    "use the data the model was made for."
                )
        return arrays

    def _of(self, key: str) -> NDArray[np.float32]:
        if key not in self.inputs:
            raise UsageError(
                f"{self.name} has no array {key!r} for the model's input of that name (it has {', '.join(sorted(self.inputs))}); "
                "name it so."
            )
        return self.inputs[key]


def read_samples(path: Path) -> Samples:
    """Samples of an .npz file: `x` or one array an input, and `y` for labels.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is not an .npz file, damaged, empty, or a value is not finite.
    """
    data = read_file(path, MAX_DATA)
    arrays: dict[str, NDArray[np.generic]] = {}
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except BROKEN as error:
        raise UsageError(f"{path} is not an .npz file or is cut short; write it again with numpy.savez.") from error
    labels = arrays.pop("y", None)
    inputs = {}
    for key, array in arrays.items():
        if array.ndim < 1 or not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
            raise UsageError(
                f"{path} has an array {key!r} of {array.dtype}, which is no input; store numbers, a row a sample."
            )
        inputs[key] = array.astype(np.float32)
    numbers = (np.integer, np.floating, np.bool_)
    if labels is not None and (labels.ndim < 1 or not any(np.issubdtype(labels.dtype, kind) for kind in numbers)):
        raise UsageError(
            f"{path} has labels y of {labels.dtype}; store whole numbers for classes or real ones for targets."
        )
    return Samples(inputs, labels, str(path))
