"""Figures of records over a broker: what each part takes for a record, into each kind of store.

`python bench/ingest.py [CLIENTS] [SECONDS]`; 500 wearables by 40 seconds of 16 records by default, `10000 4` for ten thousand connections.

Wearables are simulated by processes that send one message a second's worth of records (221 bytes of data each) at QoS 1, as fast as the
broker takes them, each over a connection of its own. CPU seconds are of processes: of mosquitto, of the hub that receives (unpacking,
dropping repeats, keeping, confirming; nothing is shown on the wall), and of PostgreSQL.
"""

import asyncio
import multiprocessing
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiomqtt

from thermo_hub.broker.records import Kept, Second, pack
from thermo_hub.broker.settings import Ingest
from thermo_hub.broker.topics import RECORDS, Place
from thermo_hub.bus import Bus
from thermo_hub.hub import Hub
from thermo_hub.ingest.keeper import Keep, Keeper
from thermo_hub.ingest.part import Taker
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store
from thermo_hub.wearables.bundles import Bundles
from thermo_hub.wearables.registry import Wearables

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from brokers import SECRET, Mosquitto
from postgres import postgres

CLIENTS, SECONDS, RATE, BYTES = 500, 40, 16, 221
SENDERS = 4
KEPT_IN: dict[str, Keep] = {"nowhere": "nowhere", "files": "files", "sqlite": "database", "postgresql": "database"}
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
START_NS = 1_700_000_000_000_000_000


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000


def tree(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def message(second: int) -> bytes:
    """A second of a wearable."""
    records = []
    for number in range(RATE):
        sequence = second * RATE + number
        time_us = 1_000_000 + sequence * 1_000_000 // RATE
        data = bytes((2, 1)) + (sequence % 65_536).to_bytes(2, "little") + time_us.to_bytes(8, "little")
        data += bytes((sequence * 7 + at) % 256 for at in range(BYTES - len(data)))
        at_ns = START_NS + time_us * 1000
        records.append(Kept(2, sequence, at_ns + 20_000_000, at_ns, data))
    before = (2, second * RATE - 1) if second else (0, 0)
    return pack(Second(bytes(8), before, tuple(records)))


def send(port: int, numbers: range, seconds: int) -> None:
    """Be some wearables: all connect, then all send."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    messages = [message(second) for second in range(seconds)]

    async def run() -> None:
        gate = asyncio.Semaphore(50)
        clients = []
        for number in numbers:
            clients.append(
                aiomqtt.Client(
                    "127.0.0.1", port, username="home", password=SECRET, identifier=f"w{number}", timeout=600
                )
            )

        async def enter(client: aiomqtt.Client) -> None:
            async with gate:
                await client.__aenter__()

        await asyncio.gather(*(enter(client) for client in clients))
        for data in messages:
            await asyncio.gather(
                *(
                    client.publish(Place("home", f"w{number}").up(RECORDS), data, qos=1)
                    for number, client in zip(numbers, clients, strict=True)
                )
            )
        for client in clients:
            await client.__aexit__(None, None, None)

    asyncio.run(run())


@contextmanager
def wearables(port: int, clients: int, seconds: int) -> Iterator[None]:
    """All of them, in a few processes."""
    each = -(-clients // SENDERS)
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=send, args=(port, range(first, min(first + each, clients)), seconds))
        for first in range(0, clients, each)
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.join()


async def take(settings: Settings, port: int, clients: int, seconds: int, broker: int, database: list[int]) -> None:
    """Receive all of it and print what it took."""
    assert settings.ingest is not None
    store = open_store(settings)
    bus = Bus(asyncio.get_running_loop())
    hub = Hub(settings, bus, store, Wearables(store, bus, lambda: ()), Door(store), Bundles(settings.bundles))
    keeper = Keeper(store, settings.place / "ingest", settings.ingest.keep, 7.0)
    taker = Taker(hub, settings.ingest, keeper)
    task = asyncio.create_task(taker.run())
    while taker.problem:
        await asyncio.sleep(0.05)
    pids = {"hub": [os.getpid()], "mosquitto": [broker], "postgresql": database}
    before = {name: sum(map(cpu_s, found)) for name, found in pids.items()}
    began = time.monotonic()
    wanted = clients * seconds * RATE

    def all_of_it() -> None:
        with wearables(port, clients, seconds):
            while taker.records < wanted:
                time.sleep(0.1)

    await asyncio.to_thread(all_of_it)
    wall_s = time.monotonic() - began
    if database:
        pids["postgresql"] = tree(database[0])
    spent = {name: sum(map(cpu_s, found)) - before[name] for name, found in pids.items()}
    parts = ", ".join(
        f"{name} {cpu:.2f} s ({taker.records / cpu:,.0f} records a CPU second)" for name, cpu in spent.items() if cpu
    )
    together = taker.records / sum(spent.values())
    print(
        f"  {taker.records:,} of {wanted:,} records, {taker.repeats} repeats, {wall_s:.0f} s: {parts}; all {together:,.0f}"
    )
    print(f"  memory: hub {memory_mb(os.getpid()):.0f} MB, mosquitto {memory_mb(broker):.0f} MB")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    store.close()


def run_one(sink: str, folder: Path, clients: int, seconds: int) -> None:
    """One kind of store, in a process of its own."""
    with ExitStack() as stack:
        broker = Mosquitto(folder / "mosquitto")
        broker.start()
        stack.callback(broker.kill)
        assert broker.process is not None
        url, database = "", []
        if sink == "postgresql":
            server = stack.enter_context(postgres())
            url = server.new()
            pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
            database = [pid]
        keep = KEPT_IN[sink]
        settings = Settings(
            folder=str(folder / "hub"),
            database=url,
            ingest=Ingest(port=broker.port, user="ward", password_file=str(broker.secret), keep=keep, shown=0),
        )
        asyncio.run(take(settings, broker.port, clients, seconds, broker.process.pid, database))


def main() -> None:
    clients, seconds = (int(word) for word in (sys.argv[1:3] or (CLIENTS, SECONDS)))
    sinks = sys.argv[3:] or list(KEPT_IN)
    context = multiprocessing.get_context("spawn")
    for sink in sinks:
        print(f"{clients} wearables, {seconds} messages of {RATE} records each, kept in {sink}:", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            process = context.Process(target=run_one, args=(sink, Path(folder), clients, seconds))
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(f"{sink} failed")


if __name__ == "__main__":
    main()
