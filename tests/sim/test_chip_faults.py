"""Every fault that users of these chips report, switched on: what a chip then says, and that no fault becomes a temperature."""

import errno
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from chip_bus import MAKE, bus_of, read, wait, write
from chip_polls import PERIOD_S, POLL, START
from sensor_bytes import ADDRESS, push, reader

from thermo_core.errors import SensorError, UsageError
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Moment, Reader
from thermo_sim.faults import Fault, FaultKind, parse_faults

TRUTH = {"mlx90632": 34.0, "mlx90614": 34.0, "sht4x": 24.0, "tmp117": 34.0}
THERMOMETERS = sorted(TRUTH)
ALL = sorted(MAKE)
FIFOS = ["lis3dh", "max3010x"]


@dataclass
class Wearer:
    """One chip on a body, polled at its period."""

    kind: str
    chip: Any = field(init=False)
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.address = ADDRESS[self.kind]
        self.chip = MAKE[self.kind](self.address, 1)
        self.bus = bus_of(self.chip)
        options: dict[str, object] = {"emissivity": 1.0} if self.kind == "mlx90614" else {}
        self.reader = reader(self.kind, constants=getattr(self.chip, "constants", None), **options)
        wait(self.bus, 0.02)
        self.start()
        wait(self.bus, 3)
        if self.kind in FIFOS:
            POLL[self.kind](self.bus, self.address)  # what a minute's rest has left there

    def start(self) -> None:
        if self.kind in START:
            START[self.kind](self.bus, self.address)

    def poll(self) -> list[Moment]:
        wait(self.bus, PERIOD_S[self.kind])
        data = POLL[self.kind](self.bus, self.address)
        return push(self.reader, data, self.bus.clock.now_us()) if data else []

    def celsius(self) -> float:
        return float(self.poll()[0]["s"].values)


@pytest.fixture
def wearer(request: pytest.FixtureRequest) -> Wearer:
    return Wearer(request.param)


