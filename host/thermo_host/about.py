"""Under what conditions signals and findings came about: whose they are, how they were decoded, what ran."""

from collections.abc import Mapping
from typing import Any

from thermo_core import schema
from thermo_core.errors import CorrectionError
from thermo_core.graph.engine import Engine
from thermo_core.recording.session import Session
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_host.moments import utc_of_second
from thermo_host.sinks.describe import sensor_facts
from thermo_host.stream.optics import OPTICS


def about(session: Session, profile: Profile, engine: Engine | None = None) -> dict[str, Any]:
    """As JSON values.

    Args:
        session: whose they are.
        profile: what blocks were decoded with.
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
        "waived": list(hello.waived),
        "subject": session.subject,
        "note": session.note,
        "person": dict(session.person),
        "sensors": [
            {**facts, **_correction(session, facts["sensor"], facts["kind"], engine), **_optics(settings)}
            for facts, settings in zip(sensor_facts(session, profile), profile.sensors, strict=True)
        ],
        "profile_whole": schema.to_readable(profile),
        "notice": " ".join(filter(None, (NOTICE, profile.notice))),
    }


def of_signal(whole: Mapping[str, Any], sensors: tuple[int, ...]) -> dict[str, Any]:
    """What every row of a signal repeats.

    Args:
        whole: as `about` gives it.
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


def about_words(session: Session, profile: Profile, engine: Engine) -> str:
    """For people."""
    hello = session.hello
    words = [
        f"{profile.name} on {hello.name} {hello.serial}",
        f"bundle {hello.bundle}" if hello.bundle else "no bundle",
    ]
    words += ["simulated"] * hello.simulated
    words += [f"subject {session.subject}"] * bool(session.subject)
    for number, sensor in enumerate(profile.sensors):
        said = [sensor.name]
        if KINDS[sensor.kind].correction is not None:
            said.append("calibrated" if engine.corrected(number) else "uncalibrated")
        emissivity = getattr(sensor, "emissivity", None)
        reflected = getattr(sensor, "reflected_celsius", None)
        said += [] if emissivity is None else [f"emissivity {emissivity:g}"]
        said += [] if reflected is None else [f"reflected {reflected:g} °C"]
        words += [" ".join(said)] * (len(said) > 1)
    return ", ".join(words) + "."


def _correction(session: Session, sensor: int, kind: str, engine: Engine | None) -> dict[str, Any]:
    corrected = engine is not None and engine.corrected(sensor)
    created = None
    if corrected:
        try:
            correction = session.correction(sensor)
            created = None if correction is None else utc_of_second(correction.stamp.created_unix_s)
        except CorrectionError:
            pass
    return {"uncalibrated": not corrected and KINDS[kind].correction is not None, "calibrated_at": created}


def _optics(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in OPTICS if hasattr(settings, name)}
