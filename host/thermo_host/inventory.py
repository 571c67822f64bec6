"""Everything a wearable says of itself, for JSON: who it is, its sensors with their corrections, models, alerts, images, counters."""

from typing import Any

from thermo_core import schema
from thermo_core.errors import CorrectionError, RefusedError
from thermo_core.graph.alerts import AlertState
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kinds import KINDS
from thermo_core.text import clean
from thermo_core.wearable.profile import Profile
from thermo_core.wire.management import Hello
from thermo_host.link.session import profile_of
from thermo_host.link.wearable import Wearable
from thermo_host.moments import utc_of_second

SLOTS = ("current", "previous")
"""Corrections that a wearable keeps of a sensor."""


def everything(wearable: Wearable) -> tuple[Hello, Profile, dict[str, Any]]:
    """Ask for all of it: who it is, what it is, and both with all else for JSON.

    Raises:
        LinkError: it does not answer, or refuses.
    """
    hello = wearable.hello()
    profile = profile_of(wearable)
    data: dict[str, Any] = {
        "port": wearable.port,
        "hello": _hello(hello),
        "sensors": [_sensor(wearable, hello, profile, at) for at in range(len(profile.sensors))],
        "models": [_model(model) for model in profile.models],
        "alerts": _alerts(wearable, profile),
        "person": wearable.person() if profile.person else {},
        "images": [_image(state) for state in wearable.images()],
        "counters": dict(wearable.counters()),
        "round_trip_s": 2 * wearable.clock.uncertainty_s,
    }
    return hello, profile, data


def _hello(hello: Hello) -> dict[str, Any]:
    plain: dict[str, Any] = schema.to_plain(hello)
    for name in ("profile_sha256", "bundle_sha256"):
        plain[name] = getattr(hello, name).hex()
    for shown, state in zip(plain["sensors"], hello.sensors, strict=True):
        shown["id"] = state.id.hex()
    return plain


def _image(state: Any) -> dict[str, Any]:
    flags = ("bootable", "pending", "confirmed", "active", "permanent")
    return {
        "slot": state.slot,
        "version": clean(state.version),
        "sha256": state.hash.hex() if state.hash else "",
        **{flag: bool(getattr(state, flag)) for flag in flags},
    }


def _sensor(wearable: Wearable, hello: Hello, profile: Profile, number: int) -> dict[str, Any]:
    settings = schema.to_readable(profile.sensors[number])
    state = schema.to_plain(hello.sensors[number]) if number < len(hello.sensors) else {}
    state["id"] = state.get("id", b"").hex()
    corrections = {}
    if KINDS[profile.sensors[number].kind].correction is not None:
        corrections = {name: _correction(wearable, number, slot) for slot, name in enumerate(SLOTS)}
    return {"sensor": number, **settings, **state, "corrections": corrections}


def _correction(wearable: Wearable, sensor: int, slot: int) -> dict[str, Any] | None:
    try:
        correction = wearable.correction(sensor, slot)
    except (CorrectionError, RefusedError) as error:
        return {"problem": str(error)}
    return None if correction is None else _stamp(correction)


def _stamp(correction: Correction) -> dict[str, Any]:
    stamp = correction.stamp
    bad = getattr(correction, "bad", None)
    return {
        "sensor_id": stamp.sensor_id.hex(),
        "created": utc_of_second(stamp.created_unix_s),
        "residual_rms": round(stamp.residual_rms, 6),
        **({} if bad is None else {"bad_pixels": int(bad.sum())}),
    }


def _model(model: Any) -> dict[str, Any]:
    plain: dict[str, Any] = schema.to_readable(model)
    return {name: value for name, value in plain.items() if value is not None}


def _alerts(wearable: Wearable, profile: Profile) -> list[dict[str, Any]]:
    states = wearable.alerts() if profile.alerts else ()
    return [
        {
            "alert": alert.name,
            "when": alert.when,
            "severity": alert.severity,
            "text": alert.text,
            "state": AlertState(now.state).name.lower() if now.state < len(AlertState) else str(now.state),
            "since_us": now.time_us,
        }
        for alert, now in zip(profile.alerts, states, strict=False)
    ]
