"""Which sensors one run of calibration is about."""

from thermo_core.errors import UsageError
from thermo_core.wearable.profile import Profile
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.procedures import Procedure


def calibrated(profile: Profile) -> list[int]:
    """Numbers of the sensors that can be calibrated.

    Raises:
        UsageError: there is none.
    """
    found = [number for number, sensor in enumerate(profile.sensors) if sensor.kind in PROCEDURES]
    if not found:
        raise UsageError(f"{profile.name} has no sensor that can be calibrated; there is nothing to do.")
    return found


def named(profile: Profile, names: tuple[str, ...]) -> list[int]:
    """Numbers of sensors by their names.

    Raises:
        UsageError: there is no such sensor, or it is of a kind that is never calibrated.
    """
    possible = {profile.sensors[number].name: number for number in calibrated(profile)}
    for name in names:
        if name not in possible:
            raise UsageError(
                f"{profile.name} has no sensor {name!r:.60} that can be calibrated; choose of {', '.join(possible)}."
            )
    return [possible[name] for name in dict.fromkeys(names)]


def choose(profile: Profile, names: tuple[str, ...]) -> list[int]:
    """Numbers of the sensors of one run, the lead first: a camera where there is one.

    Args:
        profile: of the wearable.
        names: as asked for; the first camera and all other thermometers where empty, an accelerometer where there are none.

    Raises:
        UsageError: no such sensor, or some that do not go together.
    """
    numbers = named(profile, names) if names else calibrated(profile)
    laid = [number for number in numbers if _procedure(profile, number).apparatus == "positions"]
    warm = [number for number in numbers if number not in laid]
    cameras = [number for number in warm if _procedure(profile, number).is_camera]
    if names and (len(cameras) > 1 or (laid and len(numbers) > 1)):
        one = "camera" if len(cameras) > 1 else "accelerometer"
        raise UsageError(f"A run is about one {one}; calibrate the others by a run each, with --sensor.")
    if not warm:
        return laid[:1]
    return [*cameras[:1], *(number for number in warm if number not in cameras)]


def _procedure(profile: Profile, number: int) -> Procedure:
    return PROCEDURES[profile.sensors[number].kind]
