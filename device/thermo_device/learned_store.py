"""What was learned of the wearer, kept over restarts as one file.

Written ten minutes after a start, then every hour, and at once before a restart and where a person has it forgotten, each time only where
it differs from what is there: a power cut costs at most that time of learning, and 24 writes a day wear nothing out.
`device/firmware/core/learned.c` keeps it by the same rules.
"""

import logging
import threading
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError
from thermo_core.graph.learned import OVERHEAD
from thermo_core.wire.table import LIMITS
from thermo_device.files import DISK, Files, read_bounded, write_atomic

log = logging.getLogger(__name__)

EVERY_US = 3_600_000_000
"""Between two writes that nobody waits for."""
FIRST_US = 600_000_000
"""From a start to the first of them."""
LARGEST = 2 * int(LIMITS["learned"].high) + OVERHEAD


class LearnedStore:
    """Any thread may use it.

    Args:
        directory: where `learned.bin` lies.
        files: file system.

    Attributes:
        problem: why what is learned is not on the medium, or what was there is lost, a sentence; "" where all is well.
    """

    def __init__(self, directory: Path, files: Files = DISK) -> None:
        self._path = directory / "learned.bin"
        self._files = files
        self._kept = b""
        self._due_us = 0
        self._lock = threading.Lock()
        self.problem = ""

    def open(self, now_us: int) -> bytes:
        """What was kept, as `Learners.save` gave it; b"" where there is none.

        Args:
            now_us: device clock.
        """
        with self._lock:
            self._due_us = now_us + FIRST_US
            try:
                self._kept = read_bounded(self._files, self._path, LARGEST) or b""
            except (DamagedFileError, StorageError) as error:
                self._kept = b""
                self._tell(f"What was learned of the wearer is lost, and is learned anew. {error}")
            return self._kept

    def is_due(self, now_us: int) -> bool:
        """Whether it is time to write."""
        return now_us >= self._due_us

    def keep(self, learned: bytes, now_us: int) -> None:
        """Write what is known; `problem` says why it could not be written.

        Args:
            learned: as `Learners.save` gives it; b"" where no stage learns, and then what is there stays.
            now_us: device clock.
        """
        with self._lock:
            self._due_us = now_us + EVERY_US
            if not learned or (learned == self._kept and not self.problem):
                return
            try:
                write_atomic(self._files, self._path, learned)
            except StorageError as error:
                self._tell(f"What is learned of the wearer cannot be kept. {error}")
                return
            self._kept, self.problem = learned, ""

    def _tell(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self.problem = sentence
