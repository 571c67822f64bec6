"""The control socket's name: of wearables that start at once one gets it, a dead one's is free, anything else is kept."""

import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from thermo_core.errors import UsageError
from thermo_sim.control import ControlServer, answers, request


def dead(path: Path) -> None:
    """A socket whose process was killed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))


@pytest.mark.parametrize("attempt", range(20))
def test_of_many_that_start_at_once_one_serves(tmp_path: Path, attempt: int) -> None:
    path = tmp_path / "thermo0.ctl"
    if attempt % 2:
        dead(path)
    together = threading.Barrier(8)

    def start(number: int) -> ControlServer | None:
        server = ControlServer(path, {"who": lambda request: {"number": number}})
        together.wait()
        try:
            server.start()
        except UsageError as error:
            assert "Another simulated wearable" in str(error)
            return None
        return server

    with ThreadPoolExecutor(8) as pool:
        serving = [(number, server) for number, server in enumerate(pool.map(start, range(8))) if server]
    ((number, server),) = serving
    assert request(path, {"cmd": "who"}) == {"number": number}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_that_name_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "thermo0.ctl"
    path.write_text("precious")
    with pytest.raises(UsageError, match="not a socket"):
        ControlServer(path, {}).start()
    assert path.read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["thermo0.ctl"]


def test_a_name_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    with pytest.raises(UsageError, match="shorter"):
        ControlServer(path, {}).start()
    assert not answers(path)
