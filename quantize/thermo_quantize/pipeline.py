"""The whole way: source, representative set, ranges, scheme, layer noise, gate, golden vectors, contract, report."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import AccuracyDropError, ModelError, UsageError
from thermo_core.files import make_folder, write_files
from thermo_core.tflite.interpreter import RUNTIMES, installed
from thermo_core.tflite.verify import verify_model
from thermo_quantize import golden, layers, qat, runtimes
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.convert import RANGED, convert
from thermo_quantize.describe import Description, contracts, describe
from thermo_quantize.page import noise_picture, page
from thermo_quantize.ranges import Range, choose, observe
from thermo_quantize.representative_set import DEFAULT_COUNT, RepresentativeSet, check_disjoint, draw, draw_again
from thermo_quantize.runtimes import Kernels, Runner
from thermo_quantize.samples import Samples
from thermo_quantize.scoring import MAX_DROP, Score, drop, gate, score
from thermo_quantize.source import Source

Progress = Callable[[str], None]
NOISE_SAMPLES = 32
LATENCY_RUNS = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """What to do.

    Attributes:
        scheme: what is stored in how many bits.
        calibrator: how activation ranges are chosen; int16x8 has steps to spare, and covers all that was seen.
        percentile: what "percentile" covers, in percent.
        count: samples of the representative set.
        seed: of draws and noise.
        max_drop: points that accuracy may lose.
        keep_float: mixed scheme: so many layers, those that lose most, stay float32.
        tuning: of quantisation-aware training.
        unit: unit of the features, for the contract; None keeps the contract's default.
        orientation: what the first row and column are; None keeps the contract's default.
    """

    scheme: Scheme = Scheme.INT8
    calibrator: Calibrator = Calibrator.MINMAX
    percentile: float = 99.99
    count: int = DEFAULT_COUNT
    seed: int = 0
    max_drop: float = MAX_DROP
    keep_float: int = 2
    tuning: qat.Tuning = field(default_factory=qat.Tuning)
    unit: str | None = None
    orientation: str | None = None

    def __post_init__(self) -> None:
        if not 50 < self.percentile <= 100:
            raise UsageError(f"A percentile of {self.percentile:g} is impossible; give one above 50, to 100.")
        if not 0 <= self.max_drop <= 100:
            raise UsageError(f"A drop of {self.max_drop:g} points is impossible; give 0 to 100.")
        if self.seed < 0:
            raise UsageError(f"A seed of {self.seed} is impossible; give 0 or more.")
        if self.keep_float < 1:
            raise UsageError(f"The mixed scheme cannot keep {self.keep_float} layers in float; keep at least one.")


@dataclass(frozen=True)
class Result:
    """What quantising gives.

    Attributes:
        model: the .tflite file.
        description: its facts.
        float_bytes: size of the float model.
        representative: the set that was drawn; None where the scheme needs none.
        ranges: of every activation, where a calibrator chose them.
        noise: of each layer.
        scores: of the float and the quantised model on the evaluation set; None without one.
        vectors: golden vectors of the oracle.
        matrix: other runtimes against it.
        contract: meaning of input and output; None for models that are not int8 with one of each.
        latency_us: median time of an inference here, by runtime and kernels, real microseconds.
        seconds: that drawing and conversion took.
        settings: what was asked for.
        name: of the model.
    """

    model: bytes
    description: Description
    float_bytes: int
    representative: RepresentativeSet | None
    ranges: list[Range]
    noise: list[layers.LayerNoise]
    scores: tuple[Score, Score] | None
    vectors: golden.Golden
    matrix: list[golden.Row]
    contract: dict[str, Any] | None
    latency_us: dict[str, float]
    seconds: float
    settings: Settings
    name: str

    @property
    def worst(self) -> layers.LayerNoise | None:
        """The layer that loses most."""
        return layers.worst(self.noise)

    def gate(self) -> float | None:
        """Points lost, or None without an evaluation set.

        Raises:
            AccuracyDropError: more than the settings allow.
        """
        if self.scores is None:
            return None
        return gate(*self.scores, self.settings.max_drop, self.worst, str(self.settings.scheme))

    def to_dict(self) -> dict[str, Any]:
        """The report as a plain map."""
        passed = True
        try:
            self.gate()
        except AccuracyDropError:
            passed = False
        scores = self.scores
        return {
            "name": self.name,
            "scheme": str(self.settings.scheme),
            "calibrator": str(self.settings.calibrator) if self.ranges else None,
            "seed": self.settings.seed,
            "settings": asdict(self.settings),
            "versions": {name: runtimes.version(name) for name in ("tensorflow", *RUNTIMES)},
            "float_bytes": self.float_bytes,
            "model": self.description.to_dict(),
            "representative": None if self.representative is None else self.representative.to_dict(),
            "ranges": [asdict(one) for one in self.ranges],
            "layers": [one.to_dict() for one in self.noise],
            "worst_layer": None if self.worst is None else self.worst.layer,
            "evaluation": None
            if scores is None
            else {
                "float": asdict(scores[0]),
                "quantised": asdict(scores[1]),
                "drop": round(drop(*scores), 4),
                "max_drop": self.settings.max_drop,
                "passed": passed,
            },
            "golden": {"vectors": len(self.vectors.inputs[0]), "oracle": self.vectors.oracle},
            "runtimes": [row.to_dict() for row in self.matrix],
            "contract": self.contract,
            "latency_us": self.latency_us,
            "seconds": round(self.seconds, 2),
        }


def quantize(
    source: Source,
    data: Samples,
    settings: Settings,
    evaluation: Samples | None = None,
    index: object = None,
    progress: Progress = lambda line: None,
) -> Result:
    """Quantise a model and measure what that did to it.

    Args:
        source: the float model.
        data: samples to draw the representative set from; for QAT they are what it trains on.
        settings: what to do.
        evaluation: samples for the accuracy gate, none of them among the representative set.
        index: a representative index (from JSON) that says which samples to draw.
        progress: called with a line at each step.

    Raises:
        UsageError: data that are constant, do not fit the model, or are in both sets.
        ModelError: the model cannot be quantised so.
    """
    golden.require_oracle()
    began = time.perf_counter()
    if settings.scheme is Scheme.INT16X8:
        settings = replace(settings, calibrator=Calibrator.MINMAX)
    exact = Runner(source.float_model)
    names, shapes = [end.name for end in exact.inputs], [end.shape for end in exact.inputs]
    representative = draw(data, settings.count, settings.seed) if index is None else draw_again(data, index)
    if evaluation is not None:
        check_disjoint(representative, evaluation)
        if settings.scheme is Scheme.QAT:
            check_disjoint(draw(data, len(data), settings.seed), evaluation)
    inputs = representative.samples.ordered(names, shapes)
    progress(f"representative set: {len(representative.rows)} samples of {data.name}")
    before: tuple[NDArray[np.float32], Score] | None = None
    if evaluation is not None:
        given = evaluation.ordered(names, shapes)
        outputs = exact.predict(given)[0]
        before = outputs, score(outputs, evaluation, outputs)
        if len(exact.outputs) > 1:
            progress(f"of {len(exact.outputs)} outputs the first, {exact.outputs[0].name}, is scored")
    model, ranges = _convert(source, settings, inputs, data.ordered(names, shapes), progress)
    seconds = time.perf_counter() - began
    progress(f"{settings.scheme} model: {len(model)} bytes, float {len(source.float_model)} bytes, {seconds:.1f} s")
    noise = layers.measure(source.float_model, model, [array[:NOISE_SAMPLES] for array in inputs], source.layers)
    scores = None
    if evaluation is not None and before is not None:
        after = Runner(model).predict(evaluation.ordered(names, shapes))[0]
        scores = before[1], score(after, evaluation, before[0])
        progress(f"{scores[0].metric}: float {scores[0].value:.4f}, {settings.scheme} {scores[1].value:.4f}")
    vectors = golden.make(model, inputs, seed=settings.seed)
    matrix = golden.matrix(model, inputs, seed=settings.seed + 1)
    return Result(
        model,
        describe(model),
        len(source.float_model),
        representative,
        ranges,
        noise,
        scores,
        vectors,
        matrix,
        contracts(verify_model(model), settings.unit, settings.orientation),
        latency(model, [array[0] for array in inputs]),
        seconds,
        settings,
        source.name,
    )


def _convert(
    source: Source,
    settings: Settings,
    inputs: list[NDArray[np.float32]],
    training: list[NDArray[np.float32]],
    progress: Progress,
) -> tuple[bytes, list[Range]]:
    scheme = settings.scheme
    if scheme is Scheme.QAT:
        progress(f"training with quantisation, {settings.tuning.epochs} epochs")
        return qat.train(source, training, Runner(source.float_model).predict(training), settings.tuning), []
    ranges: list[Range] = []
    if scheme in RANGED:
        ranges = choose(observe(source.float_model, inputs), settings.calibrator, settings.percentile)
    if scheme is not Scheme.MIXED:
        return convert(source, scheme, ranges), ranges
    int8 = convert(source, Scheme.INT8, ranges)
    noise = layers.measure(source.float_model, int8, [array[:NOISE_SAMPLES] for array in inputs], source.layers)
    kept = layers.ranked(noise)[: settings.keep_float]
    progress("float layers: " + ", ".join(f"{one.layer} ({one.own_db:.1f} dB)" for one in kept))
    return convert(source, scheme, ranges, [one.float_tensor for one in kept]), ranges


def latency(model: bytes, sample: list[NDArray[np.float32]], runs: int = LATENCY_RUNS) -> dict[str, float]:
    """Median real time of one inference here, microseconds, by runtime and kernels; compare them with one another alone.

    What a runtime cannot run is left out.
    """
    found = {}
    for runtime in RUNTIMES:
        if not installed(runtime):
            continue
        for kernels in Kernels:
            try:
                runner = Runner(model, kernels, runtime)
            except ModelError:
                continue
            arrays = [end.encode(array) for end, array in zip(runner.inputs, sample, strict=True)]
            times = []
            for _ in range(runs):
                began = time.perf_counter_ns()
                runner.invoke(arrays)
                times.append(time.perf_counter_ns() - began)
            found[f"{runtime} {kernels}"] = round(float(np.median(times)) / 1000, 1)
    return found


FILES = (
    "model.tflite",
    "golden.npz",
    "layers.svg",
    "report.json",
    "report.html",
    "representative.json",
    "contract.json",
)
"""What `write` leaves; the last two not of every model."""


def write(result: Result, folder: Path) -> list[Path]:
    """Write `FILES`, in place of those of an earlier run.

    Raises:
        StorageError: the folder or a file cannot be written; what was there stays as it was.
    """
    make_folder(folder)
    report = result.to_dict()
    files: dict[str, bytes] = {
        "model.tflite": result.model,
        "golden.npz": result.vectors.to_bytes(),
        "layers.svg": noise_picture(result.noise).encode(),
        "report.json": _json(report),
        "report.html": page(report, result.noise).encode(),
    }
    if result.representative is not None:
        files["representative.json"] = _json(result.representative.to_dict())
    if result.contract is not None:
        files["contract.json"] = _json(result.contract)
    write_files({folder / name: content for name, content in files.items()})
    return [folder / name for name in files]


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
