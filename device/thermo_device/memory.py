"""What a device knows from one start to the next."""

from dataclasses import dataclass
from pathlib import Path

from thermo_device.alert_store import AlertStore
from thermo_device.kept_findings import KeptFindings
from thermo_device.learned_store import LearnedStore
from thermo_device.person_store import PersonStore
from thermo_device.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Memory:
    """What a device knows from one start to the next.

    Attributes:
        directory: where corrections lie.
        sightings: of sensors.
        person: the wearer.
        alerts: which are raised.
        learned: of the wearer.
        kept: findings for a host that is away.
    """

    directory: Path
    sightings: Sightings
    person: PersonStore
    alerts: AlertStore
    learned: LearnedStore
    kept: KeptFindings
