"""A wearable's graph as text: sensors, stages, models and alerts as a tree, with what each gives and what it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from thermo_core.errors import UsageError
from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.plan import Node, Plan
from thermo_core.schema import Floats
from thermo_core.sensors.bus_load import bus_load, greatest_frequency_hz
from thermo_core.sensors.settings import BusSensorSettings, SensorSettings
from thermo_core.signals import Signal
from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Model
from thermo_quantize.compiler.compile import Compiled, compile_model
from thermo_quantize.compiler.graph.costs import instructions
from thermo_quantize.compiler.graph.place import Placement, place
from thermo_quantize.compiler.targets import TARGETS

_LONGEST, _WIDEST = 4, 24
"""Places or names, and letters, of lists that a stage's parameters are told by; longer ones are told by their number."""


@dataclass(frozen=True)
class Drawn:
    """A graph and what it costs on a target.

    Attributes:
        plan: the graph.
        target: a key of `TARGETS`.
        networks: compiled for it, by the names of models; those that are trained.
        placement: of the graph's memory; None while a network is missing.
    """

    plan: Plan
    target: str
    networks: Mapping[str, Compiled]
    placement: Placement | None

    @classmethod
    def of(cls, plan: Plan, networks: Mapping[str, bytes], target: str) -> "Drawn":
        """Compile the networks and place the graph.

        Raises:
            UsageError: no such target.
            ModelError: a network cannot be compiled.
            ProfileError: the graph cannot be generated.
        """
        if target not in TARGETS:
            raise UsageError(f"There is no target {target!r}; choose one of {', '.join(TARGETS)}.")
        compiled = {name: compile_model(file, f"net_{n}", target) for n, (name, file) in enumerate(networks.items())}
        complete = all(model.name in compiled for model in plan.profile.models)
        return cls(plan, target, compiled, place(plan, compiled) if complete else None)

    @property
    def ram_bytes(self) -> int | None:
        """Of the graph's values, memories and networks."""
        if self.placement is None:
            return None
        return self.placement.bytes + sum(one.state_bytes for one in self.networks.values())

    def costs(self) -> Iterator[tuple[Node, int | None]]:
        """Each stage and model with its instructions for a sample."""
        for node in self.plan.nodes:
            yield node, instructions(node, self.networks, self.target)

    def kept_bytes(self, number: int) -> int:
        """What a node keeps from moment to moment."""
        if self.placement is None or number not in self.placement.keeps:
            return 0
        places = sorted([*self.placement.keeps.values(), self.placement.bytes])
        return places[places.index(self.placement.keeps[number]) + 1] - self.placement.keeps[number]


