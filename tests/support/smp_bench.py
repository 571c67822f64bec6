"""The Python agent's SMP server over what tests/firmware/harness/wire.c pretends to be, so that both give the same answers."""

import numpy as np
from firmware_smp import SENSOR

from thermo_core.graph.alerts import AlertState
from thermo_core.signals import Values
from thermo_core.wearable.person import FIELDS, problem
from thermo_core.wire import events, management
from thermo_core.wire.management import Hello, SensorState, StreamAnswer, StreamRequest
from thermo_core.wire.smp import ReturnCode
from thermo_core.wire.table import GroupError, StreamOp
from thermo_device.smp_server import Application, RequestRefused, SmpServer, group_refusal, os_commands
from thermo_device.wearable_group import wearable_commands

CONSTANTS = bytes(i * 7 % 253 for i in range(1664))
SIGNALS, ALERTS = 4, 1


class Bench:
    """What harness/wire.c does, for the Python server."""

    def __init__(self) -> None:
        self.leased = False
        self.known: dict[str, float] = {}
        self.server: SmpServer

    def hello(self, first: int = 0) -> Hello:
        camera = SensorState(
            kind="mlx90640",
            id=SENSOR,
            constants=7,
            rate_hz=16.0,
            warning=events.FAULTS["constants_changed"].text,
        )
        array = SensorState(
            kind="ads1115-ntc",
            rate_hz=2.0,
            fault="The thermistor ADC does not answer; check its wiring and supply.",
        )
        return Hello(
            name="thermo-edge bench",
            serial="bench-1",
            software="0.1.0",
            platform="test bench",
            profile="breast-patch",
            profile_sha256=bytes(range(255, 223, -1)),
            bundle="1.2.3+4",
            bundle_sha256=bytes(range(32)),
            time_us=1234,
            sensors=(camera, array, SensorState(kind="external", id=OWN_ID, rate_hz=1.0))[first:],
            sensor_count=3,
            simulated=False,
            development_key=True,
            lease_max_ms=10000,
        )

    def stream(self, request: StreamRequest) -> StreamAnswer:
        if request.op is StreamOp.STOP:
            self.leased = False
            return StreamAnswer(lease_ms=0, time_us=1234)
        if request.lease_ms < 100:
            raise RequestRefused("Too short.", ReturnCode.INVALID)
        if request.op is StreamOp.RENEW and not self.leased:
            raise group_refusal(GroupError.NO_LEASE, "None runs.")
        self.leased = True
        return StreamAnswer(lease_ms=min(request.lease_ms, 10000), time_us=1234)

    def _there(self, sensor: int) -> None:
        if sensor > 2:
            raise group_refusal(GroupError.NO_SENSOR, "No such sensor.")

    def constants(self, sensor: int) -> tuple[bytes, int]:
        self._there(sensor)
        return (b"", 0) if sensor else (CONSTANTS, 7)

    def correction(self, sensor: int, slot: int) -> bytes:
        self._there(sensor)
        return b""

    def write_correction(self, sensor: int, data: bytes) -> None:
        raise AssertionError("tests of their own write corrections")

    def roll_back_correction(self, sensor: int) -> None:
        self._there(sensor)
        raise group_refusal(GroupError.NO_CORRECTION, "There is none.")

    def self_test(self, part: int | None = None) -> management.SelfTest:
        if part is not None and part > 3:
            raise group_refusal(GroupError.NO_SENSOR, "No such part.")
        results = (
            ("skin: EEPROM", True, "Two reads agree."),
            ("skin: supply", False, "2.90 V; 3 to 3.6 is in order."),
            (
                "skin: constants",
                False,
                events.FAULTS["constants_changed"].text
                + " Restore the EEPROM or replace the sensor, or calibrate it, which holds it to a reference as it is.",
            ),
        )
        return management.SelfTest(
            results=tuple(
                management.SelfTestResult(name=name, passed=passed, detail=detail)
                for name, passed, detail in results
                if not part
            )
        )

    def counts(self) -> management.Counters:
        return management.Counters(counters={"telemetry_dropped": 0})

    def set_rate(self, sensor: int, rate_hz: float) -> float:
        self._there(sensor)
        if sensor or not 0.5 <= rate_hz <= 64:
            raise group_refusal(GroupError.BAD_RATE, "No such rate.")
        return 16.0

    def profile_bytes(self) -> bytes:
        return bytes(i % 251 for i in range(2500))

    def refusal(self) -> management.Refusal:
        return self.server.refusal

    def send_signals(self, wanted: tuple[int, ...]) -> None:
        if any(number >= SIGNALS for number in wanted):
            raise group_refusal(GroupError.NO_SUCH, "No such signal.")
        if wanted and not self.leased:
            raise group_refusal(GroupError.NO_LEASE, "No stream runs.")

    def feed(self, sensor: int, values: Values) -> None:
        self._there(sensor)
        if sensor != 2:
            raise group_refusal(GroupError.NO_SENSOR, "It is a chip.")
        if not self.leased:
            raise group_refusal(GroupError.NO_LEASE, "No stream runs.")
        if values.size != 2:
            raise group_refusal(GroupError.IMPLAUSIBLE, "It has two numbers.")

    def person(self) -> dict[str, float]:
        return self.known

    def set_person(self, told: dict[str, float]) -> dict[str, float]:
        for name, value in told.items():
            if problem(name, value):
                raise group_refusal(GroupError.IMPLAUSIBLE if name in FIELDS else GroupError.NO_SUCH, "Not so.")
        self.known |= {name: float(np.float32(value)) for name, value in told.items()}
        return self.known

    def alerts(self) -> management.Alerts:
        return management.Alerts(alerts=(management.AlertState(state=int(AlertState.CLEAR), time_us=0),))

    def acknowledge(self, alert: int) -> management.Alerts:
        if alert >= ALERTS:
            raise group_refusal(GroupError.NO_SUCH, "No such alert.")
        return self.alerts()

    def kept(self, first: int, room: int) -> management.Kept:
        return management.Kept(bundle=0x03020100, first=0, end=0, data=b"")

    def baselines(self) -> management.Baselines:
        return management.Baselines(stages=())

    def forget(self, signal: int | None) -> management.Baselines:
        if signal is not None:
            raise group_refusal(GroupError.NO_SUCH, f"Signal {signal} is of no stage that learns.")
        return self.baselines()

    def learned(self, first: bool) -> bytes:
        return b""


def own_id(serial: bytes, number: int) -> bytes:
    """Identity of a chip that has none of its own: FNV-1a of the board's serial number, and of the sensor's number."""
    known = 0xCBF29CE484222325
    for byte in (*serial, number):
        known = (known ^ byte) * 0x100000001B3 % 2**64
    return known.to_bytes(8, "big")


OWN_ID = own_id(b"bench-1", 2)


def python_server() -> SmpServer:
    """The Python agent's server on the bench."""
    bench = Bench()
    application = Application("patch-7", "0.1.0", "test bench", "breast-patch")
    commands = {**os_commands(lambda: application, lambda: None), **wearable_commands(bench, lambda: bench)}
    bench.server = SmpServer(commands, lambda: 1234)
    return bench.server
