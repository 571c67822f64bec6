"""The typed client at a hub that runs, with a simulated wearable; every answer is held to what the API says of it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import numpy as np
import pytest
from hubs import Serving
from strict_answers import hold

from thermo_hub.client import AsyncHubClient, HubClient, HubRefused
from thermo_hub.client.events import Event, Past, Picture, Pulse, RecordingChanged, Session, Wall

pytestmark = pytest.mark.lengthy

PAGE = Path(__file__).parents[2] / "docs" / "hub-api.md"
MOST = 2000


@pytest.fixture(scope="module")
def client(hub: Serving) -> Iterator[HubClient]:
    carrier = httpx.Client(base_url=hub.origin, timeout=60, event_hooks={"response": [hold]})
    with HubClient(hub.origin, carrier) as made:
        made.enter(hub.new_link())
        with made.watch() as events:
            until(events, Picture)
        yield made


def until(events: Iterator[Event], kind: type) -> list[Event]:
    """Events until one of a kind comes."""
    found: list[Event] = []
    for event in islice(events, MOST):
        found.append(event)
        if isinstance(event, kind):
            return found
    raise AssertionError(f"no {kind.__name__} came")


def test_the_example_of_the_document_runs(hub: Serving, client: HubClient, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    run = [sys.executable, "-c", example, hub.new_link(), str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("skin (24, 32)") == 10
    assert (tmp_path / "patch.png").read_bytes().startswith(b"\x89PNG")
    (recording,) = tmp_path.glob("*.mcap")
    assert recording.read_bytes().startswith(b"\x89MCAP0\r\n")


def test_live_pages_come_as_typed_events(client: HubClient) -> None:
    with client.watch() as events:
        seen = until(events, Pulse)
        wall, session = seen[0], seen[1]
        assert isinstance(wall, Wall) and isinstance(session, Session) and isinstance(seen[2], Past)
        assert wall.wearables == [session.id]
        picture = next(one for one in until(events, Picture) if isinstance(one, Picture))
        stream = next(one for one in session.pictures if one.signal == picture.signal)
        assert picture.values.shape == (stream.rows, stream.columns)
        assert (picture.id, picture.unit) == (session.id, "degC")
        assert 10 < np.nanmean(picture.values) < 45


def test_a_wearable_is_recorded_and_looked_at(client: HubClient) -> None:
    (worn,) = client.live.wearables().wearables
    with client.watch() as events:
        started = client.recordings.start(worn.id, subject="S", note="N")
        changed = next(one for one in until(events, RecordingChanged) if isinstance(one, RecordingChanged))
        assert changed.recording.name == started.name
        client.recordings.mark(worn.id, text="here")
        until(events, Pulse)
        until(events, Pulse)
    assert not client.recordings.end(worn.id).running
    found = next(one for one in client.recordings.recordings().recordings if one.name == started.name)
    assert (found.subject, found.note, found.problem) == ("S", "N", "")
    looked = client.recordings.look(started.name)
    assert [one["text"] for one in looked.markers] == ["here"]
    assert looked.from_ <= looked.to
    signal = looked.pictures[0]["signal"]
    assert len(client.recordings.frames(started.name, signal)) % 1547 == 0
    assert client.recordings.file(started.name).startswith(b"\x89MCAP0\r\n")


def test_what_the_hub_knows_of_a_wearable(client: HubClient) -> None:
    (worn,) = client.live.wearables().wearables
    facts = client.devices.device(worn.id)
    assert facts.hello["serial"] == worn.serial
    assert facts.images
    assert client.pictures.svg(worn.id, "skin").startswith(b"<svg")
    assert client.live.rename(worn.id, "patch").label == "patch"
    client.live.rename(worn.id, "")
    assert len(client.live.drawing().palette) > 16
    raised = client.alerts.test(wearable=worn.id)
    client.alerts.acknowledge(raised.id, note="seen")  # which ends a test
    steps = {step.state: step.note for step in client.alerts.one(raised.id).steps}
    assert (steps["acknowledged"], "resolved" in steps) == ("seen", True)
    with pytest.raises(HubRefused, match="image"):
        client.devices.flash(worn.id, b"no image")


def test_what_a_wearable_is_is_kept_for_what_leaves_as_fhir(client: HubClient) -> None:
    (worn,) = client.live.wearables().wearables
    client.fhir.say_consent(worn.id, "sharing", given=True, note="on paper")
    raised = client.alerts.test(wearable=worn.id)
    with client.watch() as events:
        until(events, Pulse)
        until(events, Pulse)
    bundle = client.fhir.exported(worn.id, raised.raised_ms - 1000, raised.raised_ms + 1000).decode()
    assert '"modelNumber"' in bundle
    assert '"resourceType": "Media"' in bundle
    client.fhir.say_consent(worn.id, "sharing", given=False)
    with pytest.raises(HubRefused, match="withdrew consent"):
        client.fhir.exported(worn.id, 0, 1)


def test_code_that_does_not_wait_looks_on_too(hub: Serving, client: HubClient) -> None:
    async def run() -> None:
        async with AsyncHubClient(hub.origin) as found:
            await found.enter(hub.new_link())
            async with found.watch(every_ms=100) as events:
                async for event in events:
                    if isinstance(event, Picture):
                        break
            await found.leave()
            with pytest.raises(HubRefused):
                async with found.watch() as events:
                    pass

    asyncio.run(run())
