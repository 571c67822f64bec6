"""Figures of the hub with one simulated patch of 8 pictures/s: start, memory, capture to paint in a browser, and many viewers.

`python bench/hub.py [VIEWERS] [SECONDS]`; 200 viewers for 12 s by default. CPU seconds are of the hub's process alone; viewers are
WebSockets of another process that take everything.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import websockets
from playwright.sync_api import sync_playwright

VIEWERS, SECONDS = 200, 12.0
WATCHED_S = 60.0
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAINTED = re.compile(r"Capture to screen\s*(\d+) ms, 99 % within (\d+) ms")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1000


@contextmanager
def process(*words: str, until: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process and the line that says that it is ready."""
    started = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    try:
        for line in started.stdout:
            if until in line:
                yield started, line
                break
    finally:
        started.terminate()
        started.wait()


def painted(link: str) -> str:
    """What the page itself says of the time from capture to paint, after a while."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1360, "height": 900})
        page.goto(link)
        page.locator("a.tile").first.click()
        time.sleep(WATCHED_S)
        found = PAINTED.search(page.locator("main").inner_text())
        chromium.close()
    return "no picture was painted" if found is None else f"p50 {found[1]} ms, p99 {found[2]} ms"


async def watch(url: str, cookie: str, origin: str, viewers: int, seconds: float) -> tuple[int, int]:
    """Look on with so many viewers; messages and bytes they got."""
    got = [0, 0]

    async def one() -> None:
        async with websockets.connect(
            url, additional_headers={"cookie": cookie}, origin=websockets.Origin(origin), compression=None
        ) as socket:
            await socket.send(json.dumps({"type": "watch"}))
            async for said in socket:
                got[0] += 1
                got[1] += len(said)

    tasks = [asyncio.create_task(one()) for _ in range(viewers)]
    await asyncio.sleep(3.0)  # all are in, and have been told how things stand
    print("ready", flush=True)
    got[:] = [0, 0]
    await asyncio.sleep(seconds)
    found = got[0], got[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


def looked_on(viewers: int, seconds: float, link: str, hub: int) -> str:
    origin, _, _ = link.partition("/enter")
    client = httpx.Client(base_url=origin)
    client.get(link)
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    words = [sys.executable, __file__, "--watch", origin, cookie, str(viewers), str(seconds)]
    watching = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    watching.stdout.readline()
    before, began = cpu_s(hub), time.monotonic()
    said = watching.stdout.readline().split()
    used, lasted = cpu_s(hub) - before, time.monotonic() - began
    watching.wait()
    each = f", {used / max(int(said[0]), 1) * 1e6:.0f} us a message" if viewers else ""
    return f"{used / lasted:.3f} core, {int(said[0]) / lasted:.0f} messages/s{each}, {memory_mb(hub):.0f} MB"


def main() -> None:
    if sys.argv[1:2] == ["--watch"]:
        origin, cookie, count_of, lasting = sys.argv[2:]
        url = f"{origin.replace('http', 'ws', 1)}/api/live"
        print(*asyncio.run(watch(url, cookie, origin, int(count_of), float(lasting))), flush=True)
        return
    viewers = int(sys.argv[1]) if len(sys.argv) > 1 else VIEWERS
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        link = f"{folder}/thermo0"
        simulated = ["thermo_sim.cli", "wearable", "--no-warm-up", "--link", link]
        with process(*simulated, until="ready"):
            state = f"{folder}/hub"
            began = time.monotonic()
            run = ["thermo_hub.cli", "run", link, "--http-port", "0", "--folder", state]
            with process(*run, until="Open") as (hub, line):
                print(
                    f"start to link: {time.monotonic() - began:.2f} s, {cpu_s(hub.pid):.2f} s of CPU, {memory_mb(hub.pid):.0f} MB"
                )
                entry = line.split()[1]
                print(f"capture to paint in Chromium, {WATCHED_S:.0f} s: {painted(entry)}", flush=True)
                for count in (0, viewers):
                    said = subprocess.run(
                        [sys.executable, "-m", "thermo_hub.cli", "link", "--folder", state],
                        capture_output=True,
                        text=True,
                        check=True,
                    ).stdout
                    print(f"{count} viewers: {looked_on(count, seconds, said.split()[1], hub.pid)}", flush=True)


if __name__ == "__main__":
    main()
