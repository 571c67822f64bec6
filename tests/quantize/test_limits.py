"""Each limit of a wearable at both its ends, through signing: what it allows is signed, what lies beyond is refused by name."""

from collections.abc import Callable
from typing import Any

import bundles
import numpy as np
import pytest

from thermo_core.bundle import MAX_CARD, MAX_WAIVED
from thermo_core.errors import BundleError, ThermoError
from thermo_core.image import Version
from thermo_core.schema import from_plain, to_plain
from thermo_core.wearable.profile import Profile
from thermo_core.wire.table import LIMITS
from thermo_quantize.sign import sign_bundle

KEY = bundles.KEY
Plain = dict[str, Any]


def spots(number: int) -> Plain:
    """A sensor that no bus limits."""
    return {
        "kind": "external",
        "name": f"given{number}",
        "shape": [2],
        "unit": "K",
        "rate_hz": 1.0,
        "low": -4,
        "high": 4,
    }


def dense(model_builder: Any, inputs: int, outputs: int) -> bytes:
    """Inputs of two numbers of -4 to 4 each, and sigmoids."""
    builder, generator = model_builder(), np.random.default_rng(inputs + outputs)
    sources = [builder.tensor((1, 2), 8 / 255, 0) for _ in range(inputs)]
    joined = sources[0]
    if inputs > 1:
        joined = builder.tensor((1, 2 * inputs), 8 / 255, 0)
        builder.operator("CONCATENATION", sources, [joined], axis=1, activation=0)
    weights = builder.tensor(
        (outputs, 2 * inputs), 0.005, 0, generator.integers(-127, 128, (outputs, 2 * inputs)).astype(np.int8)
    )
    bias = builder.tensor((outputs,), 0.005 * 8 / 255, 0, np.zeros(outputs, np.int32), "int32")
    logits, last = builder.tensor((1, outputs), 0.1, 0), builder.tensor((1, outputs), 1 / 256, -128)
    builder.operator("FULLY_CONNECTED", [joined, weights, bias], [logits])
    builder.operator("LOGISTIC", [logits], [last])
    return bytes(builder.build(sources, [last]))


def wearable(**parts: Any) -> Plain:
    return {"name": "ends", "version": "1.0.0", "sensors": [spots(0)], **parts}


def said(outputs: int) -> Plain:
    quantity = {"unit": "", "low": -1, "high": 2}
    return {"quantities": [{"name": f"q{n}", **quantity} for n in range(outputs)]}


