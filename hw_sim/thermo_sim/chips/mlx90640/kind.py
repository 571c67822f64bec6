"""How a profile's MLX90640 is made, of what a real one may be given, and what a laboratory does to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.registers import EEPROM_START, EEPROM_WORDS
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.chips.mlx90640.chip import SimulatedMlx90640
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.chips.mlx90640.dumps import load_sensor
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.chips.mlx90640.radiometry import ResponseError
from thermo_sim.control import number


def _make(settings: Mlx90640Settings, site: Site) -> SimulatedMlx90640:
    around, part = site.around, site.part
    eeprom, error = part.get("eeprom"), part.get("error")
    return SimulatedMlx90640(
        eeprom if eeprom is not None else generate(site.seed, i2c_address=settings.bus_path.address),
        around.looked_at(settings.name),
        around.conditions,
        error if error is not None else ResponseError.random(site.seed),
        part.get("noise"),
        site.seed,
        part.get("replay"),
        around.made,
    )


def _real(eeprom: Path | None, replay: Path | None) -> Mapping[str, Any]:
    words, frames = load_sensor(eeprom, replay)
    return {"eeprom": words, "replay": frames}


def _rot(chip: SimulatedMlx90640, request: Mapping[str, Any]) -> Mapping[str, Any]:
    last = EEPROM_START + EEPROM_WORDS - 1
    address = int(number(request, "address", EEPROM_START, last))
    bit = int(number(request, "bit", 0, 15))
    chip.cells.words[address - EEPROM_START] ^= 1 << bit
    return {"address": address, "bit": bit}


def _says(settings: Mlx90640Settings, worn: Worn) -> tuple[NDArray[Any], Array, Array]:
    error = ResponseError.random(int(worn.own.integers(1 << 31))) if worn.errors > 0.5 else ResponseError.none()
    source = PictureSource(
        int(worn.own.integers(1 << 31)), settings.rate_hz, error=error, emissivity=settings.emissivity
    )
    look = worn.around.looked_at(worn.sensor)
    pictures = np.stack([source.picture(look(time_s)) for time_s in worn.times_s.tolist()])
    return pictures, worn.around.dies(worn.times_s), np.full(len(worn.times_s), 3.3)


KIND = ChipKind(_make, _says, frozenset({"eeprom", "error", "noise", "replay"}), _real, {"rot": _rot})
