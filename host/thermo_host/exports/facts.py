"""Under what conditions the samples of an export came about: whose they are, how they were decoded, what ran."""

from collections.abc import Mapping
from typing import Any

from thermo_core import schema
from thermo_core.errors import CorrectionError
from thermo_core.graph.engine import Engine
from thermo_core.recording.session import Session
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_host.stream.optics import OPTICS


def facts(session: Session, profile: Profile, engine: Engine | None = None) -> dict[str, Any]:
    """As JSON values.

    Args:
        session: whose samples they are.
        profile: what they were decoded with.
        engine: what decodes them; without one nothing is told of corrections.
    """
    hello = session.hello
    return {
        "name": hello.name,
        "serial": hello.serial,
        "software": hello.software,
        "platform": hello.platform,
        "profile": profile.name,
        "bundle": hello.bundle,
        "bundle_sha256": hello.bundle_sha256.hex(),
        "simulated": hello.simulated,
        "subject": session.subject,
        "note": session.note,
        "person": dict(session.person),
        "sensors": [_sensor(session, number, one, engine) for number, one in enumerate(profile.sensors)],
        "profile_whole": schema.to_readable(profile),
        "notice": " ".join(filter(None, (NOTICE, profile.notice))),
    }


def sensor_facts(whole: Mapping[str, Any], sensors: tuple[int, ...]) -> dict[str, Any]:
    """What every row of a signal repeats.

    Args:
        whole: as `facts` gives it.
        sensors: numbers of those that the signal rests on.
    """
    mine = [whole["sensors"][number] for number in sensors]
    optics = [{name: one[name] for name in OPTICS} for one in mine if OPTICS[0] in one]
    return {
        "serial": whole["serial"],
        "profile": whole["profile"],
        "simulated": whole["simulated"],
        "uncalibrated": any(one["uncalibrated"] for one in mine),
        **(optics[0] if optics and all(one == optics[0] for one in optics) else dict.fromkeys(OPTICS, "")),
    }


def _sensor(session: Session, number: int, settings: SensorSettings, engine: Engine | None) -> dict[str, Any]:
    states = session.hello.sensors
    state = states[number] if number < len(states) else None
    corrected = engine is not None and engine.corrected(number)
    created = None
    if corrected:
        try:
            correction = session.correction(number)
            created = None if correction is None else correction.stamp.created_unix_s
        except CorrectionError:
            pass
    return {
        "sensor": number,
        "name": settings.name,
        "kind": settings.kind,
        "place": settings.place,
        "id": "" if state is None else state.id.hex(),
        "constants": 0 if state is None else state.constants,
        "rate_hz": 0.0 if state is None else state.rate_hz,
        "warning": "" if state is None else state.warning,
        "uncalibrated": not corrected and KINDS[settings.kind].correction is not None,
        "calibrated_unix_s": created,
        **{name: getattr(settings, name) for name in OPTICS if hasattr(settings, name)},
    }
