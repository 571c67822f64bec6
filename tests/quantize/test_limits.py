"""Each limit of a wearable at both its ends: what it allows is signed, runs, travels and becomes firmware; what lies beyond is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import pytest

from thermo_core.bundle import MAX_CARD, MAX_WAIVED
from thermo_core.errors import BundleError, ThermoError
from thermo_core.graph.alerts import AlertState
from thermo_core.image import Version
from thermo_core.schema import from_plain, to_plain
from thermo_core.wearable.profile import Profile
from thermo_core.wire import records
from thermo_core.wire.records import AlertRecord, FindingRecord, Record
from thermo_core.wire.table import LIMITS
from thermo_device.bundled import Bundled
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_quantize import firmware
from thermo_quantize.sign import Signed, sign_bundle
from thermo_sim.hardware import SimulatedHardware

KEY = bundles.KEY
Plain = dict[str, Any]
LONGEST = 300
"""Seconds and findings that a test waits for."""
FIRMWARE = Path(__file__).parents[2] / "device" / "firmware"


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


def of_learners(model_builder: Any, count: int) -> tuple[Plain, dict[str, bytes]]:
    return wearable(stages=[{"op": "own_baseline", "of": "given0", "gives": f"s{n}"} for n in range(count)]), {}


MAKERS: dict[str, tuple[Callable[[Any, int], tuple[Plain, dict[str, bytes]]], str]] = {
    "sensors": (of_sensors, r"sensors"),
    "stages": (of_stages, r"stages"),
    "models": (of_models, r"models"),
    "model_inputs": (of_model_inputs, r"models\[0\]\.inputs"),
    "outputs": (of_outputs, r"models\[0\]\.quantities"),
    "alerts": (of_alerts, r"alerts"),
    "learners": (of_learners, r"stages\[8\]"),
    "average_pictures": (of_average_pictures, r"stages\[0\]\.pictures"),
    "alert_findings": (of_alert_findings, r"alerts\[0\]\.for\.findings"),
    "alert_seconds": (of_alert_seconds, r"alerts\[0\]\.for\.seconds"),
}


ELSEWHERE = {"kept_bytes", "kept_seconds", "learned"}
"""Limits of what devices keep, which no profile names: tests/firmware/test_firmware_kept.py, tests/core/test_learned.py."""


def signed(data: Plain, networks: dict[str, bytes], **more: Any) -> Profile:
    """Signed as it comes, so that it is signing which looks at the limits."""
    return _signed(data, networks, **more).bundle.profile


def _signed(data: Plain, networks: dict[str, bytes], **more: Any) -> Signed:
    return sign_bundle(_unchecked(data), networks, more.pop("card", "# Card"), Version(1), KEY, **more)


def _unchecked(data: Plain) -> Profile:
    """A profile with parts beyond their limits, as code can make one."""
    from thermo_core.sensors.external.settings import ExternalSettings
    from thermo_core.stages.average import Average
    from thermo_core.stages.own_baseline import OwnBaseline
    from thermo_core.stages.scale import Scale
    from thermo_core.wearable.profile import Alert, Duration, Model, Quantity

    def sensor(one: Plain) -> ExternalSettings:
        fields: Plain = {
            name: tuple(value) if isinstance(value, list) else value for name, value in one.items() if name != "kind"
        }
        return ExternalSettings(**fields)

    def stage(one: Plain) -> Any:
        kind: Any = {"average": Average, "scale": Scale, "own_baseline": OwnBaseline}[one["op"]]
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
    assert set(MAKERS) | ELSEWHERE == set(LIMITS)


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", MAKERS)
def test_both_ends_of_a_limit_are_signed(model_builder: Any, name: str, end: str) -> None:
    data, networks = MAKERS[name][0](model_builder, int(getattr(LIMITS[name], end)))
    profile = signed(data, networks)
    assert profile == from_plain(to_plain(profile), Profile, "profile"), "what is signed is within its limits"
    assert len(profile.sensors) == len(data["sensors"]) and len(profile.models) == len(networks)


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", MAKERS)
def test_both_ends_of_a_limit_run_and_travel(model_builder: Any, name: str, end: str) -> None:
    data, networks = MAKERS[name][0](model_builder, int(getattr(LIMITS[name], end)))
    profile = signed(data, networks)
    simulated = SimulatedHardware.from_profile(seed=1)
    hardware = Hardware(simulated.bus, simulated.clock, "ends", "0001", simulated=True)
    pipeline = Pipeline(hardware, profile, Bundled(networks), inline=True)
    pipeline.start()
    said: list[Record] = []
    for second in range(1, LONGEST + 2):
        simulated.clock.sleep_until_us(1_000_000 * second)
        for sensor in range(len(profile.sensors)):
            pipeline.feed(sensor, np.ones(2, np.float32))
        said += pipeline.step(simulated.clock.now_us())
    pipeline.close()
    for record in said:
        there = records.decode(records.encode(record, 0))[1]
        assert records.encode(there, 0) == records.encode(record, 0)
    heard = {record.model for record in said if isinstance(record, FindingRecord)}
    assert heard == set(range(len(profile.models)))
    raised = {
        record.change.alert
        for record in said
        if isinstance(record, AlertRecord) and record.change.state is AlertState.RAISED
    }
    soon = all(max(alert.after.findings, alert.after.seconds) <= LONGEST for alert in profile.alerts)
    assert raised == (set(range(len(profile.alerts))) if soon else set()), "what takes longer is not told early"


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", MAKERS)
def test_both_ends_of_a_limit_become_firmware(model_builder: Any, name: str, end: str, tmp_path: Path) -> None:
    data, networks = MAKERS[name][0](model_builder, int(getattr(LIMITS[name], end)))
    made = firmware.generate(_signed(data, networks).data, KEY.public_key())
    for file, text in made.files.items():
        (tmp_path / file).write_text(text)
    sources = [file for file in made.files if file.endswith(".c")]
    includes = [f"-I{FIRMWARE / folder}" for folder in (".", "core", "sensors", "stages")]
    subprocess.run(
        ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", *includes, "-fsyntax-only", *sources],
        cwd=tmp_path,
        check=True,
    )


BEYOND = [
    *((name, int(limit.high) + 1) for name, limit in LIMITS.items() if name not in ELSEWHERE),
    *(
        (name, int(limit.low) - 1)
        for name, limit in LIMITS.items()
        if name not in ELSEWHERE and (limit.low > 0 or limit.unit)
    ),
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
