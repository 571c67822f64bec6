"""Offset and drift of the device's clock, against clocks whose truth is known."""

import numpy as np
import pytest

from thermo_host.link.clocksync import ClockSync, RoundTrip

SECOND = 1_000_000_000


def trips(
    seed: int, count: int, offset_ns: int, ppm: float, every_ns: int = SECOND, floor_ns: int = 2_000_000
) -> list[RoundTrip]:
    """Round trips of a device whose clock runs `ppm` slower than the host's, with uneven and sometimes long ways."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        sent = 5_000 * SECOND + number * every_ns
        there, back = floor_ns // 2 + random.exponential(floor_ns, 2)
        at = sent + there
        device_ns = (at - offset_ns) / (1 + ppm * 1e-6)
        made.append(RoundTrip(sent, round(device_ns / 1000), round(at + back)))
    return made


def truth(device_us: int, offset_ns: int, ppm: float) -> float:
    return device_us * 1000 * (1 + ppm * 1e-6) + offset_ns


@pytest.mark.parametrize("seed", range(5))
def test_offset_is_within_half_of_the_shortest_round_trip(seed: int) -> None:
    clock = ClockSync(0)
    sent = trips(seed, 10, offset_ns=123 * SECOND, ppm=0)
    for trip in sent:
        clock.add(trip)
    error_ns = clock.host_ns(sent[-1].device_us) - truth(sent[-1].device_us, 123 * SECOND, 0)
    assert abs(error_ns) <= min(trip.duration_ns for trip in sent) / 2
    assert clock.uncertainty_s == min(trip.duration_ns for trip in sent) // 2 / 1e9
    assert clock.drift_ppm == 0


@pytest.mark.parametrize("ppm", [-80.0, 35.0])
def test_drift_is_found_over_minutes(ppm: float) -> None:
    clock = ClockSync(0)
    sent = trips(1, 240, offset_ns=7 * SECOND, ppm=ppm)
    for trip in sent:
        clock.add(trip)
    assert clock.drift_ppm == pytest.approx(ppm, abs=15)
    ahead_us = sent[-1].device_us + 10_000_000
    assert abs(clock.host_ns(ahead_us) - truth(ahead_us, 7 * SECOND, ppm)) < 3_000_000


def test_a_simulated_clock_ten_times_as_fast_is_followed_at_once() -> None:
    clock = ClockSync(0)
    sent = trips(2, 3, offset_ns=0, ppm=-900_000.0)
    for trip in sent:
        clock.add(trip)
    assert abs(clock.host_ns(sent[-1].device_us) - truth(sent[-1].device_us, 0, -900_000.0)) < 20_000_000


def test_a_device_that_restarts_is_not_averaged_with_its_past() -> None:
    clock = ClockSync(0)
    for trip in trips(3, 50, offset_ns=0, ppm=0):
        clock.add(trip)
    fresh = RoundTrip(6_000 * SECOND, 1_000_000, 6_000 * SECOND + 2_000_000)
    clock.add(fresh)
    assert clock.host_ns(1_000_000) == 6_000 * SECOND + 1_000_000


def test_utc_is_the_hosts_clock_shifted() -> None:
    clock = ClockSync(1_600_000_000 * SECOND)
    assert not clock.synchronised
    clock.add(RoundTrip(0, 500, 1_000_000))
    assert clock.synchronised
    assert clock.utc_ns(500) == 1_600_000_000 * SECOND + 500_000
