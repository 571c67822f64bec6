"""Wearables on somebody: each sensor says what is true of the body where it sits, and happenings reach the sensors they name."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sensor_bytes import PATH
from sensor_says import said_by

from thermo_core import schema
from thermo_core.errors import ThermoError, UsageError
from thermo_core.wearable.profile import Profile
from thermo_sim import application, body
from thermo_sim.chips.kinds import KINDS
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.laboratory import laboratory_commands
from thermo_sim.people.pictures import COVERS, PORTRAITS
from thermo_sim.scenes import View
from thermo_sim.world_file import load_world

NEEDED: dict[str, dict[str, object]] = {
    "mlx90640": {"rate_hz": 4.0},
    "ads1115-ntc": {"channels": [{"name": "left"}, {"name": "right"}]},
}
WORLD = """
about = "somebody"
[body]
script = "SCRIPT"
person = 4
from_s = FROM
happenings = [HAPPENINGS]
[segments]
mlx90632 = "Chest"
mlx90614 = "Forehead"
ads1115-ntc = ["LHand", "RHand"]
max3010x = "LWrist"
sht4x = "Back"
"""


def _profile(*kinds: str) -> Profile:
    sensors = [{"kind": kind, "name": kind, "path": [PATH[kind]], **NEEDED.get(kind, {})} for kind in kinds]
    return schema.from_plain({"name": "w", "version": "1", "sensors": sensors}, Profile, "profile")


def _worn(
    folder: Path, *kinds: str, script: str = "rest", happenings: str = "", from_s: float = 0, more: str = ""
) -> SimulatedHardware:
    text = WORLD.replace("SCRIPT", script).replace("FROM", str(from_s))
    text = text.replace("HAPPENINGS", ", ".join(f'"{one}"' for one in happenings.split(",") if one)) + more
    lines = [line for line in text.splitlines() if line.split(" = ")[0] not in set(KINDS) - set(kinds)]
    (folder / "mine.toml").write_text("\n".join(lines))
    return SimulatedHardware.from_profile(_profile(*kinds), seed=2, world=str(folder / "mine.toml"), warm_up_tau_s=0)


def test_every_sensor_says_what_is_true_where_it_sits(tmp_path: Path) -> None:
    hardware = _worn(tmp_path, "mlx90632", "mlx90614", "ads1115-ntc", "sht4x", "lis3dh")
    said = said_by(hardware, 6.0)
    course, now = hardware.around.somebody(), np.array([5.5])
    assert float(said["mlx90632"]) == pytest.approx(course.felt("Chest", now)[0], abs=0.5)
    assert float(said["mlx90614"].ravel()[0]) == pytest.approx(course.felt("Forehead", now)[0], abs=0.7)
    hands = [course.felt(name, now)[0] for name in ("LHand", "RHand")]
    assert said["ads1115-ntc"] == pytest.approx(hands, abs=0.6)
    assert float(said["sht4x"]) == pytest.approx(course.beside("Back", now)[0][0], abs=0.5)
    assert np.linalg.norm(said["lis3dh"]) == pytest.approx(1, abs=0.15)


def test_a_sensor_without_a_place_sits_at_the_wrist_and_room_sensors_in_the_room(tmp_path: Path) -> None:
    hardware = SimulatedHardware.from_profile(_profile("tmp117", "sht4x"), seed=2, script="rest")
    said, course = said_by(hardware, 3.0), hardware.around.somebody()
    now = np.array([2.5])
    assert float(said["tmp117"]) == pytest.approx(course.felt("LWrist", now)[0], abs=0.3)
    assert float(said["sht4x"]) == pytest.approx(course.air(now)[0], abs=0.5)


def test_happenings_reach_the_sensors_and_channels_they_name(tmp_path: Path) -> None:
    kinds = ("mlx90632", "ads1115-ntc")
    calm = _worn(tmp_path, *kinds, from_s=2000)
    lost = _worn(
        tmp_path,
        *kinds,
        from_s=2000,
        happenings="node-off@600:at=ads1115-ntc/1,false-heat@1000+9999:at=mlx90632:size=20",
    )
    one, other = said_by(calm, 4.0), said_by(lost, 4.0)
    change = other["ads1115-ntc"] - one["ads1115-ntc"]
    assert abs(change[0]) < 0.05
    assert change[1] < -1
    assert float(other["mlx90632"] - one["mlx90632"]) == pytest.approx(20, abs=0.5)


def test_a_body_wanders_while_it_runs_and_a_laboratory_stands_above_it(tmp_path: Path) -> None:
    hardware = _worn(tmp_path, "mlx90632", "ads1115-ntc", script="workout")
    around = hardware.around
    felt, air = around.touched("ads1115-ntc", 0), around.air(0.0)
    assert felt(10.0) != felt(1500.0)
    hardware.clock.sleep_until_us(100_000_000)
    hardware.set_blackbody(37.0)
    hardware.set_ambient(30.0)
    assert (felt(101.0), around.seen("mlx90632")(101.0), around.air(101.0)) == (37.0, 37.0, 30.0)
    assert around.air(99.0) == pytest.approx(air)
    hardware.set_scene()
    hardware.clock.sleep_until_us(200_000_000)
    assert felt(199.0) != 37.0


def test_what_a_laboratory_lets_happen_is_told(tmp_path: Path) -> None:
    hardware = _worn(tmp_path, "ads1115-ntc", script="challenge")
    commands = laboratory_commands(hardware, lambda seconds: None, dict)
    hardware.clock.sleep_until_us(30_000_000)
    before = commands["truth"]({})
    assert commands["happen"]({"spec": "warm-cup@+5:at=LHand,fever@0:size=1"})["course_s"] == pytest.approx(30)
    hardware.clock.sleep_until_us(700_000_000)
    told = commands["truth"]({})
    json.dumps(told)
    assert {one["kind"] for one in told["happenings"]} == {"fever"}
    assert before["happenings"] == [] and len(told["recoveries"]) == 1
    assert told["course_s"] == pytest.approx(700)
    assert told["felt"]["ads1115-ntc"] == pytest.approx(
        [told["skin_celsius"][name] for name in ("LHand", "RHand")], abs=0.3
    )
    for spec in ("cup@3", "", 3):
        with pytest.raises(UsageError):
            commands["happen"]({"spec": spec})
    nobody = laboratory_commands(SimulatedHardware.from_profile(), lambda seconds: None, dict)
    for name in ("truth", "happen"):
        with pytest.raises(UsageError, match="--script"):
            nobody[name]({"spec": "sun@0"})


def test_a_loose_strap_takes_light_from_the_pulse(tmp_path: Path) -> None:
    tight = _worn(tmp_path, "max3010x").around.light("max3010x")
    loose = _worn(tmp_path, "max3010x", happenings="strap-loose@0:size=0.6:at=max3010x").around.light("max3010x")
    times = np.arange(60, 70, 0.04)
    assert loose(times).mean() == pytest.approx(0.4 * tight(times).mean(), rel=0.05)
    elsewhere = _worn(tmp_path, "max3010x", happenings="strap-loose@0:size=0.6:at=nodes").around.light("max3010x")
    np.testing.assert_array_equal(elsewhere(times), tight(times))


def test_without_a_body_all_is_as_the_world_says() -> None:
    around = SimulatedHardware.from_profile(_profile("tmp117", "sht4x", "mlx90640"), seed=5, world="rest").around
    world, times = load_world("rest"), np.arange(0, 5, 0.04)
    assert around.course is None
    np.testing.assert_array_equal(around.light("any")(times), body.photocurrent(world.pulse, 5, times))
    np.testing.assert_array_equal(around.acceleration(times), body.acceleration(world.motion, 5, times))
    for sensor in ("tmp117", "sht4x"):
        assert around.beside(sensor)(3.0) == world.air.celsius
        assert around.damp(sensor)(3.0) == world.air.humidity
        assert around.touched(sensor)(3.0) == around.seen(sensor)(3.0) == world.skin_celsius
    np.testing.assert_array_equal(around.looked_at("mlx90640")(3.0), around.scene.celsius(3.0))


@pytest.mark.parametrize("name", PORTRAITS)
def test_portraits_follow_the_skin_and_are_covered(tmp_path: Path, name: str) -> None:
    scene = f'[scene]\nname = "{name}"\n'
    calm = _worn(tmp_path, "mlx90640", script="fever", more=scene)
    seen = calm.around.looked_at("mlx90640")
    cold, hot = seen(100.0), seen(4 * 3600.0)
    assert cold.shape == (24, 32)
    # A palm is cold while fever rises; face and skin are warm with the core.
    assert (hot.max() > cold.max() + 0.3) or name == "palm"
    course = calm.around.somebody()
    assert cold.max() < course.core(np.array([100.0]))[0]
    assert cold.min() > course.air(np.array([100.0]))[0] - 0.5
    for cover in COVERS:
        kind = {"hand": "hand-before", "strap": "strap-seen"}.get(cover, cover)
        before = {
            at: _worn(
                tmp_path, "mlx90640", script="fever", more=scene, happenings=f"{kind}@0+4000{at}"
            ).around.looked_at("mlx90640")(2000.0)
            for at in ("", *((":at=mlx90640", ":at=other") if cover != "sun" else ()))
        }
        assert np.abs(before[""] - seen(2000.0)).max() > 0.2, cover
        if cover != "sun":  # which is where a head is
            np.testing.assert_array_equal(before[":at=mlx90640"], before[""])
            np.testing.assert_array_equal(before[":at=other"], seen(2000.0))
    view = calm.around.scene.celsius(100.0, View(row=2.0, column=3.0))
    np.testing.assert_allclose(view[2:10, 3:10], cold[4:12, 6:13], atol=1e-6)


def test_a_plain_scene_moves_with_the_skin_it_is_said_to_be(tmp_path: Path) -> None:
    worn = _worn(tmp_path, "mlx90640", script="outdoors", more='mlx90640 = "Chest"\n')
    around = worn.around
    seen = around.looked_at("mlx90640")
    course = around.somebody()
    warm, cold = (float(course.skin_at("Chest", np.array([at]))[0]) for at in (100.0, 3000.0))
    assert cold < warm - 1
    np.testing.assert_allclose(seen(3000.0) - seen(100.0), cold - warm, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[body]\nscript = "wrkout"', "workout"),
        ('[body]\nhappenings = ["cup@3"]', "cup"),
        ("[body]\nperson = -1", "person"),
        ('[body]\n[segments]\nmlx90632 = "LWrits"', "LWrits"),
        ('[body]\n[segments]\nmlx = "LWrist"', "mlx"),
        ('[body]\n[segments]\nads1115-ntc = ["LHand"]', "segments for ads1115-ntc"),
        ('[scene]\nname = "face"', "nobody"),
        ('[body]\n[scene]\nname = "face"\n[scene.options]\nsmile = 1', "smile"),
    ],
)
def test_a_wrong_body_is_said_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(f'about = "x"\n{text}')
    with pytest.raises(ThermoError, match=said) as caught:
        SimulatedHardware.from_profile(
            _profile("mlx90632", "ads1115-ntc", "mlx90640"), seed=1, world=str(tmp_path / "mine.toml")
        )
    assert "\n" not in str(caught.value)


def test_somebody_else_or_something_else_needs_somebody() -> None:
    with pytest.raises(UsageError, match="--script"):
        SimulatedHardware.from_profile(_profile("tmp117"), person=3)
    hardware = SimulatedHardware.from_profile(_profile("tmp117"), script="night", person=3, happenings="sun@0")
    course = hardware.around.somebody()
    assert (course.script, course.person.seed) == ("night", 3)
    assert "sun" in {one.kind for one in course.happenings}


def test_truth_is_written_as_a_table_and_lists_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "truth.csv"
    arguments = ["truth", "workout", "--person", "7", "--every", "300", "--out", str(out)]
    assert application.run(arguments) == 0
    rows = list(csv.DictReader(out.open()))
    assert len(rows) == 18
    assert {row["activity"] for row in rows} >= {"rest", "run"}
    assert float(rows[3]["LHand"]) > 0
    assert application.run([*arguments, "--happenings", "stress@0"]) != 0
    assert "--force" in capsys.readouterr().err
    assert application.run([*arguments, "--happenings", "stress@0", "--force"]) == 0
    assert "stress" in out.read_text()
    assert application.run(["truth", "day", "--every", "0.01"]) != 0
    assert "fewer hours" in capsys.readouterr().err
    for command in (["scripts"], ["happenings"], ["scripts", "--json"], ["happenings", "--json"]):
        assert application.run(command) == 0
        assert "fever" in capsys.readouterr().out
