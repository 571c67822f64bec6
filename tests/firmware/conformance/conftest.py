"""One suite for the Python agent, the firmware as a program (under sanitizers) and the firmware on microcontrollers.

All are met as a host meets them: through thermo_host, over a port. Each is started once for a module and shared by its tests; whatever a test
changes, it puts back. THERMO_BOARDS chooses others: `python bench/boards.py --conformance`.
"""

from collections.abc import Iterator

import pytest
from running import KINDS, Running, started

from thermo_host.link.wearable import Wearable


@pytest.fixture(scope="module", params=KINDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(request.param, tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture
def wearable(shared: Running) -> Iterator[Running]:
    with shared.used():
        yield shared


@pytest.fixture
def host(wearable: Running) -> Iterator[Wearable]:
    with wearable.open() as host:
        yield host