def text(drawn: Drawn) -> str:
    """The drawing, and the sums below it."""
    rows = [("", "", "gives", "instructions", "keeps"), *_rows(drawn)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column >= 3 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    profile = drawn.plan.profile
    return "\n".join([f"{profile.name} {profile.version}", "", *lines, "", *_sums(drawn)])


def facts(drawn: Drawn) -> dict[str, Any]:
    """The same as plain data."""
    plan = drawn.plan
    nodes = []
    for number, (node, cost) in enumerate(drawn.costs()):
        nodes.append(
            {
                "gives": node.gives.name,
                "op": "model" if isinstance(node.what, Model) else node.what.op,
                "takes": [signal.name for signal in node.inputs],
                **_plain(node.gives),
                "instructions": cost,
                "keeps_bytes": drawn.kept_bytes(number),
            }
        )
    return {
        "name": plan.profile.name,
        "version": plan.profile.version,
        "target": drawn.target,
        "sensors": [
            {"name": one.name, "kind": one.kind, "signals": [{"name": s.name, **_plain(s)} for s in one.signals]}
            for one in plan.profile.sensors
        ],
        "nodes": nodes,
        "models": [
            {"name": model.name, "outputs": list(model.outputs), "network": model.name in drawn.networks}
            for model in plan.profile.models
        ],
        "alerts": [{"name": one.alert.name, "when": one.alert.when} for one in plan.alerts],
        "ram_bytes": drawn.ram_bytes,
        "bus_share": bus_share(plan),
    }


def bus_share(plan: Plan) -> float:
    """Share of the bus's time that the sensors need at the greatest frequency all of them bear."""
    sensors = plan.profile.sensors
    return bus_load(sensors, greatest_frequency_hz(sensors)).share


def bus_sentence(plan: Plan) -> Iterator[str]:
    """How busy the sensors keep the bus, where one is on it."""
    if share := bus_share(plan):
        kilohertz = greatest_frequency_hz(plan.profile.sensors) / 1000
        yield f"The sensors keep the bus busy for {100 * share:.1f} % of the time at {kilohertz:g} kHz."


def _plain(signal: Signal) -> dict[str, Any]:
    return {"shape": list(signal.shape), "unit": signal.unit, "rate_hz": signal.rate_hz}


def _rows(drawn: Drawn) -> Iterator[tuple[str, ...]]:
    below: dict[str, list[Node | AlertPlan]] = {}
    for node in drawn.plan.nodes:
        below.setdefault(_parent(node), []).append(node)
    for alert in drawn.plan.alerts:
        below.setdefault(alert.watch.signal, []).append(alert)
    costs = {node.gives.name: cost for node, cost in drawn.costs()}
    numbers = {node.gives.name: number for number, node in enumerate(drawn.plan.nodes)}

    def beneath(name: str, indent: str) -> Iterator[tuple[str, ...]]:
        children = below.get(name, [])
        for count, child in enumerate(children, start=1):
            last = count == len(children)
            stem, further = indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  ")
            if isinstance(child, AlertPlan):
                yield (f"{stem}{child.alert.name}", f"alert {_alert(child)}", "", "", "")
                continue
            signal, kept = child.gives, drawn.kept_bytes(numbers[child.gives.name])
            yield (
                stem + (child.what.name if isinstance(child.what, Model) else signal.name),
                _what(child),
                _given(child),
                _cost(costs[signal.name], signal.rate_hz),
                f"{kept:,} B" if kept else "",
            )
            yield from beneath(signal.name, further)

    for sensor in drawn.plan.profile.sensors:
        for signal in sensor.signals:
            if signal.name == sensor.name or signal.name in below:
                yield (signal.name, _sensor(sensor) if signal.name == sensor.name else "", _shape(signal), "", "")
                yield from beneath(signal.name, "")
    for name, signal in drawn.plan.signals.items():
        if name in below and name.startswith("person."):
            yield (name, "of the wearer", _shape(signal), "", "")
            yield from beneath(name, "")


def _parent(node: Node) -> str:
    """The signal a node is drawn under: the one whose moments it has, or the first."""
    on = getattr(node.what, "on", None)
    return str(on) if on is not None else node.inputs[0].name


def _what(node: Node) -> str:
    if isinstance(node.what, Model):
        return "network" + _others(node, node.inputs[0].name)
    return " ".join([node.what.op, *_parameters(node.what)]) + _others(node, _parent(node))


def _others(node: Node, parent: str) -> str:
    names = [signal.name for signal in node.inputs if signal.name != parent]
    return f" (with {', '.join(names)})" if names else ""


def _parameters(stage: Stage) -> Iterator[str]:
    for field in msgspec.structs.fields(stage):
        value = getattr(stage, field.name)
        if field.name in ("of", "on", "gives") or value == field.default or isinstance(value, Floats):
            continue
        if isinstance(value, tuple) and (len(value) > _LONGEST or len(f"{value}") > _WIDEST):
            value = f"<{len(value)}>"
        yield f"{field.name}={value:g}" if isinstance(value, float) else f"{field.name}={value}"


def _given(node: Node) -> str:
    if not isinstance(node.what, Model):
        return _shape(node.gives)
    model = node.what
    outputs = model.scores or tuple(f"{one.name} {one.unit}".strip() for one in model.quantities or ())
    return f"{', '.join(outputs)}; {_rate(node.gives.rate_hz)}"


def _shape(signal: Signal) -> str:
    sizes = " x ".join(map(str, signal.shape)) or "1"
    return f"{sizes} {signal.unit}".strip() + f"; {_rate(signal.rate_hz)}"


def _rate(rate_hz: float) -> str:
    if not rate_hz:
        return "now and then"
    return f"{rate_hz:g} Hz" if rate_hz >= 0.1 else f"every {1 / rate_hz:g} s"


def _cost(cost: int | None, rate_hz: float) -> str:
    if cost is None:
        return "-"
    return f"{round(cost * rate_hz):,}/s" if rate_hz else f"{cost:,} each"


def _sensor(sensor: SensorSettings) -> str:
    where = f" at {_path(sensor)}" if isinstance(sensor, BusSensorSettings) else ""
    return f"{sensor.kind}{where}{f', {sensor.place}' if sensor.place else ''}"


def _path(sensor: BusSensorSettings) -> str:
    return " > ".join(f"0x{hop:02X}" if isinstance(hop, int) else hop for hop in sensor.path)


def _alert(one: AlertPlan) -> str:
    after = one.alert.after
    duration = [f"{after.findings} in a row"] * (after.findings > 1) + [f"{after.seconds:g} s"] * (after.seconds > 0)
    unit = f" ({one.watch.unit})" if one.watch.unit and not one.when.unit else ""
    return f"{one.alert.when}{unit}{' for ' + ' and '.join(duration) if duration else ''}, {one.alert.severity}"


def _sums(drawn: Drawn) -> Iterator[str]:
    costs = [(node.gives.rate_hz, cost) for node, cost in drawn.costs()]
    known = [(rate_hz, cost) for rate_hz, cost in costs if cost is not None]
    steady, each = sum(round(rate * cost) for rate, cost in known), sum(cost for rate, cost in known if not rate)
    words = [f"{steady:,} instructions/s"] * (steady > 0) + [f"{each:,} each time something comes"] * (each > 0)
    missing = "" if len(known) == len(costs) else ", without those marked -"
    ram = (
        "RAM is known once every model has its network" if drawn.ram_bytes is None else f"{drawn.ram_bytes:,} B of RAM"
    )
    summary = TARGETS[drawn.target].summary
    if costs:
        yield f"{summary}: {ram}; about {' and '.join(words) or 'no instructions'}{missing}."
        yield "Of the graph and its networks: drivers, decoding and the line come on top. Networks and stages are estimates."
    yield from bus_sentence(drawn.plan)


def readable(path: Path) -> str:
    """A path as a person would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
