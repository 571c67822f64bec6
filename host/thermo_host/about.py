"""Under what conditions temperatures and verdicts came about: whose they are, how they were decoded, what ran."""

from typing import Any

from thermo_core.profile import NOTICE

from thermo_host.link.session import PICTURE_SENSOR, Session
from thermo_host.pictures import EMISSIVITY, DecodeSettings


def about(session: Session, settings: DecodeSettings, corrected: bool) -> dict[str, Any]:
    """As JSON values.

    Args:
        session: whose they are.
        settings: how pictures were decoded.
        corrected: whether the per-pixel calibration was applied.
    """
    hello, correction, profile = session.hello, session.correction, session.profile
    pictures = [_optics(session, sensor.sensor, settings) for sensor in hello.sensors if sensor.kind == PICTURE_SENSOR]
    return {
        "name": hello.name,
        "serial": hello.serial,
        "software": hello.software,
        "profile": hello.profile,
        "model": hello.model,
        "simulated": hello.simulated,
        "uncalibrated": not corrected,
        **(pictures[0] if pictures else {}),
        "profile_whole": None if profile is None else profile.to_dict(),
        "calibrated_unix_s": correction.created_unix_s if correction is not None and corrected else None,
        "sensors": [
            {
                "sensor": sensor.sensor,
                "kind": sensor.kind,
                "id": sensor.id.hex(),
                "generation": sensor.generation,
                "fingerprint": f"{sensor.fingerprint:08x}",
                "warning": sensor.warning,
                "rate_hz": sensor.rate_hz,
                **_optics(session, sensor.sensor, settings),
            }
            for sensor in hello.sensors
        ],
        "notice": NOTICE,
    }


def about_words(session: Session, settings: DecodeSettings, corrected: bool) -> str:
    """For people."""
    hello = session.hello
    words = [f"{hello.profile} on {hello.name} {hello.serial}", f"model {hello.model}" if hello.model else "no model"]
    words += ["simulated"] * hello.simulated + ["calibrated" if corrected else "uncalibrated"]
    for sensor in hello.sensors:
        if sensor.kind == PICTURE_SENSOR:
            optics = _optics(session, sensor.sensor, settings)
            around = optics["reflected_c"]
            words.append(
                f"emissivity {optics['emissivity']:g}" + ("" if around is None else f", reflected {around:g} °C")
            )
    return ", ".join(words) + "."


def _optics(session: Session, number: int, settings: DecodeSettings) -> dict[str, Any]:
    """What a picture sensor's counts were decoded with; nothing for another sensor."""
    sensor = next(sensor for sensor in session.hello.sensors if sensor.sensor == number)
    if sensor.kind != PICTURE_SENSOR:
        return {}
    emissivity = settings.emissivity if settings.emissivity is not None else sensor.emissivity
    return {
        "emissivity": EMISSIVITY if emissivity is None else emissivity,
        "reflected_c": settings.reflected if settings.reflected is not None else sensor.reflected,
    }
