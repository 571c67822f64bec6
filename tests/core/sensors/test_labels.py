"""What people call the numbers a sensor says."""

import pytest

from thermo_core import schema
from thermo_core.sensors.kinds import KINDS

CHANNELS = [{"name": "left"}, {"name": "right"}]


@pytest.mark.parametrize(
    ("plain", "labels"),
    [
        ({"kind": "ads1115-ntc", "path": [0x48], "channels": CHANNELS}, ("left", "right")),
        ({"kind": "lis3dh", "path": [0x18]}, ("x", "y", "z")),
        ({"kind": "max3010x", "path": [0x57], "leds": ["red", "ir"]}, ("red", "ir")),
        ({"kind": "external", "shape": [2], "given": ["systolic", "diastolic"]}, ("systolic", "diastolic")),
        ({"kind": "tmp117", "path": [0x49]}, ()),
    ],
)
def test_a_sensor_of_several_numbers_names_them(plain: dict[str, object], labels: tuple[str, ...]) -> None:
    settings = schema.from_plain({"name": "s", **plain}, KINDS[str(plain["kind"])].settings, "sensor")
    assert settings.labels == labels
    assert not labels or len(labels) == settings.signals[0].elements
