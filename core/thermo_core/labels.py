"""Labels of recordings: what people said of windows of them, and the signals a training takes from there; one `.npz` file.

The hub writes it (`thermo-hub labels export`), training reads it (`thermo-models train TASK --labels FILE`). Wearers are pseudonyms.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thermo_core.arrays import read_npz
from thermo_core.errors import SchemaError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.files import check_readable
from thermo_core.schema import Name, Record, Text, from_plain, to_readable
from thermo_core.signals import Ref, Values
from thermo_core.wearable.profile import NOTICE

FORMAT: Literal["thermo-edge labels 1"] = "thermo-edge labels 1"
MOST_SHAPES = 32
MOST_POINTS = 64
MOST_RANGES = 32

Nanoseconds = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Place = Annotated[float, Meta(ge=0, le=4096)]
Who = Annotated[str, Meta(min_length=1, max_length=80)]
Kind = Literal["first", "kept", "changed", "revised", "adjudicated"]
"""first: before the model's finding was seen; kept, changed: after; revised: after the other reader's; adjudicated: by a third."""


class Shape(Record, frozen=True):
    """A place on a picture.

    Attributes:
        kind: a box has two corners, a polygon three points or more.
        signal: the picture.
        points: (x, y), pixels from the left and from the top; a pixel is one wide, its left upper corner at whole numbers.
    """

    kind: Literal["box", "polygon"]
    signal: Ref
    points: Annotated[tuple[tuple[Place, Place], ...], Meta(min_length=2, max_length=MOST_POINTS)]


class Range(Record, frozen=True):
    """A stretch of time, nanoseconds since 1970 UTC.

    Attributes:
        from_ns: its begin.
        to_ns: its end.
    """

    from_ns: Nanoseconds
    to_ns: Nanoseconds


class Opinion(Record, frozen=True):
    """What somebody says of a window.

    Attributes:
        label: a class of the model; None where the reader cannot tell.
        shapes: where it is seen.
        ranges: when it holds; all of the window where there is none.
        note: in words; never exported, because it may name somebody.
    """

    label: Text | None
    shapes: Annotated[tuple[Shape, ...], Meta(max_length=MOST_SHAPES)] = ()
    ranges: Annotated[tuple[Range, ...], Meta(max_length=MOST_RANGES)] = ()
    note: Annotated[str, Meta(max_length=500)] = ""


class Reading(Record, frozen=True):
    """A step of somebody who read a window.

    Attributes:
        at_ns: when.
        by: who.
        kind: which step.
        blinded: whether the model's finding had not been shown.
        opinion: held since then.
    """

    at_ns: Nanoseconds
    by: Who
    kind: Kind
    blinded: bool
    opinion: Opinion


class Item(Record, frozen=True, kw_only=True):
    """A window of a recording, and what came of its reading.

    Attributes:
        id: of it in the hub.
        person: pseudonym of the wearer.
        from_ns, to_ns: the window, nanoseconds since 1970 UTC.
        bundle: first bytes of the hash of the bundle whose finding was shown, hexadecimal; "" where none was.
        opinion: that holds.
        adjudicated: whether two readers agreed on it or a third decided.
        readings: all steps, in their order.
    """

    id: Who
    person: Who
    from_ns: Nanoseconds
    to_ns: Nanoseconds
    bundle: Annotated[str, Meta(max_length=64)] = ""
    opinion: Opinion
    adjudicated: bool
    readings: tuple[Reading, ...]


class About(Record, frozen=True, kw_only=True):
    """What a file of labels is of.

    Attributes:
        format: of the file.
        notice: that it informs only.
        profile: name of the wearable.
        model: name of its model whose classes the labels are.
        classes: of the model.
        items: windows.
    """

    format: Literal["thermo-edge labels 1"] = FORMAT
    notice: str = NOTICE
    profile: Name
    model: Name
    classes: Annotated[tuple[Text, ...], Meta(min_length=2)]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Labels:
    """A file of labels.

    Attributes:
        about: whose they are and what was said.
        items: (n,) int64, place in `about.items` that each sample is of.
        utc_ns: (n,) int64, moments of the samples.
        signals: (n, *shape) float32 by name: signals on the way from the wearable's sensors to its model.
    """

    about: About
    items: NDArray[np.int64]
    utc_ns: NDArray[np.int64]
    signals: Mapping[str, Values]

    def within(self) -> NDArray[np.bool_]:
        """(n,) samples at moments of which the opinion that holds gives a class."""
        return np.array(
            [holds(self.about.items[item].opinion, int(at)) for item, at in zip(self.items, self.utc_ns, strict=True)],
            np.bool_,
        )


def holds(opinion: Opinion, utc_ns: int) -> bool:
    """Whether an opinion gives a moment of its window a class."""
    if opinion.label is None:
        return False
    return not opinion.ranges or any(one.from_ns <= utc_ns <= one.to_ns for one in opinion.ranges)


def check_opinion(
    opinion: Opinion, classes: tuple[str, ...], window: tuple[int, int], pictures: Mapping[str, tuple[int, int]]
) -> None:
    """Hold an opinion to its window.

    Args:
        opinion: to be checked.
        classes: of the model.
        window: begin and end, nanoseconds.
        pictures: rows and columns by signal.

    Raises:
        UsageError: a class, picture, place or time that is not there; the sentence says which.
    """
    if opinion.label is not None and opinion.label not in classes:
        raise UsageError(
            f"There is no class {opinion.label!r:.80}; choose one of {', '.join(classes)}, or cannot tell."
        )
    for shape in opinion.shapes:
        if shape.signal not in pictures:
            raise UsageError(
                f"{shape.signal} is no picture of this window; mark one of {', '.join(pictures) or 'none'}."
            )
        rows, columns = pictures[shape.signal]
        if any(x > columns or y > rows for x, y in shape.points):
            raise UsageError(f"A {shape.kind} leaves the picture of {columns} x {rows} pixels; keep it inside.")
        if (len(shape.points) == 2) != (shape.kind == "box"):
            raise UsageError("A box has two corners and a polygon three points or more; mark it anew.")
        if area(shape) <= 0:
            raise UsageError(f"A {shape.kind} encloses nothing; mark it anew.")
    for span in opinion.ranges:
        if not window[0] <= span.from_ns < span.to_ns <= window[1]:
            raise UsageError("A time range is empty or leaves the window; set its begin before its end, both inside.")


def area(shape: Shape) -> float:
    """Pixels that a shape encloses, by the shoelace formula."""
    points = np.array(shape.points)
    if shape.kind == "box":
        return float(np.prod(np.abs(points[1] - points[0])))
    x, y = points.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def to_bytes(labels: Labels) -> bytes:
    """A file of labels."""
    content = io.BytesIO()
    about = np.frombuffer(msgspec.json.encode(to_readable(labels.about)), np.uint8)
    arrays: dict[str, Any] = {"about": about, "item": labels.items, "utc_ns": labels.utc_ns}
    np.savez_compressed(content, **arrays, **{f"signal.{name}": values for name, values in labels.signals.items()})
    return content.getvalue()


def read_labels(path: Path) -> Labels:
    """A file of labels.

    Raises:
        StorageError: it cannot be read.
        UsageError: it is none; the sentence says why.
    """
    check_readable(path)
    try:
        with path.open("rb") as file:
            arrays = read_npz(file, path, tuple)
    except OSError as error:
        raise storage_error("read", path, error) from error
    for name in ("about", "item", "utc_ns"):
        if name not in arrays:
            raise UsageError(f"{path} lacks {name!r}, so it is no file of `thermo-hub labels export`; make one.")
    text, items, utc_ns = arrays["about"], arrays["item"], arrays["utc_ns"]
    signals = {name.removeprefix("signal."): arrays[name] for name in arrays if name.startswith("signal.")}
    try:
        if text.dtype != np.uint8 or text.ndim != 1:
            raise SchemaError("about is no text; export the labels anew.")
        about = from_plain(msgspec.json.decode(text.tobytes()), About, "about", "export the labels anew")
    except SchemaError as error:
        raise UsageError(f"{path}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: its description is no JSON ({error}); export the labels anew.") from error
    whole = (
        items.ndim == utc_ns.ndim == 1 and len(items) == len(utc_ns) and items.dtype.kind == utc_ns.dtype.kind == "i"
    )
    if not whole or (len(items) and not 0 <= items.min() <= items.max() < len(about.items)):
        raise UsageError(f"{path} names windows that it does not hold; export the labels anew.")
    for name, values in signals.items():
        if values.dtype != np.float32 or len(values) != len(items) or not values.ndim:
            raise UsageError(
                f"{path}: the signal {name} is not one sample of float32 a moment; export the labels anew."
            )
    for item in about.items:
        if item.opinion.label is not None and item.opinion.label not in about.classes:
            raise UsageError(f"{path} says {item.opinion.label!r:.80}, which is none of its classes; export it anew.")
    return Labels(about, items.astype(np.int64), utc_ns.astype(np.int64), signals)
