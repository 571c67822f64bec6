"""Which findings of a wearable a device keeps for a host that is away, and how much room that takes."""

import math

from thermo_core.graph.plan import Plan
from thermo_core.wire.kept import entry_bytes
from thermo_core.wire.table import KEPT_EVERY_S, LIMITS

KEPT_S = int(LIMITS["kept_seconds"].high)
KEPT_BYTES = int(LIMITS["kept_bytes"].high)


def kept_models(plan: Plan) -> tuple[int, ...]:
    """Numbers of the models whose findings are kept: those that speak by themselves, once in `KEPT_EVERY_S` or more seldom."""
    rates = [plan.signals[model.reading].rate_hz for model in plan.profile.models]
    return tuple(number for number, rate_hz in enumerate(rates) if 0 < rate_hz * KEPT_EVERY_S <= 1 + 1e-9)


def ring_bytes(plan: Plan) -> int:
    """Room for the findings of an hour, or `KEPT_BYTES` where that is less; 0 where none are kept."""
    return min(KEPT_BYTES, hour_bytes(plan))


def hour_bytes(plan: Plan) -> int:
    """Bytes of the findings of an hour that are to be kept."""
    return sum(_hour(plan, number) for number in kept_models(plan))


def _hour(plan: Plan, number: int) -> int:
    model = plan.profile.models[number]
    findings = math.ceil(KEPT_S * plan.signals[model.reading].rate_hz) + 1
    return findings * entry_bytes(len(model.outputs), model.quantities is not None)
