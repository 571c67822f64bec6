"""Entries of kept findings: the same after a round trip, refused where they are cut, and kept of those models that speak seldom."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import RecordError
from thermo_core.graph.findings import SCORE_STEPS
from thermo_core.graph.plan import plan
from thermo_core.wearable import file, library
from thermo_core.wire import kept
from thermo_core.wire.keeping import KEPT_BYTES, KEPT_S, hour_bytes, kept_models, ring_bytes
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import KEPT_EVERY_S, OutputKind

SCORES = st.lists(st.integers(0, SCORE_STEPS).map(lambda steps: steps / SCORE_STEPS), min_size=1, max_size=64)
QUANTITIES = st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=64)


@st.composite
def findings(draw: st.DrawFn) -> FindingRecord:
    kind = draw(st.sampled_from(OutputKind))
    values = {OutputKind.NONE: st.just([]), OutputKind.SCORES: SCORES, OutputKind.QUANTITIES: QUANTITIES}[kind]
    time_us, model, flags = draw(st.integers(0, 2**64 - 1)), draw(st.integers(0, 255)), draw(st.integers(0, 0xFFFF))
    newest = draw(st.sampled_from([(), ((0, 7), (3, 9))]))
    return FindingRecord(time_us, model, flags, 77, 5, 6, newest, kind, tuple(draw(values)))


@given(st.lists(findings(), max_size=5))
def test_entries_say_what_was_found_and_nothing_of_how(found: list[FindingRecord]) -> None:
    data = b"".join(kept.encode(one) for one in found)
    read = list(kept.decode(data, 77))
    assert read == [replace(one, latency_us=0, inference_us=0, newest=()) for one in found]
    assert all(one.fetched for one in read)
    assert len(data) == sum(kept.entry_bytes(len(one.values), one.kind is OutputKind.QUANTITIES) for one in found)


@given(findings(), st.data())
def test_what_is_cut_short_is_refused(one: FindingRecord, data: st.DataObject) -> None:
    entry = kept.encode(one)
    with pytest.raises(RecordError, match="ask again"):
        list(kept.decode(entry[: data.draw(st.integers(1, len(entry) - 1))], 0))


def test_more_values_than_a_model_has_are_refused() -> None:
    with pytest.raises(RecordError, match="65 values"):
        list(kept.decode(bytes((0, 65, *bytes(10), *bytes(130))), 0))


@pytest.mark.parametrize("name", library.names())
def test_what_speaks_seldom_is_kept_for_an_hour_or_as_far_as_there_is_room(name: str) -> None:
    made = plan(file.read(library.resolve(name)).profile)
    room = 0
    for number, model in enumerate(made.profile.models):
        rate_hz = made.signals[model.reading].rate_hz
        assert (number in kept_models(made)) == (0 < rate_hz <= 1 / KEPT_EVERY_S)
        if number in kept_models(made):
            entry = kept.entry_bytes(len(model.outputs), model.quantities is not None)
            room += (math.ceil(KEPT_S * rate_hz) + 1) * entry
    assert hour_bytes(made) == room and ring_bytes(made) == min(KEPT_BYTES, room)
