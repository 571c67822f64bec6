"""liblsl, kept to this computer, and a wearable's session."""

from typing import Any

import pytest
import recorded

from thermo_core.recording.session import Session
from thermo_host.lsl.library import Scope, load


@pytest.fixture(scope="module", autouse=True)
def lsl() -> Any:
    return load(Scope.MACHINE)


@pytest.fixture(scope="module")
def session() -> Session:
    return recorded.session(recorded.BAND)
