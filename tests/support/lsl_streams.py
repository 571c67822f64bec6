"""LSL as another program has it, and streams of others as a recording has them."""

import time
from collections.abc import Callable
from typing import Any

from host_sessions import STARTED_NS
from patience import WAIT_S

from thermo_core.recording.layout import LslSamples, LslStream

ALLOWED_S = 0.002


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < until, what
        time.sleep(0.02)
    return found


def foreign(name: str = "EEG", rate_hz: float = 100.0, **changes: Any) -> LslStream:
    plain: dict[str, Any] = {
        "name": name,
        "kind": "EEG",
        "source_id": "s1",
        "hostname": "lab",
        "manufacturer": "ACME",
        "format": "float32",
        "rate_hz": rate_hz,
        "labels": ("Fp1", "Fp2"),
        "units": ("microvolts", "microvolts"),
    }
    return LslStream(**{**plain, **changes})


def samples(number: int, name: str = "EEG", **changes: Any) -> LslSamples:
    """Ten samples, a tenth of a second each."""
    at_ns = STARTED_NS + number * 100_000_000
    plain: dict[str, Any] = {
        "name": name,
        "received_ns": at_ns + 110_000_000,
        "times_ns": tuple(at_ns + place * 10_000_000 for place in range(10)),
        "offset_s": 0.25,
        "values": tuple((number * 10.0 + place, None if place == 3 else -1.5) for place in range(10)),
    }
    return LslSamples(**{**plain, **changes})
