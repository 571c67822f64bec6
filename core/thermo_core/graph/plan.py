"""Checks a profile as a whole and puts its stages and models in the order in which they run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from thermo_core.errors import ProfileError, StageError
from thermo_core.graph.alert_plan import AlertPlan, plan_alert
from thermo_core.sensors.path import Hop
from thermo_core.signals import DEPTHS, Signal
from thermo_core.stages import OPS
from thermo_core.stages.stage import Latched, Recursive, Regridded, Stage
from thermo_core.wearable.condition import slug
from thermo_core.wearable.profile import Model, Profile
from thermo_core.wire.table import LIMITS

PERSON = "person"
"""Clock of what is known of the wearer."""


@dataclass(frozen=True, slots=True)
class Node:
    """A stage or a model in its place.

    Attributes:
        what: the stage or model.
        inputs: signals it takes.
        gives: the signal it makes.
        made_for: the inputs at the profile's rates, where its constants are made for these and the sensors are set to others: it gives
            no value then.
    """

    what: Stage | Model
    inputs: tuple[Signal, ...]
    gives: Signal
    made_for: tuple[Signal, ...] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked profile.

    Attributes:
        profile: as given.
        signals: by name, those of sensors first.
        nodes: stages and models, each after all it takes.
        alerts: in the profile's order.
    """

    profile: Profile
    signals: Mapping[str, Signal]
    nodes: tuple[Node, ...]
    alerts: tuple[AlertPlan, ...]

    def origins(self, name: str) -> tuple[int, ...]:
        """Numbers of the sensors that a signal rests on, ascending."""
        made = {node.gives.name: node for node in self.nodes}
        found: set[int] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in made:
                waiting += [signal.name for signal in made[one].inputs]
            else:
                found.update(n for n, sensor in enumerate(self.profile.sensors) if sensor.name == one.partition(".")[0])
        return tuple(sorted(found))

    def number_of(self, name: str) -> int:
        """Number of a signal, as it travels: those of sensors first, then those of stages and models as they run."""
        return list(self.signals).index(name)


def plan(
    profile: Profile,
    outputs: Mapping[str, tuple[int, ...]] | None = None,
    made_for: Mapping[str, Signal] | None = None,
) -> Plan:
    """Check a profile and order its graph.

    Args:
        profile: the wearable.
        outputs: shape of each model's raw output by the model's name; as its `width` says where left out.
        made_for: signals by name at the rates that constants of stages are made for, where the profile has others.

    Raises:
        ProfileError: something does not fit together; it says what, and `path` where.
    """
    signals = dict(_sources(profile))
    nodes = _order(profile, signals, outputs or {}, made_for or {})
    for number, model in enumerate(profile.models):
        _check_model(model, number, signals)
    _check_learned(profile, nodes)
    alerts = tuple(plan_alert(number, profile, signals) for number in range(len(profile.alerts)))
    return Plan(profile, signals, nodes, alerts)


def kept_bytes(node: Node) -> int:
    """Bytes of what a node learns of a wearer; 0 where it learns nothing."""
    op = None if isinstance(node.what, Model) else OPS[node.what.op]
    return op.kept(node.what, node.inputs) if isinstance(op, Recursive) and op.kept is not None else 0


def _check_learned(profile: Profile, nodes: Sequence[Node]) -> None:
    sizes = {node.gives.name: kept_bytes(node) for node in nodes}
    learners = [name for name, size in sizes.items() if size]
    if len(learners) > LIMITS["learners"].high:
        raise ProfileError(
            f"{len(learners)} stages learn of the wearer and {LIMITS['learners'].high:g} may; concatenate what they take",
            f".stages[{[stage.gives for stage in profile.stages].index(learners[-1])}]",
        )
    total, most = sum(sizes.values()), int(LIMITS["learned"].high)
    if total > most:
        largest = max(sizes, key=lambda name: sizes[name])
        raise ProfileError(
            f'stages would keep {total} bytes of a wearer and may keep {most}; lower bins or the size of what "{largest}" takes',
            f".stages[{[stage.gives for stage in profile.stages].index(largest)}]",
        )


