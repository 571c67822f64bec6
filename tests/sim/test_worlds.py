"""What is around a wearable: files of worlds, the body that all sensors feel, and wearables of any sensors in them."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sensor_bytes import ADDRESS
from sensor_says import said_by
from smbus2 import i2c_msg

from thermo_core import schema
from thermo_core.errors import StorageError, ThermoError, UsageError
from thermo_core.sensors import SETTINGS
from thermo_core.wearable.library import names
from thermo_core.wearable.profile import Profile
from thermo_sim import body
from thermo_sim.chips.kinds import KINDS, MULTIPLEXERS
from thermo_sim.faults import ABOUT, FaultKind
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.laboratory import laboratory_commands
from thermo_sim.scene_table import make_scene
from thermo_sim.world_file import ANYWHERE, Motion, Pulse, World, load_world, world_names, world_of

MUX = "tca9548a@0x70"


def _profile(*sensors: Mapping[str, object]) -> Profile:
    return schema.from_plain({"name": "w", "version": "1", "sensors": list(sensors)}, Profile, "profile")


def _written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_every_kind_on_a_bus_has_a_chip_and_every_fault_issaid_by() -> None:
    assert set(KINDS) == {str(kind.__struct_config__.tag) for kind in SETTINGS} - {"external"}
    assert [kind for kinds in ABOUT.values() for kind in kinds] == list(FaultKind)
    assert set(MULTIPLEXERS) == {"tca9548a"}


def test_every_wearable_has_a_world_and_every_world_is_some_wearables() -> None:
    assert ANYWHERE in world_names()
    for name in world_names():
        world = load_world(name)
        assert world.wearable is None or world.wearable in names()
    for name in names():
        hardware = SimulatedHardware.from_profile(name, seed=1)
        assert hardware.world == load_world(world_of(name))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("about = 3", "about"),
        ("", "about"),
        ('about = "x"\nabuot = 1', "abuot"),
        ('about = "x"\n[air]\ncelsius = 99', "air.celsius"),
        ('about = "x"\n[pulse]\nbeats_per_minute = 5', "beats_per_minute"),
        ('about = "x"\n[places]\nspots = 200.0', "places"),
        ('about = "x"\n[places]\nspot = 30.0', "spot; the sensors of breast-patch are skin, spots"),
        ('about = "x"\n[places]\nspots = [30.0, 31.0]', "2 temperatures at the place spots"),
        ('about = "x"\n[views.spots]\nrow = 3.0', "a view of spots, which is no camera"),
        ('about = "x"\n[views.skin]\nrow = 300.0', "row"),
        ('about = "x"\n[views.skni]\nrow = 3.0', "skni"),
        ('about = "x"\n[scene]\nname = "moon"', "moon"),
        ('about = "x"\n[scene]\nname = "hand"\n[scene.options]\nfingers = 6', "fingers"),
        ('about = "x"\nfaults = "nick"', "nick"),
        ("about = ", "no TOML"),
        ("a" * 70_000, "70000|65536"),
    ],
)
def test_a_wrong_world_is_said_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ThermoError, match=said) as caught:
        SimulatedHardware.from_profile("breast-patch", world=_written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_the_world_in_the_docs_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    text, weeks, outside = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    scene = load_world(_written(tmp_path, f'about = "x"\n{weeks}')).scene
    assert make_scene(scene.name, 1, scene.options).celsius(75.0).shape == (24, 32)
    (tmp_path / "face.csv").write_text("33.5,34.0\n")
    assert set(load_world(_written(tmp_path, f'about = "x"\n{outside}')).given) == {"conductance", "face"}
    world = load_world(_written(tmp_path, text))
    assert world.places["toes"] == (24.5, 25.0, 25.2, 26.0)
    commands = set(re.findall(r"^\| `(\w+)", page, re.MULTILINE))
    hardware = SimulatedHardware.from_profile()
    assert commands | set(hardware.changes) == set(laboratory_commands(hardware, lambda seconds: None, dict))


def test_a_world_that_is_not_there_issaid_by(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="rest"):
        load_world("moon")
    with pytest.raises(StorageError, match=r"absent\.toml"):
        load_world(str(tmp_path / "absent.toml"))
    (tmp_path / "latin.toml").write_bytes(b'about = "\xff"')
    with pytest.raises(UsageError, match=r"latin\.toml"):
        load_world(str(tmp_path / "latin.toml"))


def test_places_are_those_of_the_world_and_each_channel_has_its_own(tmp_path: Path) -> None:
    world = _written(tmp_path, 'about = "cold feet"\nskin_celsius = 31.0\n[places]\nspots = [29.0, 30.0, 31.0, 32.0]')
    hardware = SimulatedHardware.from_profile("breast-patch", seed=4, world=world)
    assert said_by(hardware, 1.5)["spots"] == pytest.approx([29.0, 30.0, 31.0, 32.0], abs=0.7)
    assert hardware.touched_celsius == {"spots": [29.0, 30.0, 31.0, 32.0]}
    assert hardware.around.seen("skin")(0.0) == 31.0


def test_faults_of_a_world_strike_from_the_start(tmp_path: Path) -> None:
    world = _written(tmp_path, 'about = "unplugged"\nfaults = "unplug@0+60s:addr=0x33"')
    hardware = SimulatedHardware.from_profile("breast-patch", world=world, faults="nack@0")
    with pytest.raises(OSError, match="Remote"):
        hardware.bus.i2c_rdwr(*_probe(0x33))
    with pytest.raises(OSError, match="Remote"):
        hardware.bus.i2c_rdwr(*_probe(0x33))
    hardware.bus.i2c_rdwr(*_probe(0x48))


def _probe(address: int) -> list[object]:
    return [i2c_msg.write(address, [0])]


def test_one_body_feeds_every_kind_behind_multiplexers() -> None:
    """Every kind twice: on two channels of a multiplexer, behind another one."""

    def settings(kind: str, number: int) -> dict[str, object]:
        path = [
            f"{MUX}:{number}",
            "tca9548a@0x71:3",
            ADDRESS.get(kind, {"mlx90640": 0x33, "ads1115-ntc": 0x48}.get(kind)),
        ]
        given: dict[str, dict[str, object]] = {
            "mlx90640": {"rate_hz": 2.0},
            "ads1115-ntc": {"channels": [{"name": "t"}]},
        }
        return {"kind": kind, "name": f"{kind}-{number}", "path": path, **given.get(kind, {})}

    kinds = [kind for kind in KINDS if kind != "tmp117"]  # which has the ADC's address
    profile = _profile(*(settings(kind, number) for number in (0, 1) for kind in kinds))
    hardware = SimulatedHardware.from_profile(profile, seed=3, warm_up_tau_s=0)
    hardware.set_blackbody(36.0)
    said = said_by(hardware, 8.0)
    for kind in kinds:
        one, other = said[f"{kind}-0"], said[f"{kind}-1"]
        assert np.isfinite(one).all() and np.isfinite(other).all(), kind
        assert not np.array_equal(one, other), f"two {kind} are one"
        for value in (one, other):
            if kind in ("mlx90640", "ads1115-ntc", "mlx90632", "mlx90614"):
                assert float(value.mean()) == pytest.approx(36.0, abs=1.0), kind
            elif kind == "sht4x":
                assert float(value) == pytest.approx(25.0, abs=0.5)
            elif kind == "lis3dh":
                assert value == pytest.approx([0, 0, 1], abs=0.08)
            else:
                assert 500 < float(value[0]) < 2000


def test_contact_and_infrared_thermometers_feel_the_laboratory() -> None:
    profile = _profile(
        {"kind": "tmp117", "name": "wrist", "path": [0x48]}, {"kind": "mlx90632", "name": "arm", "path": [0x3A]}
    )
    hardware = SimulatedHardware.from_profile(profile, seed=2, warm_up_tau_s=0)

    def said() -> tuple[float, float]:
        found = said_by(hardware, 4.0)
        return float(found["wrist"]), float(found["arm"])

    assert said() == pytest.approx((33.5, 33.5), abs=0.4)
    hardware.set_blackbody(40.0)
    assert said() == pytest.approx((40.0, 40.0), abs=0.4)
    hardware.set_bath(20.0)
    assert said() == pytest.approx((20.0, 40.0), abs=0.4)
    hardware.set_ambient(30.0)
    assert said() == pytest.approx((20.0, 40.0), abs=0.4)
    hardware.set_scene()
    assert said() == pytest.approx((33.5, 33.5), abs=0.4)


def test_what_a_chip_is_asked_for_late_is_what_was_before_a_change() -> None:
    """Readings are computed when somebody looks, of the time they were made at."""
    hardware = SimulatedHardware.from_profile(seed=1)
    hardware.clock.sleep_until_us(5_000_000)
    hardware.set_blackbody(60.0)
    hardware.set_ambient(40.0)
    hardware.clock.sleep_until_us(6_000_000)
    hardware.set_blackbody(70.0)
    around = hardware.around
    seen = around.looked_at("skin")
    assert seen(4.9).mean() == pytest.approx(seen(0.0).mean())
    assert seen(5.0).mean() < 40
    assert seen(5.5).mean() == pytest.approx(60.0)
    assert seen(7.0).mean() == pytest.approx(70.0)
    assert (around.air(4.9), around.air(5.5)) == (25.0, 40.0)
    assert [around.seen("skin")(time_s) for time_s in (1.0, 5.5, 7.0)] == [33.5, 60.0, 70.0]
    assert (around.made(4.0), around.made(7.0)) == (True, False)


def test_a_heart_beats_at_its_rate_and_breath_moves_it() -> None:
    times_s = np.arange(0, 120, 0.02)
    for beats in (50.0, 66.0, 120.0):
        light = body.photocurrent(Pulse(beats_per_minute=beats, variation=0.0), 3, times_s)[:, 2]
        spectrum = np.abs(np.fft.rfft(light - light.mean()))
        hz = np.fft.rfftfreq(len(light), 0.02)[
            (band := np.argmax(spectrum * (np.fft.rfftfreq(len(light), 0.02) > 0.6)))
        ]
        assert hz * 60 == pytest.approx(beats, abs=0.6), band
    varied = body.photocurrent(Pulse(breaths_per_minute=12, variation=0.1), 3, times_s)[:, 2]
    feet = np.flatnonzero((np.diff(np.sign(np.diff(varied))) > 0) & (varied[1:-1] < np.quantile(varied, 0.2)))
    lengths = np.diff(times_s[feet])
    lengths = lengths[lengths > 0.4]
    assert lengths.std() / lengths.mean() == pytest.approx(0.1 / np.sqrt(2), rel=0.3)
    assert np.array_equal(varied, body.photocurrent(Pulse(breaths_per_minute=12, variation=0.1), 3, times_s)[:, 2])
    assert not np.array_equal(varied, body.photocurrent(Pulse(breaths_per_minute=12, variation=0.1), 4, times_s)[:, 2])


def test_steps_and_tremor_are_felt_as_described() -> None:
    times_s = np.arange(0, 60, 0.01)
    still = body.acceleration(Motion(up_g=(0.0, 1.0, 0.0), tremor_g=0.01), 1, times_s)
    assert still.mean(axis=0) == pytest.approx([0, 1, 0], abs=1e-3)
    assert still.std(axis=0) == pytest.approx([0.01] * 3, rel=0.05)
    walk = body.acceleration(Motion(steps_hz=1.8, steps_g=0.4, tremor_g=0.0), 1, times_s)
    spectrum = np.abs(np.fft.rfft(walk[:, 2] - 1))
    assert np.fft.rfftfreq(len(walk), 0.01)[np.argmax(spectrum)] == pytest.approx(1.8, abs=0.02)
    assert np.ptp(walk[:, :2]) == 0


def test_what_is_given_of_a_chip_must_have_a_sensor() -> None:
    profile = _profile({"kind": "tmp117", "name": "wrist", "path": [0x48]})
    with pytest.raises(UsageError, match="noise"):
        SimulatedHardware.from_profile(profile, noise=object())
    with pytest.raises(UsageError, match="no sensor whose real"):
        SimulatedHardware.of_real(profile, 1, Path("x.bin"), None)
    with pytest.raises(UsageError, match="nobody"):
        SimulatedHardware.from_profile(profile).exchange_sensor(2, "nobody")
    with pytest.raises(UsageError, match="no sensor for that"):
        SimulatedHardware.from_profile(profile).change("rot", {"address": 0x2440, "bit": 1})


def test_worlds_written_as_data_are_those_of_files() -> None:
    assert schema.from_plain({"about": "x", "places": {"feet": [20, 21.5]}}, World, "").places == {"feet": (20.0, 21.5)}


def test_two_cameras_see_their_own_parts_of_one_scene(tmp_path: Path) -> None:
    """What the upper one has in its lower half, the lower one has in its upper half, and one that is turned has it turned."""
    cameras = {"upper": 0x33, "lower": 0x34, "turned": 0x35}
    profile = _profile(*[{"kind": "mlx90640", "name": name, "path": [at]} for name, at in cameras.items()])
    views = "[views.upper]\nrow = -6.0\n[views.lower]\nrow = 6.0\n[views.turned]\nrow = 6.0\nturn_deg = 180.0\n"
    lesion = "[scene]\nname = 'breast-patch'\n[scene.options.lesion]\nrow = 10.0\ncolumn = 9.0\ncontrast_k = 15.0\n"
    world = load_world(_written(tmp_path, f'about = "x"\n{lesion}{views}'))
    said = said_by(SimulatedHardware(profile, world, seed=3, warm_up_tau_s=0), 2.0)
    # Each camera has response errors of its own, of about a kelvin a pixel.
    assert np.corrcoef(said["upper"][12:].ravel(), said["lower"][:12].ravel())[0, 1] > 0.8
    assert np.corrcoef(said["turned"][::-1, ::-1].ravel(), said["lower"].ravel())[0, 1] > 0.8
    for name, (row, column) in {"upper": (16, 9), "lower": (4, 9), "turned": (19, 22)}.items():
        rows, columns = np.nonzero(said[name] > said[name].max() - 4)
        assert (rows.mean(), columns.mean()) == pytest.approx((row, column), abs=1.5), name
