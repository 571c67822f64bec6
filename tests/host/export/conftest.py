"""Recordings that tests of exports share: of a patch and of a band."""

from typing import Any

import pytest
import recorded
from host_sessions import came

from thermo_core.recording.layout import Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom


@pytest.fixture(scope="session")
def session() -> Session:
    return recorded.patch(subject="S 01", note="left arm")


@pytest.fixture(scope="session")
def patch(tmp_path_factory: pytest.TempPathFactory, session: Session) -> Recording:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 120)
    items: list[Any] = list(came(recorded.patch_records(pages)))
    items.insert(60, Marker(at_ns=items[59].received_ns, text="=the cold pack came off"))
    return recorded.recording(tmp_path_factory.mktemp("patch") / "r.mcap", session, items)


@pytest.fixture(scope="session")
def band(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    items = came(recorded.band_records(40, silent=range(10, 15)))
    path = tmp_path_factory.mktemp("band") / "r.mcap"
    return recorded.recording(path, recorded.session(recorded.BAND, subject="W 7"), items)


@pytest.fixture(scope="session")
def expected(session: Session) -> list[Any]:
    """Pictures as the camera's own functions decode the words, which know of no block and no graph."""
    words = eeprom.generate(recorded.SEED)
    assembler = PictureAssembler(Decoder(Constants.from_eeprom(words), 0.98))
    made = [assembler.push(page) for page in recorded.subpages(words, 120)]
    return [picture for picture in made if picture is not None]
