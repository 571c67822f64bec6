"""What the route of what is sent to a broker answers."""

from thermo_hub.described import Answer


class Uplink(Answer):
    """A wearable's line to the broker.

    Attributes:
        wearable: its id.
        site: in topics.
        waiting: records that wait.
        lost: records that were not kept until the broker was back.
        kept: whether the broker still owes that it has a message.
        problem: why the broker cannot be reached; "" where it can.
    """

    wearable: str
    site: str
    waiting: int
    lost: int
    kept: bool
    problem: str


class Lines(Answer):
    """Lines to the broker.

    Attributes:
        broker: host and port; None where none is set.
        at_ms: now, milliseconds since 1970 UTC.
        lines: of each wearable.
    """

    broker: str | None
    at_ms: int
    lines: list[Uplink]
