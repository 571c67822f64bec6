"""The simulated chips against what their data sheets say: all of them, and thermometers."""

import errno
from typing import Any

import numpy as np
import pytest
from chip_bus import AIR, MAKE, SKIN, bus_of, read, wait, write
from chip_words import nacks, read_word
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from sensor_bytes import ADDRESS

from thermo_core.crc8 import crc8
from thermo_sim.chips.sht4x import SimulatedSht4x
from thermo_sim.chips.tmp117 import SimulatedTmp117


@pytest.mark.parametrize("kind", sorted(MAKE))
def test_every_chip_acknowledges_an_empty_write_and_ignores_other_addresses(kind: str) -> None:
    bus = bus_of(MAKE[kind](ADDRESS[kind], 0))
    wait(bus, 1)
    write(bus, ADDRESS[kind])
    assert nacks(lambda: write(bus, ADDRESS[kind] + 1))


@pytest.mark.parametrize("kind", sorted(MAKE))
def test_a_chip_repeats_itself_with_its_seed_and_differs_with_another(kind: str) -> None:
    commands = {
        "mlx90632": [0x40, 0x03],
        "mlx90614": [0x07],
        "max3010x": [0x07],
        "lis3dh": [0xA8],
        "tmp117": [0x00],
        "sht4x": None,
    }

    def said(seed: int) -> bytes:
        bus = bus_of(MAKE[kind](ADDRESS[kind], seed))
        wait(bus, 0.02)
        if kind == "sht4x":
            write(bus, 0x44, 0xFD)
        if kind == "lis3dh":
            write(bus, 0x18, 0x20, 0x57)
        if kind == "max3010x":
            for register, value in ((0x0A, 0x27), (0x0C, 0x20), (0x0D, 0x20), (0x09, 0x03)):
                write(bus, 0x57, register, value)
        wait(bus, 2)
        return read(bus, ADDRESS[kind], 3 if kind == "mlx90614" else 6, commands[kind])

    assert said(1) == said(1)
    assert said(1) != said(2)


@few(50, of=150)
@given(
    st.sampled_from(sorted(MAKE)),
    st.lists(
        st.tuples(st.binary(max_size=6), st.integers(0, 40), st.sampled_from([0.0, 0.001, 0.1, 20.0, 4000.0])),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(
        ["", "freeze@2", "brownout@3", "overflow@3", "torn@2x3", "checksum@1", "drift@1:by=2", "contact@1+1s:tau=1"]
    ),
)
def test_any_transactions_are_answered_or_not_acknowledged(
    kind: str, steps: list[tuple[bytes, int, float]], faults: str
) -> None:
    bus = bus_of(MAKE[kind](ADDRESS[kind], 0), faults=faults)
    for command, length, pause_s in steps:
        try:
            if command:
                assert len(read(bus, ADDRESS[kind], length, command)) == length
                write(bus, ADDRESS[kind], *command)
            else:
                assert len(read(bus, ADDRESS[kind], length)) == length
        except OSError as error:
            assert error.errno == errno.EREMOTEIO
        wait(bus, pause_s)


class TestSht4x:
    @pytest.mark.parametrize(("command", "ms"), [(0xFD, 8.2), (0xF6, 4.5), (0xE0, 1.7)])
    def test_an_answer_too_early_is_none(self, command: int, ms: float) -> None:
        bus = bus_of(SimulatedSht4x(AIR, noise=False), frequency_hz=400_000)
        wait(bus, 0.01)
        write(bus, 0x44, command)
        wait(bus, ms / 1000 - 0.0002)
        assert nacks(lambda: read(bus, 0x44, 6))
        assert nacks(lambda: write(bus, 0x44, 0x94))
        wait(bus, 0.0003)
        answer = read(bus, 0x44, 6)
        assert -45 + 175 * int.from_bytes(answer[:2], "big") / 65535 == pytest.approx(24.0, abs=0.003)
        assert -6 + 125 * int.from_bytes(answer[3:5], "big") / 65535 == pytest.approx(45.0, abs=0.003)
        assert crc8(answer[:2], 0x31, 0xFF) == answer[2]
        assert nacks(lambda: read(bus, 0x44, 6))  # given once

    def test_reset_and_unknown_commands(self) -> None:
        bus = bus_of(SimulatedSht4x(AIR), frequency_hz=400_000)
        assert nacks(lambda: write(bus, 0x44, 0xFD))  # starts up
        wait(bus, 0.002)
        assert nacks(lambda: write(bus, 0x44, 0x12))
        write(bus, 0x44, 0xFD)
        wait(bus, 0.01)
        write(bus, 0x44, 0x94)
        wait(bus, 0.001)
        assert nacks(lambda: read(bus, 0x44, 6))


class TestTmp117:
    def test_reset_state_and_the_first_conversion(self) -> None:
        bus = bus_of(SimulatedTmp117(SKIN, noise=False), frequency_hz=400_000)
        wait(bus, 0.002)
        assert read_word(bus, 0x48, 1, 1) == 0x0220
        assert read_word(bus, 0x48, 0x0F, 1) == 0x0117
        assert read_word(bus, 0x48, 0, 1) == 0x8000
        wait(bus, 0.12)
        assert read_word(bus, 0x48, 0, 1) == 0x8000
        wait(bus, 0.01)
        assert read_word(bus, 0x48, 1, 1) == 0x2220
        assert read_word(bus, 0x48, 1, 1) == 0x0220
        assert read_word(bus, 0x48, 0, 1) == 34 * 128

    @pytest.mark.parametrize(
        ("averaging", "cycle", "seconds"), [(0, 1, 0.125), (1, 4, 1.0), (3, 0, 0.992), (2, 5, 4.0)]
    )
    def test_results_come_at_cycle_or_conversion_time(self, averaging: int, cycle: int, seconds: float) -> None:
        bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
        wait(bus, 0.002)
        write(bus, 0x48, 1, cycle >> 1, (cycle & 1) << 7 | averaging << 5)
        ready: list[Any] = []
        while len(ready) < 4:
            if read_word(bus, 0x48, 1, 1) & 0x2000:
                ready.append(bus.clock.now_us())
            wait(bus, 0.001)
        assert np.diff(ready) == pytest.approx(1e6 * seconds, abs=3_000)

    def test_one_shot_ends_in_shutdown(self) -> None:
        bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
        wait(bus, 0.002)
        write(bus, 0x48, 1, 0x0C, 0x00)
        wait(bus, 0.014)
        assert not read_word(bus, 0x48, 1, 1) & 0x2000
        wait(bus, 0.002)
        assert read_word(bus, 0x48, 1, 1) & 0x2C00 == 0x2400

    def test_eeprom_keeps_what_is_written_unlocked(self) -> None:
        bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
        wait(bus, 0.002)
        write(bus, 0x48, 2, 0x11, 0x00)
        bus.unplug(1000)
        wait(bus, 0.01)
        assert read_word(bus, 0x48, 2, 1) == 0x6000
        write(bus, 0x48, 4, 0x80, 0x00)
        write(bus, 0x48, 2, 0x11, 0x00)
        assert read_word(bus, 0x48, 1, 1) & 0x1000
        wait(bus, 0.008)
        assert not read_word(bus, 0x48, 1, 1) & 0x1000
        bus.unplug(1000)
        wait(bus, 0.01)
        assert read_word(bus, 0x48, 2, 1) == 0x1100
