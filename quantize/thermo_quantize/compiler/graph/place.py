"""Where a graph's values lie: one memory for the signals of all passes, scratch, and the networks' arenas.

Passes run one after another, so values of one pass never meet those of another; within a pass a value lives from the call that
makes it to the last one that takes it. What lasts from moment to moment lies behind them and is shared with nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Node, Plan
from thermo_core.signals import Signal
from thermo_core.stages import OPS
from thermo_core.stages.stage import Latched, Regridded
from thermo_core.wearable.profile import Model
from thermo_quantize.compiler.compile import Compiled
from thermo_quantize.compiler.graph.row import FLOAT, Row, Site
from thermo_quantize.compiler.graph.rows import ROWS
from thermo_quantize.compiler.memory import ANYWHERE, Item, Key, Overlap, align, search, union

MAX_AT_ONCE = 65_535
"""Samples that one block may lead to at a signal."""
_ROUNDS = 400

Pass = tuple[str, int]
"""A sensor (or the wearer) and a depth: the passes of its blocks in which a signal may come."""


@dataclass(frozen=True)
class Placement:
    """A graph's memory.

    Attributes:
        signals: byte of each signal, by its name.
        scratch: byte of each call's scratch, by its number.
        arenas: byte of each network's arena, by the call's number.
        keeps: byte of what each call keeps, by its number.
        rooms: samples of its first input that one block may give each call, by its number.
        shared_bytes: of values, scratch and arenas.
        bytes: of all.
    """

    signals: Mapping[str, int]
    scratch: Mapping[int, int]
    arenas: Mapping[int, int]
    keeps: Mapping[int, int]
    rooms: tuple[int, ...]
    shared_bytes: int
    bytes: int


def row(node: Node) -> Row:
    """How a node's stage is generated; a model has no row of its own and keeps nothing."""
    return Row() if isinstance(node.what, Model) else ROWS[node.what.op]


def place(plan: Plan, networks: Mapping[str, Compiled], states_in_arenas: bool = False) -> Placement:
    """Place everything.

    Args:
        plan: a checked profile.
        networks: by the names of its models.
        states_in_arenas: what a network keeps from run to run lies behind its arena, as in a container; such an arena is
            shared with nothing.

    Raises:
        ProfileError: a resampling gives more samples at once than can be.
    """
    passes, rooms = _passes(plan), _rooms(plan)
    sites = [Site(node, number, rooms[number]) for number, node in enumerate(plan.nodes)]
    lasting = {site.number: size for site in sites if (size := _lasting(site.node, networks, states_in_arenas))}
    items = {key: item for key, item in _items(plan, networks, sites, passes).items() if key not in _arenas(lasting)}
    rules = {
        pair: rule for pair, rule in _rules(plan, networks, sites, items).items() if all(one in items for one in pair)
    }
    found, shared = search(items, rules, _bound(items, rules), _ROUNDS)
    arenas = {number: at for (kind, number), at in found.items() if kind == "arena"}
    names = list(plan.signals)
    signals = {names[number]: at for (kind, number), at in found.items() if kind == "signal"}
    keeps, end = {}, align(shared)
    for site in sites:
        if site.number in lasting:
            arenas[site.number] = end = align(end)
            end += align(lasting[site.number])
        size = row(site.node).keeps(site)
        if size:
            keeps[site.number] = end
            end += align(size)
            if row(site.node).kept_output:
                signals[site.node.gives.name] = keeps[site.number]
    return Placement(
        signals,
        {number: at for (kind, number), at in found.items() if kind == "scratch"},
        arenas,
        keeps,
        tuple(rooms),
        shared,
        end,
    )


def arena_bytes(compiled: Compiled, states_in_arenas: bool) -> int:
    """Bytes of a network's arena, with its state behind it where that lies there."""
    if not states_in_arenas:
        return max(compiled.plan.size, 1)
    return align(max(compiled.plan.size, 1)) + compiled.state_bytes


def _lasting(node: Node, networks: Mapping[str, Compiled], states_in_arenas: bool) -> int:
    """Bytes of an arena with a state in it; 0 for any other node."""
    if not isinstance(node.what, Model) or not states_in_arenas or not networks[node.what.name].state_bytes:
        return 0
    return arena_bytes(networks[node.what.name], True)


def _arenas(numbers: Iterable[int]) -> set[Key]:
    return {("arena", number) for number in numbers}


def _driver(node: Node) -> Signal:
    """The input at whose moments a node gives something."""
    latched = not isinstance(node.what, Model) and isinstance(OPS[node.what.op], Latched)
    return node.inputs[-1] if latched else node.inputs[0]


def _regrids(node: Node) -> bool:
    return not isinstance(node.what, Model) and isinstance(OPS[node.what.op], Regridded)


