"""A network may give other numbers than a model says: the profile tells how many, so that its graph is known without the network."""

import pytest

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import plan
from thermo_core.schema import from_plain
from thermo_core.wearable.profile import Profile

CURVE = {"kind": "external", "name": "said", "shape": [4], "rate_hz": 1.0}
READ = {"op": "foster", "gives": "constants", "of": "net.raw", "parts": 2, "copies": 2}
NAMES = [{"name": name, "unit": "", "low": 0.0, "high": 1e3} for name in ("parts", "a", "b", "c", "d")]


def _profile(**model: object) -> Profile:
    data = {"name": "w", "version": "1", "sensors": [CURVE], "models": [{"name": "net", "inputs": ["said"], **model}]}
    return from_plain(data | ({"stages": [READ]} if "read" in model else {}), Profile, "profile")


def test_stages_read_as_many_numbers_as_the_network_gives() -> None:
    made = plan(_profile(quantities=NAMES, read="constants", width=11))
    assert (made.signals["net.raw"].shape, made.signals["constants"].shape) == ((11,), (5,))
    with pytest.raises(ProfileError, match="reads 11 numbers for 2 parts in 2 copies, not 5"):
        plan(_profile(quantities=NAMES, read="constants"))


def test_a_sigmoid_of_one_number_names_two_scores() -> None:
    assert plan(_profile(scores=["rest", "task"], width=1)).signals["net.raw"].shape == (1,)
    assert plan(_profile(scores=["rest", "task"])).signals["net.raw"].shape == (2,)
    with pytest.raises(ProfileError, match="names 2 outputs"):
        plan(_profile(scores=["rest", "task"], width=5))
