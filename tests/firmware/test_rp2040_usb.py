"""The RP2040's USB: a serial port, as a host finds it, opens it, and speaks SMP over it."""

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from rp2040_bench import SEED, Bench, Probe
from rp2040py.usb.cdc import USBCDC
from usb_host import (
    CLASS,
    CONFIGURATION,
    DEVICE,
    GET_LINE_CODING,
    GET_STATUS,
    INTERFACE,
    PACKET,
    SET_CONFIGURATION,
    SET_LINE_CODING,
    STANDARD,
    Endpoint,
    StalledError,
    UsbHost,
)
from virtual_host import Host, Line

BULK, INTERRUPT = 2, 3


@pytest.fixture
def image(rp2040: Callable[..., bytes]) -> bytes:
    return rp2040()


@pytest.fixture
def wearable(rp2040: Callable[..., bytes]) -> bytes:
    return rp2040(application=None)


@pytest.fixture
def bench(image: bytes) -> Bench:
    return Bench(image)


@pytest.fixture
def host(bench: Bench) -> UsbHost:
    host = UsbHost(bench)
    bench.pass_us(100_000)
    host.plug()
    return host


def port(host: UsbHost) -> Line:
    host.configure()
    return host.open_port(2, 2)


def test_it_says_who_it_is(host: UsbHost) -> None:
    device = host.descriptor(DEVICE, length=18)
    size, kind, usb, *_, packet, vendor, product, _, maker, name, serial, configurations = struct.unpack(
        "<BBHBBBBHHHBBBB", device
    )
    assert (size, kind, usb, packet, configurations) == (18, DEVICE, 0x200, PACKET, 1)
    assert (vendor, product) == (0x1209, 0x0001)
    assert [host.text(index) for index in (maker, name, serial)] == [
        "thermo-edge",
        "thermo-edge wearable",
        f"SIM-{SEED:08d}",
    ]
    assert host.descriptor(DEVICE, length=8) == device[:8]


def test_its_configuration_is_a_serial_port(host: UsbHost) -> None:
    endpoints = host.configure()
    assert endpoints == [Endpoint(0x81, INTERRUPT, 16), Endpoint(0x02, BULK, PACKET), Endpoint(0x82, BULK, PACKET)]
    data = host.descriptor(CONFIGURATION)
    interfaces, at = [], 0
    while at < len(data):
        if data[at + 1] == 4:
            interfaces.append((data[at + 2], data[at + 4], data[at + 5]))
        at += data[at]
    assert at == len(data) and interfaces == [(0, 1, 2), (1, 2, 10)]  # CDC control with one endpoint, data with two


@pytest.mark.parametrize(
    "request_of",
    [
        lambda host: host.descriptor(6),  # a qualifier, which a device of one speed has not
        lambda host: host.text(9),
        lambda host: host.control_out(STANDARD, SET_CONFIGURATION, 2, 0),
        lambda host: host.control_out(CLASS | INTERFACE, SET_LINE_CODING, 0, 0, b"12"),
        lambda host: host.control_in(0x40, 1, 0, 0, 4),  # of a vendor
        lambda host: host.control_out(STANDARD, 77, 0, 0),
    ],
)
def test_what_it_does_not_know_it_refuses_and_goes_on(host: UsbHost, request_of: Callable[[UsbHost], object]) -> None:
    host.configure()
    with pytest.raises(StalledError):
        request_of(host)
    assert host.control_in(STANDARD, GET_STATUS, 0, 0, 2) == bytes(2)


def test_a_port_that_is_opened_is_the_boards_line(bench: Bench, host: UsbHost) -> None:
    over_uart = Probe(bench)
    assert over_uart.ask("echo before") == "before"
    line = port(host)
    coding = host.control_in(CLASS | INTERFACE, GET_LINE_CODING, 0, 0, 7)
    assert struct.unpack("<IBBB", coding) == (1_000_000, 0, 0, 8)
    over_usb = Probe(bench, line)
    rng = np.random.default_rng(5)
    for size in (1, 2, 57, 58, 59, 121, 900, 1000):
        text = "".join(map(chr, rng.integers(0x21, 0x7F, size)))
        assert over_usb.ask(f"echo {text}") == text
    assert over_usb.ask("fill 200") == "x" * 64 * 200 + "filled"
    assert bench.uart.take() == b""
    host.close_port()
    assert over_uart.ask("echo after") == "after"


def test_a_host_that_sends_more_than_there_is_room_for_has_to_wait(bench: Bench, host: UsbHost) -> None:
    line = port(host)
    probe = Probe(bench, line)
    line.send(b"sleep 50\n" + b"echo 0123456789\n" * 200)
    bench.pass_us(20_000)
    assert host.pending(2) > 0
    assert probe.answer().split()
    assert [probe.answer() for _ in range(200)] == ["0123456789"] * 200


def test_a_reset_of_the_bus_and_another_host_begin_anew(bench: Bench, host: UsbHost) -> None:
    assert Probe(bench, port(host)).ask("echo one") == "one"
    host.plug()
    assert Probe(bench).ask("echo none") == "none"
    assert Probe(bench, port(host)).ask("echo two") == "two"


def test_a_board_that_was_reset_is_found_again(bench: Bench, host: UsbHost) -> None:
    probe = Probe(bench, port(host))
    probe.send(b"reset\n")
    probe.restarted()
    bench.pass_us(100_000)
    host.plug()
    assert Probe(bench, port(host)).ask("cause") == "1"


class Foreign:
    """rp2040py's own model of a host, which answers whatever it is asked for with what it has, be it nothing."""

    def __init__(self, bench: Bench) -> None:
        self._said = bytearray()
        self.host = USBCDC(bench.machine.chip.usb_ctrl)
        self.connected = False
        self.host.on_serial_data = self._said.extend
        self.host.on_device_connected = self._connect

    def _connect(self) -> None:
        self.connected = True

    def send(self, data: bytes) -> None:
        for byte in data:
            self.host.send_serial_byte(byte)

    def take(self) -> bytes:
        said = bytes(self._said)
        self._said.clear()
        return said


@pytest.fixture
def foreign(wearable: bytes) -> Iterator[tuple[Bench, Foreign]]:
    bench = Bench(wearable)
    found = Foreign(bench)
    assert bench.machine.run_until(lambda: found.connected, 1_000_000)
    yield bench, found


def test_smp_goes_over_it_with_the_emulators_own_host(foreign: tuple[Bench, Foreign]) -> None:
    bench, found = foreign
    host = Host(bench, Line(found.send, found.take))
    for text in ("", "hello", "ä€𝄞", "x" * 200):
        assert host.echo(text) == text


def test_smp_goes_over_it_with_a_host_by_the_books(wearable: bytes) -> None:
    bench = Bench(wearable)
    usb = UsbHost(bench)
    bench.pass_us(100_000)
    usb.plug()
    host = Host(bench, port(usb))
    for text in ("", "hello", "ä€𝄞", "x" * 200):
        assert host.echo(text) == text
