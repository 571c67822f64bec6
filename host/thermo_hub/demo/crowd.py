"""The simulated wearables of a demonstration, each a process of `thermo-sim wearable`."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from thermo_core.errors import UsageError
from thermo_core.text import clean
from thermo_core.wearable.library import BUNDLE_NAME, folder
from thermo_host.flash import flash, load
from thermo_host.link.wearable import Wearable

READY_S = 60.0
END_S = 5.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """One of them.

    Attributes:
        wearable: its name in the library.
        seed: of it and its wearer.
        options: what else `thermo-sim wearable` is told.
    """

    wearable: str
    seed: int
    options: tuple[str, ...] = ()


CROWD = (
    Simulated("breast-patch", 11),
    Simulated("clothing", 12, ("--script", "outdoors")),
    Simulated("monitor", 13, ("--script", "workout")),
    Simulated("wrist-stress", 14),
    Simulated("breast-watch", 15),
)


@contextlib.contextmanager
def crowd(links: Path, count: int = len(CROWD)) -> Iterator[list[str]]:
    """Run the first so many as long as the block lasts; their ports.

    Args:
        links: where the links to their ports are made.
        count: how many.

    Raises:
        UsageError: the simulator is not installed, or one of them does not start.
    """
    program = shutil.which("thermo-sim", path=str(Path(sys.executable).parent)) or shutil.which("thermo-sim")
    if program is None:
        raise UsageError("The demo simulates wearables with `thermo-sim`, which is not here; install the extra `sim`.")
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(_running(program, links / f"thermo{at}", CROWD[at])) for at in range(count)]
        until = time.monotonic() + READY_S
        for (link, process), one in zip(started, CROWD, strict=False):
            while not link.exists():
                if process.poll() is not None or time.monotonic() > until:
                    said = clean((links / f"{link.name}.log").read_text(errors="replace").strip()[-500:])
                    raise UsageError(f"The simulated {one.wearable} does not start: {said or 'it says nothing'}")
                time.sleep(0.05)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_flash, [str(link) for link, _ in started], CROWD))
        yield [str(link) for link, _ in started]


def _flash(port: str, one: Simulated) -> None:
    """Give a wearable its networks."""
    with Wearable.open(port) as wearable:
        flash(wearable, load(folder() / one.wearable / BUNDLE_NAME, lambda words: None))


@contextlib.contextmanager
def _running(program: str, link: Path, one: Simulated) -> Iterator[tuple[Path, "subprocess.Popen[bytes]"]]:
    words = ["wearable", "--wearable", one.wearable, "--seed", str(one.seed), "--no-warm-up", "--link", str(link)]
    with Path(f"{link}.log").open("wb") as log:
        process = subprocess.Popen([program, *words, *one.options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield link, process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
