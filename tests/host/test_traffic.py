"""What a stream carries, counted: how many samples a second come, one by one or many at once."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from thermo_host.sinks.statistics import Traffic

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS


def decoding(*names: str) -> Any:
    """As far as it is asked here: which sensors there are."""
    sensors = [SimpleNamespace(name=name) for name in names]
    counted = {number: SimpleNamespace(moments=0) for number in range(len(names))}
    session = SimpleNamespace(profile=SimpleNamespace(sensors=sensors))
    return SimpleNamespace(session=session, counted=counted, total=lambda names: 0)


@pytest.mark.parametrize(("burst", "rate_hz"), [(1, 8.0), (1, 100.0), (16, 25.0), (25, 25.0), (20, 100.0)])
def test_samples_that_come_many_at_once_are_no_more_a_second(burst: int, rate_hz: float) -> None:
    traffic = Traffic()
    now_ns = START_NS
    for _ in range(round(10 * rate_hz / burst)):
        now_ns += round(burst * SECOND_NS / rate_hz)
        traffic.arrived(0, burst, now_ns, now_ns)
    said = traffic.statistics(cast(Any, decoding("pulse")), now_ns).moments_per_second
    assert said["pulse"] == pytest.approx(rate_hz, rel=0.01)
