"""Whether the networks of a bundle give its wearable's findings: shapes, ranges of inputs and outputs, scores, alerts.

Signer and firmware generator ask here, so that what one of them takes the other does not refuse.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError, ProfileError, RecordError, ThermoError
from thermo_core.graph import typical
from thermo_core.graph.findings import Finding, finding
from thermo_core.graph.plan import AlertPlan, Node, Plan, plan
from thermo_core.graph.series import matched, run
from thermo_core.signals import Series, Signal, Values
from thermo_core.tflite.ends import End
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.tflite.reader import Model as NetworkFile
from thermo_core.tflite.reader import Operator
from thermo_core.tflite.verify import verify_model
from thermo_core.wearable.profile import Model, Profile
from thermo_core.wire import records
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import OutputKind

MOST_BEYOND = 0.05
"""Share of a scene's features that may lie beyond what an input holds."""
LEAST_STEPS = 1.0
"""Steps of an input in a standard deviation of a scene's features, below which it tells nothing of them."""
_FIRST_SECONDS = 4
_MOVES = ("RESHAPE", "SQUEEZE", "QUANTIZE")
_PROBABILITIES = ("SOFTMAX", "LOGISTIC")
_TOLERANCE = 1 / 256


def check_bundle(bundle: Bundle) -> Plan:
    """Refuse a bundle of which a network would never give a finding, or one that means nothing.

    Every network is run on what the sensors typically say, through the wearable's own graph, and each finding is made to the
    bytes of its record.

    Returns:
        The wearable's graph.

    Raises:
        BundleError: the profile's parts do not fit together.
        ModelError: a network is malformed, has other ends than its model's signals, does not hold their range, gives no scores or
            impossible quantities, or cannot reach an alert; the sentence names the model.
    """
    networks = open_networks(bundle.profile, bundle.networks)
    try:
        checked = plan(bundle.profile)
    except ProfileError as error:
        raise BundleError(f"bundle.profile{error.path}: {error}; correct the wearable and sign it again.") from error
    for node in checked.nodes:
        if isinstance(node.what, Model):
            file = verify_model(bundle.networks[node.what.name]).model
            _check_inputs(node, node.what, networks[node.what.name])
            _check_outputs(node, node.what, file, networks[node.what.name].output)
    for alert in checked.alerts:
        _check_alert(alert, checked, networks)
    _check_ranges(checked, networks)
    return checked


def open_networks(profile: Profile, networks: Mapping[str, bytes]) -> dict[str, Int8Network]:
    """The networks of a wearable, ready to run with reference kernels, by the names of its models.

    Args:
        profile: the wearable.
        networks: a .tflite file for each of its models, by the model's name.

    Raises:
        ModelError: a network is malformed or has ends that a wearable cannot run; the sentence names the model.
    """
    opened: dict[str, Int8Network] = {}
    for model in profile.models:
        try:
            opened[model.name] = Int8Network(networks[model.name])
        except ModelError as error:
            raise ModelError(f'The network of "{model.name}": {error}') from error
    return opened


def typical_inputs(checked: Plan, networks: Mapping[str, Int8Network], scene: str) -> dict[str, Series]:
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


def _check_inputs(node: Node, model: Model, network: Int8Network) -> None:
    if len(network.inputs) != len(node.inputs):
        raise ModelError(
            f'The network of "{model.name}" has {len(network.inputs)} inputs and the model takes {len(node.inputs)} signals '
            f"({', '.join(model.inputs)}); name the signals it was trained with, in their order."
        )
    for end, signal in zip(network.inputs, node.inputs, strict=True):
        wanted = tuple(size for size in signal.shape if size > 1)
        given = tuple(size for size in end.shape if size > 1)
        if given not in (wanted, (signal.elements,) if signal.elements > 1 else ()):
            raise ModelError(
                f'The network of "{model.name}" takes inputs of shape {end.shape} and "{signal.name}" has {signal.shape}; '
                "train it on features of that shape."
            )


