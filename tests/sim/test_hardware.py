"""A wearable's simulated hardware as a laboratory uses it."""

import threading
from typing import Any

import numpy as np
import pytest
from smbus2 import i2c_msg

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.wearable.library import names
from thermo_sim.chips.ads1115_ntc.ntc import Wiring
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.chips.mlx90640.radiometry import Noise, ResponseError
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.surroundings import Conditions, Surroundings


def _decoded(chip: Any, decoder: Decoder) -> Any:
    first, second = chip.frame(), chip.frame()
    return merge(decoder.decode(first), decoder.decode(second))


def _counts(hardware: SimulatedHardware, channel: int) -> int:
    config = 0x8103 | 4 + channel << 12 | 1 << 9 | 7 << 5
    hardware.bus.i2c_rdwr(i2c_msg.write(0x48, bytes([1, config >> 8, config & 0xFF])))
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 2_000)
    message = i2c_msg.read(0x48, 2)
    hardware.bus.i2c_rdwr(i2c_msg.write(0x48, [0]), message)
    return int.from_bytes(bytes(message), "big", signed=True)


def test_wearables_are_data_and_unknown_ones_are_refused() -> None:
    assert "breast-patch" in names()
    for name in ("moon", "../wearables/breast-patch", ""):
        with pytest.raises(UsageError, match="breast-patch"):
            SimulatedHardware.from_profile(name)


def test_one_seed_is_one_wearable(master: Any) -> None:
    def frames(seed: int) -> Any:
        hardware = SimulatedHardware.from_profile(seed=seed)
        chip = master(hardware.bus)
        return chip.read(0x2400, 832), chip.frame(), _counts(hardware, 0)

    for first, second in zip(frames(3), frames(3), strict=True):
        assert np.array_equal(first, second)
    for first, second in zip(frames(3), frames(4), strict=True):
        assert not np.array_equal(first, second)


def test_the_blackbody_and_the_scene_change_while_it_runs(master: Any) -> None:
    hardware = SimulatedHardware.from_profile(
        seed=2, error=ResponseError.none(), noise=Noise.none(), warm_up_tau_s=0, bus_hz=1_000_000
    )
    chip = master(hardware.bus)
    chip.rate(6)
    decoder = Decoder(Constants.from_eeprom(chip.read(0x2400, 832)), emissivity=0.98)
    for celsius in (25.0, 40.0):
        hardware.set_blackbody(celsius)
        chip.frame()
        assert np.abs(_decoded(chip, decoder).celsius - celsius).max() < 0.2
    hardware.set_scene()
    chip.frame()
    assert np.abs(_decoded(chip, decoder).celsius - hardware.scene.celsius(0)).max() < 0.2


def test_a_subpage_completed_before_a_change_keeps_the_old_scene(master: Any) -> None:
    def frame(change: bool) -> Any:
        hardware = SimulatedHardware.from_profile(seed=2, warm_up_tau_s=0)
        hardware.clock.sleep_until_us(600_000)
        if change:
            hardware.set_blackbody(60.0)
        return master(hardware.bus).frame()

    assert np.array_equal(frame(False), frame(True))


def test_a_recording_gives_way_to_a_blackbody_and_comes_back(golden_dir: Any, master: Any) -> None:
    with np.load(golden_dir / "s1_melexis_example.npz") as recording:
        eeprom, frames = recording["eeprom"], recording["frames"]
    hardware = SimulatedHardware.from_profile(eeprom=eeprom, replay=frames, bus_hz=1_000_000)
    chip = master(hardware.bus)

    def recorded() -> bool:
        chip.frame()
        shown = chip.frame()
        return any(np.array_equal(shown[:832], frame[:832]) for frame in frames)

    assert recorded()
    hardware.set_blackbody(30.0)
    assert not recorded()
    hardware.set_scene()
    assert recorded()


def test_thermistors_follow_the_blackbody_unless_held(hardware: Any) -> None:
    skin = _counts(hardware, 0)
    hardware.set_blackbody(42.0)
    warm = _counts(hardware, 0)
    assert warm < skin
    hardware.set_bath(20.0)
    cold = _counts(hardware, 0)
    hardware.set_blackbody(37.0)
    assert _counts(hardware, 0) == pytest.approx(cold, abs=3)
    hardware.set_bath(None)
    hardware.set_blackbody(42.0)
    assert _counts(hardware, 0) == pytest.approx(warm, abs=3)
    hardware.set_bath(20.0)
    hardware.set_scene()
    assert _counts(hardware, 0) == pytest.approx(skin, abs=3)
    assert hardware.touched_celsius == {"spots": [33.5] * 4}
    expected = hardware.chips["spots"].ntcs[2].volts(33.5) / 4.096 * 32768
    assert _counts(hardware, 2) == pytest.approx(expected, abs=3)


def test_thermistor_leads_break_and_heal(hardware: Any) -> None:
    good = _counts(hardware, 1)
    hardware.chips["spots"].set_wiring(1, Wiring.OPEN)
    assert _counts(hardware, 1) == pytest.approx(3.3 / 4.096 * 32768, abs=3)
    hardware.chips["spots"].set_wiring(1, Wiring.SHORTED)
    assert _counts(hardware, 1) == pytest.approx(0, abs=3)
    hardware.chips["spots"].set_wiring(1, Wiring.GOOD)
    assert _counts(hardware, 1) == pytest.approx(good, abs=3)
    with pytest.raises(UsageError, match="4"):
        hardware.chips["spots"].set_wiring(4, Wiring.OPEN)


