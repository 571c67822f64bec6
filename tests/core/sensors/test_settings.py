"""Settings of sensors: both ends of each range, and what is wrong beyond a range named in a sentence."""

from pathlib import Path

import pytest
from sensor_bytes import ADDRESS

from thermo_core import schema
from thermo_core.errors import ProfileError, SchemaError, UsageError
from thermo_core.graph.plan import plan
from thermo_core.sensors import SETTINGS
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.file import read
from thermo_core.wearable.profile import Profile


def _plan(**sensor: object) -> object:
    kind = str(sensor["kind"])
    plain = {"name": "s", "path": [ADDRESS[kind]], **sensor}
    return plan(schema.from_plain({"name": "w", "version": "1", "sensors": [plain]}, Profile, "profile"))


@pytest.mark.parametrize(
    ("kind", "field", "low", "high"),
    [
        ("mlx90632", "rate_hz", 0.5, 64.0),
        ("mlx90632", "emissivity", 0.05, 1.0),
        ("mlx90632", "reflected_celsius", -100, 150),
        ("mlx90614", "rate_hz", 0.01, 20.0),
        ("mlx90614", "zones", 1, 2),
        ("sht4x", "rate_hz", 0.001, 20.0),
        ("tmp117", "rate_hz", 0.0625, 8.0),
        ("lis3dh", "rate_hz", 1.0, 400.0),
        ("lis3dh", "burst", 1, 31),
        ("max3010x", "burst", 1, 31),
        ("max3010x", "current_ma", 0, 51),
        ("max3010x", "contact_na", 0, 16384),
    ],
)
def test_both_ends_of_a_range_work_and_nothing_beyond(kind: str, field: str, low: float, high: float) -> None:
    for value in (low, high):
        _plan(kind=kind, **{field: value})
    for value in (low - 1, high + 1):
        with pytest.raises(SchemaError, match=field):
            _plan(kind=kind, **{field: value})


@pytest.mark.parametrize(
    ("sensor", "said"),
    [
        ({"kind": "mlx90632", "rate_hz": 3.0}, "the chip has 0.5, 1, 2, 4, 8, 16, 32, 64"),
        ({"kind": "mlx90632", "path": [0x3C]}, "the chip has 0x3A, 0x3B"),
        ({"kind": "tmp117", "path": [0x50]}, "the chip has 0x48, 0x49, 0x4A, 0x4B"),
        ({"kind": "tmp117", "rate_hz": 3.0}, "the chip has 0.0625, 0.125, 0.25, 1, 2, 4, 8"),
        ({"kind": "tmp117", "rate_hz": 4.0, "averages": 64}, "average fewer or measure less often"),
        ({"kind": "lis3dh", "rate_hz": 26.0}, "the chip has 1, 10, 25, 50, 100, 200, 400"),
        ({"kind": "max3010x", "leds": ["green"]}, "fit a max30101"),
        ({"kind": "max3010x", "leds": ["ir", "ir"]}, "lights an LED twice"),
        ({"kind": "max3010x", "rate_hz": 30.0}, "with averages of 4 the chip has 12.5, 25, 50, 100, 200"),
        (
            {"kind": "max3010x", "rate_hz": 200.0, "averages": 4, "leds": ["red", "ir"]},
            "measures 800 times a second with pulses of 411 us of 2 LEDs; the chip does 400 at most",
        ),
    ],
)
def test_what_a_chip_cannot_do_is_said(sensor: dict[str, object], said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        _plan(**sensor)
    assert said in str(caught.value)


def test_a_wearable_of_all_kinds_is_read_from_its_file(tmp_path: Path) -> None:
    text = 'name = "all"\nversion = "1"\n'
    for kind, address in ADDRESS.items():
        text += f'\n[[sensors]]\nname = "{kind}"\nkind = "{kind}"\npath = [{address}]\n'
    for channel in (0, 7):
        text += f'\n[[sensors]]\nname = "node{channel}"\nkind = "mlx90632"\npath = ["tca9548a@0x70:{channel}", 0x3B]\n'
    path = tmp_path / "wearable.toml"
    path.write_text(text)
    signals = read(path).plan().signals
    assert {"mlx90632.ta", "mlx90614", "max3010x", "lis3dh", "sht4x.rh", "tmp117", "node7"} <= set(signals)
    assert signals["lis3dh"].shape == (3,)
    path.write_text(text.replace("path = [24]", "path = [24]\nrange = 4"))
    with pytest.raises(UsageError, match=r"sensors\[3\]\.range: is not a field there"):
        read(path)


def test_every_row_is_of_a_kind_a_profile_may_have() -> None:
    assert {row.settings for row in KINDS.values()} <= set(SETTINGS)
