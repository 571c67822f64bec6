"""What the routes of review answer. Times are milliseconds since 1970 UTC."""

from typing import Literal

from thermo_hub.described import Answer


class Window(Answer):
    """A window in the queue; nothing of why it is there, which would tell what the model said.

    Attributes:
        id: of it.
        state: how it stands.
        may: steps that this visitor may take next.
        person: of whom it is; a pseudonym for who is no clinician.
        wearable: id of the wearable; absent for who is no clinician.
        profile: name of what the wearable is.
        model: name of its model.
        classes: of the model.
        from_ms, to_ms: ends.
        readers: that have begun to read it.
    """

    id: str
    state: str
    may: list[str]
    person: str
    wearable: str = ""
    profile: str
    model: str
    classes: list[str]
    from_ms: float
    to_ms: float
    readers: int


class Queue(Answer):
    """Windows that wait, the most urgent first.

    Attributes:
        items: each.
        all: windows that there are in all.
        notice: that it informs only.
    """

    items: list[Window]
    all: int
    notice: str


class Place(Answer):
    """A place on a picture.

    Attributes:
        kind: a box has two corners, a polygon three points or more.
        signal: the picture.
        points: (x, y), pixels from the left and from the top.
    """

    kind: Literal["box", "polygon"]
    signal: str
    points: list[tuple[float, float]]


class Opinion(Answer):
    """What a reader says.

    Attributes:
        label: a class; null where the reader cannot tell.
        shapes: where it is seen.
        ranges: from and to, between which it holds; all of the window where there is none.
        note: in words; "" for who is no clinician.
    """

    label: str | None
    shapes: list[Place]
    ranges: list[tuple[float, float]]
    note: str


class ReadStep(Answer):
    """A step of a reader.

    Attributes:
        at_ms: when.
        by: who.
        kind: of it.
        blinded: whether the model's finding had not been shown.
        opinion: held since then.
    """

    at_ms: float
    by: str
    kind: Literal["first", "kept", "changed", "revised", "adjudicated"]
    blinded: bool
    opinion: Opinion


class ReadWindow(Window):
    """A window with what of it this visitor may see.

    Attributes:
        mine: number of this visitor's steps.
        sees_finding: whether the model's finding is given to this visitor.
        steps: of this visitor; of everybody where readers disagree or are done.
        shapes: rows and columns of each picture.
    """

    mine: int
    sees_finding: bool
    steps: list[ReadStep]
    shapes: dict[str, list[int]]


class Drawn(Answer):
    """A signal that is drawn as a whole.

    Attributes:
        signal: its name.
        unit: of its values.
    """

    signal: str
    unit: str


class DrawnLine(Drawn):
    """A number that is drawn as a line.

    Attributes:
        element: place within the signal.
        name: what people call it.
    """

    element: int
    name: str


class WholeWindow(ReadWindow):
    """A window with its signals.

    Attributes:
        lines: by signal: seconds since 1970 UTC, then its numbers.
        pictures: signals that are pictures.
        bodies: signals that are temperatures of a body's segments.
        channels: lines that there are.
        notice: that it informs only.
    """

    lines: dict[str, list[list[float | None]]]
    pictures: list[Drawn]
    bodies: list[Drawn]
    channels: list[DrawnLine]
    notice: str


class Finding(Answer):
    """What the model said of a window.

    Attributes:
        label: class of the greatest mean score.
        scores: means, by class.
        findings: that the means are of.
        uncertainty: normalised entropy of the scores, 0 to 1.
        alerts: of the wearable's own, raised in the window.
        called: rules of the hub that began to call in it.
        bundle: first bytes of the hash of the wearable's bundle, hexadecimal.
        notice: that it informs only.
    """

    label: str
    scores: dict[str, float]
    findings: int
    uncertainty: float
    alerts: list[str]
    called: list[str]
    bundle: str
    notice: str


class Kappa(Answer):
    """Agreement of two readers.

    Attributes:
        n: windows that both read blind.
        agreed: share of them on which they agree.
        kappa: Cohen's; null where chance alone would agree always.
        low, high: ends of its interval.
    """

    n: int
    agreed: float
    kappa: float | None
    low: float | None
    high: float | None


class Pair(Answer):
    """Two readers on one model.

    Attributes:
        profile: name of what the wearable is.
        model: name of its model.
        readers: both.
        over_all: over all classes.
        classes: each against the rest.
    """

    profile: str
    model: str
    readers: tuple[str, str]
    over_all: Kappa
    classes: dict[str, Kappa]


class Agreements(Answer):
    """How far readers agree.

    Attributes:
        pairs: each two.
        level: of the intervals.
        notice: that it informs only.
    """

    pairs: list[Pair]
    level: float
    notice: str
