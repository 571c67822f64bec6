"""What a wearable says as LSL streams: one for each sensor, and one of markers for findings, alerts and events.

Time stamps are moments of capture on LSL's clock. They come from the device's clock by way of the computer's monotonic one, so a step of
the computer's date moves none of them; in the stream's description stands what makes UTC of them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thermo_core.graph.engine import Outcome
from thermo_core.quality import in_words
from thermo_core.recording.layout import LslSamples, LslStream
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample, Signal
from thermo_core.wire.records import SignalRecord
from thermo_host.about import about
from thermo_host.exports.rows import Track, element_names, is_picture
from thermo_host.link.items import Item, Telemetry
from thermo_host.link.wearable import Wearable
from thermo_host.lsl.library import CONFIGURATION, Scope, configured, keep_to_machine, load, local_minus_monotonic_s
from thermo_host.sinks.describe import describe
from thermo_host.stream.decoding import Decoding

MANUFACTURER = "thermo-edge"
MARKERS = "markers"
SETTLING = 8
"""Round trips, of which one is short."""
STEP_S = 1e-6
"""How far behind the one before a sample is put whose time would not rise."""
_TOLD = frozenset(("finding", "alert", "event", "gap", "marker", "lost", "session"))


class LslOutlets:
    """A sink that gives what comes to LSL. Use it in a `with` block.

    Args:
        decoding: makes signals of its blocks, and has taken each item before this.
        utc_minus_monotonic_ns: UTC less the host's monotonic clock, as the session's moments have it (`ClockSync`).
        scope: how far they are announced.

    Attributes:
        names: of the streams, as LSL knows them.
        kept: whether nobody but programs on this computer can reach them.

    Raises:
        UsageError: pylsl is not installed.
    """

    def __init__(
        self,
        decoding: Decoding,
        utc_minus_monotonic_ns: int,
        scope: Scope = Scope.MACHINE,
    ) -> None:
        self._pylsl = load(scope)
        self._scope = scope
        self._decoding = decoding
        self._utc_minus_local_ns = utc_minus_monotonic_ns - round(local_minus_monotonic_s(self._pylsl) * 1e9)
        self._outlets: dict[str, _Outlet] = {}
        self._flags: dict[str, int] = {}
        self.names: list[str] = []
        self.kept = False
        self._session = decoding.session
        self._begin(self._session)

    def __enter__(self) -> "LslOutlets":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def words(self) -> str:
        """What was opened, and to whom, in a sentence."""
        where = "on this computer" if self._scope is Scope.MACHINE else f"on the {self._scope}"
        where = f"as {CONFIGURATION} says" if configured() else where
        who = (
            "only programs on this computer reach them"
            if self.kept
            else "LSL has no password, and whoever reaches this computer can read them"
        )
        return f"LSL streams {', '.join(self.names)}; announced {where}, {who}."

    def close(self) -> None:
        """Take the streams away."""
        self._outlets.clear()

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        if isinstance(item, Session):
            before, self._session = self._session, item
            if (before.profile, before.hello.serial) != (item.profile, item.hello.serial):
                self._begin(item)
        if isinstance(item, Telemetry) and isinstance(item.record, Block):
            for samples in outcome.passes if outcome is not None else ():
                for name, sample in samples.items():
                    if name in self._outlets and name != MARKERS:
                        self._push(name, sample, item.captured_ns + (sample.time_us - item.record.time_us) * 1000)
            return
        if isinstance(item, LslStream | LslSamples):
            return
        if isinstance(item, Telemetry) and isinstance(item.record, SignalRecord):
            return
        for told in describe(item, None, self._session, self._session.plan):
            if told["type"] in _TOLD:
                at_ns = item.captured_ns if isinstance(item, Telemetry) else None
                self._mark(told, at_ns)

    def idle(self) -> None:
        """Nothing waits."""

    def _begin(self, session: Session) -> None:
        self._outlets.clear()
        self._flags.clear()
        facts = about(session, self._decoding.profile, self._decoding.engine)
        for number, sensor in enumerate(session.profile.sensors):
            signal = sensor.signals[0]
            labels = element_names(Track(signal.name, signal, sensor.labels, {}))
            self._open(signal.name, _kind(signal), labels, signal, facts, facts["sensors"][number])
        self._open(MARKERS, "Markers", [MARKERS], None, facts, {})
        self.names = [outlet.name for outlet in self._outlets.values()]
        if self._scope is Scope.MACHINE and not configured():
            self.kept = keep_to_machine()

    def _open(
        self,
        key: str,
        kind: str,
        labels: list[str],
        signal: Signal | None,
        facts: Mapping[str, Any],
        sensor: Mapping[str, Any],
    ) -> None:
        pylsl, name = self._pylsl, f"{facts['profile']}-{facts['serial']}-{key}"
        while key in self._outlets:
            key += "_"
        info = pylsl.StreamInfo(
            name,
            kind,
            len(labels),
            pylsl.IRREGULAR_RATE if signal is None else signal.rate_hz or pylsl.IRREGULAR_RATE,
            pylsl.cf_string if signal is None else pylsl.cf_float32,
            f"{MANUFACTURER}:{facts['serial']}:{key}",
        )
        _describe(info.desc(), labels, signal, facts, sensor, self._utc_minus_local_ns)
        self._outlets[key] = _Outlet(name, pylsl.StreamOutlet(info).push_sample)

    def _push(self, name: str, sample: Sample, captured_ns: int) -> None:
        flags = self._flags.get(name)
        if flags != sample.flags:
            self._flags[name] = sample.flags
            self._mark({"type": "quality", "signal": name, "flags": list(in_words(sample.flags))}, captured_ns)
        values = np.ascontiguousarray(sample.values, np.float32).ravel().tolist()
        self._outlets[name].push(values, self._local_s(captured_ns))

    def _mark(self, told: dict[str, Any], captured_ns: int | None) -> None:
        at_s = self._pylsl.local_clock() if captured_ns is None else self._local_s(captured_ns)
        self._outlets[MARKERS].push([json.dumps(told)], at_s)

    def _local_s(self, utc_ns: int) -> float:
        return (utc_ns - self._utc_minus_local_ns) / 1e9


def settled(wearable: Wearable) -> int:
    """Ask a wearable's clock some times more, so that the first stamps are good too; UTC less the host's monotonic clock, ns.

    Raises:
        LinkError: it does not answer.
    """
    for _ in range(SETTLING):
        wearable.hello()
    return wearable.clock.utc_minus_monotonic_ns


class _Outlet:
    """A stream whose time stamps rise."""

    def __init__(self, name: str, push: Callable[[list[Any], float], None]) -> None:
        self.name = name
        self._push = push
        self._last_s = 0.0

    def push(self, values: list[Any], at_s: float) -> None:
        self._last_s = max(at_s, self._last_s + STEP_S)
        self._push(values, self._last_s)


def _kind(signal: Signal) -> str:
    if is_picture(signal):
        return "Thermography"
    return "Temperature" if signal.unit == "degC" else "Signal"


def _describe(
    desc: Any,
    labels: list[str],
    signal: Signal | None,
    facts: Mapping[str, Any],
    sensor: Mapping[str, Any],
    utc_minus_local_ns: int,
) -> None:
    """Metadata as XDF names it, as far as it has names."""
    channels = desc.append_child("channels")
    for label in labels:
        channel = channels.append_child("channel").append_child_value("label", label)
        channel.append_child_value("unit", signal.unit if signal is not None else "")
        channel.append_child_value("type", _kind(signal) if signal is not None else "JSON")
    acquisition = desc.append_child("acquisition")
    for name, value in (
        ("manufacturer", MANUFACTURER),
        ("model", facts["profile"]),
        ("serial_number", facts["serial"]),
        ("software", facts["software"]),
        ("simulated", str(facts["simulated"]).lower()),
    ):
        acquisition.append_child_value(name, str(value))
    if signal is not None:
        about_sensor = desc.append_child("sensor")
        for name in ("name", "kind", "id", "emissivity", "reflected_celsius"):
            if sensor.get(name) is not None:
                about_sensor.append_child_value(name, str(sensor[name]))
        desc.append_child_value("body_site", str(sensor.get("place") or ""))
        calibration = desc.append_child("calibration")
        calibration.append_child_value("state", "uncalibrated" if sensor.get("uncalibrated") else "calibrated")
        calibration.append_child_value("time", str(sensor.get("calibrated_at") or ""))
        desc.append_child_value("shape", json.dumps(list(signal.shape)))
    clock = desc.append_child("clock")
    clock.append_child_value("utc_minus_local_clock_s", f"{utc_minus_local_ns / 1e9:.6f}")
    desc.append_child_value("notice", str(facts["notice"]))
