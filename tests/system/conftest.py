"""Wearables as processes of their own, and signed bundles to flash them with."""

import contextlib
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from patience import WAIT_S

from thermo_core.bundle import Bundle
from thermo_core.image import Version, load_private_key, parse, sign
from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY

BUNDLE = Path(__file__).parents[2] / "models/thermo_models/wearables/breast-patch/bundle.img"


@dataclass
class WearableProcess:
    """`thermo-sim wearable` in a process of its own.

    Attributes:
        process: the process.
        link: its port.
        ready: the line it printed when it was ready.
    """

    process: subprocess.Popen[str]
    link: Path
    ready: str

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(WAIT_S)


StartWearable = Callable[..., WearableProcess]
MakeImage = Callable[..., bytes]


def _start(link: Path, *arguments: str) -> WearableProcess:
    command = [sys.executable, "-m", "thermo_sim.cli", "wearable", "--link", str(link), "--no-warm-up", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    readable, _, _ = select.select([process.stdout], [], [], WAIT_S)
    line = process.stdout.readline() if readable else ""
    if not line.startswith("ready"):
        process.kill()
        pytest.fail(f"the wearable did not start: {line!r} {process.stderr.read()}")
    return WearableProcess(process, link, line)


@pytest.fixture
def start_wearable(tmp_path: Path) -> Iterator[StartWearable]:
    """Start a wearable: `start_wearable("--seed", "3", link=...)`. It is stopped at the end of the test."""
    started: list[WearableProcess] = []

    def start(*arguments: str, link: Path | None = None) -> WearableProcess:
        wearable = _start(link or tmp_path / "thermo", *arguments)
        started.append(wearable)
        return wearable

    yield start
    for wearable in started:
        with contextlib.suppress(ProcessLookupError):
            wearable.process.send_signal(signal.SIGKILL)
        wearable.process.communicate()


@pytest.fixture(scope="session")
def development_key() -> Ed25519PrivateKey:
    """The key that simulated wearables trust."""
    return load_private_key(DEVELOPMENT_PRIVATE_KEY.read_bytes())


@pytest.fixture(scope="session")
def committed_bundle() -> Bundle:
    """The bundle that comes with the code: a real int8 network for pictures of 24 x 32."""
    return Bundle.from_payload(parse(BUNDLE.read_bytes()).payload)


@pytest.fixture(scope="session")
def small_model(committed_bundle: Bundle) -> bytes:
    """Its network."""
    return committed_bundle.networks["lesion"]


@pytest.fixture(scope="session")
def make_image(committed_bundle: Bundle, small_model: bytes, development_key: Ed25519PrivateKey) -> MakeImage:
    """A signed bundle of one's own: `make_image("1.2.3", key=..., model=..., padding=...)`."""
    profile = msgspec.structs.replace(committed_bundle.profile, name="test-patch")

    def make(
        version: str, key: Ed25519PrivateKey = development_key, model: bytes = small_model, padding: int = 0
    ) -> bytes:
        # Bytes behind the last table of a flat buffer are nobody's: they only make the upload longer.
        networks = {"lesion": model + bytes(padding)}
        bundle = Bundle(profile=profile, networks=networks, card=f"Test bundle {version}")
        return sign(bundle.to_payload(), Version.parse(version), key)

    return make


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Poll a condition and fail where it does not come true: `wait_until(condition, "what")`."""

    def wait(condition: Callable[[], bool], what: str, within_s: float = WAIT_S) -> None:
        end = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"{what} did not happen within {within_s:g} s")
            time.sleep(0.01)

    return wait
