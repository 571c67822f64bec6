"""Under what conditions signals and findings came about: whose they are, how they were decoded, what ran."""

from typing import Any

from thermo_core import schema
from thermo_core.recording.session import Session
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.profile import NOTICE
from thermo_host.sinks.describe import sensor_facts, utc_of_second
from thermo_host.stream.decoding import DecodeSettings


def about(session: Session, settings: DecodeSettings) -> dict[str, Any]:
    """As JSON values.

    Args:
        session: whose they are.
        settings: how blocks became signals.
    """
    hello = session.hello
    plan = settings.plan(session)
    sensors = sensor_facts(session)
    for number, facts in enumerate(sensors):
        corrected = settings.corrected and facts["corrected"]
        correction = session.correction(number) if corrected else None
        facts["uncalibrated"] = not corrected and KINDS[facts["kind"]].correction is not None
        facts["calibrated_at"] = None if correction is None else utc_of_second(correction.stamp.created_unix_s)
    return {
        "name": hello.name,
        "serial": hello.serial,
        "software": hello.software,
        "profile": hello.profile,
        "bundle": hello.bundle,
        "bundle_sha256": hello.bundle_sha256.hex(),
        "simulated": hello.simulated,
        "waived": list(hello.waived),
        "subject": session.subject,
        "note": session.note,
        "person": dict(session.person),
        "sensors": sensors,
        "profile_whole": schema.to_readable(plan.profile),
        "notice": NOTICE,
    }


def about_words(session: Session, settings: DecodeSettings) -> str:
    """For people."""
    hello = session.hello
    words = [
        f"{hello.profile} on {hello.name} {hello.serial}",
        f"bundle {hello.bundle}" if hello.bundle else "no bundle",
    ]
    words += ["simulated"] * hello.simulated
    words += [f"subject {session.subject}"] * bool(session.subject)
    for sensor, state in zip(settings.plan(session).profile.sensors, hello.sensors, strict=True):
        said = [sensor.name]
        if KINDS[sensor.kind].correction is not None:
            said.append("calibrated" if state.corrected and settings.corrected else "uncalibrated")
        emissivity = getattr(sensor, "emissivity", None)
        reflected = getattr(sensor, "reflected_celsius", None)
        said += [] if emissivity is None else [f"emissivity {emissivity:g}"]
        said += [] if reflected is None else [f"reflected {reflected:g} °C"]
        words += [" ".join(said)] * (len(said) > 1)
    return ", ".join(words) + "."
