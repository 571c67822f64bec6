"""An export for Foxglove: an MCAP file with its own schemas, whose pictures, boxes and lines its panels show without an extension.

/NAME              foxglove.RawImage, mono16: hundredths of a kelvin, 0 where there is no value
/NAME/annotations  foxglove.ImageAnnotations: what models look at and last said, and what stands out
/NAME/range        lowest, mean and highest of a picture, degC
/NAME              of any other signal its numbers by their labels, in JSON
/findings-MODEL    each finding, in JSON
/log               foxglove.Log: alerts, events, markers, gaps, what changed in findings, and that all of it informs only
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import foxglove
import numpy as np
from foxglove import Channel, Context
from foxglove.channels import ImageAnnotationsChannel, LogChannel, RawImageChannel
from foxglove.messages import (
    Color,
    ImageAnnotations,
    Log,
    LogLevel,
    Point2,
    PointsAnnotation,
    PointsAnnotationType,
    RawImage,
    TextAnnotation,
    Timestamp,
)
from numpy.typing import NDArray

from thermo_core.signals import Values
from thermo_core.wearable.profile import NOTICE
from thermo_host.exports.boxes import Box, looked_at, warm_spots
from thermo_host.exports.rows import Row, SampleRow, SessionRow, TableRow, Track, element_names
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer

ZERO_CELSIUS = 273.15
STEPS = 100
"""Of a picture's numbers a kelvin."""
MOST_NAMED = 64
"""Numbers of a sample that are named one by one; of more there is a list."""
LOG_TOPIC = "/log"
FINDINGS = "findings-"
ENCODING = "mono16"
_SECOND_NS = 1_000_000_000
_LEVELS = {"info": LogLevel.Info, "warning": LogLevel.Warning, "error": LogLevel.Error, "critical": LogLevel.Fatal}
_LOOKS = Color(r=0.35, g=0.7, b=0.9, a=1.0)
_STANDS_OUT = Color(r=0.9, g=0.6, b=0.0, a=1.0)
_ALERT = Color(r=0.8, g=0.2, b=0.2, a=1.0)
_CLEAR = Color(r=0.0, g=0.0, b=0.0, a=0.0)
_BEHIND = Color(r=0.0, g=0.0, b=0.0, a=0.6)
_KINDS = {"float": "number", "int": "integer", "time": "integer", "text": "string"}


