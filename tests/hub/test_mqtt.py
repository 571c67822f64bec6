"""Records over a real broker: none is lost or doubled, whatever is killed meanwhile, and each is byte for byte what the wearable sent."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import aiomqtt
import pytest
import sender
from brokers import SECRET, Mosquitto
from patience import WAIT_S

from thermo_core.recording.session import Session
from thermo_host.link.items import Telemetry
from thermo_host.stream.playback import Recording
from thermo_hub.broker import births, records
from thermo_hub.broker.connection import Door
from thermo_hub.broker.settings import Ingest, Mqtt
from thermo_hub.broker.topics import Place
from thermo_hub.bus import Bus
from thermo_hub.events import Joined
from thermo_hub.hub import Hub
from thermo_hub.ingest.keeper import Keeper
from thermo_hub.ingest.log import entries
from thermo_hub.ingest.part import Taker
from thermo_hub.mqtt.sink import SpoolSink
from thermo_hub.mqtt.uplink import Uplink
from thermo_hub.security.door import Door as HubDoor
from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store
from thermo_hub.wearables.bundles import Bundles
from thermo_hub.wearables.registry import Wearables

pytestmark = pytest.mark.lengthy

HOUR = 3600 * sender.RATE


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "mosquitto", tls=True)
    made.start()
    yield made
    made.kill()


class Receiving:
    """A hub that takes records of other hubs."""

    def __init__(self, folder: Path, broker: Mosquitto, keep: Literal["files", "database"] = "files") -> None:
        self.settings = Settings(
            folder=str(folder),
            ingest=Ingest(
                port=broker.port,
                tls=True,
                ca_file=str(broker.ca),
                user="ward",
                password_file=str(broker.secret),
                keep=keep,
            ),
        )
        self.store = open_store(self.settings)
        self.bus = Bus(asyncio.get_running_loop())
        self.joined: list[Joined] = []
        self.bus.handle({Joined}, self.joined.append)  # type: ignore[arg-type]
        hub = Hub(
            self.settings,
            self.bus,
            self.store,
            Wearables(self.store, self.bus, lambda: ()),
            HubDoor(self.store),
            Bundles(self.settings.bundles),
        )
        self.wearables = hub.wearables
        assert self.settings.ingest is not None
        self.keeper = Keeper(self.store, folder / "ingest", self.settings.ingest.keep, 7.0)
        self.taker = Taker(hub, self.settings.ingest, self.keeper, sender.PAUSES_S, confirm_s=0.05)

    def kept(self) -> list[records.Kept]:
        """All that it kept, in its order."""
        files = sorted((self.settings.place / "ingest").glob("*.records"))
        return [one for file in files for _, data in entries(file) for one in records.unpack(data).records]


@contextlib.asynccontextmanager
async def receiving(
    folder: Path, broker: Mosquitto, keep: Literal["files", "database"] = "files"
) -> AsyncIterator[Receiving]:
    hub = Receiving(folder, broker, keep)
    task = asyncio.create_task(hub.taker.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        hub.store.close()


@contextlib.asynccontextmanager
async def sending(folder: Path, broker: Mosquitto) -> AsyncIterator[tuple[SpoolSink, Uplink]]:
    sink = SpoolSink(folder, sender.session(), 7.0, 1 << 30, sender.SEGMENT)
    line = sender.uplink(sink, broker.port, str(broker.secret), str(broker.ca))
    task = asyncio.create_task(line.run())
    try:
        yield sink, line
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        sink.close()


async def until(found: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while not found():
            await asyncio.sleep(0.02)


def check_whole(hub: Receiving, count: int) -> None:
    """Each record once, in its order, byte for byte, captured when it was."""
    kept = hub.kept()
    assert [one.data for one in kept] == [one.data for one in sender.items(0, count)]
    assert len({(one.boot, one.sequence) for one in kept}) == count
    for one, item in zip(kept, sender.items(0, count), strict=True):
        assert one.captured_ns == item.captured_ns
        assert abs(one.received_ns - item.received_ns) < 1000


def export(hub: Receiving, path: Path, count: int) -> None:
    """What is kept can be had as a recording, whole or of a window of time."""
    words = [
        sys.executable,
        "-m",
        "thermo_hub.cli",
        "export",
        "SIM-1@home",
        str(path),
        "--folder",
        str(hub.settings.place),
    ]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == f"{path}: {count} records of SIM-1@home.\n"
    played = [item.data for item in Recording(path).items() if isinstance(item, Telemetry)]
    assert played == [item.data for item in sender.items(0, count)]


def test_an_hour_without_a_broker_that_forgets_everything_loses_and_doubles_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    first, behind, more = 60 * sender.RATE, 60 * sender.RATE + HOUR, 120 * sender.RATE + HOUR

    async def run() -> None:
        async with receiving(tmp_path / "ward", broker) as hub, sending(tmp_path / "spool", broker) as (sink, line):
            await until(lambda: not hub.taker.problem, "the receiver connects")
            for item in sender.items(0, first):
                sink.take(item, None)
            await until(lambda: hub.taker.records > first // 2, "half of it is there")
            broker.kill()
            for item in sender.items(first, behind):
                sink.take(item, None)
            await until(lambda: line.problem and hub.taker.problem, "both notice")
            assert "cannot be used" in line.problem
            broker.start()
            for item in sender.items(behind, more):
                sink.take(item, None)
            await until(lambda: hub.taker.records >= more, "all of it is there")
            check_whole(hub, more)
            await until(lambda: line.sent.kept == (hub.kept()[-1].boot, hub.kept()[-1].sequence), "it is confirmed")
            assert line.facts()["lost"] == 0
            # It is a wearable of this hub like any other, and is looked after at its own.
            (worn,) = hub.wearables.all()
            assert (worn.id, worn.state, worn.port) == ("SIM-1@home", "live", "mqtt:home/SIM-1")
            assert hub.joined[0].wearable == worn.id
            export(hub, tmp_path / "night.mcap", more)
            refused = hub.wearables.listener(worn.id).ask(lambda _: None).exception(0)
            assert "is on another hub" in str(refused)

    asyncio.run(run())


def test_a_sending_hub_that_is_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    end = 6_000
    words = [
        sys.executable,
        sender.__file__,
        str(tmp_path / "spool"),
        str(broker.port),
        str(broker.secret),
        str(broker.ca),
    ]

    def started() -> "subprocess.Popen[str]":
        return subprocess.Popen([*words, str(end)], stdout=subprocess.PIPE, text=True)

    async def run() -> None:
        async with receiving(tmp_path / "ward", broker) as hub:
            for kill_at in (1_000, 2_600, 4_400):
                process = started()
                assert process.stdout is not None
                try:
                    while int(await asyncio.to_thread(process.stdout.readline)) < kill_at:
                        pass
                finally:
                    process.kill()
                    process.communicate()
            process = started()
            try:
                await until(lambda: hub.taker.records >= end, "all of it is there")
            finally:
                process.kill()
                process.communicate()
            check_whole(hub, end)

    asyncio.run(run())


def test_a_receiving_hub_that_comes_late_and_again_gets_all_of_it_once(tmp_path: Path, broker: Mosquitto) -> None:
    """It hears of a wearable whose records went to nobody; between two of its lives the broker forgets."""

    async def run() -> None:
        async with sending(tmp_path / "spool", broker) as (sink, line):
            for item in sender.items(0, 1000):
                sink.take(item, None)
            await until(lambda: line.facts()["waiting"] == 0, "the broker has it")
            async with receiving(tmp_path / "ward", broker) as hub:
                for item in sender.items(1000, 1100):
                    sink.take(item, None)
                await until(lambda: hub.taker.records >= 1100, "all of it is there")
            for item in sender.items(1100, 2000):
                sink.take(item, None)
            await until(lambda: line.facts()["waiting"] == 0, "the broker has it")
            broker.kill()
            broker.start()
            async with receiving(tmp_path / "ward", broker) as hub:
                await until(lambda: hub.taker.records >= 900, "the rest is there")
                check_whole(hub, 2000)

    asyncio.run(run())


def test_who_is_not_let_in_is_told_in_a_sentence_and_a_forged_topic_reaches_nobody(
    tmp_path: Path, broker: Mosquitto
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    wrong.chmod(0o600)
    tls: dict[str, Any] = {"tls": True, "ca_file": str(broker.ca)}
    refusals = {
        "ot authori": Mqtt(port=broker.port, user="home", password_file=str(wrong), **tls),
        "uthori": Mqtt(port=broker.port, protocol="3.1.1", **tls),
        "": Mqtt(port=broker.port, user="home", password_file=str(broker.secret)),
        "certificate verify failed": Mqtt(port=broker.port, user="home", password_file=str(broker.secret), tls=True),
    }

    async def run() -> None:
        for said, settings in refusals.items():
            door = Door(settings)
            with pytest.raises((aiomqtt.MqttError, OSError)) as caught:
                async with door.client():
                    pass
            sentence = door.problem(caught.value)
            assert said in sentence and "hub.toml" in sentence and "\n" not in sentence
        async with receiving(tmp_path / "ward", broker) as hub:
            await until(lambda: not hub.taker.problem, "the receiver connects")
            kept = records.Kept(2, 65_000, 1, 1, sender.item(0).data)
            payload = records.pack(records.Second(births.id_of(sender.session()), (0, 0), (kept,)))
            attempts: tuple[tuple[str, Literal["5", "3.1.1"]], ...] = (("home", "5"), ("home", "3.1.1"), ("other", "5"))
            for site, protocol in attempts:
                forger = Mqtt(
                    port=broker.port, user="other", password_file=str(broker.secret), protocol=protocol, **tls
                )
                # A broker of the older version says that it has what it gives to nobody.
                with contextlib.suppress(aiomqtt.MqttError):
                    async with Door(forger).client() as line:
                        await line.publish(Place(site, "SIM-1").up("records"), payload, qos=1)
            await until(lambda: hub.taker.records, "what it may say")
            assert list(hub.keeper.marks()) == [Place("other", "SIM-1")]

    asyncio.run(run())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_last_will_says_that_a_wearable_is_out_of_reach(tmp_path: Path, broker: Mosquitto, protocol: Any) -> None:
    async def run() -> None:
        settings = Mqtt(
            port=broker.port,
            tls=True,
            ca_file=str(broker.ca),
            user="home",
            password_file=str(broker.secret),
            protocol=protocol,
        )
        heard: list[tuple[str, bytes]] = []
        async with aiomqtt.Client(
            "127.0.0.1",
            broker.port,
            username="ward",
            password=SECRET,
            tls_params=aiomqtt.TLSParameters(ca_certs=str(broker.ca)),
            timeout=WAIT_S,
        ) as ward:
            await ward.subscribe("thermo/v1/home/+/up/#", qos=1)

            async def listen() -> None:
                async for message in ward.messages:
                    heard.append((str(message.topic).rpartition("/")[2], bytes(message.payload)))

            def stands(state: bytes) -> bool:
                return [payload for what, payload in heard if what == "status"][-1:] == [state]

            listening = asyncio.create_task(listen())
            sink = SpoolSink(tmp_path / "spool", sender.session(), 7.0, 1 << 30)
            line = Uplink(sender.PLACE, Door(settings), sink, poll_s=0.02)
            task = asyncio.create_task(line.run())
            await until(lambda: stands(b"online"), "it is online")
            line.stand("lost")
            await until(lambda: stands(b"lost"), "it is lost")
            birth = next(payload for what, payload in heard if what == "birth")
            known, session = births.from_bytes(birth, "SIM-1")
            assert known == births.id_of(session) and session.profile == sender.session().profile
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await until(lambda: stands(b"offline"), "it says so itself")
            sink.close()
            # One that is killed says nothing; the broker does.
            words = [
                sys.executable,
                sender.__file__,
                str(tmp_path / "other"),
                str(broker.port),
                str(broker.secret),
                str(broker.ca),
                "0",
            ]
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            try:
                await until(lambda: stands(b"online"), "it is online")
            finally:
                process.kill()
                process.wait(30)
            await until(lambda: stands(b"offline"), "the last will")
            listening.cancel()

    asyncio.run(run())


def test_a_birth_is_read_back_as_it_was_and_damage_is_told(tmp_path: Path) -> None:
    session: Session = sender.session()
    data = births.to_bytes(session)
    assert json.dumps("Informs only")[1:-1].encode() in data
    known, read = births.from_bytes(data, "x")
    assert (read.profile, read.constants, read.hello) == (session.profile, session.constants, session.hello)
    assert known == births.id_of(session)
    for at in range(0, len(data), 97):
        damaged = bytearray(data)
        damaged[at] ^= 1
        with contextlib.suppress(Exception):
            assert births.id_of(births.from_bytes(bytes(damaged), "x")[1]) == births.id_of(session)
