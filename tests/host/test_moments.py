"""Moments as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import UsageError
from thermo_host.moments import parse_moment

STARTED_NS = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("+90.5", 90.5),
        ("1:30", 90),
        ("1:00:00", 3600),
        ("2023-11-14T22:13:30Z", 10),
        ("2023-11-14T23:13:30+01:00", 10),
        ("2023-11-14 22:13:30", 10),
    ],
)
def test_moments_are_dates_or_times_since_the_start(text: str, seconds: float) -> None:
    assert parse_moment("--from", text, STARTED_NS) == STARTED_NS + round(seconds * 1e9)


@given(st.text() | st.from_regex(r"[0-9:.+TZ-]{1,30}", fullmatch=True))
def test_what_is_no_moment_is_said(text: str) -> None:
    try:
        assert isinstance(parse_moment("--to", text, 0), int)
    except UsageError as error:
        assert "--to" in str(error)
