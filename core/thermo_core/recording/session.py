"""All that is needed to make sense of what a wearable says: what a host fetches before it listens, and a recording keeps.

Who it is, its profile, the constants and corrections of its sensors, what is known of its wearer, and when it began.
"""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import msgspec

from thermo_core import schema
from thermo_core.errors import (
    CorrectionError,
    ProfileError,
    RecordingError,
    SchemaError,
    SensorError,
    ThermoError,
    UsageError,
)
from thermo_core.graph.engine import Engine
from thermo_core.graph.network import Network
from thermo_core.graph.plan import Plan
from thermo_core.graph.rates import plan_at
from thermo_core.quality import Quality
from thermo_core.recording.layout import (
    FORMAT,
    LATEST_NS,
    LEARNED_NAME,
    PROFILE_NAME,
    constants_name,
    correction_name,
    sensor_of,
)
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.kinds import correction_of
from thermo_core.typed import from_json
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.management import Hello, read


@dataclass(frozen=True)
class Session:
    """A session with a wearable.

    Attributes:
        hello: who it is.
        profile: what it is.
        constants: of each sensor that has any, by its number.
        corrections: blobs stored for its sensors, by their numbers.
        person: what is known of the wearer.
        started_ns: nanoseconds since 1970 UTC.
        port: where it was.
        learned: what its stages had learned of the wearer then, as `graph.learned` packs it; b"" where that is not known, or nothing.
        subject, note: what whoever records says of whom and what; "" for nothing.
    """

    hello: Hello
    profile: Profile
    constants: Mapping[int, SensorConstants]
    corrections: Mapping[int, bytes]
    person: Mapping[str, float] = field(default_factory=dict)
    started_ns: int = 0
    port: str = ""
    subject: str = ""
    note: str = ""
    learned: bytes = b""

    @property
    def started(self) -> datetime:
        """When it began, in UTC."""
        return datetime.fromtimestamp(self.started_ns / 1e9, UTC)

    @cached_property
    def plan(self) -> Plan:
        """Its graph, with its sensors at the rates they are set to.

        Raises:
            UsageError: the profile does not fit together.
        """
        return self._planned([sensor.rate_hz for sensor in self.hello.sensors])

    @cached_property
    def profile_plan(self) -> Plan:
        """Its graph, with its sensors at the rates of its profile.

        Raises:
            UsageError: the profile does not fit together.
        """
        return self._planned(())

    def _planned(self, rates_hz: Sequence[float]) -> Plan:
        try:
            return plan_at(self.profile, rates_hz)
        except ProfileError as error:
            raise UsageError(f"The profile of {self.hello.name} does not fit together: {error}.") from error

    def correction(self, sensor: int) -> Correction | None:
        """A sensor's correction; None where there is none.

        Raises:
            CorrectionError: it is damaged.
        """
        blob = self.corrections.get(sensor)
        return correction_of(blob) if blob else None

    def engine(
        self,
        networks: Mapping[str, Network] | None = None,
        corrected: bool = True,
        made: Plan | None = None,
        on_undecodable: Callable[[int, ThermoError], None] = lambda sensor, error: None,
    ) -> Engine:
        """Makes findings and signals of its blocks, as the wearable does.

        Args:
            networks: by the names of models; without them there are signals alone.
            corrected: apply its corrections.
            made: another graph over the same sensors.
            on_undecodable: as `Engine`.

        Returns:
            An engine with every sensor opened whose constants are sound; others give nothing.

        Raises:
            UsageError: the profile does not fit together, or asks for what cannot be.
        """
        flags = int(Quality.SIMULATED) if self.hello.simulated else 0
        engine = Engine(
            self.plan if made is None else made, networks or {}, flags, self.person, on_undecodable=on_undecodable
        )
        for sensor in range(min(len(self.hello.sensors), len(engine.plan.profile.sensors))):
            with contextlib.suppress(SensorError, CorrectionError):
                self.open(engine, sensor, corrected)
        if self.learned:
            engine.learners.load(self.learned)
        return engine

    def open(self, engine: Engine, sensor: int, corrected: bool = True) -> None:
        """Have an engine read a sensor's blocks with what is known of it here.

        A correction is applied where the wearable does so, and it was made of this very chip and its constants.

        Raises:
            SensorError: its constants are no healthy chip's; its blocks give nothing.
            CorrectionError: its correction is damaged; its blocks give nothing.
            UsageError: the profile asks for what cannot be.
        """
        state, constants = self.hello.sensors[sensor], self._constants(sensor)
        correction = self.correction(sensor) if corrected and state.corrected else None
        if correction is not None and not correction.stamp.fits(state.id, constants.data):
            correction = None
        engine.open(sensor, constants, correction, doubtful=bool(state.warning))

    def follow(self, engine: Engine, before: "Session", corrected: bool = True) -> None:
        """Have an engine of an earlier session with the same profile go on with this one: what is as before is not begun anew."""
        for sensor in range(min(len(self.hello.sensors), len(engine.plan.profile.sensors))):
            if self._reading(sensor) != before._reading(sensor):
                with contextlib.suppress(SensorError, CorrectionError):
                    self.open(engine, sensor, corrected)
        if dict(self.person) != dict(before.person):
            engine.set_person(self.person)

    def _constants(self, sensor: int) -> SensorConstants:
        return self.constants.get(sensor, SensorConstants(self.hello.sensors[sensor].constants, b""))

    def _reading(self, sensor: int) -> tuple[object, ...]:
        """All that a sensor's blocks are read with."""
        if sensor >= len(self.hello.sensors):
            return ()
        state = self.hello.sensors[sensor]
        correction = self.corrections.get(sensor, b"") if state.corrected else b""
        return self._constants(sensor), correction, state.id, bool(state.warning)


