"""The commands of `thermo-quantize` that make, measure and check models; each is a thin layer over an importable function."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thermo_core.command_line import end_with
from thermo_core.errors import AccuracyDropError, ModelError, ThermoError, UsageError
from thermo_core.files import check_folder, read_file, read_json, refuse_overwriting
from thermo_quantize.choices import Calibrator, Scheme

if TYPE_CHECKING:
    from thermo_core.tflite.verify import Verified

NAME = "thermo-quantize"
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ModelFile = Annotated[Path, typer.Argument(help="A .tflite model.")]
DataFile = Annotated[Path, typer.Option(help="Samples (.npz): x or one array an input, y for labels.")]


def quantize(
    model: Annotated[Path, typer.Argument(help="Keras model (.keras, .h5), SavedModel folder or float .tflite file.")],
    representative: Annotated[
        Path,
        typer.Option("--representative", "--calibration", help="Samples to draw the representative set from (.npz)."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for model, contract, golden vectors and report.")],
    evaluation: Annotated[Path | None, typer.Option(help="Samples for the accuracy gate (.npz), none in both.")] = None,
    scheme: Annotated[Scheme, typer.Option(help="What is stored in how many bits.")] = Scheme.INT8,
    calibrator: Annotated[Calibrator, typer.Option(help="How activation ranges are chosen.")] = Calibrator.MINMAX,
    percentile: Annotated[float, typer.Option(help="Share of values that 'percentile' covers, in percent.")] = 99.99,
    count: Annotated[int, typer.Option(help="Samples of the representative set.")] = 256,
    index: Annotated[
        Path | None, typer.Option(help="Draw the set this index file (representative.json) names.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of draws and noise.")] = 0,
    max_drop: Annotated[float, typer.Option(help="Points that accuracy may lose.")] = 0.5,
    keep_float: Annotated[int, typer.Option(help="Scheme mixed: layers that stay float.")] = 2,
    epochs: Annotated[int, typer.Option(help="Scheme qat: passes over the representative data.")] = 4,
    unit: Annotated[str | None, typer.Option(help="Unit of the features, for the contract.")] = None,
    orientation: Annotated[
        str | None, typer.Option(help="What the first row and column are, for the contract.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what --out holds.")] = False,
    as_json: Json = False,
) -> None:
    """Quantise a model, measure what that did to it, and write model, contract, golden vectors and report."""
    from thermo_quantize import pipeline, qat
    from thermo_quantize.samples import read_samples
    from thermo_quantize.source import load_source

    check_folder(out)
    refuse_overwriting({out / name: None for name in pipeline.FILES}, force)
    settings = pipeline.Settings(
        scheme=scheme,
        calibrator=calibrator,
        percentile=percentile,
        count=count,
        seed=seed,
        max_drop=max_drop,
        keep_float=keep_float,
        tuning=qat.Tuning(epochs=epochs, seed=seed),
        unit=unit,
        orientation=orientation,
    )
    data = read_samples(representative)
    test = None if evaluation is None else read_samples(evaluation)
    drawn = None if index is None else read_json(index, 64 << 20)
    result = pipeline.quantize(load_source(model), data, settings, test, drawn, _say)
    files = pipeline.write(result, out)
    if as_json:
        print(json.dumps(result.to_dict()))
    else:
        worst = result.worst
        loss = f"; {worst.loss}" if worst else ""
        print(f"{out}: {', '.join(file.name for file in files)}; {len(result.model)} bytes{loss}")
    try:
        result.gate()
    except AccuracyDropError as error:
        end_with(NAME, error)


def evaluate(
    model: ModelFile,
    data: DataFile,
    float_model: Annotated[Path | None, typer.Option("--float", help="Float model to be held against.")] = None,
    max_drop: Annotated[float, typer.Option(help="Points that accuracy may lose against --float.")] = 0.5,
    as_json: Json = False,
) -> None:
    """Score a model on labelled samples with the oracle's kernels; with --float, fail if it lost too much."""
    from dataclasses import asdict

    import numpy as np

    from thermo_quantize import layers
    from thermo_quantize.runtimes import Runner
    from thermo_quantize.samples import read_samples
    from thermo_quantize.scoring import drop, gate, score
    from thermo_quantize.source import load_source

    samples = read_samples(data)
    content = _checked(model)
    runner = Runner(content)
    arrays = samples.ordered([end.name for end in runner.inputs], [end.shape for end in runner.inputs])
    if float_model is None:
        facts = {"model": asdict(score(runner.predict(arrays)[0], samples))}
        _print(facts, as_json, f"{model}: {facts['model']['metric']} {facts['model']['value']:.4f}")
        return
    source = load_source(float_model)
    exact = Runner(source.float_model).predict(arrays)[0]
    before, after = score(exact, samples, exact), score(runner.predict(arrays)[0], samples, exact)
    compared = {"float": asdict(before), "model": asdict(after), "drop": drop(before, after)}
    line = (
        f"{model}: {after.metric} {after.value:.4f}, float {before.value:.4f}, {drop(before, after):+.2f} points lost"
    )
    _print(compared, as_json, line)
    scheme = {np.int8: "int8", np.int16: "int16x8"}.get(runner.inputs[0].dtype, "quantised")
    if not drop(before, after) <= max_drop:
        noise = layers.measure(source.float_model, content, [array[:32] for array in arrays], source.layers)
        try:
            gate(before, after, max_drop, layers.worst(noise), scheme)
        except AccuracyDropError as error:
            end_with(NAME, error)


