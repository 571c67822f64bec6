"""Energy of a wearable on a board: against sums by hand, and what a person is told."""

import json
from typing import Any

import msgspec
import pytest

from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.sht4x.settings import Sht4xSettings
from thermo_core.sensors.tmp117.settings import Tmp117Settings
from thermo_core.wearable import file, library
from thermo_core.wearable.profile import Model
from thermo_models.cli import main
from thermo_models.energy import BOARDS, USABLE, Energy
from thermo_models.wearable_text import Drawn


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["wearable", "check", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def drawn(name: str, target: str = "m4") -> Drawn:
    wearable = file.read(library.resolve(name))
    networks = {model: path.read_bytes() for model, path in wearable.networks.items()}
    return Drawn.of(wearable.plan(), networks, target)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", library.names())
def test_an_inference_takes_its_instructions_at_the_boards_clock(name: str, board: str) -> None:
    graph, of = drawn(name), BOARDS[board]
    energy = Energy.of(graph, of)
    for node, cost in graph.costs():
        if isinstance(node.what, Model):
            assert cost is not None
            seconds = cost * of.cycles / of.clock_hz
            assert energy.inference_ms[node.what.name] == pytest.approx(1e3 * seconds)
            watts = of.supply_v * of.running_ma / 1e3
            assert energy.inference_uj[node.what.name] == pytest.approx(1e6 * seconds * watts)
    assert of.waiting_ma <= energy.processor_ma <= of.running_ma


def test_a_battery_lasts_for_what_is_drawn() -> None:
    energy = Energy.of(drawn("breast-patch"), BOARDS["nrf52840"])
    assert energy.sensors_ma["skin"] > 0.9 * energy.mean_ma, "the camera draws nearly all"
    assert energy.hours(200, 1) == pytest.approx(USABLE * 200 / energy.mean_ma)
    assert energy.hours(200, 0) == pytest.approx(USABLE * 200 / energy.board.waiting_ma)
    tenth = energy.hours(200, 0.1)
    assert energy.hours(200, 1) < 9 * energy.hours(200, 1) < tenth < energy.hours(200, 0)


@pytest.mark.parametrize(
    ("slow", "fast"),
    [
        (Lis3dhSettings(name="a", path=(0x18,), rate_hz=10.0), {"rate_hz": 100.0}),
        (Lis3dhSettings(name="a", path=(0x18,), rate_hz=100.0, mode="low-power"), {"mode": "normal"}),
        (Sht4xSettings(name="a", path=(0x44,)), {"rate_hz": 1.0}),
        (Sht4xSettings(name="a", path=(0x44,), repeatability="low"), {"repeatability": "high"}),
        (Tmp117Settings(name="a", path=(0x48,)), {"averages": 32}),
        (Max3010xSettings(name="a", path=(0x57,)), {"current_ma": 20.0}),
        (Max3010xSettings(name="a", path=(0x57,)), {"leds": ("red", "ir")}),
        (Ads1115NtcSettings(name="a", path=(0x48,), channels=(Thermistor(name="a"),)), {"rate_hz": 20.0}),
        (Ads1115NtcSettings(name="a", path=(0x48,), channels=(Thermistor(name="a"),)), {"channels": (Thermistor(name="a"), Thermistor(name="b"))}),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else "-".join(value),
)  # fmt: skip
def test_more_of_anything_draws_more(slow: Any, fast: dict[str, Any]) -> None:
    assert 0 < slow.supply_ma < msgspec.structs.replace(slow, **fast).supply_ma < 60


def test_by_hand() -> None:
    """One LED of 6.4 mA, lit for 411 us a hundred times a second; thermistors of 10 kOhm in series with as much."""
    assert Max3010xSettings(name="a", path=(0x57,)).supply_ma == pytest.approx(0.6 + 6.4 * 411e-6 * 100)
    channel = Ads1115NtcSettings(name="a", path=(0x48,), channels=(Thermistor(name="a"),))
    assert channel.supply_ma == pytest.approx(3.3 / 20_000 * 1000 + 0.15 * 2 / 860)


def test_what_a_person_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "breast-patch", "--board", "nrf52840", "--battery-mah", "400")
    assert code == 0
    assert "an estimate" in out and "not measured on silicon" in out and "battery of 400 mAh" in out
    code, out, _ = told(capsys, "wrist-stress", "--board", "stm32l476", "--json")
    facts = json.loads(out)["energy"]
    assert facts["sensors_ma"] == {} and facts["mean_ma"] == facts["processor_ma"]
    assert "energy" not in json.loads(told(capsys, "breast-patch", "--json")[1])
    for words, said in (("--board", "z80"), "nrf52840, stm32l476"), (("--board", "nrf52840", "--duty", "2"), "duty"):
        code, _, error = told(capsys, "breast-patch", *words)
        assert code == 2 and said in error
