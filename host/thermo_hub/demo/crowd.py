"""The simulated wearables of a demonstration, each a process of `thermo-sim wearable`."""

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from thermo_core.errors import ThermoError, UsageError
from thermo_core.wearable.library import BUNDLE_NAME, folder
from thermo_host.flash import flash, load
from thermo_host.link.wearable import Wearable

LOGGER = logging.getLogger(__name__)
END_S = 5.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """One of them.

    Attributes:
        wearable: its name in the library.
        seed: of it and its wearer.
        label: what people call it.
        options: what else `thermo-sim wearable` is told.
    """

    wearable: str
    seed: int
    label: str
    options: tuple[str, ...] = ()


CROWD = (
    Simulated("breast-patch", 11, "Anna, left breast"),
    Simulated("clothing", 12, "Ben, jacket", ("--script", "outdoors")),
    Simulated("monitor", 13, "Clara, chest", ("--script", "workout")),
    Simulated("wrist-stress", 14, "David, wrist"),
    Simulated("breast-watch", 15, "Eva, right breast"),
)


class Crowd:
    """Runs the first so many as long as the `with` block lasts; each is there once it has its networks.

    Args:
        links: folder in which the links to their ports are made.
        count: how many.
        joined: told the serial number of each that is ready, and whose it is, before anybody else hears of it.

    Raises:
        UsageError: the simulator is not installed.
    """

    def __init__(self, links: Path, count: int, joined: Callable[[str, Simulated], None]) -> None:
        program = shutil.which("thermo-sim", path=str(Path(sys.executable).parent)) or shutil.which("thermo-sim")
        if program is None:
            raise UsageError(
                "The demo simulates wearables with `thermo-sim`, which is not here; install the extra `sim`."
            )
        self._program = program
        self._links = links
        self._crowd = CROWD[:count]
        self._joined = joined
        self._ready: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        for at, one in enumerate(self._crowd):
            link = self._links / f"thermo{at}"
            words = [
                "wearable",
                "--wearable",
                one.wearable,
                "--seed",
                str(one.seed),
                "--no-warm-up",
                "--link",
                str(link),
            ]
            with Path(f"{link}.log").open("wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        [self._program, *words, *one.options], stdout=log, stderr=log, stdin=subprocess.DEVNULL
                    )
                )
            thread = threading.Thread(target=self._prepare, args=(link, one), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for thread in self._threads:
            thread.join(END_S)

    def ports(self) -> list[str]:
        """Ports of those that are ready."""
        return list(self._ready)

    def _prepare(self, link: Path, one: Simulated) -> None:
        """Wait until one of them answers, and give it its networks."""
        while not self._ended.wait(0.1):
            if not link.exists():
                continue
            try:
                with Wearable.open(str(link)) as wearable:
                    flash(wearable, load(folder() / one.wearable / BUNDLE_NAME, lambda words: None))
                    serial = wearable.hello().serial
            except ThermoError as error:
                # One that is not ready yet is asked again.
                LOGGER.info("%s: %s", one.wearable, error)
                self._ended.wait(1.0)
                continue
            self._joined(serial, one)
            self._ready.append(str(link))
            return
