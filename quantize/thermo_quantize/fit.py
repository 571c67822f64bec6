"""Whether the networks of a bundle give its wearable's findings: shapes, scores, quantities, alerts, and what they make of signals.

Signer and firmware generator ask here, so that what one of them takes the other does not refuse.
"""

import math
from collections.abc import Mapping

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError, ProfileError
from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.plan import Node, Plan, plan
from thermo_core.sensors.bus_load import overload
from thermo_core.tflite.ends import End
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.tflite.reader import Model as NetworkFile
from thermo_core.tflite.reader import Operator
from thermo_core.tflite.verify import verify_model
from thermo_core.wearable.profile import Model, Profile
from thermo_quantize.rehearsal import rehearse

_MOVES = ("RESHAPE", "SQUEEZE", "QUANTIZE")
_PROBABILITIES = ("SOFTMAX", "LOGISTIC")


def check_bundle(bundle: Bundle) -> Plan:
    """Refuse a bundle of which a network would never give a finding, or one that means nothing.

    Every network is run on what the sensors typically say, through the wearable's own graph, and each finding is made to the
    bytes of its record.

    Returns:
        The wearable's graph.

    Raises:
        BundleError: the profile's parts do not fit together, or no bus can carry its sensors.
        ModelError: a network is malformed, has other ends than its model's signals, does not hold their range, gives no scores or
            impossible quantities, or cannot reach an alert; the sentence names the model.
    """
    networks = open_networks(bundle.profile, bundle.networks)
    try:
        checked = plan(bundle.profile)
    except ProfileError as error:
        raise BundleError(f"bundle.profile{error.path}: {error}; correct the wearable and sign it again.") from error
    if too_much := overload(bundle.profile.sensors):
        raise BundleError(f"The wearable {bundle.profile.name} cannot be measured: {too_much}.")
    for node in checked.nodes:
        if isinstance(node.what, Model):
            file = verify_model(bundle.networks[node.what.name]).model
            _check_inputs(node, node.what, networks[node.what.name])
            _check_outputs(node, node.what, file, networks[node.what.name].output)
    for alert in checked.alerts:
        _check_alert(alert, checked, networks)
    rehearse(checked, networks)
    for name, tests in bundle.self_tests.items():
        if not all(networks[name].repeats(test.inputs, test.output) for test in tests):
            raise ModelError(
                f'The network of "{name}" does not give the result of its own self-test; make the bundle again with thermo-quantize sign.'
            )
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
    if model.read is not None:
        return
    for place, quantity in enumerate(model.quantities or ()):
        least, greatest = reachable(model, place, end)
        if greatest < quantity.low or least > quantity.high:
            raise ModelError(
                f'The network of "{model.name}" can give a {quantity.name} of {least:.4g} to {greatest:.4g} {quantity.unit}, and it can be '
                f"{quantity.low:g} to {quantity.high:g}; correct its range, offset or factor."
            )
    if model.scores is None:
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
    """An alert that nothing raises or clears is a mistake in its number."""
    low, high = _watched(alert, checked, networks)
    for condition, text, word in (
        (alert.when, alert.alert.when, "raised"),
        (alert.clear, alert.alert.clear, "cleared"),
    ):
        if condition is not None and not (condition.holds(low) or condition.holds(high)):
            raise ModelError(
                f'The alert "{alert.alert.name}" is never {word}: it needs "{text}" and there can be {low:.5g} to {high:.5g}; change the '
                "number."
            )
    if alert.clear is None and alert.when.holds(low) and alert.when.holds(high):
        raise ModelError(
            f'The alert "{alert.alert.name}" is never cleared: "{alert.alert.when}" holds for all that there can be, {low:.5g} to '
            f"{high:.5g}; change the number."
        )


def _watched(alert: AlertPlan, checked: Plan, networks: Mapping[str, Int8Network]) -> tuple[float, float]:
    """Least and greatest number that can move an alert: what is out of range moves none."""
    watch = alert.watch
    if watch.model is None:
        return next((one.bounds for one in checked.profile.sensors if one.name == watch.signal), (-math.inf, math.inf))
    model = checked.profile.models[watch.model]
    low, high = (-math.inf, math.inf) if model.read else reachable(model, watch.place, networks[model.name].output)
    if model.quantities is None:
        return max(low, 0.0), min(high, 1.0)
    quantity = model.quantities[watch.place]
    return max(low, quantity.low), min(high, quantity.high)
