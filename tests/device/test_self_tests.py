"""A device holds its runtime against what the signer's reference kernels gave: before a network runs, and in each self-test."""

import bundles
import msgspec
import pytest

from thermo_core.errors import ModelError
from thermo_device.counters import Counters
from thermo_device.networks import ComparedNetwork, open_networks


@pytest.mark.parametrize("kernels", ["reference", "fast"])
def test_the_shipped_network_gives_what_it_gave_its_signer(kernels: str) -> None:
    bundle = bundles.breast_patch()
    assert len(bundle.self_tests["lesion"]) == 2
    networks = open_networks(bundle.networks, kernels, Counters(), bundle.self_tests)
    assert networks["lesion"].self_test() == ""


@pytest.mark.parametrize("number", [0, 1])
def test_a_network_that_gives_something_else_is_not_run(number: int) -> None:
    bundle = bundles.breast_patch()
    tests = list(bundle.self_tests["lesion"])
    output = bytearray(tests[number].output)
    output[0] ^= 1
    tests[number] = msgspec.structs.replace(tests[number], output=bytes(output))
    with pytest.raises(ModelError, match='network of "lesion": The runtime gives other results than its signer'):
        open_networks(bundle.networks, "reference", Counters(), {"lesion": tests})
    assert ComparedNetwork(bundle.networks["lesion"]).self_test() == ""
