"""Which signals change their rates with which sensor: a host may set a sensor to another rate than the profile's."""

from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.graph.plan import Plan
from thermo_core.graph.rates import plan_at
from thermo_core.stages import OPS
from thermo_core.stages.stage import Recursive
from thermo_core.wearable.profile import Model
from thermo_quantize.compiler.graph.place import row
from thermo_quantize.compiler.graph.row import Site
from thermo_quantize.compiler.graph.tables import Tables

HALVINGS = 16
"""How far down rates are tried."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Rates of a sensor, Hz.

    Attributes:
        planned_hz: of the profile; 0 where it has none.
        least_hz: the lowest, halving by halving, at which the graph still fits together.
        bound: whether something in flash was worked out for the profile's rate.
    """

    planned_hz: float
    least_hz: float
    bound: bool


@dataclass(frozen=True, slots=True)
class Paces:
    """What depends on the rates of sensors; "pace" is 1 + a sensor's number, 0 for none.

    Attributes:
        sensors: by number.
        signals: pace of each signal's rate.
        spacings: pace of the time between each signal's rows.
    """

    sensors: tuple[Pace, ...]
    signals: Mapping[str, int]
    spacings: Mapping[str, int]


def constants(made: Plan) -> list[object]:
    """What of each stage's parameters goes into flash and stays as it is at other rates of sensors."""
    found: list[object] = []
    for number, node in enumerate(made.nodes):
        if isinstance(node.what, Model):
            continue
        chosen, kind = row(node), OPS[node.what.op]
        # A stage that is bound to a rate gives no value at another, and needs no other constants.
        bound = isinstance(kind, Recursive) and kind.bound is not None
        if chosen.parameters is not None and not bound:
            tables = Tables()
            fields = chosen.parameters(Site(node, number, 1), tables)
            found.append(({name: text for name, text in fields.items() if name not in chosen.paced}, tables.texts))
    return found


def paces(made: Plan) -> Paces:
    """What the plans of a wearable at other rates have in common, as `graph.rates.plan_at` makes them."""
    outputs = {model.name: made.signals[model.raw].shape for model in made.profile.models}
    planned = [getattr(sensor, "rate_hz", 0.0) for sensor in made.profile.sensors]
    found, signals, spacings = [], dict.fromkeys(made.signals, 0), dict.fromkeys(made.signals, 0)

    def at(number: int, rate_hz: float) -> Plan | None:
        """The plan with one sensor at another rate; None where that cannot be."""
        changed = plan_at(made.profile, [*planned[:number], rate_hz, *planned[number + 1 :]], outputs)
        return None if changed.profile == made.profile else changed

    for number, rate_hz in enumerate(planned):
        least_hz = rate_hz
        for _ in range(HALVINGS):
            if not rate_hz or at(number, least_hz / 2) is None:
                break
            least_hz /= 2
        others = (
            [one for one in (at(number, rate_hz / 2), at(number, rate_hz * 2)) if one is not None] if rate_hz else []
        )
        found.append(Pace(rate_hz, least_hz, any(constants(one) != constants(made) for one in others)))
        for changed in others:
            for name, signal in made.signals.items():
                other = changed.signals[name]
                if other.rate_hz != signal.rate_hz:
                    signals[name] = number + 1
                if other.spacing_s != signal.spacing_s:
                    spacings[name] = number + 1
    return Paces(tuple(found), signals, spacings)
