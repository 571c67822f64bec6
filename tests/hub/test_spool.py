"""The spool of records, who they are, and their messages: through kills, torn ends and full disks nothing is doubled or told wrongly."""

from dataclasses import replace
from pathlib import Path

import pytest
import sender
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import RecordError, StorageError
from thermo_core.wire.records import FindingRecord, decode, encode
from thermo_core.wire.table import OutputKind
from thermo_host.link.items import Telemetry
from thermo_hub.broker import topics
from thermo_hub.broker.records import Kept, Second, pack, seconds, unpack
from thermo_hub.mqtt.sink import SpoolSink
from thermo_hub.mqtt.spool import RECORD, Cursor, Spool


def opened(folder: Path, segment: int = 1 << 14, limit: int = 1 << 30, days: float = 7.0) -> SpoolSink:
    return SpoolSink(folder, sender.session(), days, limit, segment)


def everything(spool: Spool) -> list[Kept]:
    """All records from the oldest on."""
    found, place = [], spool.first()
    while True:
        entries, following = spool.read(place, 1 << 12)
        found += [one.kept for one in entries if one.kind == RECORD]
        if following == place:
            return found
        place = following


def told(item: Telemetry, sequence: int) -> Telemetry:
    data = encode(item.record, sequence)
    header, record = decode(data)
    return replace(item, header=header, record=record, data=data)


KEPT = st.builds(
    lambda step, received, captured, body: (step, received, captured, body),
    st.integers(1, 70_000),
    st.integers(0, 3_000_000_000),
    st.integers(-1_000_000_000, 1_000_000_000),
    st.binary(min_size=0, max_size=40),
)


@given(st.lists(KEPT, min_size=1, max_size=40), st.integers(1, 1 << 40), st.booleans())
def test_messages_come_back_with_their_identities(
    parts: list[tuple[int, int, int, bytes]], sequence: int, odd: bool
) -> None:
    """Steps of more than 65535 cannot be told by what is on the wire; no hub makes them."""
    kept, at_ns = [], 1_700_000_000_000_000_000
    boot = 1_700_000_000_000_000 | odd
    for number, (step, received, captured, body) in enumerate(parts):
        if number:
            sequence += 1 if odd else (step - 1) % 65_536 + 1
        at_ns += received // 40
        time_us = 5_000_000 + number
        data = bytes((2, 1)) + (sequence % 65_536).to_bytes(2, "little") + time_us.to_bytes(8, "little") + body
        kept.append(Kept(boot, sequence, at_ns, 1_600_000_000_000_000_000 + time_us * 1000 + captured, data))
    before = (7, 9)
    found = [unpack(pack(one)) for one in seconds(kept, b"12345678", before)]
    back = [record for one in found for record in one.records]
    assert [(one.boot, one.sequence, one.captured_ns, one.data) for one in back] == [
        (one.boot, one.sequence, one.captured_ns, one.data) for one in kept
    ]
    assert all(0 <= one.received_ns - other.received_ns < 1000 for one, other in zip(kept, back, strict=True))
    for one in found:
        assert one.before == before and one.session == b"12345678"
        assert len({record.received_ns // 1_000_000_000 for record in one.records}) == 1
        before = (one.records[-1].boot, one.records[-1].sequence)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_a_message_that_is_none_is_refused_in_a_sentence(noise: bytes, at: int, value: int) -> None:
    whole = pack(next(seconds([Kept(2, 65_000 + n, 5, 5, sender.item(n).data) for n in range(4)], b"12345678", (0, 0))))
    changed = bytearray(whole)
    changed[at % len(whole)] = value
    for data in (noise, whole[: at % len(whole)], whole + noise[:1], bytes(changed)):
        try:
            assert isinstance(unpack(data), Second)
        except RecordError as error:
            assert str(error).endswith(".")


@settings(max_examples=15, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 200)), min_size=1, max_size=6), seed=st.integers(0, 99)
)
def test_a_spool_goes_on_where_a_kill_left_it(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int]], seed: int
) -> None:
    """Its newest segment loses any number of bytes at its end: whole records before them stay, and those after get identities of their own."""
    folder = tmp_path_factory.mktemp("spool")
    number = 0
    for count, torn in cuts:
        sink = opened(folder, 3000)
        number = sink.spool.count
        for _ in range(count):
            sink.take(sender.item(number), None)
            number += 1
        newest = sink.spool.path(sink.spool.end().segment)
        sink.close()
        with newest.open("r+b") as file:
            file.truncate(max(0, newest.stat().st_size - torn))
    sink = opened(folder, 3000)
    found = everything(sink.spool)
    assert [one.data for one in found] == [one.data for one in sender.items(0, len(found))]
    assert len({(one.boot, one.sequence) for one in found}) == len(found) == sink.spool.count
    sink.close()


