"""What of a bundle runs: its networks opened, its graph planned, both held against one another before any chip is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thermo_core.bundle import SelfTest
from thermo_core.errors import ModelError, ProfileError, SensorError, UsageError
from thermo_core.graph.plan import Plan, plan
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.profile import Profile
from thermo_device.counters import Counters
from thermo_device.networks import Networks, check_ends, open_networks
from thermo_device.rehearsal import rehearse
from thermo_device.slot_state import Installed


@dataclass(frozen=True, slots=True)
class Bundled:
    """What of a bundle a pipeline runs.

    Attributes:
        networks: .tflite files by the names of models, from an image that was verified.
        number: first four bytes of the SHA-256 of the image, as a little-endian number.
        waived: the bundle was signed although something was found wanting.
        self_tests: what the signer's reference kernels made of some inputs, by the names of models.
    """

    networks: Mapping[str, bytes]
    number: int = 0
    waived: bool = False
    self_tests: Mapping[str, Sequence[SelfTest]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A wearable that may run.

    Attributes:
        plan: its graph.
        networks: by the names of models, each has said something of what sensors typically say.
        outputs: shape of what each gives.
    """

    plan: Plan
    networks: Networks
    outputs: Mapping[str, tuple[int, ...]]


def prepare(profile: Profile, bundled: Bundled | None, kernels: str, counters: Counters) -> Prepared:
    """Open the networks of a wearable and hold them against its profile.

    Args:
        profile: the wearable.
        bundled: its networks; None makes no findings of models.
        kernels: "reference" or "fast", see `networks`.
        counters: where disagreements of fast kernels are counted.

    Raises:
        ModelError: a network cannot be loaded, does not fit its model or says nothing of what sensors typically say, or the profile
            does not fit together or asks for what cannot be.
        UsageError: there are no such kernels.
    """
    networks = {} if bundled is None else open_networks(bundled.networks, kernels, counters, bundled.self_tests)
    outputs = {name: one.output.shape for name, one in networks.items()}
    try:
        graph = plan(profile, outputs)
    except ProfileError as error:
        raise ModelError(f"The profile {profile.name} does not fit together: {error}; sign another one.") from error
    check_ends(graph, networks)
    _check_settings(profile)
    if networks:
        rehearse(graph, networks)
    return Prepared(graph, networks, outputs)


def _check_settings(profile: Profile) -> None:
    """Refuse what no reader could read, before any chip is asked."""
    for sensor in profile.sensors:
        row = KINDS[sensor.kind]
        if row.constants is None:
            try:
                row.reader(sensor, b"", None)
            except (UsageError, SensorError) as error:
                raise ModelError(f"The profile {profile.name} asks for what cannot be. {error}") from error


def bundled_of(installed: Installed) -> Bundled:
    """What of an image a pipeline runs."""
    bundle = installed.bundle
    number = int.from_bytes(installed.image.sha256[:4], "little")
    return Bundled(bundle.networks, number, bool(bundle.waived), bundle.self_tests)
