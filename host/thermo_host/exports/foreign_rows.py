"""Streams of somebody else as rows: numbers as a track, texts as a table."""

from collections.abc import Iterator, Sequence

import numpy as np

from thermo_core.recording.layout import LslSamples, LslStream
from thermo_core.signals import Sample, Signal
from thermo_host.exports.rows import Column, Row, SampleRow, Table, TableRow, Track, file_part

PREFIX = "lsl-"
"""Begins the key of each."""


class ForeignRows:
    """Makes rows of the streams of a recording.

    Args:
        known: tracks and tables by their keys, none of which another may have; those made here are added.
        started_ns: of the session, to which the times of samples count.

    Attributes:
        undecodable: samples so far that have not as many numbers as their stream has channels, or of no stream that is known.
    """

    def __init__(self, known: dict[str, Track | Table], started_ns: int) -> None:
        self.undecodable = 0
        self._known = known
        self._started_ns = started_ns
        self._streams: dict[str, Track | Table] = {}

    def describe(self, stream: LslStream) -> None:
        """Take what a stream is."""
        key, count = f"{PREFIX}{file_part(stream.name)}", 1
        made = _made(stream, key)
        while self._known.get(key, made) != made:
            count += 1
            key = f"{PREFIX}{file_part(stream.name)}-{count}"
            made = _made(stream, key)
        self._known[key] = self._streams[stream.name] = made

    def rows(self, item: LslSamples) -> Iterator[Row]:
        """Take samples."""
        made = self._streams.get(item.name)
        texts = isinstance(made, Table)
        width = len(made.columns) - 1 if isinstance(made, Table) else made.signal.elements if made else 0
        rows = item.texts if texts else item.values
        if not rows or len(rows[0]) != width:
            self.undecodable += len(item.times_ns)
            return
        if isinstance(made, Table):
            for at_ns, words in zip(item.times_ns, item.texts, strict=True):
                yield TableRow(made, (at_ns, *words), ", ".join(words))
        elif made is not None:
            values = np.array(item.values, np.float64).astype(np.float32).reshape(-1, *made.signal.shape)
            for at_ns, sample in zip(item.times_ns, values, strict=True):
                time_us = (at_ns - self._started_ns) // 1000
                yield SampleRow(made, max(1, at_ns), Sample(time_us, np.asarray(sample)))


def distinct(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels of which each is its own and none is empty, as they are where they are so."""
    found: dict[str, None] = {}
    for number, label in enumerate(labels, 1):
        name = label or f"channel {number}"
        while name in found:
            name = f"{name} {number}"
        found[name] = None
    return tuple(found)


def _made(stream: LslStream, key: str) -> Track | Table:
    units = set(stream.units)
    unit = units.pop() if len(units) == 1 else ""
    # Channels of several units say theirs beside their label.
    labels = distinct(
        [
            f"{label} ({own})" if own and not unit else label
            for label, own in zip(stream.labels, stream.units, strict=False)
        ]
    )
    if stream.format == "string":
        return Table(key, (Column("utc", "time"), *(Column(label, "text") for label in labels)))
    shape = () if len(labels) == 1 else (len(labels),)
    facts = {"stream": stream.name, "kind": stream.kind, "source": stream.source_id, "host": stream.hostname}
    return Track(key, Signal(key, shape, unit[:16], stream.rate_hz, key), labels, facts, foreign=True)
