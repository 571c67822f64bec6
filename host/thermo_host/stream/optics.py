"""Another emissivity, or another temperature around, than a wearable's profile has."""

import msgspec

from thermo_core import schema
from thermo_core.errors import SchemaError, UsageError
from thermo_core.wearable.profile import Profile

OPTICS = ("emissivity", "reflected_celsius")


def with_optics(profile: Profile, emissivity: float | None, reflected: float | None) -> Profile:
    """A profile whose optical sensors have another emissivity or reflected temperature, where one is given.

    Raises:
        UsageError: a sensor cannot have it, or the wearable has no optical sensor.
    """
    wanted = dict(zip(OPTICS, (emissivity, reflected), strict=True))
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        return profile
    if not any(hasattr(sensor, name) for sensor in profile.sensors for name in changes):
        raise UsageError(f"{profile.name} has no sensor with an emissivity; leave --emissivity and --reflected out.")
    sensors = tuple(
        msgspec.structs.replace(sensor, **{name: value for name, value in changes.items() if hasattr(sensor, name)})
        for sensor in profile.sensors
    )
    try:
        return schema.from_plain(schema.to_plain(msgspec.structs.replace(profile, sensors=sensors)), Profile, "")
    except SchemaError as error:
        raise UsageError(f"These optics cannot be: {str(error).removesuffix('.')}.") from error