def _passes(plan: Plan) -> dict[str, Pass]:
    found = {name: (signal.clock, 0) for name, signal in plan.signals.items()}
    for node in plan.nodes:
        found[node.gives.name] = (found[_driver(node).name][0], node.gives.depth)
    return found


def _rooms(plan: Plan) -> list[int]:
    """Samples of its first input that one block may give each call."""
    at_once = dict.fromkeys(plan.signals, 1)
    at_once |= {signal.name: sensor.moments for sensor in plan.profile.sensors for signal in sensor.signals}
    rooms: list[int] = []
    for number, node in enumerate(plan.nodes):
        rooms.append(at_once[node.inputs[0].name])
        many = at_once[_driver(node).name] * row(node).gives(Site(node, number, rooms[number]))
        if many > MAX_AT_ONCE:
            raise ProfileError(
                f'stage "{node.gives.name}" makes up to {many} samples of one block, and {MAX_AT_ONCE} are possible; '
                "lower its rate_hz",
                f".stages[{[stage.gives for stage in plan.profile.stages].index(node.gives.name)}]",
            )
        at_once[node.gives.name] = many
    return rooms


def _items(
    plan: Plan, networks: Mapping[str, Compiled], sites: list[Site], passes: Mapping[str, Pass]
) -> dict[Key, Item]:
    """What needs a place, with the calls of each kind of pass as one stretch of steps."""
    kinds = sorted(set(passes.values()))
    length = len(plan.nodes) + 2
    begins = {kind: number * length for number, kind in enumerate(kinds)}
    made = {node.gives.name: site.number + 1 for site in sites for node in [site.node] if not _regrids(node)}
    last = dict(made)
    for site in sites:
        for signal in site.node.inputs:
            last[signal.name] = site.number + 1
    built_up = {name for sensor in plan.profile.sensors for name in sensor.built_up}
    kept = {site.node.gives.name for site in sites if row(site.node).kept_output}
    items = []
    for number, (name, signal) in enumerate(plan.signals.items()):
        if name in kept:
            continue
        begin = begins[passes[name]]
        elsewhere = [(at, at + length - 1) for at in begins.values() if at != begin] if name in built_up else []
        size = align(FLOAT * signal.elements)
        items.append(
            Item(("signal", number), size, begin + made.get(name, 0), begin + last.get(name, 0), tuple(elsewhere))
        )
    for site in sites:
        step = begins[passes[site.node.gives.name]] + site.number + 1
        scratch = row(site.node).scratch(site)
        if scratch:
            items.append(Item(("scratch", site.number), align(scratch), step, step))
        if isinstance(site.node.what, Model):
            items.append(Item(("arena", site.number), align(networks[site.node.what.name].plan.size), step, step))
    return {item.key: item for item in items}


def _rules(
    plan: Plan, networks: Mapping[str, Compiled], sites: list[Site], items: Mapping[Key, Item]
) -> dict[tuple[Key, Key], Overlap]:
    numbers = {name: number for number, name in enumerate(plan.signals)}
    rules = {}
    for site in sites:
        node, output = site.node, ("signal", numbers[site.node.gives.name])
        dying = [
            ("signal", numbers[signal.name])
            for signal in node.inputs
            if node.inputs.count(signal) == 1 and _dies(items, numbers[signal.name], output)
        ]
        if not isinstance(node.what, Model):
            rules.update({(source, output): row(node).overlap for source in dying})
            continue
        arena = ("arena", site.number)
        (raw,), first = networks[node.what.name].network.outputs, networks[node.what.name].network.inputs[0]
        at = networks[node.what.name].plan.values
        # All inputs are quantised before the first output is written, the first input before all others.
        rules.update({(source, output): ANYWHERE for source in dying})
        if raw.id in at:
            rules[arena, output] = Overlap(lead=at[raw.id] + raw.size)
        if first.id in at and ("signal", numbers[node.inputs[0].name]) in dying:
            rules[("signal", numbers[node.inputs[0].name]), arena] = Overlap(lag=-at[first.id])
    return {pair: rule for pair, rule in rules.items() if not rule.never}


def _dies(items: Mapping[Key, Item], number: int, output: Key) -> bool:
    """Whether a signal is needed by nothing after the call that makes the output."""
    source, result = items.get(("signal", number)), items.get(output)
    return source is not None and result is not None and source.last == result.first


def _bound(items: Mapping[Key, Item], rules: Mapping[tuple[Key, Key], Overlap]) -> int:
    """Bytes that some step needs at least."""
    least = 0
    for step in {item.first for item in items.values()}:
        here = {item.key: item.size for item in items.values() if item.lives_at(step)}
        savings = [
            here[source] + here[output] - union(here[source], here[output], rule)
            for (source, output), rule in rules.items()
            if source in here and output in here
        ]
        least = max(least, sum(here.values()) - sum(savings))
    return least
