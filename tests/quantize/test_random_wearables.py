"""Wearables of any graph and networks of any quantisation: signed or refused in one sentence, and what is signed runs on a device."""

import bundles
import numpy as np
import pytest
from graph_plans import graph
from small_networks import networks
from wearable_draft import Seeded, Unfit

from thermo_core.errors import ThermoError
from thermo_core.graph.plan import Plan, plan
from thermo_core.image import Version
from thermo_device.counters import Counters
from thermo_device.networks import check_ends, open_networks
from thermo_device.rehearsal import rehearse
from thermo_quantize.sign import resign, sign_bundle


def random_plan(rng: np.random.Generator) -> Plan:
    while True:
        try:
            made = graph(Seeded(rng), 4, 14)
        except Unfit:
            continue
        if made.profile.models:
            return made


@pytest.mark.parametrize("seed", range(4))
def test_what_is_signed_runs_on_a_device(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signed = 0
    for number in range(30):
        made = random_plan(rng)
        try:
            image = sign_bundle(made.profile, networks(made, 100 * seed + number), "# Card", Version(1), bundles.KEY)
        except ThermoError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
            continue
        signed += 1
        bundle = image.bundle
        opened = open_networks(bundle.networks, "reference", Counters(), bundle.self_tests)
        graph_ = plan(bundle.profile)
        check_ends(graph_, opened)
        assert set(rehearse(graph_, opened)) == set(bundle.networks)
        assert resign(image.data, bundles.KEY.public_key(), bundles.KEY).data == image.data
    assert signed, "a seed that signs nothing tries nothing"
