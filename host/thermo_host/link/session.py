"""What a host fetches before it listens, and what of it is not as it was when it is fetched again."""

import hashlib
from collections.abc import Mapping

import msgspec

from thermo_core import schema
from thermo_core.errors import ManagementError, ProfileError, RefusedError, SchemaError, UsageError
from thermo_core.graph.plan import Plan, plan
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.kinds import KINDS
from thermo_core.stages import OPS
from thermo_core.text import clean
from thermo_core.wearable.profile import Profile
from thermo_core.wire.management import Hello
from thermo_host.link.management import CHANGES
from thermo_host.link.wearable import Wearable


def fetch(wearable: Wearable, partly: bool = False) -> Session:
    """Ask a wearable for all of it.

    Args:
        wearable: an open session.
        partly: do without the constants of a sensor that the wearable has not read yet.

    Raises:
        LinkError: it does not answer, or refuses.
        ManagementError: what it says contradicts itself.
        CorrectionError: a correction it sends is damaged.
    """
    for _ in range(CHANGES):
        hello = wearable.hello()
        profile = _profile(wearable, hello)
        constants = None if profile is None else _constants(wearable, hello, partly)
        if profile is None or constants is None:
            continue
        corrections = {
            number: blob
            for number, sensor in enumerate(hello.sensors)
            if sensor.corrected and (blob := wearable.correction_bytes(number))
        }
        return Session(
            hello=hello,
            profile=profile,
            constants=constants,
            corrections=corrections,
            person=wearable.person() if profile.person else {},
            started_ns=wearable.clock.utc_ns(hello.time_us),
            port=wearable.port,
            learned=_learned(wearable, profile, partly),
        )
    raise ManagementError(
        f"{wearable.port} had another profile or other sensors put in {CHANGES} times while they were read; check that each "
        "sensor sits firmly."
    )


def changes(before: Session, after: Session) -> tuple[str, ...]:
    """What another session of the same wearable found changed, in words; empty where nothing is."""
    found = []
    for number, now in enumerate(after.hello.sensors):
        was = before.hello.sensors[number] if number < len(before.hello.sensors) else None
        name = after.profile.sensors[number].name if number < len(after.profile.sensors) else str(number)
        if _data(before.constants.get(number)) != _data(after.constants.get(number)):
            other = was is not None and was.id and now.id and was.id != now.id
            found.append(f"sensor {name}" if other else f"the constants of sensor {name}")
        if before.corrections.get(number, b"") != after.corrections.get(number, b""):
            found.append(f"the correction of {name}")
    if before.profile != after.profile:
        found.append("the profile")
    if (before.hello.bundle, before.hello.bundle_sha256) != (after.hello.bundle, after.hello.bundle_sha256):
        found.append("the bundle")
    if before.hello.software != after.hello.software:
        found.append("the software")
    if dict(before.person) != dict(after.person):
        found.append("what is known of the wearer")
    if not found and _timeless(before.hello) != _timeless(after.hello):
        found.append("what the wearable says of itself")
    return tuple(found)


def profile_of(wearable: Wearable) -> Profile:
    """What a wearable is.

    Raises:
        LinkError: it does not answer, or refuses.
        ManagementError: it sends no profile.
    """
    data = wearable.profile_bytes()
    try:
        return schema.from_cbor(data, Profile, "profile", "update the wearable's software, or this host")
    except SchemaError as error:
        said = clean(str(error))
        raise ManagementError(f"The wearable on {wearable.port} sends a profile that is none: {said}") from error


def plan_of(wearable: Wearable) -> Plan:
    """A wearable's graph, by whose order its signals are numbered.

    Raises:
        LinkError: it does not answer, or refuses.
        ManagementError: it sends no profile, or one whose parts do not fit together.
    """
    try:
        return plan(profile_of(wearable))
    except ProfileError as error:
        said = clean(str(error))
        raise ManagementError(
            f"The wearable on {wearable.port} sends a profile that does not fit together: {said}; update its software."
        ) from error


def sensor_number(profile: Profile, name: str) -> int:
    """Number of a sensor.

    Raises:
        UsageError: there is none of that name.
    """
    names = [sensor.name for sensor in profile.sensors]
    if name not in names:
        raise UsageError(f"The wearable has no sensor {name!r:.60}; it has {', '.join(names)}.")
    return names.index(name)


def _profile(wearable: Wearable, hello: Hello) -> Profile | None:
    """Its profile; None where it is another one than hello named."""
    profile = profile_of(wearable)
    if hashlib.sha256(schema.to_cbor(profile)).digest() != hello.profile_sha256:
        return None
    kinds = [sensor.kind for sensor in profile.sensors]
    if kinds != [sensor.kind for sensor in hello.sensors]:
        raise ManagementError(
            f"The wearable on {wearable.port} says it has {', '.join(sensor.kind for sensor in hello.sensors) or 'no sensor'} "
            f"and its profile {', '.join(kinds)}; update its software."
        )
    return profile


def _learned(wearable: Wearable, profile: Profile, partly: bool) -> bytes:
    """What was learned of the wearer; b"" where nothing learns, and in the middle of a stream, in which it goes on learning."""
    if partly or not any(getattr(OPS[stage.op], "kept", None) for stage in profile.stages):
        return b""
    return wearable.learned()


def _constants(wearable: Wearable, hello: Hello, partly: bool) -> Mapping[int, SensorConstants] | None:
    """Of all sensors, of the moment of that hello; None where one was changed meanwhile."""
    found = {}
    for number, sensor in enumerate(hello.sensors):
        if KINDS[sensor.kind].constants is None:
            continue
        try:
            found[number] = wearable.constants(number, sensor.kind)
        except RefusedError:
            if not partly:
                raise
            continue
        if found[number].number != sensor.constants:
            return None
    return found


def _data(constants: SensorConstants | None) -> bytes:
    return b"" if constants is None else constants.data


def _timeless(hello: Hello) -> Hello:
    return msgspec.structs.replace(hello, time_us=0)