def _sources(profile: Profile) -> Iterator[tuple[str, Signal]]:
    seen: dict[str, str] = {}
    for number, sensor in enumerate(profile.sensors):
        path = f".sensors[{number}]"
        problem = sensor.problem()
        if problem:
            raise ProfileError(f'sensor "{sensor.name}" {problem}', path)
        if sensor.name in seen or sensor.name == PERSON:
            raise ProfileError(f'there are two sensors "{sensor.name}"; give each a name of its own', path)
        seen[sensor.name] = path
        for signal in sensor.signals:
            yield signal.name, signal
    _check_addresses(profile)
    for name in profile.person:
        yield f"{PERSON}.{name}", Signal(f"{PERSON}.{name}", (), "", 0.0, PERSON)


def _check_addresses(profile: Profile) -> None:
    """No two chips may hear the same address at the same time."""
    taken: list[tuple[tuple[Hop, ...], int, str]] = []
    muxes: dict[int, str] = {}
    for number, sensor in enumerate(profile.sensors):
        path = sensor.bus_path
        if path is None:
            continue
        where = f".sensors[{number}]"
        for hops, address, name in taken:
            shared = min(len(hops), len(path.hops))
            if address == path.address and hops[:shared] == path.hops[:shared]:
                raise ProfileError(
                    f'sensors "{name}" and "{sensor.name}" would both answer at 0x{address:02X}; give one another address '
                    "or put both behind channels of a multiplexer",
                    where,
                )
        taken.append((path.hops, path.address, sensor.name))
        for hop in path.hops:
            muxes[hop.address] = hop.kind
    for number, sensor in enumerate(profile.sensors):
        path = sensor.bus_path
        if path is not None and path.address in muxes:
            raise ProfileError(
                f'sensor "{sensor.name}" has the address 0x{path.address:02X} of a {muxes[path.address]} on its way; give it another',
                f".sensors[{number}]",
            )


def _order(
    profile: Profile,
    signals: dict[str, Signal],
    outputs: Mapping[str, tuple[int, ...]],
    made_for: Mapping[str, Signal],
) -> tuple[Node, ...]:
    waiting: list[tuple[str, Stage | Model]] = [
        *((f".stages[{n}]", stage) for n, stage in enumerate(profile.stages)),
        *((f".models[{n}]", model) for n, model in enumerate(profile.models)),
    ]
    _check_names(profile, signals, waiting)
    nodes: list[Node] = []
    while waiting:
        ready = [(path, what) for path, what in waiting if all(name in signals for name in what.inputs)]
        if not ready:
            _refuse(waiting, signals)
        for path, what in ready:
            inputs = tuple(signals[name] for name in what.inputs)
            bound = _bound(what, inputs, made_for)
            gives = _result(what, bound or inputs, outputs, path)
            if bound is not None:
                gives = replace(gives, rate_hz=inputs[0].rate_hz)
            signals[gives.name] = gives
            nodes.append(Node(what, inputs, gives, bound))
        waiting = [item for item in waiting if item not in ready]
    return tuple(nodes)


def _bound(
    what: Stage | Model, inputs: tuple[Signal, ...], made_for: Mapping[str, Signal]
) -> tuple[Signal, ...] | None:
    """The inputs that a stage's constants are made for, where it cannot do with these."""
    op = None if isinstance(what, Model) else OPS[what.op]
    if not made_for or not isinstance(op, Recursive) or op.bound is None:
        return None
    wanted = tuple(made_for[signal.name] for signal in inputs)
    return None if getattr(wanted[0], op.bound) == getattr(inputs[0], op.bound) else wanted


def _check_names(profile: Profile, signals: Mapping[str, Signal], waiting: Sequence[tuple[str, Stage | Model]]) -> None:
    taken = dict.fromkeys(signals, "a sensor") | {sensor.name: "a sensor" for sensor in profile.sensors}
    taken[PERSON] = "what is known of the wearer"
    for path, what in waiting:
        name = what.gives if isinstance(what, Stage) else what.name
        if name in taken:
            raise ProfileError(f'"{name}" is the name of {taken[name]} already; give it another', path)
        if "." in name:
            raise ProfileError(f'"{name}" has a dot, which parts of sensors and models have; leave it out', path)
        taken[name] = "a stage" if isinstance(what, Stage) else "a model"


