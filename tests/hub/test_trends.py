"""Trends: hours and days are what all of their samples give, however the samples came, in whatever order, over restarts."""

import itertools
import math
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from trend_checks import DAY_NS, STARTS, ZONES, check_hours_and_days, opened, zone

from thermo_core.errors import UsageError
from thermo_hub.trends import history, lookup
from thermo_hub.trends.keeper import HOUR_NS, MINUTE_NS, SECOND_NS, Minute, TrendKeeper, Width
from thermo_hub.trends.rollup import SEVERAL, pack, rank, steps, unpack
from thermo_hub.trends.tables import COUNTS, ROLLUP


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    zone_name=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    restarts=st.integers(0, 3),
)
def test_hours_and_days_equal_their_samples(seed: int, zone_name: str, start: str, restarts: int) -> None:
    check_hours_and_days(seed, zone_name, start, restarts)


def test_counts_are_forgotten_once_their_day_can_get_no_more(tmp_path: Path) -> None:
    store = opened(tmp_path)
    keeper = TrendKeeper(store, lambda: zone("UTC"))
    day_ns = 20_000 * DAY_NS
    for at in range(0, 60 * 24, 90):
        one = Minute("w", "s", "s", "K", day_ns + at * MINUTE_NS, Counter({at: 2}))
        keeper.add([one], one.start_ns + MINUTE_NS)
    late = Minute("w", "s", "s", "K", day_ns + 5 * MINUTE_NS, Counter({7: 1}))
    assert keeper.add([late], day_ns + 26 * HOUR_NS) == 0
    keeper.add([Minute("w", "s", "s", "K", day_ns + 28 * HOUR_NS, Counter({1: 1}))], day_ns + 28 * HOUR_NS + MINUTE_NS)
    assert keeper.add([late], day_ns + 28 * HOUR_NS) == 1
    with store.read() as connection:
        assert {row.start_ns for row in connection.execute(select(COUNTS))} == {day_ns + 28 * HOUR_NS}
        whole = connection.execute(
            select(ROLLUP).where(ROLLUP.c.width == int(Width.DAY), ROLLUP.c.start_ns == day_ns)
        ).one()
    assert whole.n == 2 * 16 + 1
    store.close()


@given(st.dictionaries(st.integers(-(10**12), 10**12), st.integers(1, 10**6), min_size=1, max_size=50))
def test_counts_come_back(counts: dict[int, int]) -> None:
    assert unpack(pack(counts)) == Counter(counts)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=200), st.integers(1, 100))
def test_a_rank_is_the_least_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = rank(Counter(values), percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


def test_what_is_no_number_is_no_step() -> None:
    assert [steps(value) for value in (math.nan, math.inf, -math.inf, 1e10, 36.6)] == [None, None, None, None, 36600]


def test_a_stretch_of_two_calibrations_says_so(tmp_path: Path) -> None:
    store = opened(tmp_path)
    keeper = TrendKeeper(store, lambda: zone("UTC"))
    base = 20_000 * DAY_NS
    for at, calibration in enumerate(("a", "a", "b")):
        keeper.add(
            [
                Minute(
                    "w", "s", "s", "K", base + at * MINUTE_NS, Counter({1: 1}), 0, 0, 21_000 + at, 100 + at, calibration
                )
            ],
            base + at * MINUTE_NS,
        )
        found = lookup.columns(store, "w", ["s"], base, base + HOUR_NS, Width.HOUR)["series"][0]
        assert found["calibration"] == ["a" if at < 2 else SEVERAL]
    assert found["ambient"] == [21.001]
    assert found["uncertainty"] == [0.102]
    store.close()


def test_usual_is_of_the_days_before_and_says_where_it_is_not_known(tmp_path: Path) -> None:
    store = opened(tmp_path)
    now_ns = 20_000 * DAY_NS + 9 * HOUR_NS
    history.fill(store, ["w"], days=4, now_ns=now_ns)
    day = TrendKeeper(store, lambda: None).day(now_ns)[0]
    known = [one for one in lookup.baseline(store, "w", "skin.mean", day, lambda: None) if one is not None]
    assert len(known) >= 22
    assert all(abs(one["centre"] - 33.6) < 0.5 and one["spread"] < 0.1 for one in known)
    assert lookup.baseline(store, "w", "skin.mean", day - 10 * DAY_NS, lambda: None) == [None] * 24
    shown = lookup.columns(store, "w", (), now_ns - DAY_NS, now_ns)
    assert shown["width"] == "minute"
    starts = shown["series"][0]["start_ms"]
    gaps = [after - before for before, after in itertools.pairwise(starts) if after - before > 60_000]
    assert gaps == [61 * 60_000]  # the hour in which it was off is not there
    store.close()


def test_a_night_is_one_stretch_under_both_of_its_dates() -> None:
    here = zone("Europe/Berlin")
    for at, evening in (
        ("2026-10-25T03:00", "2026-10-24"),
        ("2026-10-25T11:59", "2026-10-24"),
        ("2026-10-25T12:00", "2026-10-25"),
    ):
        now_ns = round(datetime.fromisoformat(at).replace(tzinfo=here).timestamp()) * SECOND_NS
        newest, before = lookup.nights(now_ns, 2, lambda: here)
        assert newest["night_of"] == evening
        assert before["woke"] == evening
        assert before["to_ms"] == newest["from_ms"]
        if evening == "2026-10-24":
            assert newest["to_ms"] - newest["from_ms"] == 25 * 3_600_000  # clocks are set back


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(UsageError, match="ends before it begins"):
        lookup.columns(store, "w", (), 2, 1)
    with pytest.raises(UsageError, match="no series 'x'"):
        lookup.columns(store, "w", ["x"], 1, 2)
    store.close()
