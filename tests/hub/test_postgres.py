"""The hub with PostgreSQL: alerts, trends, records of other hubs, and all of it behind TLS with a broker beside it."""

from alert_lives import Lives
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from postgres import Postgres
from trend_checks import STARTS, ZONES, check_hours_and_days


def test_any_lives_of_alerts(postgres: Postgres) -> None:
    class LivesThere(Lives):
        @staticmethod
        def new_database() -> str:
            return postgres.new()

    run_state_machine_as_test(LivesThere, settings=settings(max_examples=3, stateful_step_count=20, deadline=None))


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    zone_name=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    restarts=st.integers(0, 3),
)
def test_hours_and_days_equal_their_samples(
    postgres: Postgres, seed: int, zone_name: str, start: str, restarts: int
) -> None:
    check_hours_and_days(seed, zone_name, start, restarts, postgres.new())
