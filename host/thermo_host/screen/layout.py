"""What of a wearable is shown, worked out from its profile: pictures, bodies, channels, rates of the heart, models, alerts."""

from collections.abc import Sequence
from dataclasses import dataclass

from thermo_core.body import is_body
from thermo_core.graph.plan import Plan
from thermo_core.signals import Signal, Values
from thermo_core.stages import OPS
from thermo_core.stages.stage import Latched, Regridded, Stage
from thermo_core.wearable.profile import Model
from thermo_host.sinks.describe import element_names
from thermo_host.sinks.history import MOST

SMALLEST_PICTURE = 4
"""Rows and columns of what is shown as a picture and not as numbers."""
LONGEST_PICTURE = 6
"""Times that a picture is as long as it is wide at most; what is longer is a window of features."""
HEART_UNIT = "bpm"


@dataclass(frozen=True, slots=True)
class Channel:
    """One number that is shown with its past.

    Attributes:
        signal: whose it is.
        element: place within it.
        name: what people call it.
    """

    signal: Signal
    element: int
    name: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that is shown of signals.

    Attributes:
        pictures: shown as heat maps.
        beside: parts of sensors that give pictures, as the temperature of their die, by the picture's name.
        hearts: rates of the heart.
        channels: all others.
        bodies: temperatures of a body's segments, shown as a figure.
        rows: signals of more numbers than there is room for one by one, shown as a curve over their places.
    """

    pictures: tuple[Signal, ...]
    beside: dict[str, tuple[Signal, ...]]
    hearts: tuple[Channel, ...]
    channels: tuple[Channel, ...]
    rows: tuple[Signal, ...] = ()
    bodies: tuple[Signal, ...] = ()


def layout(plan: Plan, wanted: Sequence[str] = ()) -> Layout:
    """What is shown of a wearable's signals: those of its sensors, and of its stages what is one number with a unit.

    Args:
        plan: its graph.
        wanted: names of signals that are shown instead; those that it does not have are passed over.
    """
    if any(name in plan.signals for name in wanted):
        return _of(plan, [plan.signals[name] for name in wanted if name in plan.signals])
    pictures: list[Signal] = []
    beside: dict[str, tuple[Signal, ...]] = {}
    few: list[Signal] = []
    many: list[Signal] = []
    for sensor in plan.profile.sensors:
        main, *parts = sensor.signals
        if is_picture(main):
            pictures.append(main)
            beside[main.name] = tuple(part for part in parts if part.elements == 1)
        else:
            few += [signal for signal in sensor.signals if signal.elements <= MOST]
            many += [signal for signal in sensor.signals if signal.elements > MOST]
    few += [
        node.gives
        for node in plan.nodes
        if isinstance(node.what, Stage) and node.gives.elements == 1 and node.gives.unit and not _is_held(node.what)
    ]
    channels = [
        Channel(signal, at, name)
        for signal in few
        for at, name in enumerate(element_names(plan.profile, signal.name, signal.elements))
    ]
    hearts = tuple(channel for channel in channels if channel.signal.unit == HEART_UNIT)
    others = tuple(channel for channel in channels if channel not in hearts)
    bodies = tuple(node.gives for node in plan.nodes if is_body(node.gives) and not _is_elsewhen(node.what))
    return Layout(tuple(pictures), beside, hearts, others, tuple(many), bodies)


def is_picture(signal: Signal) -> bool:
    """Whether a signal's samples are pictures, or hold some."""
    shape = picture_shape(signal.shape)
    return len(shape) == 2 and min(shape) >= SMALLEST_PICTURE and max(shape) <= LONGEST_PICTURE * min(shape)


def picture_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(rows, columns) of the picture that is shown of a sample of this shape."""
    if len(shape) != 3:
        return shape
    return shape[:2] if shape[2] < SMALLEST_PICTURE else shape[1:]


def picture(values: Values) -> Values:
    """(rows, columns) of a sample: of several pictures the newest, of several channels the first."""
    if values.ndim != 3:
        return values
    return values[..., 0] if values.shape[2] < SMALLEST_PICTURE else values[-1]


def _is_elsewhen(what: Stage | Model) -> bool:
    """Whether a node gives what another one gives, at other moments."""
    return isinstance(what, Stage) and isinstance(OPS[what.op], Latched | Regridded)


def _is_held(stage: Stage) -> bool:
    """Whether it gives what is shown already, at other moments."""
    return isinstance(OPS[stage.op], Latched)


def _of(plan: Plan, signals: Sequence[Signal]) -> Layout:
    pictures = tuple(signal for signal in signals if is_picture(signal))
    bodies = tuple(signal for signal in signals if is_body(signal))
    others = [signal for signal in signals if signal not in pictures and signal not in bodies]
    channels = tuple(
        Channel(signal, at, name)
        for signal in others
        if signal.elements <= MOST
        for at, name in enumerate(element_names(plan.profile, signal.name, signal.elements))
    )
    rows = tuple(signal for signal in others if signal.elements > MOST)
    return Layout(pictures, {one.name: () for one in pictures}, (), channels, rows, bodies)
