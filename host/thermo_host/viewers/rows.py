"""What comes of a wearable as the rows that exports have, so that live viewers and files say the same."""

from collections.abc import Iterator

from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord
from thermo_host.about import about, of_signal
from thermo_host.exports.records import Tables
from thermo_host.exports.rows import Row, SampleRow, SessionRow, Table, Track
from thermo_host.link.items import Item, Telemetry
from thermo_host.stream.decoding import Decoding


class LiveRows:
    """Makes rows of the signals of sensors, findings, alerts, events, gaps and markers.

    Args:
        decoding: makes signals of the blocks, and has taken each item before this.

    Attributes:
        first: what holds at the start.
    """

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding
        self.first = self._begin()

    def rows(self, item: Item, outcome: Outcome | None) -> Iterator[Row]:
        """What an item comes to."""
        if isinstance(item, Session):
            yield self._begin()
        elif isinstance(item, Gap | Marker):
            yield self._tables.of_host(item)
        elif isinstance(item, Telemetry):
            record = item.record
            if isinstance(record, Block):
                yield from self._samples(item, record, outcome or Outcome())
            elif isinstance(record, FindingRecord | AlertRecord | EventRecord):
                row = self._tables.of(record, item.captured_ns)
                if row is not None:
                    yield row

    def _begin(self) -> SessionRow:
        decoding = self._decoding
        facts = about(decoding.session, decoding.profile, decoding.engine)
        known: dict[str, Track | Table] = {}
        self._tracks: dict[str, Track] = {}
        for number, sensor in enumerate(decoding.profile.sensors):
            repeated = of_signal(facts, (number,))
            for signal in sensor.signals:
                labels = sensor.labels if signal.name == sensor.name else ()
                known[signal.name] = self._tracks[signal.name] = Track(signal.name, signal, labels, repeated)
        self._tables = Tables(decoding.plan, known)
        return SessionRow(facts, {})

    def _samples(self, item: Telemetry, block: Block, outcome: Outcome) -> Iterator[Row]:
        for samples in outcome.passes:
            for name, sample in samples.items():
                track = self._tracks.get(name)
                if track is not None:
                    utc_ns = item.captured_ns + (sample.time_us - block.time_us) * 1000
                    yield SampleRow(track, max(1, utc_ns), sample)
