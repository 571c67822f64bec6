"""One finding of each model, made the whole way from a sensor's sample to the bytes of a record, before any is told to anybody."""

from collections.abc import Mapping, Sequence

import numpy as np

from thermo_core.errors import ModelError, RecordError
from thermo_core.graph.findings import Finding, finding
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import PERSON, Plan
from thermo_core.graph.runners import Samples
from thermo_core.graph.typical import MAX_SECONDS, SCENES, typical_series
from thermo_core.signals import Sample, Series, Values
from thermo_core.wearable.profile import Model
from thermo_core.wire import records
from thermo_device.finding_record import finding_record
from thermo_device.networks import ComparedNetwork, Networks

MOST_BEYOND = 0.5
"""Share of a model's features at the ends of what its inputs hold, above which its findings mean nothing."""
_FIRST_SECONDS = 4.0


def rehearse(plan: Plan, networks: Networks, seen: Samples | None = None) -> dict[str, str]:
    """Make one finding of each model and throw it away.

    Args:
        plan: the wearable.
        networks: of its models.
        seen: newest samples of its sensors by signal, which stand still; what is not among them is typical.

    Returns:
        What each model said, "lesion 0.83", by its name.

    Raises:
        ModelError: a model says nothing, or most of its features lie beyond what its network's inputs hold, whatever is typical.
    """
    problems = []
    for scene in SCENES if not seen else SCENES[:1]:
        try:
            return _rehearse(plan, networks, scene, seen or {})
        except _Beyond as problem:
            problems.append(problem)
    raise problems[0]


class _Beyond(ModelError):
    """A scene that a network does not hold; another may be its own."""


def _rehearse(plan: Plan, networks: Networks, scene: str, seen: Samples) -> dict[str, str]:
    tried = {name: _Once(network) for name, network in networks.items()}
    seconds = _FIRST_SECONDS
    while True:
        said = _run(plan, tried, _sources(plan, scene, seconds, seen))
        silent = [name for name in networks if name not in said]
        if not silent:
            break
        if seconds >= MAX_SECONDS:
            raise ModelError(f'The model "{silent[0]}" has no value in {MAX_SECONDS} s; sign another bundle.')
        seconds *= 2
    for name, one in tried.items():
        if one.beyond > MOST_BEYOND:
            raise _Beyond(
                f'{100 * one.beyond:.0f} % of the features of "{name}" lie at the ends of what its network\'s inputs hold; sign it with '
                "the wearable it was trained for."
            )
    return {name: _told(plan, one) for name, one in said.items()}


class _Once:
    """A network that is run once, since one finding is enough and the models after it need its output again and again."""

    def __init__(self, network: ComparedNetwork) -> None:
        self._network = network
        self._output: Values | None = None
        self.beyond = 0.0

    def infer(self, inputs: Sequence[Values]) -> Values:
        if self._output is None:
            self._output, self.beyond = self._network.rehearse(inputs)
        return self._output


def _sources(plan: Plan, scene: str, seconds: float, seen: Samples) -> dict[str, Series]:
    sources = typical_series(plan, scene, seconds)
    for name, series in sources.items():
        sample = seen.get(name)
        if sample is not None and np.isfinite(sample.values).all():
            sources[name] = series.with_values(np.broadcast_to(sample.values, series.values.shape).copy())
    return sources


def _run(plan: Plan, networks: Mapping[str, _Once], sources: Mapping[str, Series]) -> dict[str, Finding]:
    graph = LiveGraph(plan, networks)
    said: dict[str, Finding] = {}
    numbers = {model.reading: (number, model) for number, model in enumerate(plan.profile.models)}
    for moment in _moments(plan, sources):
        for produced in graph.push([moment]):
            for reading, (number, model) in numbers.items():
                if reading in produced and model.name not in said:
                    one = finding(model, number, produced[reading])
                    if one.values:
                        said[model.name] = one
        if graph.failures:
            raise ModelError(graph.failure)
        if all(name in said for name in networks):
            break
    return said


def _moments(plan: Plan, sources: Mapping[str, Series]) -> list[dict[str, Sample]]:
    """What the sensors say, each moment of each, in the order of blocks; what is known of the wearer comes first."""
    groups = [[signal.name for signal in sensor.signals] for sensor in plan.profile.sensors]
    placed = []
    if plan.profile.person:
        told = {name: sources[name].sample(0) for name in sources if name.startswith(f"{PERSON}.")}
        placed.append((-1, told))
    for names in groups:
        first = sources[names[0]]
        placed += [(int(first.order[n]), {name: sources[name].sample(n) for name in names}) for n in range(len(first))]
    return [moment for _, moment in sorted(placed, key=lambda item: item[0])]


def _told(plan: Plan, one: Finding) -> str:
    """What a finding says, once its record has been made."""
    model = plan.profile.models[one.model]
    record = finding_record(plan, one, newest=tuple((sensor, 0) for sensor in plan.origins(model.raw)))
    try:
        records.encode(record, 0)
    except RecordError as error:
        raise ModelError(f'Findings of "{model.name}" cannot be sent. {error}') from error
    return in_words(model, one)


def in_words(model: Model, one: Finding) -> str:
    """A finding for a person: the greatest score, or each quantity."""
    if model.scores is not None and one.winner is not None:
        return f"{model.scores[one.winner]!r} {one.values[one.winner]:.2f}"
    quantities = zip(model.quantities or (), one.values, strict=False)
    return ", ".join(f"{quantity.name} {value:.4g} {quantity.unit}".rstrip() for quantity, value in quantities)