def compare(
    float_model: Annotated[Path, typer.Argument(help="The float model: .keras, .h5, SavedModel folder or .tflite.")],
    model: ModelFile,
    data: DataFile,
    count: Annotated[int, typer.Option(help="Samples to compare on.")] = 32,
    as_json: Json = False,
) -> None:
    """Noise of each layer against float, and of each runtime against the oracle."""
    from thermo_quantize import golden, layers
    from thermo_quantize.runtimes import Runner
    from thermo_quantize.samples import read_samples
    from thermo_quantize.source import load_source

    if count < 1:
        raise UsageError(f"Comparing on {count} samples is impossible; give at least one.")
    source, content = load_source(float_model), _checked(model)
    ends = Runner(source.float_model).inputs
    arrays = read_samples(data).ordered([end.name for end in ends], [end.shape for end in ends])
    chosen = [array[:count] for array in arrays]
    noise = layers.measure(source.float_model, content, chosen, source.layers)
    matrix = golden.matrix(content, chosen)
    if as_json:
        print(json.dumps({"layers": [one.to_dict() for one in noise], "runtimes": [row.to_dict() for row in matrix]}))
        return
    print(f"{'':3} {'operator':24} {'layer':32} {'own dB':>8} {'accumulated dB':>15}")
    for one in noise:
        own = "-" if one.own_db is None else f"{one.own_db:.1f}"
        print(f"{one.operator:3} {one.kind:24} {one.layer[-32:]:32} {own:>8} {one.accumulated_db:15.1f}")
    worst = layers.worst(noise)
    print(f"{worst.loss}." if worst else "Nothing is quantised.")
    print(f"\n{'runtime':24} {'kernels':22} {'differ':>8} {'steps':>8} {'flips':>6}")
    for row in matrix:
        flips = "-" if row.argmax_flips is None else str(row.argmax_flips)
        found = row.problem or f"{100 * row.differing:7.2f}% {row.max_lsb:8.4g} {flips:>6}"
        print(f"{row.runtime:24} {row.kernels:22} {found}")


def inspect(model: ModelFile, as_json: Json = False) -> None:
    """What a model is and costs: operators, parameters, products, memory, and which engines can run it."""
    from thermo_quantize.describe import describe

    found = describe(_checked(model))
    if as_json:
        print(json.dumps(found.to_dict()))
        return
    print(
        f"{model}: {found.bytes:,} bytes, {found.parameters:,} parameters, {found.macs:,} multiply-accumulates, "
        f"peak activations {found.peak_activation_bytes:,} bytes"
        + (f", {found.state_bytes:,} of them a state that lasts from run to run" if found.state_bytes else "")
    )
    for side, ends in (("input", found.inputs), ("output", found.outputs)):
        for end in ends:
            print(
                f"{side} {end['name']}: {end['shape']} {end['type']}, scale {end['scale']}, zero point {end['zero_point']}"
            )
    print(f"{'':3} {'operator':24} {'output':20} {'type':8} {'MACs':>12} {'parameters':>11} {'live bytes':>11}")
    for one in found.operators:
        shape = "x".join(map(str, one.shape))
        print(
            f"{one.index:3} {one.kind:24} {shape:20} {one.type:8} {one.macs:12,} {one.parameters:11,} {one.live_bytes:11,}"
        )
    names = list(next(iter(found.engines.values())))
    print(f"\n{'int8 kernel in':24} " + "  ".join(names))
    for kind, engines in found.engines.items():
        print(f"{kind:24} " + "  ".join(f"{'yes' if engines[name] else 'no':{len(name)}}" for name in names).rstrip())


def verify(
    models: Annotated[list[Path], typer.Argument(help=".tflite models.")],
    as_json: Json = False,
) -> None:
    """Check models without opening them in a runtime; ends with an error if one of them must not be opened."""
    found: list[dict[str, object]] = []
    refused: list[ThermoError] = []
    for path in models:
        try:
            verified = _verified(path, read_file(path))
        except ThermoError as error:
            refused.append(error)
            found.append({"file": str(path), "accepted": False, "error": str(error)})
            continue
        macs = sum(verified.macs)
        operators, keeps = len(verified.model.operators), bool(verified.states)
        found.append({"file": str(path), "accepted": True, "operators": operators, "macs": macs, "state": keeps})
        if not as_json:
            state = "; keeps a state from run to run, which no wearable takes" if keeps else ""
            print(f"{path}: well-formed, {operators} operators, {macs:,} multiply-accumulates{state}")
    if as_json:
        print(json.dumps(found))
    for earlier in refused[:-1]:
        _say(f"{NAME}: {earlier}")
    if refused:
        end_with(NAME, refused[-1])


def _verified(path: Path, data: bytes) -> "Verified":
    from thermo_core.tflite.verify import verify_model

    try:
        return verify_model(data, stateful=True)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _checked(path: Path) -> bytes:
    data = read_file(path)
    _verified(path, data)
    return data


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print(facts: object, as_json: bool, line: str) -> None:
    print(json.dumps(facts) if as_json else line)
