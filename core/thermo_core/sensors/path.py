"""Where a chip sits: its address, behind no or some channels of multiplexers."""

import re
from dataclasses import dataclass

from thermo_core.errors import SchemaError

FIRST_ADDRESS, LAST_ADDRESS = 0x08, 0x77
MAX_HOPS = 2
CHANNELS = 8

_HOP = re.compile(r"^(?P<kind>[a-z0-9]+)@0x(?P<address>[0-9A-Fa-f]{2}):(?P<channel>\d)$")

Written = tuple[str | int, ...]
"""As a profile has it: ("tca9548a@0x70:0", 0x3A)."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One channel of a multiplexer.

    Attributes:
        kind: of the multiplexer.
        address: 7-bit.
        channel: 0 to 7.
    """

    kind: str
    address: int
    channel: int


@dataclass(frozen=True, slots=True)
class BusPath:
    """Where a chip sits.

    Attributes:
        hops: channels to open, the nearest to the bus first.
        address: 7-bit, of the chip.
    """

    hops: tuple[Hop, ...]
    address: int

    def __str__(self) -> str:
        return "/".join(
            [*(f"{hop.kind}@0x{hop.address:02X}:{hop.channel}" for hop in self.hops), f"0x{self.address:02X}"]
        )


def parse(written: Written, kinds: tuple[str, ...] = ("tca9548a",)) -> BusPath:
    """A path as a profile has it.

    Args:
        written: hops as texts, then the address.
        kinds: known multiplexers.

    Raises:
        SchemaError: no such path.
    """
    if not written or isinstance(written[-1], str):
        raise SchemaError("must end with an address, as in [0x33]", ".path")
    hops = []
    for part in written[:-1]:
        found = _HOP.match(part) if isinstance(part, str) else None
        if found is None or found["kind"] not in kinds:
            raise SchemaError(
                f'leads through {part!r}; a multiplexer is written "{kinds[0]}@0x70:0", with its address and channel',
                ".path",
            )
        hop = Hop(found["kind"], int(found["address"], 16), int(found["channel"]))
        if hop.channel >= CHANNELS or not FIRST_ADDRESS <= hop.address <= LAST_ADDRESS:
            raise SchemaError(f"leads through {part!r}, which has no such channel or address", ".path")
        hops.append(hop)
    if len(hops) > MAX_HOPS:
        raise SchemaError(f"leads through {len(hops)} multiplexers and may through {MAX_HOPS}", ".path")
    if not FIRST_ADDRESS <= written[-1] <= LAST_ADDRESS:
        raise SchemaError(f"ends at the address 0x{written[-1]:02X}; chips are at 0x08 to 0x77", ".path")
    return BusPath(tuple(hops), written[-1])
