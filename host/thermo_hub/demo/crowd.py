"""The simulated wearables of a demonstration, each a process of `thermo-sim wearable`."""

import contextlib
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from thermo_core.errors import ThermoError, UsageError
from thermo_core.text import clean
from thermo_core.wearable.library import BUNDLE_NAME, folder
from thermo_host.link.wearable import Wearable

PREPARE = (sys.executable, "-m", "thermo_hub.demo.prepare")
LOGGER = logging.getLogger(__name__)
END_S = 5.0
TRIES = 3
"""On a busy machine a wearable may take too long to restart."""
APPEARS = Path(__file__).parent / "appears.toml"
"""A world in which something new is seen."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One of them.

    Attributes:
        wearable: its name in the library.
        seed: of it and its wearer.
        label: what people call it.
        options: what else `thermo-sim wearable` is told.
        calibrated: whether it was calibrated before, at a simulated blackbody in fast time.
    """

    wearable: str
    seed: int
    label: str
    options: tuple[str, ...] = ()
    calibrated: bool = False


CROWD = (
    Simulated("breast-patch", 11, "Anna, left breast", calibrated=True),
    Simulated("clothing", 12, "Ben, jacket", ("--script", "outdoors")),
    Simulated("monitor", 13, "Clara, chest", ("--script", "workout")),
    Simulated("wrist-stress", 14, "David, wrist"),
    Simulated("breast-watch", 15, "Eva, right breast", ("--world", str(APPEARS)), calibrated=True),
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
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        for at, one in enumerate(self._crowd):
            thread = threading.Thread(target=self._live, args=(self._links / f"thermo{at}", one), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * END_S)

    def ports(self) -> list[str]:
        """Ports of those that are ready."""
        return list(self._ready)

    def _live(self, link: Path, one: Simulated) -> None:
        """Prepare one of them, start it, and end it with the block."""
        words = ["--wearable", one.wearable, "--seed", str(one.seed), "--no-warm-up", "--state", f"{link}.state"]
        bundle = folder() / one.wearable / BUNDLE_NAME
        # What is calibrated before its blackbody need not take as long as it would.
        speed, report = ("max", f"{link}.calibration") if one.calibrated else ("1", "")
        job = [*PREPARE, "{port}", str(bundle), report]
        for _ in range(TRIES):
            if self._run(["exec", *words, "--speed", speed, "--", *job], link) or self._ended.is_set():
                break
        else:
            LOGGER.error(
                "One wearable of the demo is not whole: %s", clean(Path(f"{link}.log").read_text(errors="replace"))
            )
        with self._started(["wearable", *words, *one.options, "--link", str(link)], link):
            while not self._ended.is_set():
                if not link.exists():
                    self._ended.wait(0.1)
                    continue
                with contextlib.suppress(ThermoError):
                    with Wearable.open(str(link)) as wearable:
                        serial = wearable.hello().serial
                    self._joined(serial, one)
                    self._ready.append(str(link))
                    self._ended.wait()

    def _run(self, words: list[str], link: Path) -> bool:
        """Run `thermo-sim` to its end; whether the job succeeded."""
        with self._started(words, link) as process:
            while process.poll() is None:
                if self._ended.wait(0.1):
                    return False
        return not process.returncode

    @contextlib.contextmanager
    def _started(self, words: list[str], link: Path) -> Iterator["subprocess.Popen[bytes]"]:
        with Path(f"{link}.log").open("wb") as log:
            process = subprocess.Popen([self._program, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
