"""Which ports are found and chosen, and that nothing is ever guessed between two."""

import contextlib
import os
import pty
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from thermo_core.errors import AmbiguousPortError, PortNotFoundError
from thermo_host.link import ports

MakeLink = Callable[[str, bool], str]


@pytest.fixture(autouse=True)
def only_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No wearable of the machine that runs the test is seen."""
    monkeypatch.setattr(ports, "link_folders", lambda: [tmp_path])
    monkeypatch.setattr(list_ports, "comports", list)


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[MakeLink]:
    """Makes a link to a pseudo-terminal with a control socket that answers, or one that does not."""
    with contextlib.ExitStack() as stack:

        def make(name: str, alive: bool) -> str:
            master, slave = pty.openpty()
            stack.callback(os.close, master)
            stack.callback(os.close, slave)
            link = tmp_path / name
            link.symlink_to(os.ttyname(slave))
            server = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            server.bind(str(link) + ".ctl")
            if alive:
                server.listen()
            return str(link)

        yield make


def attached(device: str, vendor: int | None) -> ListPortInfo:
    info = ListPortInfo(device)
    info.vid = vendor
    info.description = "CDC"
    return info


def test_the_only_simulated_wearable_is_chosen(simulated: MakeLink) -> None:
    link = simulated("thermo0", True)
    assert [port.path for port in ports.find_ports()] == [link]
    assert ports.choose(None) == link


def test_a_simulator_that_lets_nobody_in_just_now_is_there(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    link = tmp_path / "thermo0"
    link.symlink_to(os.ttyname(slave))
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        server = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        server.bind(f"{link}.ctl")
        server.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        waiting.connect(f"{link}.ctl")
        assert ports.choose(None) == str(link)


def test_nothing_is_guessed_between_two(simulated: MakeLink, monkeypatch: pytest.MonkeyPatch) -> None:
    link = simulated("thermo0", True)
    monkeypatch.setattr(list_ports, "comports", lambda: [attached("/dev/ttyACM0", 0x2E8A)])
    with pytest.raises(AmbiguousPortError, match=f"/dev/ttyACM0, {link}"):
        ports.choose(None)
    assert ports.choose(link) == link


def test_a_uart_of_the_board_is_listed_but_never_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [attached("/dev/ttyAMA0", None)])
    (port,) = ports.find_ports()
    assert (port.kind, port.candidate) == ("uart", False)
    with pytest.raises(PortNotFoundError, match="No wearable is attached"):
        ports.choose(None)


def test_the_link_of_a_dead_simulator_is_no_port(simulated: MakeLink) -> None:
    link = simulated("thermo0", False)
    assert ports.find_ports() == []
    with pytest.raises(PortNotFoundError, match="has ended"):
        ports.choose(link)


def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PortNotFoundError, match="There is no port"):
        ports.choose(str(tmp_path / "none"))


def test_somebody_elses_simulator_is_listed_and_never_chosen(
    simulated: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = simulated("thermo0", True)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    (port,) = ports.find_ports()
    assert (port.path, port.candidate) == (link, False)
    assert port.owner
    assert port.owner in port.description
    with pytest.raises(PortNotFoundError, match="No wearable is attached"):
        ports.choose(None)
    assert ports.choose(link) == link


def test_a_port_known_as_simulated_needs_its_simulator(simulated: MakeLink) -> None:
    link = simulated("thermo0", True)
    ports.check(link, simulated=True)
    Path(f"{link}.ctl").unlink()
    ports.check(link)
    with pytest.raises(PortNotFoundError, match="has ended"):
        ports.check(link, simulated=True)


def test_ordinary_links_and_files_are_no_ports(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "broken").symlink_to(tmp_path / "none")
    assert ports.find_ports() == []
