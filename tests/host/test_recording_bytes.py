"""Golden pictures that went through a recording on disk, as their words give them without one, however it is gone over."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from host_sessions import blocks_of, came, camera_constants, session_of
from numpy.typing import NDArray

from thermo_core.errors import SensorError, UsageError
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.sensors.mlx90640.kind import CameraReader
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wearable.profile import Profile
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording, announced

PICTURES = 70
"""More than a key interval."""


@dataclass(frozen=True)
class Golden:
    eeprom: Words
    frames: NDArray[np.uint16]


@pytest.fixture(scope="module")
def goldens(golden_dir: Path) -> list[Golden]:
    """Both real sensors, and the forty cases of the vendor's library."""
    found = []
    for name in ("s1_melexis_example", "s2_signaloid"):
        with np.load(golden_dir / f"{name}.npz") as data:
            found.append(Golden(data["eeprom"], data["frames"]))
    with np.load(golden_dir / "vendor_vectors.npz") as data:
        found += [Golden(*pair) for pair in zip(data["eeprom"], data["frames"], strict=True)]
    return found


@pytest.mark.parametrize("case", range(42))
def test_a_golden_picture_keeps_its_bytes_through_a_recording(
    goldens: list[Golden], breast_patch: Profile, tmp_path: Path, case: int
) -> None:
    golden = goldens[case]
    rng = np.random.default_rng(case)
    pages = np.tile(golden.frames, (PICTURES, 1))
    # From still to so noisy that words travel as they are.
    noise = rng.normal(0, 10.0 ** rng.uniform(-1, 3, (len(pages), 1)), (len(pages), 768))
    noise[:2] = 0
    pages[:, :768] += np.rint(noise).astype(np.int16).view(np.uint16)
    subpages = [Subpage(words, index, 1_000_000 + 62_500 * index) for index, words in enumerate(pages)]
    constants = camera_constants(golden.eeprom)
    with Recorder(tmp_path / "golden.mcap", session_of(breast_patch, {0: constants})) as recorder:
        for item in came(blocks_of(subpages)):
            recorder.add(item)

    settings = Mlx90640Settings(name="skin", path=(0x33,), emissivity=0.97)
    decoder = Decoder(Constants.from_eeprom(golden.eeprom), settings.emissivity)
    wanted: list[bytes] = []
    for first, second in zip(pages[::2], pages[1::2], strict=True):
        try:
            wanted.append(decoder.picture(first, second).celsius.tobytes())
        except (SensorError, UsageError):
            continue
    assert wanted

    recording = Recording(tmp_path / "golden.mcap")
    for together in (False, True):
        reader = CameraReader(settings, constants.data, None)
        items = recording.items()
        found = []
        for one in announced(items, reader.expect) if together else items:
            if isinstance(one, Telemetry) and isinstance(one.record, Block):
                try:
                    found += [moment["skin"].values.tobytes() for moment in reader.push(one.record)]
                except (SensorError, UsageError):
                    continue
        assert found == wanted
    assert recording.complete and not recording.damaged
