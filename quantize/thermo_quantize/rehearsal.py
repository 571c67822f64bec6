"""Runs a wearable's networks on what its sensors typically say: inputs that hold the features, outputs that are findings."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_core.bundle import SelfTest
from thermo_core.errors import ModelError, RecordError, ThermoError
from thermo_core.graph import typical
from thermo_core.graph.findings import Finding, finding
from thermo_core.graph.plan import Node, Plan
from thermo_core.graph.series import matched, run
from thermo_core.signals import Series, Signal, Values
from thermo_core.tflite.ends import INT8_MAX, INT8_MIN, End
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Model
from thermo_core.wire import records
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import OutputKind

MOST_BEYOND = 0.05
"""Share of a scene's features that may lie beyond what an input holds."""
LEAST_STEPS = 1.0
"""Steps of an input in a standard deviation of a scene's features, below which it tells nothing of them."""
_FIRST_SECONDS = 4
_SEED = 2024
_TOLERANCE = 1 / 256


def rehearse(checked: Plan, networks: Mapping[str, Int8Network]) -> None:
    """Refuse networks that do not hold the features, or give no findings, of one scene at least.

    Args:
        checked: the wearable's graph.
        networks: of its models, with ends that fit it.

    Raises:
        ModelError: the sentence names the model, what it holds or gives, and what there is.
    """
    objections: dict[str, ThermoError] = {}
    waiting = [(number, node) for node in checked.nodes for number in _numbers(checked, node)]
    for scene in typical.SCENES:
        signals = typical_signals(checked, networks, scene)
        still = []
        for number, node in waiting:
            model = checked.profile.models[number]
            try:
                _check_features(node, model, networks[model.name], signals)
                _check_finding(checked, number, signals)
            except ModelError as error:
                objections.setdefault(model.name, error)
                still.append((number, node))
        waiting = still
        if not waiting:
            return
    raise objections[checked.profile.models[waiting[0][0]].name]


def _numbers(checked: Plan, node: Node) -> list[int]:
    return [number for number, model in enumerate(checked.profile.models) if model is node.what]


def _check_features(node: Node, model: Model, network: Int8Network, signals: Mapping[str, Series]) -> None:
    together = matched([signals[signal.name] for signal in node.inputs])
    for end, signal, series in zip(network.inputs, node.inputs, together, strict=True):
        _check_range(model, end, signal, series.values)


def _check_range(model: Model, end: End, signal: Signal, values: Values) -> None:
    low, high = end.range
    features = values[np.isfinite(values)]
    if not features.size:
        raise ModelError(
            f'"{signal.name}", which "{model.name}" takes, never has a value; correct the stages before it.'
        )
    beyond = np.mean((features < low - end.scale / 2) | (features > high + end.scale / 2))
    spread = float(features.std())
    if beyond > MOST_BEYOND or 0 < spread < LEAST_STEPS * end.scale:
        raise ModelError(
            f'The network of "{model.name}" holds {low:.3g} to {high:.3g} in steps of {end.scale:.3g}, and "{signal.name}" typically '
            f"is {features.min():.3g} to {features.max():.3g}; train and quantise it on what the wearable's own graph makes."
        )


def _check_finding(checked: Plan, number: int, signals: Mapping[str, Series]) -> None:
    model = checked.profile.models[number]
    series = signals[model.reading]
    said = [finding(model, number, series.sample(place)) for place in range(len(series))]
    spoken = [(one, series.values[place]) for place, one in enumerate(said) if one.values]
    if not spoken:
        raise ModelError(
            f'The model "{model.name}" gives no value of what its sensors typically say; correct its stages.'
        )
    if model.scores is not None:
        _check_scores(model, [values for _, values in spoken])
    else:
        _check_quantities(model, [one for one, _ in spoken])
    for one, _ in spoken[:1]:
        _check_record(checked, model, one)


