"""A state disk without room: the wearable starts, streams and says so, and an image that waits for its trial goes on waiting."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.errors import RefusedError
from thermo_core.sensors.kind import Block
from thermo_core.wire.records import EventRecord
from thermo_host import flash
from thermo_host.link.wearable import Wearable

NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def fill(pid: int) -> None:
    """From now on the process may write to no file, as on a full disk; pipes and terminals are none."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def events(host: Wearable) -> list[str]:
    """What it tells the next host, with the first pages."""
    found, pages = [], 0
    with host.stream() as stream:
        while pages < 4:
            received = stream.get(10.0)
            assert received is not None
            pages += isinstance(received.record, Block)
            if isinstance(received.record, EventRecord):
                found.append(received.record.text)
    return found


def test_a_pending_image_waits_for_room(
    start_wearable: Callable[..., Any], make_image: Callable[..., bytes], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / version).write_bytes(make_image(version))
    first = start_wearable("--state", str(state))
    with Wearable.open(str(first.link)) as host:
        flash.flash(host, flash.load(tmp_path / "1.0.0"))
        candidate = flash.load(tmp_path / "1.1.0")
        host.upload(candidate.data)
        host.test_image(candidate.image.sha256)
        fill(first.process.pid)
        assert host.reset().bundle == "1.0.0"
        assert any("pending image waits" in text for text in events(host))
        with pytest.raises(RefusedError, match="file too large"):
            host.upload((tmp_path / "1.0.0").read_bytes() + b"x")
    first.kill()

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # inherited
    try:
        second = start_wearable("--state", str(state), link=tmp_path / "again")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with Wearable.open(str(second.link)) as host:
        assert host.hello().bundle == "1.0.0"
        assert any("pending image waits" in text for text in events(host))
        resource.prlimit(second.process.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
        assert host.reset().bundle == "1.1.0"
        assert host.reset().bundle == "1.0.0", "it was on trial"
