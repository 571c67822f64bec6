"""Golden vectors of a model from the oracle's kernels, and how far every other runtime strays from them."""

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError, UsageError
from thermo_core.tflite.interpreter import RUNTIMES, installed
from thermo_core.tflite.verify import verify_model
from thermo_quantize.flatfile import without_head
from thermo_quantize.runtimes import Array, Kernels, Runner, limits, version

ORACLE = "tflite_runtime"
ORACLE_VERSION = "2.14.0"
COUNT = 64
MATRIX_COUNT = 256


@dataclass(frozen=True, slots=True)
class Golden:
    """Inputs and the oracle's outputs, as the network takes and gives them.

    Attributes:
        inputs: arrays (n, ...) in the model's order.
        outputs: arrays (n, ...) in the model's order.
        logits: (n, ...) what goes into a last softmax or logistic; none where the model has neither at its end.
        model_sha256: of the model they belong to.
        oracle: runtime, version and kernels.
    """

    inputs: list[Array]
    outputs: list[Array]
    logits: list[Array]
    model_sha256: str
    oracle: str

    def to_bytes(self) -> bytes:
        """As an .npz file, the same bytes for the same vectors."""
        file = io.BytesIO()
        arrays: dict[str, Array] = {f"input{n}": array for n, array in enumerate(self.inputs)}
        arrays |= {f"output{n}": array for n, array in enumerate(self.outputs)}
        arrays |= {f"logits{n}": array for n, array in enumerate(self.logits)}
        np.savez(file, model_sha256=np.array(self.model_sha256), oracle=np.array(self.oracle), **arrays)
        return file.getvalue()


@dataclass(frozen=True, slots=True)
class Row:
    """One runtime's disagreement with the golden vectors.

    Attributes:
        runtime: package and version.
        kernels: which kernels.
        samples: how many were compared.
        differing: share of logits that differ, or of outputs where the model has no softmax or logistic at its end.
        max_lsb: greatest difference among them, in steps (real numbers for float models).
        argmax_flips: samples, or cells of a map of classes, whose greatest output is another; None without classes.
        problem: why it could not run, or "".
    """

    runtime: str
    kernels: str
    samples: int
    differing: float
    max_lsb: float
    argmax_flips: int | None
    problem: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain map for JSON."""
        return asdict(self)


def require_oracle() -> None:
    """Fail where the oracle is not at hand.

    Raises:
        UsageError: tflite-runtime is absent or another version.
    """
    if version(ORACLE) != ORACLE_VERSION:
        raise UsageError(
            f"Golden vectors come from tflite-runtime {ORACLE_VERSION} and {version(ORACLE)} is here; install that version, "
            "for which Python 3.11 is the newest."
        )


def make(model: bytes, inputs: Sequence[NDArray[np.float32]], count: int = COUNT, seed: int = 0) -> Golden:
    """Golden vectors: half real samples, half noise over the whole input range, so that saturation is reached.

    Args:
        model: a .tflite file.
        inputs: real samples (n, ...) in the model's order.
        count: how many vectors.
        seed: of the noise.

    Raises:
        UsageError: the oracle is not installed in its pinned version.
        ModelError: the oracle refuses the model.
    """
    require_oracle()
    runner = Runner(model, Kernels.REFERENCE, ORACLE)
    generator = np.random.default_rng(seed)
    real = min(len(inputs[0]), (count + 1) // 2)
    rows = np.sort(generator.permutation(len(inputs[0]))[:real])
    arrays: list[Array] = []
    for end, array in zip(runner.inputs, inputs, strict=True):
        if end.dtype is np.float32:
            spread = float(np.abs(array).max()) or 1.0
            noise = generator.uniform(-spread, spread, (count - real, *end.shape[1:])).astype(np.float32)
        else:
            low, high = limits(end)
            noise = generator.integers(low, high + 1, (count - real, *end.shape[1:])).astype(end.dtype)
        arrays.append(np.concatenate([end.encode(array[rows]), noise]))
    headless = without_head(model)
    logits = [] if headless is None else _outputs(Runner(headless, Kernels.REFERENCE, ORACLE), arrays)
    return Golden(
        arrays,
        _outputs(runner, arrays),
        logits,
        hashlib.sha256(model).hexdigest(),
        f"{ORACLE} {ORACLE_VERSION} BUILTIN_REF",
    )


def matrix(model: bytes, inputs: Sequence[NDArray[np.float32]], count: int = MATRIX_COUNT, seed: int = 0) -> list[Row]:
    """Every runtime and its kernels against the oracle, on `count` vectors made as golden ones are."""
    golden = make(model, inputs, count, seed)
    headless = without_head(model)
    classes = has_classes(model)
    rows = []
    for runtime in RUNTIMES:
        for kernels in Kernels:
            name = f"{runtime} {version(runtime)}"
            if not installed(runtime):
                rows.append(Row(name, str(kernels), 0, 0.0, 0.0, None, "not installed"))
                continue
            try:
                found = _outputs(Runner(model, kernels, runtime), golden.inputs)
                logits = [] if headless is None else _outputs(Runner(headless, kernels, runtime), golden.inputs)
            except ModelError as error:
                rows.append(Row(name, str(kernels), 0, 0.0, 0.0, None, str(error)))
                continue
            rows.append(_compare(name, str(kernels), golden, found, logits, classes))
    return rows


def _outputs(runner: Runner, arrays: Sequence[Array]) -> list[Array]:
    results = [runner.run(sample) for sample in zip(*arrays, strict=True)]
    return [np.stack(column) for column in zip(*results, strict=True)]


def has_classes(model: bytes) -> bool:
    """Whether the greatest of a model's outputs means something: several in one cell, or a map that ends in a softmax."""
    graph = verify_model(model).model
    shape = graph.outputs[0].shape
    several = len(graph.outputs) == 1 and shape[-1] > 1
    return several and (math.prod(shape[:-1]) == 1 or graph.operators[-1].name == "SOFTMAX")


def _compare(name: str, kernels: str, golden: Golden, found: list[Array], logits: list[Array], classes: bool) -> Row:
    wanted = golden.outputs
    pairs = zip(golden.logits or wanted, logits or found, strict=True)
    steps = [np.abs(a.astype(np.float64) - b.astype(np.float64)) for a, b in pairs]
    values = sum(step.size for step in steps)
    flips: int | None = None
    if classes:
        flips = int(np.sum(wanted[0].argmax(axis=-1) != found[0].argmax(axis=-1)))
    differing = sum(int(np.count_nonzero(step)) for step in steps) / values
    return Row(name, kernels, len(wanted[0]), round(differing, 6), float(max(step.max() for step in steps)), flips)
