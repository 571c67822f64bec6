"""How a chip is wired: its pins and where they go, as its data sheet has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wiring:
    """A chip's supply and pins.

    Attributes:
        supply_v: least and greatest voltage of its supply.
        pins: where each goes, by its name on the data sheet; SDA and SCL go to the bus and are not among them.
        note: what else has to be known, a sentence; "".
    """

    supply_v: tuple[float, float]
    pins: Mapping[str, str]
    note: str = ""


def drawn(chip: str, wiring: Wiring) -> Iterator[str]:
    """Lines of a drawing, the host's side on the left."""
    pins = {**wiring.pins, "SDA": "SDA of the bus", "SCL": "SCL of the bus"}
    left = max(map(len, pins.values()))
    name = max(map(len, pins))
    edge = "─" * (name + 2)
    yield f"{'':{left}}    ┌{edge}┐"
    for row, (pin, goes_to) in enumerate(pins.items()):
        told = f"  {chip}, {wiring.supply_v[0]:g}-{wiring.supply_v[1]:g} V" if row == 0 else ""
        yield f"{goes_to:>{left}} ───┤ {pin:{name}} │{told}"
    yield f"{'':{left}}    └{edge}┘"