def of(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wearer", kinds, indirect=True)


@of(*ALL)
def test_without_faults_every_reading_is_sound(wearer: Wearer) -> None:
    for _ in range(4):
        moments = wearer.poll()
        assert moments
        for moment in moments:
            assert moment["s"].flags & ~Quality.UNCALIBRATED == 0
            assert np.isfinite(moment["s"].values).all()
    if wearer.kind in TRUTH:
        assert wearer.celsius() == pytest.approx(TRUTH[wearer.kind], abs=0.3)


@of(*ALL)
def test_no_acknowledgement_for_n_reads(wearer: Wearer) -> None:
    wearer.bus.add_faults("nackx3")
    failed = 0
    for _ in range(8):
        try:
            wearer.poll()
        except OSError as error:
            assert error.errno == errno.EREMOTEIO
            failed += 1
    assert 1 <= failed <= 3
    assert wearer.poll()


@of(*ALL)
@pytest.mark.parametrize("fault", ["ones", "zeros"])
def test_a_dead_bus_is_never_a_reading(wearer: Wearer, fault: str) -> None:
    """0xFFFF of an MLX90614 is 1037.55 degC to those who look at neither error bit nor packet error code."""
    wearer.bus.add_faults(f"{fault}x20")
    for _ in range(3):
        try:
            moments = wearer.poll()
        except SensorError:
            continue
        for moment in moments:
            assert moment["s"].flags & (Quality.IMPLAUSIBLE | Quality.MISSING | Quality.STALE | Quality.OFF_SKIN)
            assert wearer.kind == "max3010x" or np.isnan(moment["s"].values).all()


@of(*ALL)
@pytest.mark.parametrize("fault", ["ones", "zeros"])
def test_nor_where_it_dies_between_the_status_and_the_data(wearer: Wearer, fault: str) -> None:
    status_reads = {"mlx90632": 1, "mlx90614": 0, "max3010x": 2, "lis3dh": 1, "sht4x": 1, "tmp117": 1}[wearer.kind]
    wearer.bus.add_faults(f"{fault}@+{status_reads}")
    try:
        moments = wearer.poll()
    except SensorError:
        return
    doubt = Quality.IMPLAUSIBLE | Quality.MISSING | Quality.STALE | Quality.OFF_SKIN
    if wearer.kind == "tmp117":
        # Neither its result nor any check tells 0xFFFF and 0x0000 from -0.0078 and 0 degC.
        assert abs(float(moments[0]["s"].values)) < 0.01
    else:
        assert all(moment["s"].flags & doubt for moment in moments)


@of("mlx90614", "sht4x")
def test_a_check_byte_that_is_wrong_by_one_bit(wearer: Wearer) -> None:
    wearer.bus.add_faults("checksum")
    with pytest.raises(SensorError, match=r"check byte|packet error code"):
        wearer.poll()
    assert wearer.celsius() == pytest.approx(TRUTH[wearer.kind], abs=0.3)


@of(*ALL)
def test_a_frozen_value_is_said_to_be_stale(wearer: Wearer) -> None:
    wearer.bus.add_faults("freeze")
    flags = [moment["s"].flags for _ in range(700) for moment in wearer.poll()]
    assert flags[-1] & Quality.STALE
    assert not flags[0] & Quality.STALE


@of(*ALL)
def test_a_frozen_value_thaws(wearer: Wearer) -> None:
    wearer.bus.add_faults("freeze+3s")
    wearer.poll()
    seen = {moment["s"].values.tobytes() for _ in range(2) for moment in wearer.poll()[1:]}
    assert len(seen) <= 1 or wearer.kind not in FIFOS
    for _ in range(40):
        moments = wearer.poll()
    assert not moments[-1]["s"].flags & Quality.STALE


@of(*ALL)
def test_a_dip_of_the_supply_puts_registers_back_and_is_seen(wearer: Wearer) -> None:
    changed = {
        "mlx90632": (b"\x3f\xff", 2, 0x0100),  # status, brown-out
        "max3010x": (b"\x00", 1, 0x01),  # interrupts, power ready
        "lis3dh": (b"\x20", 1, 0),  # rate, off
        "tmp117": (b"\x02", 2, 0),  # high limit
    }
    if wearer.kind == "tmp117":
        write(wearer.bus, wearer.address, 2, 0x11, 0x00)
    before = {}
    if wearer.kind in changed:
        register, size, _ = changed[wearer.kind]
        before = {register: read(wearer.bus, wearer.address, size, register)}
    wearer.bus.add_faults("brownout")
    try:
        write(wearer.bus, wearer.address)
    except OSError as error:
        assert error.errno == errno.EREMOTEIO  # it starts up
    wait(wearer.bus, 0.02)
    for register, value in before.items():
        _, size, flag = changed[wearer.kind]
        after = read(wearer.bus, wearer.address, size, register)
        assert after != value
        assert not flag or int.from_bytes(after, "big") & flag
    if wearer.kind == "mlx90614":
        (moment,) = push(wearer.reader, POLL["mlx90614"](wearer.bus, wearer.address))
        assert moment["s"].flags & Quality.IMPLAUSIBLE  # nothing is measured yet
    wearer.start()
    wait(wearer.bus, 3)
    assert wearer.poll()


@of(*FIFOS)
def test_an_overflowing_fifo_says_what_is_lost(wearer: Wearer) -> None:
    wearer.bus.add_faults("overflow")
    moments = wearer.poll()
    assert moments[0]["s"].fresh
    assert not any(moment["s"].fresh for moment in moments[1:])
    assert len(moments) == 32
    assert not any(moment["s"].fresh for moment in wearer.poll())


def test_a_torn_sample_of_the_pulse_sensor_has_bytes_of_two() -> None:
    found = []
    for fault in ("", "torn"):
        wearer = Wearer("max3010x")
        wearer.chip._waves = lambda times_s: np.where(np.floor(25 * times_s) % 2, 200.0, 100.0)[:, None] * [[1, 1, 1]]
        wearer.poll()
        wearer.bus.add_faults(fault)
        found.append([float(moment["s"].values[0]) for moment in wearer.poll()[:-1]])
    whole, torn = found
    assert len(set(np.round(torn, -2)) - set(np.round(whole, -2))) >= 1


def test_a_torn_sample_of_the_accelerometer_has_bytes_of_two() -> None:
    found = []
    for fault in ("", "torn"):
        wearer = Wearer("lis3dh")
        wearer.chip._acceleration = lambda times_s: (
            np.where(np.floor(25 * times_s) % 2, 1.0, -1.0)[:, None] * [[1, 1, 1]]
        )
        wearer.poll()
        wearer.bus.add_faults(fault)
        found.append(np.round([moment["s"].values for moment in wearer.poll()], 1))
    whole, torn = found
    assert len(whole) == len(torn)
    assert (np.ptp(whole, axis=1) <= 0.2).all()
    assert (np.ptp(torn, axis=1) > 0.2).sum() == 1


def test_a_torn_reading_of_the_mlx90632_has_the_ambient_of_the_measurement_before() -> None:
    found = []
    for fault in ("", "torn"):
        wearer = Wearer("mlx90632")
        wearer.chip._ambient = lambda time_s: 20.0 + 2 * time_s
        wearer.poll()
        wearer.bus.add_faults(fault)
        write(wearer.bus, wearer.address)
        found.append([float(wearer.poll()[0]["s.ta"].values) for _ in range(4)])
    whole, torn = found
    assert max(np.subtract(whole, torn)[:2]) > 1
    assert whole[-1] == pytest.approx(torn[-1], abs=0.1)


@of("max3010x", "lis3dh", "tmp117")
def test_an_interrupt_line_that_never_comes_back(wearer: Wearer) -> None:
    now = wearer.bus.clock.now_us
    enable = {"max3010x": (0x02, 0x80), "lis3dh": (0x22, 0x04), "tmp117": (0x03, 0x00, 0x00)}[wearer.kind]
    write(wearer.bus, wearer.address, *enable)
    POLL[wearer.kind](wearer.bus, wearer.address)
    read(wearer.bus, wearer.address, 2, [0 if wearer.kind == "max3010x" else 1])
    assert not wearer.chip.interrupt(now())
    wearer.bus.add_faults("interrupt+2s")
    write(wearer.bus, wearer.address)
    for _ in range(2):
        POLL[wearer.kind](wearer.bus, wearer.address)
        assert wearer.chip.interrupt(now())
    wait(wearer.bus, 2)
    POLL[wearer.kind](wearer.bus, wearer.address)
    assert not wearer.chip.interrupt(now())


@of(*THERMOMETERS)
def test_a_node_that_drifts(wearer: Wearer) -> None:
    wearer.bus.add_faults("drift:by=1.5")
    wearer.poll()
    wait(wearer.bus, 3600)
    assert wearer.celsius() == pytest.approx(TRUTH[wearer.kind] + 1.5, abs=0.3)


@of("mlx90632", "mlx90614", "tmp117")
def test_contact_that_is_lost_falls_to_air_with_the_fabrics_time_constant(wearer: Wearer) -> None:
    start_us = wearer.bus.clock.now_us()
    wearer.bus.add_faults("contact+120s:tau=20")
    wearer.poll()
    for elapsed_s in (20, 40, 110):
        wearer.bus.clock.sleep_until_us(start_us + elapsed_s * 1_000_000)
        seen = wearer.celsius()
        since_s = (wearer.bus.clock.now_us() - start_us) / 1e6
        assert seen == pytest.approx(24.0 + 10 * math.exp(-since_s / 20), abs=0.6)
    wait(wearer.bus, 200)
    assert wearer.celsius() == pytest.approx(34.0, abs=0.3)


def test_contact_that_is_lost_leaves_the_pulse_sensor_off_the_skin() -> None:
    wearer = Wearer("max3010x")
    wearer.bus.add_faults("contact+10s")
    wearer.poll()
    flags = [moment["s"].flags for moment in wearer.poll()]
    assert all(flag & Quality.OFF_SKIN for flag in flags)
    wait(wearer.bus, 12)
    wearer.poll()
    assert not any(moment["s"].flags & Quality.OFF_SKIN for moment in wearer.poll())


def test_air_that_turns_cold_as_a_jacket_is_opened() -> None:
    wearer = Wearer("sht4x")
    wearer.bus.add_faults("ambient+600s:by=-8:tau=60")
    wearer.poll()
    wait(wearer.bus, 300)
    assert wearer.celsius() == pytest.approx(16.0, abs=0.4)
    wait(wearer.bus, 900)
    assert wearer.celsius() == pytest.approx(24.0, abs=0.4)


@of("mlx90632", "mlx90614")
def test_a_thermopile_cools_with_the_air_and_one_of_them_errs_meanwhile(wearer: Wearer) -> None:
    wearer.bus.add_faults("ambient:by=-8:tau=60")
    wearer.poll()
    wait(wearer.bus, 20)
    (moment,) = wearer.poll()
    assert 22 < float(moment["s.ta"].values) < 29
    error_k = float(moment["s"].values) - 34.0
    assert abs(error_k) < 0.2 if wearer.kind == "mlx90632" else error_k < -1
    wait(wearer.bus, 600)
    (moment,) = wearer.poll()
    assert float(moment["s.ta"].values) == pytest.approx(22.0, abs=0.3)
    assert float(moment["s"].values) == pytest.approx(34.0, abs=0.3)


@of(*ALL)
def test_a_chip_that_holds_sda_lets_go_after_nine_clocks(wearer: Wearer) -> None:
    wearer.bus.add_faults(f"stuck:addr={wearer.address}")
    with pytest.raises(OSError, match="110"):
        write(wearer.bus, wearer.address)
    wearer.bus.recover()
    wait(wearer.bus, 3)
    assert wearer.poll()


@of(*ALL)
def test_another_chip_in_its_place_has_another_identity_or_state(wearer: Wearer) -> None:
    other = MAKE[wearer.kind](wearer.address, 77)
    before = getattr(wearer.chip, "constants", None)
    wearer.bus.exchange(wearer.chip, other)
    wait(wearer.bus, 0.02)
    if before is not None:
        assert other.constants != before  # type: ignore[attr-defined]
    if hasattr(wearer.chip, "serial"):
        assert other.serial != wearer.chip.serial  # type: ignore[attr-defined]
    if wearer.kind in FIFOS:
        assert not POLL[wearer.kind](wearer.bus, wearer.address)  # nobody has set it up


@pytest.mark.parametrize(
    ("specification", "fault"),
    [
        ("ones@3x2", Fault(FaultKind.ONES, at=3, count=2)),
        ("stuck:addr=0x3a:ch=2:permanent", Fault(FaultKind.STUCK, address=0x3A, channel=2, permanent=True)),
        ("freeze", Fault(FaultKind.FREEZE, duration_us=None)),
        ("freeze+2s:addr=0x18", Fault(FaultKind.FREEZE, address=0x18, duration_us=2_000_000)),
        ("drift:by=-0.5", Fault(FaultKind.DRIFT, by=-0.5, duration_us=None)),
        ("contact+60s:tau=20", Fault(FaultKind.CONTACT, tau_s=20.0, duration_us=60_000_000)),
        ("ambient:by=-8:tau=30", Fault(FaultKind.AMBIENT, by=-8.0, tau_s=30.0, duration_us=None)),
        ("leftopen:addr=0x70:ch=5", Fault(FaultKind.LEFTOPEN, address=0x70, channel=5)),
    ],
)
def test_specifications(specification: str, fault: Fault) -> None:
    assert parse_faults(specification) == (fault,)


@pytest.mark.parametrize(
    ("specification", "said"),
    [
        ("drift", "needs the option 'by'"),
        ("leftopen", "needs the option 'ch'"),
        ("drift+2s:by=1", "has a duration, which only"),
        ("nack:by=2", "which nack does not take"),
        ("nack:bits=2", "which nack does not take"),
        ("ones:permanent", "which ones does not take"),
        ("drift:by=101", "kelvin, -100 to 100"),
        ("drift:by=nan", "kelvin, -100 to 100"),
        ("contact:tau=-1", "seconds, 0 to 3600"),
        ("freeze:ch=8", "a channel, 0 to 7"),
    ],
)
def test_what_a_fault_does_not_take_is_said(specification: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults(specification)
    assert said in str(caught.value)
