"""What a kind's wiring says agrees with the rest of what the kind says."""

import re

import pytest

from thermo_core.sensors import SETTINGS
from thermo_core.sensors.settings import BusSensorSettings
from thermo_core.sensors.wiring import Wiring, drawn

CHIPS = [kind for kind in SETTINGS if issubclass(kind, BusSensorSettings)]


@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_every_address_a_chip_can_have_is_wired_or_ordered(kind: type[BusSensorSettings]) -> None:
    said = " ".join([*kind.wiring.pins.values(), kind.wiring.note])
    told = {int(word, 16) for word in re.findall(r"0x[0-9A-F]{2}\b", said)}
    if len(kind.addresses) > 1:
        assert told == set(kind.addresses)
    else:
        assert told <= set(kind.addresses) or not kind.addresses


@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_a_chip_gets_a_supply_it_bears(kind: type[BusSensorSettings]) -> None:
    low, high = kind.wiring.supply_v
    supplied = next(goes_to for pin, goes_to in kind.wiring.pins.items() if pin.startswith("V"))
    volts = re.findall(r"^[\d.]+", supplied)
    assert volts and low <= float(volts[0]) <= high


def test_a_drawing_has_a_line_for_each_pin_and_no_ragged_edge() -> None:
    lines = list(drawn("chip", Wiring((1.8, 3.6), {"VDD": "3.3 V", "A LONG NAME": "ground"})))
    assert len(lines) == 6
    assert len({line.rindex("│") for line in lines[1:-1]}) == 1
    assert len({line.index("┤") for line in lines[1:-1]} | {lines[0].index("┌"), lines[-1].index("└")}) == 1