def test_one_boot_counts_on_beyond_the_wire_and_a_restart_is_another(tmp_path: Path) -> None:
    sink = opened(tmp_path)
    start = [sender.item(number) for number in range(3)]
    for item, sequence in zip(start, (65_534, 65_535, 1), strict=True):
        sink.take(told(item, sequence), None)
    sink.close()
    sink = opened(tmp_path)  # the hub was killed, the wearable was not
    sink.take(told(sender.item(3), 2), None)
    anew = told(sender.item(0), 0)
    later = 3_600_000_000_000
    sink.take(replace(anew, captured_ns=anew.captured_ns + later, received_ns=anew.received_ns + later), None)
    found = everything(sink.spool)
    assert [one.sequence for one in found] == [65_534, 65_535, 65_537, 65_538, 0]
    boots = [one.boot for one in found]
    assert boots[0] == boots[3] < boots[4] and not any(boot & 1 for boot in boots)
    assert boots[0] == (start[0].captured_ns // 1000 - start[0].header.time_us) & ~1
    sink.close()


def test_a_finding_that_was_kept_on_the_wearable_comes_once(tmp_path: Path) -> None:
    sink = opened(tmp_path)
    first = sender.item(0)

    def finding(time_us: int, newest: tuple[tuple[int, int], ...]) -> Telemetry:
        record = FindingRecord(time_us, 0, 0, 1, 2, 3, newest, OutputKind.SCORES, (0.0, 1.0))
        data = encode(record, 0 if not newest else 65_001)
        header, read = decode(data)
        captured_ns = first.captured_ns + (time_us - first.header.time_us) * 1000
        return Telemetry(captured_ns, captured_ns, header, read, data)

    sink.take(first, None)
    sink.take(finding(2_100_000, ((0, 1),)), None)
    for time_us in (2_100_000, 1_500_000, 1_500_000):  # one came live, one is new, one is fetched again
        sink.take(finding(time_us, ()), None)
    sink.close()
    sink = opened(tmp_path)
    sink.take(finding(1_500_000, ()), None)
    found = everything(sink.spool)
    assert [one.sequence for one in found] == [65_000, 65_001, 1]
    assert found[2].boot == found[0].boot + 1
    sink.close()


def test_what_is_too_old_or_too_much_is_dropped_from_the_front(tmp_path: Path) -> None:
    by_size = opened(tmp_path / "size", 2000, 12_000)
    for item in sender.items(0, 600):
        by_size.take(item, None)
    assert by_size.spool.bytes_kept() <= 12_000
    found = everything(by_size.spool)
    assert [one.data for one in found] == [one.data for one in sender.items(600 - len(found), 600)]
    entries, place = by_size.spool.read(Cursor(1, 0, 0))
    assert not entries and place.count == 600 - len(found), "whoever was behind is told how much is gone"
    by_size.close()
    by_age = opened(tmp_path / "age", 2000, 1 << 30, days=30 / 86_400)
    for item in sender.items(0, 600):
        by_age.take(item, None)
    oldest = everything(by_age.spool)[0].received_ns
    assert 30e9 <= sender.item(599).received_ns - oldest < 60e9
    by_age.close()


def test_a_disk_that_takes_nothing_is_counted_and_what_was_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = opened(tmp_path)
    for item in sender.items(0, 10):
        sink.take(item, None)
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise StorageError("Cannot write it: no space left on device; make room, or name another disk.")

        patched.setattr(Spool, "add", full)
        for item in sender.items(10, 15):
            sink.take(item, None)
    for item in sender.items(15, 20):
        sink.take(item, None)
    assert sink.missed == 5
    assert [one.sequence for one in everything(sink.spool)] == [65_000 + n for n in (*range(10), *range(15, 20))]
    sink.close()


def test_topics_are_read_back_and_others_are_passed_over() -> None:
    place = topics.Place("home", topics.level("SIM/+#\n1"))
    assert place.wearable == "SIM____1"
    assert topics.read(place.up("finding", "les/ion")) == (place, "finding/les_ion")
    for other in ("thermo/v1/home/x/down/kept", "thermo/v2/a/b/up/records", "a", "thermo/v1/a b/c/up/records", ""):
        assert topics.read(other) is None
