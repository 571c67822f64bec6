"""Key frames that one thread asks for and another one makes."""

import threading

from thermo_core.sensors.mlx90640.counts import CountsEncoder


class KeysWanted:
    """Whether the next subpages are to be key frames, and with which encoder from now on. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = False
        self._encoder: CountsEncoder | None = None

    def ask(self, encoder: CountsEncoder | None = None) -> None:
        """Have key frames made next, by another encoder where one is given."""
        with self._lock:
            self._wanted = True
            if encoder is not None:
                self._encoder = encoder

    def given(self, encoder: CountsEncoder) -> CountsEncoder:
        """The encoder to use now, which begins with key frames where they were asked for; only its thread calls this."""
        with self._lock:
            wanted, replacement = self._wanted, self._encoder
            self._wanted, self._encoder = False, None
        if replacement is not None:
            return replacement
        if wanted:
            encoder.restart()
        return encoder