def _refuse(waiting: Sequence[tuple[str, Stage | Model]], signals: Mapping[str, Signal]) -> None:
    coming = {what.gives if isinstance(what, Stage) else what.raw for _, what in waiting}
    for path, what in waiting:
        for name in what.inputs:
            if name not in signals and name not in coming:
                known = ", ".join(sorted([*signals, *coming]))
                raise ProfileError(
                    f'{_name(what)} takes "{name}", and there is no such signal; there are {known}', path
                )
    names = ", ".join(_name(what) for _, what in waiting)
    raise ProfileError(f"{names} wait for one another in a circle; break it", waiting[0][0])


def _name(what: Stage | Model) -> str:
    return f'stage "{what.gives}"' if isinstance(what, Stage) else f'model "{what.name}"'


def _result(
    what: Stage | Model, inputs: tuple[Signal, ...], outputs: Mapping[str, tuple[int, ...]], path: str
) -> Signal:
    if isinstance(what, Model):
        _check_clocks(_name(what), inputs, path)
        shape = outputs.get(what.name, (what.width or len(what.outputs),))
        first = inputs[0]
        return Signal(what.raw, shape, "", first.rate_hz, first.clock, depth=first.depth)
    op = OPS[what.op]
    if not isinstance(op, Latched):
        _check_clocks(_name(what), inputs, path)
    try:
        gives = op.result(what, inputs)
    except StageError as error:
        raise ProfileError(str(error), path) from None
    driver = inputs[-1] if isinstance(op, Latched) else inputs[0]
    depth = driver.depth + (1 if isinstance(op, Regridded) else 0)
    if depth >= DEPTHS:
        raise ProfileError(
            f'stage "{what.gives}" is the {depth}th resampling in a row; there may be {DEPTHS - 1}', path
        )
    return replace(gives, depth=depth)


def _check_clocks(name: str, inputs: Sequence[Signal], path: str) -> None:
    first = inputs[0]
    for signal in inputs[1:]:
        if signal.clock != first.clock:
            raise ProfileError(
                f'{name} takes "{first.name}" ({_rate(first)}) and "{signal.name}" ({_rate(signal)}), which do not come at '
                f'the same moments; hold one on the other with a stage like {{ op = "hold", of = "{signal.name}", '
                f'on = "{first.name}", gives = ... }}',
                path,
            )


def _rate(signal: Signal) -> str:
    return f"{signal.rate_hz:g} Hz of {signal.clock}" if signal.rate_hz else f"now and then, of {signal.clock}"


def _check_model(model: Model, number: int, signals: Mapping[str, Signal]) -> None:
    path = f".models[{number}]"
    if (model.scores is None) == (model.quantities is None):
        raise ProfileError(f'model "{model.name}" needs either scores or quantities', path)
    if model.scores is not None and len(model.scores) == 1:
        raise ProfileError(
            f'model "{model.name}" has "{model.scores[0]}" as its only score, which it would always say; name before it what a low '
            "one means",
            path,
        )
    slugs = [slug(text) for text in model.outputs]
    if len(set(slugs)) != len(slugs) or "" in slugs or "raw" in slugs:
        raise ProfileError(
            f'model "{model.name}" has outputs that a condition could not tell apart: {", ".join(slugs)}', path
        )
    for quantity in model.quantities or ():
        if quantity.low >= quantity.high:
            raise ProfileError(
                f'model "{model.name}" has a {quantity.name} of {quantity.low:g} to {quantity.high:g}', path
            )
    if model.reading not in signals:
        raise ProfileError(f'model "{model.name}" reads "{model.reading}", and there is no such signal', path)
    said, wanted = signals[model.reading].elements, len(model.outputs)
    if said != wanted and not (model.scores is not None and wanted == said + 1):
        raise ProfileError(
            f'model "{model.name}" names {wanted} outputs and "{model.reading}" has {said}; name each', path
        )