def _check_outputs(node: Node, model: Model, file: NetworkFile, end: End) -> None:
    if end.elements != node.gives.elements:
        raise ModelError(
            f'The network of "{model.name}" gives {_numbered(end.elements)} and the model says {node.gives.elements}; name each output, or '
            f"add width = {end.elements} where stages make others of them, or where the first score says that none of the rest holds."
        )
    head = _head(file)
    low, high = end.range
    if end.elements == 1 and head == "SOFTMAX":
        raise ModelError(
            f'The network of "{model.name}" ends in a softmax of one output, which always says 1; end it in a sigmoid.'
        )
    if model.read is None and end.elements != max(end.shape, default=1):
        raise ModelError(
            f'The output of the network of "{model.name}" has the shape {end.shape}, and a finding needs one number an output; '
            "end the network in one row."
        )
    if model.read is not None or model.scores is None:
        return
    within = low >= -end.scale / 2 and high <= 1 + end.scale / 2
    if head not in _PROBABILITIES and not within:
        raise ModelError(
            f'The network of "{model.name}" ends in {head} and gives {low:.3g} to {high:.3g}, which are no probabilities: a '
            "classifier ends in a softmax, or in a sigmoid for one output, before it is quantised, and a quantity is no class."
        )
    if len(model.scores) == end.elements + 1 and head != "LOGISTIC" and end.elements > 1:
        raise ModelError(
            f'The model "{model.name}" names {len(model.scores)} scores and its network has {end.elements} outputs, which are '
            "shares of one whole; name each output."
        )


def _numbered(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


def _head(file: NetworkFile) -> str:
    """Kind of the last operator that computes, before those that only move its numbers."""
    made: dict[int, Operator] = {tensor.index: operator for operator in file.operators for tensor in operator.outputs}
    operator = made[file.outputs[0].index]
    while operator.name in _MOVES and operator.inputs[0] is not None and operator.inputs[0].index in made:
        operator = made[operator.inputs[0].index]
    return operator.name


def reachable(model: Model, place: int, end: End) -> tuple[float, float]:
    """Least and greatest number that a model's finding can have at a place, where it is read from the network itself."""
    low, high = end.range
    if model.quantities is not None:
        quantity = model.quantities[place]
        ends = (quantity.offset + quantity.factor * low, quantity.offset + quantity.factor * high)
        return min(ends), max(ends)
    low, high = max(low, 0.0), min(high, 1.0)
    if len(model.scores or ()) == end.elements + 1 and place == 0:
        return 1 - high, 1 - low
    return low, high


def _check_alert(alert: AlertPlan, checked: Plan, networks: Mapping[str, Int8Network]) -> None:
    """An alert that no finding raises or clears is a mistake in its number."""
    if alert.watch.model is None:
        return
    model = checked.profile.models[alert.watch.model]
    if model.read is not None:
        return
    ends = reachable(model, alert.watch.place, networks[model.name].output)
    for condition, word in ((alert.when, "raised"), (alert.clear, "cleared")):
        if condition is not None and not any(condition.holds(value) for value in ends):
            text = alert.alert.when if word == "raised" else alert.alert.clear
            raise ModelError(
                f'The alert "{alert.alert.name}" is never {word}: it needs "{text}" and the network gives {ends[0]:.4f} to '
                f"{ends[1]:.4f}; change the number."
            )
    if alert.clear is None and all(alert.when.holds(value) for value in ends):
        raise ModelError(
            f'The alert "{alert.alert.name}" is never cleared: "{alert.alert.when}" holds for all that the network gives, '
            f"{ends[0]:.4f} to {ends[1]:.4f}; change the number."
        )


def _check_ranges(checked: Plan, networks: Mapping[str, Int8Network]) -> None:
    """Inputs that hold the features of a scene, and outputs that are findings of it: in one scene at least."""
    objections: dict[str, ThermoError] = {}
    waiting = [(number, node) for node in checked.nodes for number in _numbers(checked, node)]
    for scene in typical.SCENES:
        signals = typical_inputs(checked, networks, scene)
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
    for place, quantity in enumerate(model.quantities or ()):
        values = np.array([one.values[place] for one in said])
        if not ((values >= quantity.low) & (values <= quantity.high)).any():
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