def to_metadata(session: Session, zone: str) -> tuple[dict[str, str], dict[str, bytes]]:
    """A session as a recording's metadata, and its attachments by name; seals and announcements are the writer's."""
    attachments = {PROFILE_NAME: schema.to_cbor(session.profile)}
    attachments |= {constants_name(sensor): one.data for sensor, one in session.constants.items() if one.data}
    attachments |= {correction_name(sensor): blob for sensor, blob in session.corrections.items() if blob}
    attachments |= {LEARNED_NAME: session.learned} if session.learned else {}
    metadata = {
        "format": FORMAT,
        "started": session.started.isoformat(timespec="microseconds"),
        "started_ns": str(session.started_ns),
        "host_zone": zone,
        "port": session.port,
        "hello": msgspec.json.encode(session.hello).decode(),
        "constants": json.dumps({str(sensor): one.number for sensor, one in session.constants.items()}),
        "person": json.dumps(dict(session.person)),
        "subject": session.subject,
        "note": session.note,
        "notice": NOTICE,
    }
    return metadata, attachments


def from_metadata(metadata: Mapping[str, str], attachments: Mapping[str, bytes], path: object) -> Session:
    """Inverse of `to_metadata`, of what was proved.

    Raises:
        RecordingError: something is missing or cannot be.
    """
    try:
        hello = from_json(metadata["hello"], Hello)
        hello = read(Hello, schema.to_plain(hello))
        profile = schema.from_cbor(attachments[PROFILE_NAME], Profile, "its profile")
        numbers = from_json(metadata["constants"], dict[int, int])
        person = from_json(metadata["person"], dict[str, float])
        started_ns = int(metadata["started_ns"])
    except (KeyError, ValueError, SchemaError, msgspec.MsgspecError) as error:
        raise RecordingError(
            f"{path} does not say whose it is ({error}); get a copy of it, or another recording."
        ) from error
    if not 0 <= started_ns <= LATEST_NS:
        raise RecordingError(f"{path} begins beyond the year 2262; get a copy of it, or another recording.")
    constants = {
        sensor: SensorConstants(number, attachments.get(constants_name(sensor), b""))
        for sensor, number in numbers.items()
    }
    corrections = {
        sensor: data for name, data in attachments.items() if (sensor := sensor_of(name, "correction")) is not None
    }
    return Session(
        hello,
        profile,
        constants,
        corrections,
        person,
        started_ns,
        metadata.get("port", ""),
        metadata.get("subject", ""),
        metadata.get("note", ""),
        attachments.get(LEARNED_NAME, b""),
    )
