"""A hub as a clinic has it, in a process of its own: TLS, PostgreSQL, a broker with passwords; and what a home and another hub get of it."""

import asyncio
import io
import json
import os
import re
import select
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import numpy as np
import pytest
from brokers import SECRET, Mosquitto
from certificates import signed
from patience import WAIT_S
from PIL import Image
from postgres import Postgres
from running import started

from thermo_core.wire.records import decode
from thermo_hub.broker import births, records

pytestmark = pytest.mark.lengthy


@pytest.fixture
def clinic(tmp_path: Path, postgres: Postgres) -> Iterator[tuple[str, Path, Mosquitto]]:
    """Link of the hub, its folder, its broker."""
    broker = Mosquitto(tmp_path / "mosquitto", tls=True)
    broker.start()
    certificate, key = signed(tmp_path)
    with started("agent", tmp_path) as patch:
        (tmp_path / "hub.toml").write_text(f'''
folder = "{tmp_path}/hub"
port = 0
ports = ["{patch.link}"]
certificate = "{certificate}"
key = "{key}"
database = "{postgres.new()}"

[mqtt]
port = {broker.port}
tls = true
ca_file = "{broker.ca}"
user = "home"
password_file = "{broker.secret}"
discovery = "homeassistant"
''')
        words = [sys.executable, "-m", "thermo_hub.cli", "run", str(tmp_path / "hub.toml")]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ)
        assert process.stdout is not None
        try:
            assert select.select([process.stdout], [], [], WAIT_S)[0], "the hub says nothing"
            link = re.search(r"https://\S+", process.stdout.readline())
            assert link is not None
            yield link[0], tmp_path, broker
            assert process.poll() is None
        finally:
            process.terminate()
            process.communicate()
            broker.kill()


def test_a_hub_behind_tls_with_postgresql_and_a_broker(clinic: tuple[str, Path, Mosquitto]) -> None:
    link, folder, broker = clinic
    heard: dict[str, list[bytes]] = {}

    def of(pattern: str) -> dict[str, list[bytes]]:
        return {topic: got for topic, got in heard.items() if re.fullmatch(pattern, topic)}

    async def listen() -> None:
        async with aiomqtt.Client(
            "127.0.0.1", broker.port, username="ward", password=SECRET, timeout=WAIT_S,
            tls_params=aiomqtt.TLSParameters(ca_certs=str(broker.ca)),
        ) as ward:  # fmt: skip
            await ward.subscribe("thermo/v1/home/+/up/#", qos=1)
            await ward.subscribe("homeassistant/#", qos=1)
            async for message in ward.messages:
                heard.setdefault(str(message.topic), []).append(bytes(message.payload))
                wanted = ("records", "now", r"finding/[\w-]+", r"picture/[\w-]+", r"alert/stale")
                measured = any('"max"' in got[-1].decode() for got in of(".*/up/now").values())
                if (
                    measured
                    and all(of(rf"thermo/v1/home/[\w.-]+/up/{what}") for what in wanted)
                    and len(of(".*/config")) >= 8
                ):
                    return

    asyncio.run(asyncio.wait_for(listen(), WAIT_S))
    (birth,) = of(".*/up/birth").values()
    known, session = births.from_bytes(birth[-1], "patch")
    (seconds,) = of(".*/up/records").values()
    assert {records.unpack(one).session for one in seconds} == {known}
    sent = [one for message in seconds for one in records.unpack(message).records]
    steps = np.diff([one.sequence for one in sent if not one.boot & 1])
    assert len(sent) > 4 and (steps == 1).all()
    assert all(decode(one.data)[0].sequence == one.sequence % 65536 for one in sent if not one.boot & 1)
    (now,) = of(".*/up/now").values()
    skin = json.loads(now[-1])["pictures"]["skin"]
    assert skin["min"] <= skin["mean"] <= skin["max"]
    for what, got in of(".*/up/(now|finding/.*|minute|spool|alert/.*)").items():
        assert json.loads(got[-1])["notice"] == "Informs only. Not a medical device.", what
    (png,) = (got[-1] for got in of(".*/up/picture/skin").values())
    assert Image.open(io.BytesIO(png)).format == "PNG"
    configs = {topic: json.loads(got[-1]) for topic, got in of("homeassistant/.*/config").items()}
    topics = {facts.get("state_topic", facts.get("image_topic")) for facts in configs.values()}
    assert {topic.rpartition("/up/")[2].partition("/")[0] for topic in topics} == {"now", "finding", "alert", "picture"}

    context = ssl.create_default_context(cafile=str(folder / "hub.pem"))
    with httpx.Client(verify=context, base_url=link.partition("/enter")[0], timeout=WAIT_S) as browser:
        assert browser.get(link).status_code == 303
        (worn,) = browser.get("/api/wearables").json()["wearables"]
        assert (worn["serial"], worn["state"]) == (session.hello.serial, "live")
        line: dict[str, Any] = {}
        until = time.monotonic() + WAIT_S
        # A second that goes on always waits.
        while line.get("waiting", 100) >= 100 and time.monotonic() < until:
            (line,) = browser.get("/api/mqtt").json()["lines"]
            time.sleep(0.05)
        assert (line["lost"], line["problem"], line["waiting"] < 100) == (0, "", True)
        csrf = browser.get("/api/me").json()["csrf"]
        headers = {"x-thermo-csrf": csrf, "origin": str(browser.base_url).rstrip("/")}
        raised = browser.post("/api/alerts/test", json={"wearable": worn["id"]}, headers=headers).json()
        assert browser.get(f"/api/alerts/{raised['id']}").json()["rule"] == "test"
        assert browser.get("/api/ingest").json() == {"broker": None}
