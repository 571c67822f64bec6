"""A recording decoded anew, row by row, with other settings where wanted; nothing is held but what is being told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from thermo_core.body import SEGMENTS, is_body
from thermo_core.errors import UsageError
from thermo_core.graph.plan import Plan
from thermo_core.recording.layout import LATEST_NS, Gap, LslSamples, LslStream, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Signal
from thermo_core.wearable.profile import Model
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord, SignalRecord
from thermo_host.about import about, of_signal
from thermo_host.exports.foreign_rows import PREFIX, ForeignRows
from thermo_host.exports.records import Tables
from thermo_host.exports.rows import Known, Row, SampleRow, SessionRow, Table, Track, file_part, is_picture
from thermo_host.exports.totals import Totals
from thermo_host.link.items import Telemetry
from thermo_host.screen.layout import layout
from thermo_host.stream.decoding import DecodeSettings
from thermo_host.stream.decoding import Decoding as Blocks
from thermo_host.stream.playback import Progress, Recording, announced
from thermo_host.stream.signals import Joined

ALL = "all"
"""Stands for every signal of the graph."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a recording is wanted, and how decoded.

    Attributes:
        signals: names; ALL for every one of the graph, those of sensors where empty, and with either the streams of others.
        emissivity: of what is looked at; None takes the wearable's.
        reflected: temperature of what it reflects, degC; None takes the wearable's.
        corrected: apply what calibration found.
        from_ns, to_ns: of arrival, nanoseconds since 1970 UTC.
        pictures: of these signals those of pictures alone, and no tables.
        bodies: maps of bodies stand for pictures; those that the screen shows where no signals are named.
    """

    signals: tuple[str, ...] = ()
    emissivity: float | None = None
    reflected: float | None = None
    corrected: bool = True
    from_ns: int = 0
    to_ns: int = LATEST_NS
    pictures: bool = False
    bodies: bool = False


class Decoding:
    """Iterate over it once for its rows.

    Args:
        recording: what to decode.
        choice: what of it.

    Attributes:
        totals: of the rows so far.
        ended: whether the recording was read to its end.
        progress: told (bytes read, bytes in all) now and then.

    Raises:
        UsageError: a signal that is wanted is not there, or a setting is out of range.
        RecordingError, StorageError: while reading.
    """

    def __init__(self, recording: Recording, choice: Choice | None = None) -> None:
        self.totals = Totals()
        self.ended = False
        self.progress: Progress = lambda done, total: None
        self._recording = recording
        self._choice = choice or Choice()
        self._taken: dict[str, Track | Table] = {}
        self._undecodable = 0
        self._foreign = ForeignRows(self._taken, recording.session.started_ns)
        settings = DecodeSettings(self._choice.emissivity, self._choice.reflected, self._choice.corrected)
        self._decoding = Blocks(recording.session, settings, part=self._wanted_of)
        self._describe()

    @property
    def first(self) -> SessionRow:
        """What holds at first, or as far as the rows have come."""
        return SessionRow(self._facts, _constants(self._decoding.session))

    @property
    def known(self) -> Known:
        """Tracks and tables by their keys, as far as they are known."""
        return dict(self._taken)

    def __iter__(self) -> Iterator[Row]:
        choice, begun = self._choice, False
        before = (0, 0)
        items = self._recording.items(choice.from_ns, choice.to_ns, self.progress)
        for item in announced(items, self._decoding.expect):
            if isinstance(item, Session):
                yield self._change(item)
                continue
            if isinstance(item, LslStream):
                self._foreign.describe(item)
                continue
            if isinstance(item, LslSamples):
                if item.received_ns >= choice.from_ns and not choice.pictures and self._wants(item.name):
                    for row in self._foreign.rows(item):
                        self.totals.add(row)
                        yield row
                continue
            if isinstance(item, Gap | Marker):
                if isinstance(item, Gap):
                    self._decoding.engine.reset()
                    self._joined.clear()
                added = self._tables.of_host(item)
                if choice.from_ns <= added.utc_ns <= choice.to_ns and not choice.pictures:
                    self.totals.add(added)
                    yield added
                continue
            if not begun and item.received_ns >= choice.from_ns:
                # What was lost in the lead is not of this window.
                begun, before = True, self._missing()
            for row in self._rows(item):
                if begun:
                    self.totals.add(row)
                    yield row
            if begun and isinstance(item.record, Block | SignalRecord):
                now = self._missing()
                self.totals.lost, self.totals.undecodable = now[0] - before[0], now[1] - before[1]
        for name in choice.signals:
            if name.startswith(PREFIX) and name not in self._taken:
                there = ", ".join(key for key in self._taken if key.startswith(PREFIX)) or "none"
                raise UsageError(f"The recording has no stream {name!r:.60} of somebody else; there are {there}.")
        self.ended = True

    def _missing(self) -> tuple[int, int]:
        undecodable = self._undecodable + self._foreign.undecodable
        return self._decoding.total(["lost"]), undecodable + self._decoding.total(["invalid", "keyless", "strange"])

    def _wants(self, stream: str) -> bool:
        """Whether a stream of somebody else is wanted: all are where nothing is named."""
        named = self._choice.signals
        return not named or ALL in named or f"{PREFIX}{file_part(stream)}" in named

    def _change(self, session: Session) -> SessionRow:
        self._decoding.follow(session)
        self._describe()
        return self.first

    def _wanted_of(self, whole: Plan) -> Plan:
        """What of a graph makes the signals that are wanted."""
        own = [name for name in self._choice.signals if not name.startswith(PREFIX)]
        wanted = chosen(whole, own) if own or not self._choice.signals else ()
        if self._choice.bodies and not self._choice.signals:
            wanted = tuple(signal.name for signal in layout(whole).bodies)
        if self._choice.pictures:
            shown = is_body if self._choice.bodies else is_picture
            wanted = tuple(name for name in wanted if shown(whole.signals[name]))
        part = needed(whole, wanted)
        made = {*part.signals}
        self._sent = {number: name for number, name in enumerate(whole.signals) if name in wanted and name not in made}
        self._wanted = wanted
        self._joined = Joined(whole)
        return part

    def _describe(self) -> None:
        self._plan, engine = self._decoding.plan, self._decoding.engine
        self._facts = about(self._decoding.session, self._decoding.profile, engine)
        self._tracks = {name: self._track(name) for name in self._wanted}
        self._tables = Tables(self._plan, self._taken)
        self._sources = {
            sensor.name: number
            for number, sensor in enumerate(self._plan.profile.sensors)
            if engine.measured(number) is not None
        }

    def _track(self, name: str) -> Track:
        signal = self._plan.signals[name]
        sensors = self._plan.origins(name)
        labels = next((one.labels for one in self._plan.profile.sensors if one.name == name), ())
        labels = SEGMENTS if is_body(signal) else labels
        repeated = of_signal(self._facts, sensors)
        key, count = name, 1
        while not _same(self._taken.get(key), signal, labels):
            count += 1
            key = f"{name}-{count}"
        track = self._taken[key] = Track(key, signal, labels, repeated)
        return track

    def _rows(self, item: Telemetry) -> Iterator[Row]:
        record = item.record
        if isinstance(record, Block):
            yield from self._samples(item, record)
        elif isinstance(record, FindingRecord | AlertRecord | EventRecord) and not self._choice.pictures:
            row = self._tables.of(record, item.captured_ns)
            if row is not None:
                yield row
        elif isinstance(record, SignalRecord) and record.signal in self._sent:
            strange = self._joined.undecodable
            whole = self._joined.push(record)
            self._undecodable += self._joined.undecodable - strange
            if whole is not None:
                yield SampleRow(self._tracks[whole[0]], item.captured_ns, whole[1])

    def _samples(self, item: Telemetry, block: Block) -> Iterator[SampleRow]:
        if block.sensor >= len(self._plan.profile.sensors):
            self._undecodable += 1
            return
        # Of a block the record's time is its end; its samples lie around it on the same clock.
        origin_ns = item.captured_ns - item.header.time_us * 1000
        for produced in self._decoding.push(block).passes:
            for name, sample in produced.items():
                track = self._tracks.get(name)
                if track is not None:
                    number = self._sources.get(name)
                    measured = None if number is None else self._decoding.engine.measured(number)
                    yield SampleRow(track, max(1, origin_ns + sample.time_us * 1000), sample, measured)


def chosen(whole: Plan, signals: Sequence[str]) -> tuple[str, ...]:
    """Names of signals that are wanted, in the order of the plan.

    Args:
        whole: the graph.
        signals: as `Choice.signals`.

    Raises:
        UsageError: there is no such signal.
    """
    if ALL in signals:
        return tuple(whole.signals)
    for name in signals:
        if name not in whole.signals:
            raise UsageError(
                f"{whole.profile.name} has no signal {name!r:.100}; choose of {', '.join(whole.signals)}, or {ALL}."
            )
    if signals:
        return tuple(name for name in whole.signals if name in signals)
    return tuple(signal.name for sensor in whole.profile.sensors for signal in sensor.signals)


def needed(whole: Plan, wanted: Sequence[str]) -> Plan:
    """The part of a graph that makes the signals wanted without a network; alerts and findings are not made anew."""
    sources = {signal.name for sensor in whole.profile.sensors for signal in sensor.signals}
    sources |= {f"person.{name}" for name in whole.profile.person}
    makeable, kept = set(sources), []
    for node in whole.nodes:
        if not isinstance(node.what, Model) and all(signal.name in makeable for signal in node.inputs):
            makeable.add(node.gives.name)
            kept.append(node)
    asked, used = {name for name in wanted if name in makeable}, []
    for node in reversed(kept):
        if node.gives.name in asked:
            asked.update(signal.name for signal in node.inputs)
            used.append(node)
    names = sources | {node.gives.name for node in used}
    signals: Mapping[str, Any] = {name: signal for name, signal in whole.signals.items() if name in names}
    return Plan(msgspec.structs.replace(whole.profile, models=(), alerts=()), signals, tuple(reversed(used)), ())


def _constants(session: Session) -> dict[str, bytes]:
    return {
        f"{session.profile.sensors[number].name}.constants.{one.number}": one.data
        for number, one in session.constants.items()
        if one.data and number < len(session.profile.sensors)
    }


def _same(taken: Track | Table | None, signal: Signal, labels: tuple[str, ...]) -> bool:
    return taken is None or (isinstance(taken, Track) and (taken.signal, taken.labels) == (signal, labels))