def _check_scores(model: Model, values: Sequence[Values]) -> None:
    low, high = float(np.min(values)), float(np.max(values))
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise ModelError(
            f'The model "{model.name}" gives scores of {low:.3g} to {high:.3g}, which are no probabilities; a score is 0 to 1, so '
            "name quantities, or end the network in a softmax or sigmoid."
        )


def _check_quantities(model: Model, said: Sequence[Finding]) -> None:
    """What sensors typically say is no measurement, so a result may lie out of its range, but no farther than that is wide."""
    for place, quantity in enumerate(model.quantities or ()):
        values = np.array([one.values[place] for one in said])
        values = values[~np.isnan(values)]
        if not values.size:
            continue
        middle, width = float(np.median(values)), quantity.high - quantity.low
        if not quantity.low - width <= middle <= quantity.high + width:
            raise ModelError(
                f'The model "{model.name}" gives a {quantity.name} of {values.min():.4g} to {values.max():.4g} {quantity.unit} of what '
                f"its sensors typically say, and it can be {quantity.low:g} to {quantity.high:g}; correct its range, offset or factor."
            )


def _check_record(checked: Plan, model: Model, said: Finding) -> None:
    kind = OutputKind.SCORES if model.scores is not None else OutputKind.QUANTITIES
    newest = tuple((sensor, 0) for sensor in checked.origins(model.raw))
    record = FindingRecord(said.time_us, said.model, said.flags, 0, 0, 0, newest, kind, said.values)
    try:
        records.encode(record, 0)
    except RecordError as error:
        raise ModelError(f'Findings of "{model.name}" cannot be sent. {error}') from error


def self_tests(checked: Plan, networks: Mapping[str, Int8Network]) -> dict[str, tuple[SelfTest, ...]]:
    """Moments to try networks with on a device: noise over all that the inputs hold, and what sensors typically say.

    Args:
        checked: the wearable's graph.
        networks: of its models, with ends that fit it.

    Raises:
        ModelError: a model has nothing to say.
    """
    signals = typical_signals(checked, networks, typical.SCENES[0])
    made = {}
    for node in checked.nodes:
        if isinstance(node.what, Model):
            network, generator = networks[node.what.name], np.random.default_rng(_SEED)
            noise = [generator.integers(INT8_MIN, INT8_MAX + 1, end.shape).astype(np.int8) for end in network.inputs]
            together = matched([signals[signal.name] for signal in node.inputs])
            whole = ~np.any([np.isnan(series.values).reshape(len(series), -1).any(1) for series in together], axis=0)
            place = int(np.flatnonzero(whole)[-1])
            seen = [end.quantize(series.values[place]) for end, series in zip(network.inputs, together, strict=True)]
            made[node.what.name] = tuple(_tried(network, moment) for moment in (noise, seen))
    return made


def _tried(network: Int8Network, inputs: Sequence[NDArray[np.int8]]) -> SelfTest:
    return SelfTest(inputs=tuple(values.tobytes() for values in inputs), output=network.run(inputs).tobytes())


def typical_signals(checked: Plan, networks: Mapping[str, Int8Network], scene: str) -> dict[str, Series]:
    """All signals of a wearable in a scene, long enough that each of its models has something to say.

    Args:
        checked: the wearable's graph.
        networks: of its models.
        scene: one of `typical.SCENES`.

    Raises:
        ModelError: a model has nothing to say in `typical.MAX_SECONDS`.
    """
    seconds = float(_FIRST_SECONDS)
    while True:
        signals = run(checked, typical.typical_series(checked, scene, seconds), networks)
        silent = [model.name for model in checked.profile.models if np.isnan(signals[model.reading].values).all()]
        if not silent:
            return signals
        if seconds >= typical.MAX_SECONDS:
            raise ModelError(
                f'The model "{silent[0]}" has no value in {typical.MAX_SECONDS} seconds of what its sensors typically say; shorten the '
                "windows of its stages, or correct them."
            )
        seconds *= 2
