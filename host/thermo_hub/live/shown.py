"""What a page needs to know of a wearable before it can show what it measures, as JSON values."""

from typing import Any

from thermo_core.errors import CorrectionError
from thermo_core.recording.session import Session
from thermo_core.sensors.kinds import KINDS
from thermo_core.signals import Signal
from thermo_core.wearable.profile import NOTICE
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.screen.layout import Channel, layout, picture_shape
from thermo_host.sinks.describe import sensor_facts
from thermo_host.stream.signals import networks_under
from thermo_hub.live.past import is_fast
from thermo_hub.wearables.registry import Worn


def summary(worn: Worn) -> dict[str, Any]:
    """A wearable on the wall."""
    hello = worn.session.hello
    return {
        "id": worn.id,
        "label": worn.label,
        "name": hello.name,
        "serial": hello.serial,
        "profile": hello.profile,
        "simulated": hello.simulated,
        "port": worn.port,
        "state": worn.state,
        "reason": worn.reason,
    }


def whole(worn: Worn, streams: dict[str, int]) -> dict[str, Any]:
    """A wearable with all that is shown of it.

    Args:
        worn: it.
        streams: numbers of the streams of its pictures, by signal.
    """
    session = worn.session
    hello, profile = session.hello, session.profile
    shown = layout(session.plan)
    return {
        **summary(worn),
        "bundle": hello.bundle,
        "software": hello.software,
        "platform": hello.platform,
        "waived": list(hello.waived),
        "development_key": hello.development_key and not hello.simulated,
        "notice": " ".join(filter(None, (NOTICE, profile.notice))),
        "person": dict(session.person),
        "sensors": [{**facts, **calibration(session, facts["sensor"])} for facts in sensor_facts(session)],
        "pictures": [_picture(session, signal, streams) for signal in shown.pictures],
        "beside": [
            {**_channel(Channel(signal, 0, signal.name)), "of": name}
            for name, signals in shown.beside.items()
            for signal in signals
        ],
        "hearts": [_channel(channel) for channel in shown.hearts if _comes(session, channel)],
        "channels": [_channel(channel) for channel in shown.channels if _comes(session, channel)],
        "bodies": [{"signal": signal.name, "unit": signal.unit} for signal in shown.bodies],
        "models": [
            {
                "name": model.name,
                "scores": None if model.scores is None else list(model.scores),
                "quantities": [
                    {"name": one.name, "unit": one.unit, "low": one.low, "high": one.high, "spread": one.spread}
                    for one in model.quantities or ()
                ],
            }
            for model in profile.models
        ],
        "alerts": [
            {"name": alert.name, "when": alert.when, "severity": alert.severity, "text": alert.text}
            for alert in profile.alerts
        ],
    }


def calibration(session: Session, sensor: int) -> dict[str, Any]:
    """How a sensor is calibrated (`laid`: in positions), when it was, and how far off it was then."""
    state = session.hello.sensors[sensor] if sensor < len(session.hello.sensors) else None
    kind = session.profile.sensors[sensor].kind
    found: dict[str, Any] = {
        "can_calibrate": KINDS[kind].correction is not None,
        "laid": kind in PROCEDURES and PROCEDURES[kind].apparatus == "positions",
        "calibrated_unix_s": None,
    }
    if state is None or not state.corrected:
        return found
    try:
        correction = session.correction(sensor)
    except CorrectionError:
        return found
    if correction is not None:
        found["calibrated_unix_s"] = correction.stamp.created_unix_s
        found["residual_rms"] = round(correction.stamp.residual_rms, 4)
        found["unit"] = session.profile.sensors[sensor].signals[0].unit
    return found


def _picture(session: Session, signal: Signal, streams: dict[str, int]) -> dict[str, Any]:
    rows, columns = picture_shape(signal.shape)
    sensor = next((one for one in session.profile.sensors if one.name == signal.name), None)
    return {
        "stream": streams[signal.name],
        "signal": signal.name,
        "place": "" if sensor is None else sensor.place,
        "rows": rows,
        "columns": columns,
        "unit": signal.unit,
    }


def _comes(session: Session, channel: Channel) -> bool:
    """Whether there are samples of a channel here: what rests on a network is computed on the wearable alone, and told as a finding."""
    return not networks_under(session.plan, channel.signal.name)


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "signal": channel.signal.name,
        "element": channel.element,
        "name": channel.name,
        "unit": channel.signal.unit,
        "fast": is_fast(channel.signal),
    }
