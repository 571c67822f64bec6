"""What is kept of a wearable so that resources can be made of it while it is away: its sensors, what its signals are, its models."""

from typing import Literal

import msgspec

from thermo_core.errors import CorrectionError
from thermo_core.graph.plan import Plan
from thermo_core.recording.session import Session
from thermo_core.sensors.kinds import KINDS
from thermo_core.stages.stage import Stage
from thermo_core.wearable.condition import slug

AROUND = frozenset(("air", "ambient", "room"))
"""Names of sensors whose readings come from outside, and are of the air."""
KEEPING = frozenset(
    "average body_map concatenate contact_gate crop domain_gate forward_fill gaussian hold lacking median3 motion_gate node_check "
    "prefer resample resize select stack window".split()
)
"""Stages whose results are still the temperatures that were measured."""
Role = Literal["skin", "around", "computed"]


class SensorFacts(msgspec.Struct, frozen=True):
    """A sensor.

    Attributes:
        name, kind, place: as the profile has them.
        can_calibrate: whether its kind can be.
        calibrated_unix_s: when it was; None where it was not.
    """

    name: str
    kind: str
    place: str
    can_calibrate: bool
    calibrated_unix_s: int | None


class SignalFacts(msgspec.Struct, frozen=True):
    """A signal.

    Attributes:
        role: whether it is the temperature of a body's surface, of what is around it, or something else.
        sensors: names of those it rests on.
        measured: whether it is what sensors measured, not what a stage made of it.
    """

    role: Role
    sensors: tuple[str, ...]
    measured: bool


class OutputFacts(msgspec.Struct, frozen=True):
    """A number that a model says.

    Attributes:
        model, name, unit: of it.
        spread: half-width of the interval that nine in ten new cases fall into; 0 where it is not known.
        sensors: names of those it rests on.
    """

    model: str
    name: str
    unit: str
    spread: float
    sensors: tuple[str, ...]


class Description(msgspec.Struct, frozen=True):
    """A wearable.

    Attributes:
        name, software, platform: of the device.
        bundle: version of the bundle; "" where there is none.
        bundle_sha256: of its image, hexadecimal.
        simulated: its hardware is.
        development_key: it trusts the key that everybody has.
        waived: what was found wanting of the bundle and signed all the same.
        sensors: by name.
        signals: by name.
        outputs: of models, by the name of their series.
    """

    name: str = ""
    software: str = ""
    platform: str = ""
    bundle: str = ""
    bundle_sha256: str = ""
    simulated: bool = False
    development_key: bool = False
    waived: tuple[str, ...] = ()
    sensors: dict[str, SensorFacts] = {}
    signals: dict[str, SignalFacts] = {}
    outputs: dict[str, OutputFacts] = {}


def describe(session: Session) -> Description:
    """What is kept of a session."""
    hello, plan = session.hello, session.plan
    profile = session.profile
    sensors = {
        one.name: SensorFacts(
            one.name, one.kind, one.place or "", KINDS[one.kind].correction is not None, _calibrated(session, number)
        )
        for number, one in enumerate(profile.sensors)
    }
    names = [one.name for one in profile.sensors]
    signals = {name: _signal(plan, name, [names[at] for at in plan.origins(name)], sensors) for name in plan.signals}
    outputs = {}
    for model in profile.models:
        origins = tuple(names[at] for at in plan.origins(model.raw))
        spreads = {one.name: (one.unit, one.spread) for one in model.quantities or ()}
        for output in model.outputs:
            unit, spread = spreads.get(output, ("", 0.0))
            outputs[f"{model.name}.{slug(output)}"] = OutputFacts(model.name, output, unit, spread, origins)
    return Description(
        hello.name,
        hello.software,
        hello.platform,
        hello.bundle,
        hello.bundle_sha256.hex(),
        hello.simulated,
        hello.development_key,
        hello.waived,
        sensors,
        signals,
        outputs,
    )


def _signal(plan: Plan, name: str, origins: list[str], sensors: dict[str, SensorFacts]) -> SignalFacts:
    measured = _is_measured(plan, name)
    unit = plan.signals[name].unit
    role: Role = "computed"
    if unit == "degC" and measured and origins:
        of_skin = (
            all(KINDS[sensors[one].kind].surface for one in origins)
            and not AROUND & set(origins)
            and not name.endswith(".ta")
        )
        role = "skin" if of_skin else "around"
    return SignalFacts(role, tuple(origins), measured)


def _is_measured(plan: Plan, name: str) -> bool:
    made = {node.gives.name: node for node in plan.nodes}
    waiting = [name]
    while waiting:
        node = made.get(waiting.pop())
        if node is None:
            continue
        if not isinstance(node.what, Stage) or node.what.op not in KEEPING:
            return False
        waiting += [signal.name for signal in node.inputs if signal.unit == node.gives.unit]
    return True


def _calibrated(session: Session, number: int) -> int | None:
    """When a sensor was calibrated that applies its correction; None where it does not."""
    if number >= len(session.hello.sensors) or not session.hello.sensors[number].corrected:
        return None
    try:
        correction = session.correction(number)
    except CorrectionError:
        return None
    return None if correction is None else correction.stamp.created_unix_s
