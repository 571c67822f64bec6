"""An export as SVG: the first map of the body of each signal of its segments, as a figure."""

from pathlib import Path

from thermo_core.body import is_body
from thermo_core.quality import in_words
from thermo_host.exports.firsts import Drawing, FirstOfEach, Span
from thermo_host.exports.rows import SampleRow, Track
from thermo_host.moments import utc
from thermo_host.screen.body_drawing import drawing


def _is_body(track: Track) -> bool:
    return is_body(track.signal)


def _draw(path: Path, key: str, row: SampleRow, span: Span) -> None:
    when = utc(row.utc_ns)[:23] + " UTC" if row.utc_ns else ""
    text = drawing(row.sample.values, *span, key, when, ", ".join(in_words(row.sample.flags)))
    path.write_text(text, encoding="utf-8")


class SvgWriter(FirstOfEach):
    """A figure, front and back, with its scale in degC."""

    drawing = Drawing(
        _is_body,
        _draw,
        "SVG holds maps of a body, and no signal here is the 17 temperatures of its segments; name one with --signals, or export to .csv or .parquet.",
    )