class Scene:
    """Tells Foxglove what comes.

    Args:
        context: of all that write files or serve it.
        first: what holds at first.
    """

    def __init__(self, context: Context, first: SessionRow) -> None:
        self._context = context
        self._channels: dict[str, Any] = {}
        self._said: dict[str, str] = {}
        self._winners: dict[str, str] = {}
        self._raised: set[str] = set()
        self._noticed = False
        self._begin(first)

    def add(self, row: Row) -> None:
        """Tell a row."""
        if isinstance(row, SessionRow):
            self._begin(row)
            return
        at_ns = row.utc_ns
        if isinstance(row, SampleRow):
            at_ns = at_ns or max(1, row.sample.time_us * 1000)
        if not self._noticed:
            self._noticed = True
            self._log(at_ns, LogLevel.Info, "thermo-edge", self._notice)
        if isinstance(row, TableRow):
            self._add_table(row)
        elif row.track.is_picture and row.track.signal.unit == "degC":
            self._add_picture(row.track, at_ns, row.sample.values)
        else:
            self._add_numbers(row, at_ns)

    def close(self) -> None:
        """Take the channels away."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def _begin(self, first: SessionRow) -> None:
        self._boxes = looked_at(first.facts)
        self._notice = str(first.facts.get("notice", NOTICE))
        self._noticed = False
        self._raised.clear()
        self._said.clear()
        self._winners.clear()

    def _channel(self, topic: str, make: Callable[[], Any]) -> Any:
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channels[topic] = make()
        return channel

    def _add_picture(self, track: Track, at_ns: int, celsius: Values) -> None:
        topic = f"/{track.key}"
        stamp = _stamp(at_ns)
        rows, columns = celsius.shape
        image = RawImage(
            timestamp=stamp,
            frame_id=track.key,
            width=columns,
            height=rows,
            encoding=ENCODING,
            step=2 * columns,
            data=hundredths(celsius).tobytes(),
        )
        about = {"unit": "0.01 K", "offset": f"{ZERO_CELSIUS}", "notice": self._notice}
        channel = self._channel(topic, lambda: RawImageChannel(topic, context=self._context, metadata=about))
        channel.log(image, log_time=at_ns)
        drawn = f"{topic}/annotations"
        channel = self._channel(drawn, lambda: ImageAnnotationsChannel(drawn, context=self._context))
        channel.log(self._annotations(track.key, stamp, celsius), log_time=at_ns)
        known = celsius[np.isfinite(celsius)]
        low, mean, high = (
            (float(known.min()), float(known.mean()), float(known.max())) if known.size else (math.nan,) * 3
        )
        self._numbers(f"{topic}/range", at_ns, {"min": low, "mean": mean, "max": high}, "degC")

    def _annotations(self, key: str, stamp: Timestamp, celsius: Values) -> ImageAnnotations:
        points, texts = [], []
        for box in self._boxes.get(key, ()):
            said = self._said.get(box.name, "")
            colour = _ALERT if self._raised else _LOOKS
            points.append(_outline(stamp, box, colour))
            texts.append(
                _label(stamp, box, f"{box.name}: {said} ({NOTICE})" if said else box.name, colour, inside=True)
            )
        for box in warm_spots(celsius):
            points.append(_outline(stamp, box, _STANDS_OUT))
            texts.append(_label(stamp, box, box.name, _STANDS_OUT))
        return ImageAnnotations(timestamp=stamp, points=points, texts=texts)

    def _add_numbers(self, row: SampleRow, at_ns: int) -> None:
        signal = row.track.signal
        values = np.asarray(row.sample.values, np.float64).ravel()
        topic = f"/{row.track.key}"
        if signal.elements <= MOST_NAMED:
            named = dict(zip(element_names(row.track), values.tolist(), strict=True))
            self._numbers(topic, at_ns, named, signal.unit, row.sample.flags)
            return
        listed = {"type": "array", "items": {"type": ["number", "null"]}}
        schema = _object("thermo.Values", {"values": listed, "flags": {"type": "integer"}})
        channel = self._channel(topic, lambda: self._json(topic, schema, {"unit": signal.unit}))
        channel.log(
            {"values": [_number(value) for value in values.tolist()], "flags": row.sample.flags}, log_time=at_ns
        )

    def _numbers(self, topic: str, at_ns: int, values: dict[str, float], unit: str, flags: int | None = None) -> None:
        known: dict[str, Any] = {name: {"type": ["number", "null"]} for name in values}
        message: dict[str, Any] = {name: _number(value) for name, value in values.items()}
        if flags is not None:
            known["flags"], message["flags"] = {"type": "integer"}, flags
        self._channel(topic, lambda: self._json(topic, _object("thermo.Numbers", known), {"unit": unit})).log(
            message, log_time=at_ns
        )

    def _add_table(self, row: TableRow) -> None:
        table = row.table
        named = dict(zip((column.name for column in table.columns), row.values, strict=True))
        topic = f"/{table.key}"
        known = {column.name: {"type": [_KINDS[column.kind], "null"]} for column in table.columns}
        schema = _object("thermo.Row", known)
        units = {column.name: column.unit for column in table.columns if column.unit}
        plain = {name: _number(value) if isinstance(value, float) else value for name, value in named.items()}
        self._channel(topic, lambda: self._json(topic, schema, units)).log(plain, log_time=row.utc_ns)
        if table.key.startswith(FINDINGS):
            self._found(row, named)
            return
        if table.key.startswith("alerts"):
            stands = named["state"] in ("raised", "acknowledged")
            (self._raised.add if stands else self._raised.discard)(str(named["alert"]))
        level = _LEVELS.get(str(named.get("severity", "info")), LogLevel.Info)
        words = f"{row.words} ({named['text']})" if named.get("alert") and named.get("text") else row.words
        self._log(row.utc_ns, level, table.key, words)

    def _found(self, row: TableRow, named: dict[str, Any]) -> None:
        model = row.table.key.removeprefix(FINDINGS)
        outputs = _outputs(row)
        winner = named.get("winner")
        if winner:
            share = next((value for name, value in outputs if name == winner), None)
            words = f"{winner} {share:.0%}" if share is not None else str(winner)
        else:
            words = ", ".join(f"{name} {value:.4g}" for name, value in outputs if value is not None) or "no value"
        self._said[model] = words
        if winner and self._winners.get(model) != winner:
            self._winners[model] = winner
            self._log(row.utc_ns, LogLevel.Info, row.table.key, f"{model}: {words} ({NOTICE})")

    def _log(self, at_ns: int, level: LogLevel, name: str, words: str) -> None:
        channel = self._channel(LOG_TOPIC, lambda: LogChannel(LOG_TOPIC, context=self._context))
        channel.log(Log(timestamp=_stamp(at_ns), level=level, message=words, name=name), log_time=at_ns)

    def _json(self, topic: str, schema: dict[str, Any], metadata: dict[str, str]) -> Channel:
        return Channel(topic, schema=schema, context=self._context, metadata={**metadata, "notice": self._notice})


class FoxgloveWriter(Writer):
    """Use it in a `with` block.

    Args:
        files: where to.
        first: what holds at first.
    """

    def __init__(self, files: Files, first: SessionRow) -> None:
        self._files = files
        context = Context()
        path = files.open(files.path)
        self._writer = foxglove.open_mcap(path, allow_overwrite=True, context=context)
        self._scene = Scene(context, first)

    def close(self) -> None:
        """Let go of what is open."""
        self._writer.close()
        self._scene.close()

    def add(self, row: Row) -> None:
        """Write a row."""
        self._scene.add(row)

    def finish(self) -> list[Path]:
        """Write what is left; the file."""
        self._writer.close()
        return self._files.written


def hundredths(celsius: Values) -> NDArray[np.uint16]:
    """Temperatures in degC as hundredths of a kelvin; 0 where there is none."""
    scaled = np.rint((celsius.astype(np.float64) + ZERO_CELSIUS) * STEPS).clip(1, 0xFFFF)
    return np.where(np.isnan(scaled), 0, scaled).astype("<u2")


def _outputs(row: TableRow) -> list[tuple[str, Any]]:
    """What a model gave: the columns of numbers that are its own."""
    return [
        (column.name, value)
        for column, value in zip(row.table.columns, row.values, strict=True)
        if column.kind == "float"
    ]


def _outline(stamp: Timestamp, box: Box, colour: Color) -> PointsAnnotation:
    top, left, bottom, right = box.row, box.column, box.row + box.rows, box.column + box.columns
    corners = [Point2(x=x, y=y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return PointsAnnotation(
        timestamp=stamp,
        type=PointsAnnotationType.LineLoop,
        points=corners,
        outline_color=colour,
        outline_colors=[],
        fill_color=_CLEAR,
        thickness=0.25,
    )


def _label(stamp: Timestamp, box: Box, text: str, colour: Color, inside: bool = False) -> TextAnnotation:
    position = Point2(x=box.column, y=box.row + box.rows - 0.2 if inside else max(1.2, box.row - 0.2))
    return TextAnnotation(
        timestamp=stamp, position=position, text=text, font_size=1.2, text_color=colour, background_color=_BEHIND
    )


def _stamp(at_ns: int) -> Timestamp:
    return Timestamp(sec=at_ns // _SECOND_NS, nsec=at_ns % _SECOND_NS)


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _object(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "type": "object", "properties": properties}
