"""What a finding of a recording rests on, at a moment of it."""

import contextlib
from pathlib import Path

from thermo_core.errors import ThermoError, UsageError
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Values
from thermo_host.link.items import Telemetry
from thermo_host.stream.decoding import Decoding
from thermo_host.stream.playback import Recording, announced
from thermo_hub.anomaly.rests import Resting, resting
from thermo_hub.wearables.bundles import Bundles

LATE_NS = 30_000_000_000
"""What was captured before a moment may arrive so much later."""


def rests_at(path: Path, bundles: Bundles, model: str, at_ns: int) -> Resting:
    """Have the recorded wearable's network look again at what it saw last before a moment.

    The minute before it is decoded, so that stages that gather pictures have theirs.

    Args:
        path: of the recording.
        bundles: that are known.
        model: name of it.
        at_ns: nanoseconds since 1970 UTC.

    Raises:
        StorageError: it cannot be read.
        RecordingError: it is none of ours.
        UsageError: it cannot be said; the sentence says why.
    """
    recording = Recording(path)
    decoding = Decoding(recording.session)
    seen: tuple[Session, int, tuple[Values, ...]] | None = None
    for item in announced(recording.items(at_ns, at_ns + LATE_NS), decoding.expect):
        if isinstance(item, Session):
            with contextlib.suppress(ThermoError):
                decoding.follow(item)
        elif isinstance(item, Telemetry) and isinstance(item.record, Block):
            profile = decoding.session.profile
            inputs = next((one.inputs for one in profile.models if one.name == model), ())
            for samples in decoding.push(item.record).passes:
                given = [samples[name] for name in inputs if name in samples]
                if len(given) == len(inputs) > 0:
                    utc_ns = item.captured_ns + (given[0].time_us - item.record.time_us) * 1000
                    if utc_ns <= at_ns:
                        seen = decoding.session, utc_ns, tuple(one.values for one in given)
    if seen is None:
        raise UsageError("This model looked at nothing in the minute before this moment; choose another moment.")
    session, utc_ns, values = seen
    return resting(bundles, session, model, utc_ns, values)