def of_sensors(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    return wearable(sensors=[spots(n) for n in range(count)]), {}


def of_stages(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    return wearable(stages=[{"op": "scale", "of": "given0", "gives": f"s{n}"} for n in range(count)]), {}


def of_models(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    models = [{"name": f"m{n}", "inputs": ["given0"], **said(1)} for n in range(count)]
    return wearable(models=models), {model["name"]: dense(model_builder, 1, 1) for model in models}


def of_model_inputs(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    models = [{"name": "m", "inputs": ["given0"] * count, **said(1)}]
    return wearable(models=models), {"m": dense(model_builder, max(count, 1), 1)}


def of_outputs(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    models = [{"name": "m", "inputs": ["given0"], **said(count)}]
    return wearable(models=models), {"m": dense(model_builder, 1, max(count, 1))}


def of_alerts(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    return wearable(alerts=[{"name": f"a{n}", "when": "given0[1] > 0.5"} for n in range(count)]), {}


def of_average_pictures(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    stages = [{"op": "average", "of": "given0", "gives": "calm", "pictures": count}]
    models = [{"name": "m", "inputs": ["calm"], **said(1)}]
    return wearable(stages=stages, models=models), {"m": dense(model_builder, 1, 1)}


def of_alert_findings(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    return wearable(alerts=[{"name": "a", "when": "given0[1] > 0.5", "for": {"findings": count}}]), {}


def of_alert_seconds(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    return wearable(alerts=[{"name": "a", "when": "given0[1] > 0.5", "for": {"seconds": count}}]), {}


MAKERS: dict[str, tuple[Callable[[Any, int], tuple[Plain, dict[str, bytes]]], str]] = {
    "sensors": (of_sensors, r"sensors"),
    "stages": (of_stages, r"stages"),
    "models": (of_models, r"models"),
    "model_inputs": (of_model_inputs, r"models\[0\]\.inputs"),
    "outputs": (of_outputs, r"models\[0\]\.quantities"),
    "alerts": (of_alerts, r"alerts"),
    "average_pictures": (of_average_pictures, r"stages\[0\]\.pictures"),
    "alert_findings": (of_alert_findings, r"alerts\[0\]\.for\.findings"),
    "alert_seconds": (of_alert_seconds, r"alerts\[0\]\.for\.seconds"),
}


def signed(data: Plain, networks: dict[str, bytes], **more: Any) -> Profile:
    """Signed as it comes, so that it is signing which looks at the limits."""
    unchecked = _unchecked(data)
    return sign_bundle(unchecked, networks, more.pop("card", "# Card"), Version(1), KEY, **more).bundle.profile


def _unchecked(data: Plain) -> Profile:
    """A profile with parts beyond their limits, as code can make one."""
    from thermo_core.sensors.external.settings import ExternalSettings
    from thermo_core.stages.average import Average
    from thermo_core.stages.scale import Scale
    from thermo_core.wearable.profile import Alert, Duration, Model, Quantity

    def sensor(one: Plain) -> ExternalSettings:
        fields: Plain = {
            name: tuple(value) if isinstance(value, list) else value for name, value in one.items() if name != "kind"
        }
        return ExternalSettings(**fields)

    def stage(one: Plain) -> Average | Scale:
        kind = {"average": Average, "scale": Scale}[one["op"]]
        return kind(**{name: value for name, value in one.items() if name != "op"})

    def model(one: Plain) -> Model:
        quantities = tuple(Quantity(**quantity) for quantity in one["quantities"])
        return Model(name=one["name"], inputs=tuple(one["inputs"]), quantities=quantities)

    def alert(one: Plain) -> Alert:
        return Alert(name=one["name"], when=one["when"], after=Duration(**one.get("for", {})))

    return Profile(
        name=data["name"],
        version=data["version"],
        sensors=tuple(map(sensor, data["sensors"])),
        stages=tuple(map(stage, data.get("stages", ()))),
        models=tuple(map(model, data.get("models", ()))),
        alerts=tuple(map(alert, data.get("alerts", ()))),
    )


def test_every_limit_of_the_table_is_tried() -> None:
    assert set(MAKERS) == set(LIMITS)


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", MAKERS)
def test_both_ends_of_a_limit_are_signed(model_builder: Any, name: str, end: str) -> None:
    data, networks = MAKERS[name][0](model_builder, int(getattr(LIMITS[name], end)))
    profile = signed(data, networks)
    assert profile == from_plain(to_plain(profile), Profile, "profile"), "what is signed is within its limits"
    assert len(profile.sensors) == len(data["sensors"]) and len(profile.models) == len(networks)


BEYOND = [
    *((name, int(limit.high) + 1) for name, limit in LIMITS.items()),
    *((name, int(limit.low) - 1) for name, limit in LIMITS.items() if limit.low > 0 or limit.unit),
]
"""A list cannot have less than nothing in it."""


@pytest.mark.parametrize(("name", "beyond"), BEYOND)
def test_what_lies_beyond_a_limit_is_not_signed(model_builder: Any, name: str, beyond: int) -> None:
    maker, field = MAKERS[name]
    with pytest.raises(ThermoError, match=rf"bundle\.profile\.{field}: ") as refusal:
        signed(*maker(model_builder, beyond))
    assert isinstance(refusal.value, BundleError)


def test_both_ends_of_a_bundles_own_limits(model_builder: Any) -> None:
    data, networks = of_models(model_builder, 1)
    for card, waived in (("c" * MAX_CARD, ()), ("# Card", ("w" * 200,) * MAX_WAIVED)):
        assert signed(data, networks, card=card, waived=waived).name == "ends"
    for card, waived, field in (
        ("c" * (MAX_CARD + 1), (), "card"),
        ("", (), "card"),
        ("# Card", ("w",) * (MAX_WAIVED + 1), "waived"),
        ("# Card", ("w" * 201,), r"waived\[0\]"),
        ("# Card", ("two\nlines",), r"waived\[0\]"),
    ):
        with pytest.raises(BundleError, match=rf"bundle\.{field}"):
            signed(data, networks, card=card, waived=waived)
