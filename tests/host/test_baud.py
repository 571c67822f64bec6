"""Baud rates: both ends use the same, the host finds another one, and whoever names one gets that alone."""

import termios
from collections.abc import Iterator

import pytest
import typer
from scripted_peer import ScriptedWearable

from thermo_core.errors import LinkTimeoutError, UsageError
from thermo_core.exit_codes import ExitCode
from thermo_core.recording.session import Session
from thermo_core.wire.baud import BAUD_VARIABLE, BAUDS, DEFAULT_BAUD
from thermo_core.wire.smp import SmpMessage
from thermo_device.application import application as device_application
from thermo_device.port import SerialPort
from thermo_host.application import application, run
from thermo_host.link import wearable as link
from thermo_host.link.transport import SerialLine
from thermo_host.link.wearable import Wearable

RATES = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[:1] == "B" and name[1:].isdigit()}


class Uart(ScriptedWearable):
    """A wearable behind a UART, which hears noise where the host speaks at another rate."""

    baud = DEFAULT_BAUD

    def heard(self, request: SmpMessage) -> None:
        if RATES[termios.tcgetattr(self.master)[5]] == self.baud:
            super().heard(request)


@pytest.fixture
def uart(session: Session) -> Iterator[Uart]:
    made = Uart(session)
    yield made
    made.unplug()


def device_baud() -> int:
    """What `thermo-device run` uses."""
    command = typer.main.get_command(device_application())
    with command.make_context("thermo-device", ["run"]) as context:
        run_command = command.get_command(context, "run")  # type: ignore[attr-defined]
        with run_command.make_context("run", ["--port", "/dev/ttyS0"]) as inner:
            return int(inner.params["baud"])


def test_both_ends_use_the_same_rate_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, uart: Uart) -> None:
    monkeypatch.delenv(BAUD_VARIABLE, raising=False)
    assert device_baud() == DEFAULT_BAUD == BAUDS[0]
    assert SerialPort("/dev/ttyS0")._baud_rate == DEFAULT_BAUD
    line = SerialLine(uart.port)
    assert line.baud == DEFAULT_BAUD
    line.close()
    monkeypatch.setenv(BAUD_VARIABLE, "57600")
    assert device_baud() == 57600


@pytest.mark.parametrize("baud", [BAUDS[0], BAUDS[1], BAUDS[-1]])
def test_the_documented_rates_are_found(uart: Uart, baud: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "TRY_S", 1.0)
    uart.baud = baud
    with Wearable.open(uart.port, timeout_s=1.0) as wearable:
        assert wearable.line.baud == baud
        assert len(wearable.constants(0, "mlx90640").data) == 1664
        wearable.reopen_once()
        assert wearable.line.baud == baud


def test_a_rate_that_is_named_is_the_only_one(uart: Uart) -> None:
    uart.baud = 115_200
    with pytest.raises(LinkTimeoutError, match="Nothing answered"):
        Wearable.open(uart.port, timeout_s=0.1, baud=921_600)
    with Wearable.open(uart.port, timeout_s=10.0, baud=115_200) as wearable:
        assert wearable.hello().name == "thermo-sim"


def test_silence_at_every_rate_is_said(uart: Uart) -> None:
    uart.baud = 300
    with pytest.raises(LinkTimeoutError, match="115200, 921600"):
        Wearable.open(uart.port, timeout_s=0.05)


def test_a_port_that_cannot_run_at_the_usual_rate_is_tried_at_others(
    uart: Uart, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Limited(SerialLine):
        def __init__(self, port: str, baud: int = DEFAULT_BAUD) -> None:
            if baud > 500_000:
                raise UsageError(f"{port} cannot run at {baud} baud; choose another rate with --baud.")
            super().__init__(port, baud)

    monkeypatch.setattr(link, "SerialLine", Limited)
    monkeypatch.setattr(link, "TRY_S", 20.0)
    uart.baud = 115_200
    with Wearable.open(uart.port, timeout_s=20.0) as wearable:
        assert wearable.line.baud == 115_200
    with pytest.raises(UsageError, match="1000000 baud"):
        Wearable.open(uart.port, baud=1_000_000)


def test_an_impossible_rate_is_said(uart: Uart) -> None:
    with pytest.raises(UsageError, match="--baud"):
        SerialLine(uart.port, -5)


def test_the_variable_reaches_every_command_that_opens_a_port(
    uart: Uart, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uart.baud = 230_400
    monkeypatch.setenv(BAUD_VARIABLE, "230400")
    assert run(["info", uart.port, "--timeout", "5"]) == ExitCode.OK
    monkeypatch.setenv(BAUD_VARIABLE, "fast")
    assert run(["info", uart.port]) == ExitCode.USAGE
    capsys.readouterr()
    with_ports = {
        "ports",
        "info",
        "flash",
        "calibrate",
        "stream",
        "record",
        "rate",
        "self-test",
        "reset",
        "alerts",
        "baseline",
        "person",
        "feed",
        "foxglove",
    }
    for command in application().registered_commands:
        run([str(command.name), "--help"])
        shown = capsys.readouterr().out
        assert ("--baud" in shown and BAUD_VARIABLE in shown) == (command.name in with_ports)
