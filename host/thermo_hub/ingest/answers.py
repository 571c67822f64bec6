"""What the route of what is taken from a broker answers."""

from thermo_hub.described import Answer


class Ingested(Answer):
    """What was taken since the hub began.

    Attributes:
        broker: host and port; None where none is set.
        problem: why it cannot be reached; "" where it can.
        records: that came.
        repeats: that had come before.
        bad: messages that hold none.
        shown: ids of the wearables that they are of.
    """

    broker: str | None
    problem: str = ""
    records: int = 0
    repeats: int = 0
    bad: int = 0
    shown: tuple[str, ...] = ()
