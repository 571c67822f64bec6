"""Profiles: data in, the same data out, and every bad field by its full name."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thermo_core.thermistor import ThermistorChannel

from thermo_core.errors import BundleError
from thermo_core.profile import NOTICE, Alert, PictureSensor, Preprocessing, Profile

FULL = Profile(
    name="breast-patch",
    version="1.0.0",
    picture_sensor=PictureSensor(refresh_rate_hz=32, emissivity=0.97, reflected_celsius=23),
    preprocessing=Preprocessing(8, "median", 0.5),
    labels=("no lesion", "lesion"),
    alert=Alert(label=1, threshold=0.8, consecutive=3),
)


@pytest.mark.parametrize("profile", [FULL, Profile.bare()], ids=["full", "bare"])
def test_profile_survives_json(profile: Profile) -> None:
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


def test_bare_profile_has_sensors_and_no_verdict() -> None:
    bare = Profile.bare()
    assert bare.labels == ()
    assert bare.alert is None
    assert bare.picture_sensor.address == 0x33
    assert len(bare.thermistors.channels) == 4
    assert bare.notice == NOTICE == "Informs only. Not a medical device."


BAD: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", 3),
    ("version", None),
    ("picture_sensor", []),
    ("picture_sensor.kind", "mlx90641"),
    ("picture_sensor.address", 0x78),
    ("picture_sensor.address", True),
    ("picture_sensor.refresh_rate_hz", 10),
    ("picture_sensor.refresh_rate_hz", "16"),
    ("picture_sensor.resolution_bits", 20),
    ("picture_sensor.chess", 1),
    ("picture_sensor.emissivity", 0),
    ("picture_sensor.emissivity", 1.01),
    ("picture_sensor.emissivity", float("nan")),
    ("picture_sensor.reflected_celsius", float("inf")),
    ("picture_sensor.reflected_celsius", 298),
    ("picture_sensor.colour", "red"),
    ("thermistors.address", 0),
    ("thermistors.rate_hz", 0),
    ("thermistors.channels", {}),
    ("thermistors.channels", [None] * 5),
    ("preprocessing.average_pictures", 0),
    ("preprocessing.average_pictures", 1.0),
    ("preprocessing.centre", "mean"),
    ("preprocessing.scale", -1),
    ("labels", ["lesion", "lesion"]),
    ("labels", ["lesion", ""]),
    ("labels", "lesion"),
    ("labels", ["\x1b[2J"]),
    ("name", "two\nlines"),
    ("name", "\ud800"),
    ("preprocessing.scale", 10**400),
    ("alert.label", 2),
    ("alert.threshold", 0),
    ("alert.consecutive", 0),
    ("notice", "Diagnoses."),
    ("surprise", 1),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name}={value!r:.12}" for name, value in BAD])
def test_bad_field_is_named(name: str, value: Any) -> None:
    data = copy.deepcopy(FULL.to_dict())
    *parents, last = name.split(".")
    place: Any = data
    for parent in parents:
        place = place[parent]
    place[last] = value
    with pytest.raises(BundleError, match=rf"profile\.{name} "):
        Profile.from_dict(data)


@pytest.mark.parametrize("field", [f for f in FULL.to_dict() if f != "alert"])
def test_missing_field_is_named(field: str) -> None:
    data = FULL.to_dict()
    del data[field]
    with pytest.raises(BundleError, match=rf"profile\.{field} is missing"):
        Profile.from_dict(data)


def test_another_sensor_is_named_before_what_it_lacks() -> None:
    """The fields of a kind that is not known are not known either."""
    data: Any = copy.deepcopy(FULL.to_dict())
    data["picture_sensor"] = {"kind": "mlx90641", "address": 0x33}
    with pytest.raises(BundleError, match=r"profile\.picture_sensor\.kind must be one of mlx90640"):
        Profile.from_dict(data)


def test_bad_thermistor_is_named_by_its_number() -> None:
    data: Any = copy.deepcopy(FULL.to_dict())
    data["thermistors"]["channels"][2]["series_ohm"] = -1
    with pytest.raises(BundleError, match=r"profile\.thermistors\.channels\[2\]\.series_ohm "):
        Profile.from_dict(data)


def test_every_curve_a_profile_may_hold_is_one_a_channel_takes() -> None:
    data: Any = copy.deepcopy(FULL.to_dict())
    channel = data["thermistors"]["channels"][0]
    for curve in ({"a": -1.0, "b": 1e-9, "c": 0.0}, {"a": 1.0, "b": 1.0, "c": 1.0}, {"r25": 1.0, "beta": 100.0}):
        channel["curve"] = curve
        ThermistorChannel.from_settings(Profile.from_dict(data).thermistors.channels[0])
    for name, value in (("b", 0.0), ("c", -1e-9), ("d", 1.0)):
        channel["curve"] = {"a": 1e-3, "b": 2e-4, "c": 1e-7} | {name: value}
        with pytest.raises(BundleError, match=rf"channels\[0\]\.curve\.{name} "):
            Profile.from_dict(data)


def test_alert_needs_labels() -> None:
    data = FULL.to_dict() | {"labels": []}
    with pytest.raises(BundleError, match=r"profile\.alert\.label"):
        Profile.from_dict(data)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=10,
)


@given(TREES, st.sampled_from([None, *FULL.to_dict()]))
def test_arbitrary_data_gives_a_typed_error_or_a_profile(tree: Any, field: str | None) -> None:
    data = tree if field is None else FULL.to_dict() | {field: tree}
    try:
        profile = Profile.from_dict(data)
    except BundleError:
        return
    assert Profile.from_dict(profile.to_dict()) == profile
