"""What of a wearable is shown, worked out from its profile: pictures, channels, rates of the heart, models, alerts."""

from dataclasses import dataclass

from thermo_core.graph.plan import Plan
from thermo_core.signals import Signal
from thermo_core.stages.stage import Stage
from thermo_host.sinks.describe import element_names
from thermo_host.sinks.history import MOST

SMALLEST_PICTURE = 4
"""Rows and columns of what is shown as a picture and not as numbers."""
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
    """

    pictures: tuple[Signal, ...]
    beside: dict[str, tuple[Signal, ...]]
    hearts: tuple[Channel, ...]
    channels: tuple[Channel, ...]


def layout(plan: Plan) -> Layout:
    """What is shown of a wearable's signals: those of its sensors, and of its stages what is one number with a unit."""
    pictures: list[Signal] = []
    beside: dict[str, tuple[Signal, ...]] = {}
    few: list[Signal] = []
    for sensor in plan.profile.sensors:
        main, *parts = sensor.signals
        if is_picture(main):
            pictures.append(main)
            beside[main.name] = tuple(part for part in parts if part.elements == 1)
        else:
            few += [signal for signal in sensor.signals if signal.elements <= MOST]
    few += [
        node.gives
        for node in plan.nodes
        if isinstance(node.what, Stage) and node.gives.elements == 1 and node.gives.unit
    ]
    channels = [
        Channel(signal, at, name)
        for signal in few
        for at, name in enumerate(element_names(plan.profile, signal.name, signal.elements))
    ]
    hearts = tuple(channel for channel in channels if channel.signal.unit == HEART_UNIT)
    return Layout(tuple(pictures), beside, hearts, tuple(channel for channel in channels if channel not in hearts))


def is_picture(signal: Signal) -> bool:
    """Whether a signal's samples are pictures."""
    return len(signal.shape) == 2 and min(signal.shape) >= SMALLEST_PICTURE
