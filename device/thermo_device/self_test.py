"""What a wearable can find out about itself: its sensors with blocks captured now, its models with what they say."""

from collections.abc import Callable, Mapping, Sequence

from thermo_core.clock import Clock
from thermo_core.errors import ModelError
from thermo_core.graph.plan import Plan
from thermo_core.graph.runners import Samples
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample
from thermo_core.wire.management import SelfTestResult
from thermo_device.networks import Networks
from thermo_device.rehearsal import rehearse
from thermo_device.sensors.driver import Driver

BLOCKS = 4
"""Blocks of a sensor that must not wait, from which its rate is known."""
SETTLING = 16
"""Blocks more that a rate which seems wrong is watched for."""
PATIENCE_US = 4_000_000
"""It does not wait for longer than this for what comes now and then."""
SLACK_US = 1_000_000


def gather(
    drivers: Sequence[Driver],
    checked: Sequence[int],
    newest: Sequence[Block | None],
    clock: Clock,
    poll: Callable[[int], int | None],
) -> list[int]:
    """Capture until each sensor that can soon has a block that is news, and a rate that seems wrong is known to be.

    Args:
        drivers: by number.
        checked: numbers of those that are wanted.
        newest: block of each sensor.
        clock: device's clock.
        poll: polls until a time for a block; the number of its sensor, None where none came.

    Returns:
        Numbers of the sensors that said nothing.
    """
    began_us = end_us = clock.now_us()
    wanted: dict[int, int] = {}
    for sensor in checked:
        driver = drivers[sensor]
        known, period_us = newest[sensor], driver.period_us
        if period_us and (known is None or began_us - known.time_us > 3 * period_us):
            firm = driver.late_us <= driver.due_us
            wanted[sensor] = BLOCKS if firm else 1
            needed_us = (BLOCKS + 2) * period_us if firm else min(2 * period_us, PATIENCE_US)
            end_us = max(end_us, began_us + needed_us + SLACK_US)
    silent = set(wanted)
    while wanted and clock.now_us() < end_us:
        spoke = poll(end_us)
        if spoke in wanted:
            silent.discard(spoke)
            wanted[spoke] -= 1
            if not wanted[spoke]:
                del wanted[spoke]
    # What a busy machine read late makes a rate look wrong until more blocks came; one that is wrong stays so.
    speaking = [drivers[sensor] for sensor in checked if sensor not in silent]
    slowest_us = max((one.period_us for one in speaking if not one.in_time), default=0)
    end_us = clock.now_us() + min(SETTLING * slowest_us, 2 * PATIENCE_US)
    while clock.now_us() < end_us and not all(one.in_time for one in speaking):
        poll(end_us)
    return sorted(silent)


def check_models(plan: Plan, networks: Networks, seen: Mapping[str, Samples]) -> list[SelfTestResult]:
    """Check each network with a fixed input, and all of them with one finding each.

    Args:
        plan: the wearable.
        networks: of its models.
        seen: newest samples of each sensor, by its name.
    """
    if not networks:
        return []
    samples: dict[str, Sample] = {}
    for own in seen.values():
        samples |= own
    told: dict[str, str] = {}
    problem = ""
    try:
        told = rehearse(plan, networks, samples)
    except ModelError as error:
        problem = str(error)
    origin = "what the sensors say" if samples else "what sensors typically say"
    results = []
    for name, network in networks.items():
        wrong = problem or network.self_test()
        detail = wrong or f"A fixed input gives the result it gave at the start, and of {origin} it says {told[name]}."
        results.append(SelfTestResult(name=f"model {name}", passed=not wrong, detail=detail))
    return results