def test_warm_up_settles_in_about_four_minutes_or_as_fast_as_asked(master: Any) -> None:
    def errors(tau_s: float | None, times_s: tuple[float, ...]) -> Any:
        hardware = SimulatedHardware.from_profile(
            seed=1, error=ResponseError.none(), noise=Noise.none(), warm_up_tau_s=tau_s
        )
        hardware.set_blackbody(35.0)
        chip = master(hardware.bus)
        decoder = Decoder(Constants.from_eeprom(chip.read(0x2400, 832)), emissivity=0.98)
        seen = []
        for time_s in times_s:
            hardware.clock.sleep_until_us(round(time_s * 1e6))
            chip.frame()
            picture = _decoded(chip, decoder)
            seen.append((picture.celsius.mean() - 35.0, picture.ta))
        return seen

    (start_k, start_ta), (minute_k, minute_ta), (settled_k, settled_ta) = errors(None, (1.0, 60.0, 240.0))
    assert start_k < -0.4
    assert start_ta < 28
    assert abs(start_k) > abs(minute_k) > abs(settled_k)
    assert start_ta < minute_ta < settled_ta
    assert abs(settled_k) < 0.02
    assert settled_ta == pytest.approx(33.0, abs=0.06)
    assert abs(errors(0, (1.0,))[0][0]) < 0.02
    assert abs(errors(2.0, (12.0,))[0][0]) < 0.02


def test_a_new_ambient_temperature_moves_the_die_with_its_time_constant() -> None:
    hardware = SimulatedHardware.from_profile(seed=1, warm_up_tau_s=10.0)
    hardware.clock.sleep_until_us(200_000_000)
    assert hardware.surroundings.at(200.0).ta == pytest.approx(33.0, abs=1e-3)
    hardware.set_ambient(35.0)
    assert hardware.surroundings.at(200.0).ta == pytest.approx(33.0, abs=1e-3)
    assert hardware.surroundings.at(210.0).ta == pytest.approx(43.0 - 10.0 / np.e, abs=1e-3)
    assert hardware.surroundings.at(300.0).ta == pytest.approx(43.0, abs=1e-2)
    assert hardware.surroundings.at(300.0).reflected == 35.0
    assert Surroundings(tau_s=0.0).at(0.0).ta == 33.0


def test_a_laboratory_may_change_things_while_a_driver_reads(master: Any) -> None:
    hardware = SimulatedHardware.from_profile(seed=1, warm_up_tau_s=0, bus_hz=1_000_000)
    chip = master(hardware.bus)
    chip.rate(6)
    failures: list[BaseException] = []
    done = threading.Event()

    def laboratory() -> None:
        try:
            while not done.is_set():
                hardware.set_blackbody(37.0)
                hardware.set_ambient(26.0)
                hardware.set_bath(30.0)
                hardware.set_scene()
        except BaseException as error:
            failures.append(error)

    worker = threading.Thread(target=laboratory)
    worker.start()
    decoder = Decoder(hardware.chip.radiometry.calibration)
    for _ in range(60):
        picture = _decoded(chip, decoder)
        assert 25 < picture.celsius.min() < picture.celsius.max() < 45
    done.set()
    worker.join()
    assert not failures


def test_pictures_in_bulk_are_those_of_the_bus(master: Any) -> None:
    eeprom = generate(6)
    hardware = SimulatedHardware.from_profile(
        seed=6, eeprom=eeprom, noise=Noise.none(), warm_up_tau_s=0, bus_hz=1_000_000
    )
    chip = master(hardware.bus)
    chip.rate(5)
    chip.frame()
    decoder = Decoder(Constants.from_eeprom(eeprom), emissivity=0.98)
    source = PictureSource(6, eeprom=eeprom, noise=Noise.none(), conditions=hardware.surroundings.at(0.0))
    scene = hardware.scene.celsius(0.0)
    assert np.array_equal(_decoded(chip, decoder).celsius, source.pictures(scene[None])[0])


def test_pictures_in_bulk_are_seeded_noisy_and_of_the_right_shape() -> None:
    scenes = np.full((5, 24, 32), 34.0)
    pictures = PictureSource(1, refresh_rate_hz=8.0).pictures(scenes)
    assert pictures.shape == (5, 24, 32)
    assert pictures.dtype == np.float32
    assert np.array_equal(pictures, PictureSource(1, refresh_rate_hz=8.0).pictures(scenes))
    assert not np.array_equal(pictures[0], pictures[1])
    with pytest.raises(UsageError, match="shape"):
        PictureSource(1).pictures(scenes[0])
    with pytest.raises(UsageError, match="3 Hz"):
        PictureSource(1, refresh_rate_hz=3.0)


@pytest.mark.parametrize(("rate_hz", "spread_k"), [(0.5, 0.5), (16.0, 2.0), (64.0, 60.0)])
def test_pictures_of_what_stays_are_those_that_come_one_by_one(rate_hz: float, spread_k: float) -> None:
    rng = np.random.default_rng(5)
    scene = 30 + rng.normal(0, spread_k, (24, 32))
    conditions = Conditions(ta=31.0, vdd=3.27, reflected=18.0, emissivity=0.97, gradient_k=0.2)
    one, many = (PictureSource(7, rate_hz, conditions=conditions) for _ in range(2))
    before = many.still(scene, 3), many.picture(scene + 1), many.still(scene, 2)
    singly = [one.picture(scene + (number == 3)) for number in range(6)]
    assert np.concatenate([before[0], before[1][None], before[2]]).tobytes() == np.stack(singly).tobytes()
    assert len({picture.tobytes() for picture in singly}) == 6
