"""An export as MP4: the pictures of each signal of pictures, at the pace at which they came."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from thermo_core.errors import UsageError
from thermo_core.quality import in_words
from thermo_host.exports.firsts import files_known, files_of
from thermo_host.exports.images import is_picture, no_pictures
from thermo_host.exports.render import Caption, image, size
from thermo_host.exports.rows import Known, Row, SampleRow, SessionRow, Track
from thermo_host.exports.spool import Spool
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer
from thermo_host.moments import utc

CODEC = "libx264"
OPTIONS = {"crf": "18", "preset": "veryfast"}
TICK = Fraction(1, 1000)
"""Seconds of a step of time."""
RATE_HZ = 25


class Mp4Writer(Writer):
    """Use it in a `with` block. One scale holds for the whole film.

    Args:
        files: where to.
        first: what holds at first.
        span: ends of the scale; None takes the least and greatest number of all pictures.
    """

    def __init__(self, files: Files, first: SessionRow, span: tuple[float, float] | None = None) -> None:
        self._files = files
        self._span = span
        self._films: dict[str, _Film] = {}

    @classmethod
    def names(cls, path: Path, known: Known) -> list[Path]:
        """All files that may be written for a name, as far as that is known."""
        return files_known(path, known, is_picture)

    def close(self) -> None:
        """Let go of what is open."""
        for film in self._films.values():
            film.column.close()

    def add(self, row: Row) -> None:
        """Put a picture by."""
        if not isinstance(row, SampleRow) or not row.track.is_picture:
            return
        film = self._films.get(row.track.key)
        if film is None:
            film = self._films[row.track.key] = _Film(self._files.folder / str(len(self._films)), row.track)
        film.add(row)

    def finish(self) -> list[Path]:
        """Write the files; their names.

        Raises:
            UsageError: there was no picture.
        """
        if not self._films:
            raise UsageError(no_pictures("MP4"))
        paths = files_of(self._files.path, list(self._films))
        for path, film in zip(paths, self._films.values(), strict=True):
            film.write(self._files.open(path), self._span)
        return self._files.written


class _Film:
    """Pictures put by until their scale is known."""

    def __init__(self, path: Path, track: Track) -> None:
        self._track = track
        self._low, self._high = np.inf, -np.inf
        fields = [("utc_ns", "<i8"), ("time_us", "<i8"), ("flags", "<u2"), ("values", "<f4", track.signal.shape)]
        self.column = Spool(path, fields)

    def add(self, row: SampleRow) -> None:
        sample = row.sample
        self._low = min(self._low, float(np.fmin.reduce(sample.values, axis=None)))
        self._high = max(self._high, float(np.fmax.reduce(sample.values, axis=None)))
        self.column.add(np.array((row.utc_ns, sample.time_us, sample.flags, sample.values), self.column.dtype))

    def write(self, path: Path, span: tuple[float, float] | None) -> None:
        known = np.isfinite(self._low) and self._high > self._low
        low, high = span or ((self._low, self._high) if known else (0.0, 1.0))
        signal = self._track.signal
        with av.open(str(path), "w", format="mp4") as container:
            stream: Any = container.add_stream(CODEC, rate=RATE_HZ, options=OPTIONS)
            stream.width, stream.height = size(signal.shape)
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = TICK
            newest, first_us = -1, None
            for block in self.column.blocks():
                for one in block:
                    at_us = int(one["utc_ns"]) // 1000 or int(one["time_us"])
                    first_us = at_us if first_us is None else first_us
                    # Times of a film only rise.
                    newest = max(newest + 1, (at_us - first_us) // 1000)
                    when = utc(int(one["utc_ns"])) if one["utc_ns"] else ""
                    caption = Caption(
                        self._track.key, when, ", ".join(in_words(int(one["flags"]))), signal.unit, low, high
                    )
                    frame = av.VideoFrame.from_ndarray(np.asarray(image(one["values"], caption)), format="rgb24")
                    frame.pts, frame.time_base = newest, TICK
                    container.mux(stream.encode(frame))
            container.mux(stream.encode())
