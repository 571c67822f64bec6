"""Signals that a wearable has no sensor for: a host or a simulation gives them."""

from typing import Annotated

from msgspec import Meta

from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Signal, Unit


class ExternalSettings(SensorSettings, frozen=True, kw_only=True, tag="external"):
    """Numbers from outside, as another device's heart rate or what a clinic measured.

    Attributes:
        shape: of a sample; a single number where left out.
        unit: of its numbers.
        rate_hz: samples a second; 0 where they come when something happens.
        low, high: what the numbers may be; others are refused.
        given: names of the numbers in words, in their order.
    """

    shape: Annotated[tuple[Annotated[int, Meta(ge=1, le=256)], ...], Meta(max_length=2)] = ()
    unit: Unit = ""
    rate_hz: Annotated[float, Meta(ge=0, le=100)] = 0.0
    low: Annotated[float, Meta(ge=-1e9, le=1e9)] = -1e6
    high: Annotated[float, Meta(ge=-1e9, le=1e9)] = 1e6
    given: Annotated[tuple[str, ...], Meta(max_length=256)] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """As the base has it."""
        return self.given

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What is given."""
        return (Signal(self.name, self.shape, self.unit, self.rate_hz, self.name),)

    @property
    def bounds(self) -> tuple[float, float]:
        """As the base has it."""
        return self.low, self.high

    def problem(self) -> str:
        """As the base has it."""
        (signal,) = self.signals
        if signal.elements > 256:
            return f"has samples of {signal.elements} numbers and may have 256"
        if self.low >= self.high:
            return f"takes numbers from {self.low:g} to {self.high:g}, which are none"
        if self.given and len(self.given) != signal.elements:
            return f"names {len(self.given)} of {signal.elements} numbers"
        return ""
