"""What the routes of pictures answer."""

from thermo_hub.described import Answer


class RestsOn(Answer):
    """What the newest finding of a model rests on.

    Attributes:
        known: whether that can be said.
        why: a sentence, where it cannot.
        signal: the camera on whose picture it lies.
        utc: of the moment, milliseconds since 1970.
        label, score: what the model says first, and how sure it is, 0 to 1.
        outline: polylines of (x, y) around what carries most of it, pixels from the top left; none where no place does.
        peak: (x, y) of the pixel that carries most.
        loss: of log-odds where that is covered.
    """

    known: bool
    why: str | None = None
    signal: str | None = None
    utc: float | None = None
    label: str | None = None
    score: float | None = None
    outline: list[list[list[float]]] | None = None
    peak: list[float] | None = None
    loss: float | None = None
