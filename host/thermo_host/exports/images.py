"""An export as PNG: the first picture of each signal of pictures."""

from pathlib import Path

from thermo_core.quality import in_words
from thermo_host.exports.firsts import Drawing, FirstOfEach, Span
from thermo_host.exports.render import Caption, image
from thermo_host.exports.rows import SampleRow, Track
from thermo_host.moments import utc


def is_picture(track: Track) -> bool:
    """Whether a signal is one of pictures."""
    return track.is_picture


def no_pictures(kind: str) -> str:
    """What is said of an export that holds none."""
    return f"{kind} holds pictures, and no signal here is one; choose others with --signals, or export to .csv or .parquet."


def _draw(path: Path, key: str, row: SampleRow, span: Span) -> None:
    when = utc(row.utc_ns) if row.utc_ns else ""
    caption = Caption(key, when, ", ".join(in_words(row.sample.flags)), row.track.signal.unit, *span)
    image(row.sample.values, caption).save(path, format="PNG")


class PngWriter(FirstOfEach):
    """A picture with its scale, signal, time and quality below it."""

    drawing = Drawing(is_picture, _draw, no_pictures("PNG"))
