"""Shipped wearables whose samples come from outside say the same on the agent, as a program and on a microcontroller."""

import time
from pathlib import Path

import numpy as np
import pytest
from running import KINDS, PATIENCE, started

from thermo_core.errors import RefusedError
from thermo_core.graph.plan import plan
from thermo_core.graph.typical import typical_series
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block
from thermo_core.wearable.person import FIELDS
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.smp import ReturnCode
from thermo_host.link.wearable import Wearable

pytestmark = pytest.mark.lengthy

SECONDS = {"core-temperature": 20.0, "time-constants": 620.0, "wrist-stress": 160.0}
"""Of samples, which are given as fast as they are taken."""


def give(host: Wearable, sensor: int, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    """Feed a sample, again and again while there is no room."""
    end = time.monotonic() + 60 * PATIENCE
    while True:
        try:
            host.feed(sensor, values)
            return
        except RefusedError as error:
            assert error.code == ReturnCode.BUSY and time.monotonic() < end, error
            time.sleep(0.002)


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("kind", KINDS)
def test_findings_are_those_of_the_same_blocks(kind: str, name: str, tmp_path: Path) -> None:
    with started(kind, tmp_path, wearable=name) as running, running.open() as host:
        profile = running.bundle.profile
        if profile.person:
            host.set_person({field: (FIELDS[field].low + FIELDS[field].high) / 2 for field in profile.person})
        sources = typical_series(plan(profile), "skin", SECONDS[name])
        samples = sorted(
            (int(sources[sensor.name].order[place]), number, place)
            for number, sensor in enumerate(profile.sensors)
            for place in range(len(sources[sensor.name]))
        )
        engine = running.engine(host)
        blocks: list[Block] = []
        said: list[FindingRecord] = []
        end = time.monotonic() + 120 * PATIENCE
        with host.stream(lease_s=10.0) as stream:
            while len(blocks) < len(samples):
                assert time.monotonic() < end, (len(blocks), len(samples))
                for _, number, place in samples[len(blocks) : len(blocks) + 8]:
                    give(host, number, np.asarray(sources[profile.sensors[number].name].sample(place).values).ravel())
                wanted = min(len(blocks) + 8, len(samples))
                while len(blocks) < wanted:
                    seen = stream.get(5.0)
                    assert seen is not None, (len(blocks), wanted)
                    blocks += [seen.record] if isinstance(seen.record, Block) else []
                    said += [seen.record] if isinstance(seen.record, FindingRecord) else []
            theirs = [one.finding for block in blocks for one in engine.push(block).said]
            while len(said) < len(theirs):
                assert time.monotonic() < end, (len(said), len(theirs))
                seen = stream.get(5.0)
                said += [seen.record] if seen is not None and isinstance(seen.record, FindingRecord) else []
    assert theirs, "what is typical makes it say something"
    # What rests on the last blocks of all is said when time passes, which `push` does not know of.
    assert 0 <= len(said) - len(theirs) <= 1
    said = said[: len(theirs)]
    assert [(one.time_us, one.model) for one in said] == [(one.time_us, one.model) for one in theirs]
    for one, other in zip(said, theirs, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert one.flags & ~Quality.STALE == other.flags & ~Quality.STALE
