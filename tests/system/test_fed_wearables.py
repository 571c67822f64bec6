"""Wearables whose sensors are elsewhere, on the agent: flashed, told of their wearer and fed by a host, they say what training measured."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from patience import WAIT_S

from thermo_core.image import Version
from thermo_core.signals import Values
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_core.wire.records import FindingRecord, Record, SignalRecord
from thermo_device.agent import Agent, AgentSettings
from thermo_device.hardware import Hardware
from thermo_host import flash
from thermo_host.link.lease import TelemetryStream
from thermo_host.link.wearable import Wearable
from thermo_models import foster
from thermo_models.features import moments, signal_over
from thermo_quantize.sign import sign_bundle
from thermo_sim.clock import WallClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.pseudo_terminal import PseudoTerminal

pytestmark = pytest.mark.lengthy

TURNS, TURN_US = 6, 100_000
"""How far a test moves time, at most, to have what was found told."""
PERSON = {"sex": 1.0, "age_years": 34.0}
Fed = list[dict[str, Any]]
"""What comes from outside, second by second, by sensor."""


class SteppedClock:
    """Real time, and the steps a test makes beside it: a busy machine moves samples by far less than from one to the next."""

    def __init__(self) -> None:
        self._wall = WallClock()
        self._ahead_us = 0

    def now_us(self) -> int:
        return self._wall.now_us() + self._ahead_us

    def sleep_until_us(self, time_us: int) -> None:
        while self.now_us() < time_us:
            time.sleep(0.001)

    def step(self, microseconds: int) -> None:
        self._ahead_us += microseconds


def wrist() -> Fed:
    rng = np.random.default_rng(1)
    means = {"temperature": (33, 0.02), "heart-rate": (75, 3), "conductance": (1.2, 0.03), "motion": (0.05, 0.01)}
    return [{name: np.float32(rng.normal(*of)) for name, of in means.items()} for _ in range(190)]


def faces() -> Fed:
    rng = np.random.default_rng(2)
    fed: Fed = []
    for hour in range(8, 14):
        face = (35.3 + rng.normal(0, 0.4, (2, 26))).astype(np.float32)
        face[0, 4] = np.nan
        fed.append(
            {name: np.float32(x) for name, x in {"air": 22, "humidity": 40, "distance": 0.7, "hour": hour}.items()}
            | {"face": face}
        )
    return fed


def recovery() -> Fed:
    return [{"recovery": np.float32(x)} for x in foster.make(1, 0.005, seed=5).values[0]]


FED = {"core-temperature": faces, "time-constants": recovery, "wrist-stress": wrist}


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def port(tmp_path: Path, key: Ed25519PrivateKey, clock: SteppedClock) -> Iterator[Path]:
    """An agent that trusts the key."""
    simulated = SimulatedHardware.from_profile(seed=1, warm_up_tau_s=0)
    hardware = Hardware(simulated.bus, clock, "bench", "0001", simulated=True)
    link = tmp_path / "port"
    agent = Agent(PseudoTerminal(link), hardware, AgentSettings(tmp_path / "state", (key.public_key(),)))
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        end_s = time.monotonic() + WAIT_S
        while not link.is_symlink() and time.monotonic() < end_s:
            time.sleep(0.005)
        yield link
    finally:
        agent.stop()
        thread.join(WAIT_S)
    assert not thread.is_alive()


def expected(name: str, fed: Fed) -> Values:
    """What the wearable's model reads of all of it at once, (n, outputs)."""
    wearable = file.read(library.resolve(name))
    each = {sensor: np.array([second[sensor] for second in fed], np.float32) for sensor in fed[0]}
    each |= {f"person.{one}": np.full(len(fed), PERSON[one], np.float32) for one in wearable.profile.person}
    (model,) = wearable.profile.models
    network = Int8Network(wearable.networks[model.name].read_bytes())
    features = signal_over(wearable.profile, moments(each), model.inputs[0]).values
    return network.predict([features.reshape(len(features), *network.inputs[0].shape)])


def heard(stream: TelemetryStream, clock: SteppedClock, enough: Callable[[], bool], log: list[Record]) -> None:
    """Listen until it is enough; the device, which tells what it found at its next turn, need not wait for that."""
    end_s, turns = time.monotonic() + WAIT_S, TURNS
    while not enough():
        assert time.monotonic() < end_s, "nothing comes of what was fed"
        if turns:
            turns -= 1
            clock.step(TURN_US)
        if (received := stream.get(0.005)) is not None:
            log.append(received.record)


@pytest.mark.parametrize("name", FED)
def test_a_shipped_wearable_is_flashed_fed_and_says_what_it_was_measured_by(
    name: str, tmp_path: Path, port: Path, key: Ed25519PrivateKey, clock: SteppedClock
) -> None:
    found = file.read(library.resolve(name))
    networks = {model: path.read_bytes() for model, path in found.networks.items()}
    path = tmp_path / "bundle.img"
    path.write_bytes(sign_bundle(found.profile, networks, "a card", Version(1, 0, 0), key).data)
    fed = FED[name]()
    said: list[FindingRecord] = []
    stream_log: list[Record] = []
    with Wearable.open(str(port)) as wearable:
        assert flash.flash(wearable, flash.load(path)).profile == name
        if found.profile.person:
            wearable.set_person({one: PERSON[one] for one in found.profile.person})
        sensors = {sensor.name: number for number, sensor in enumerate(found.profile.sensors)}
        with wearable.stream() as stream:
            # The last sensor's samples come back once its graph has run, so that none is fed before the one before is dealt with.
            last = list(sensors)[-1]
            wearable.choose_signals([found.plan().number_of(last)])
            for second in fed:
                for sensor, values in second.items():
                    wearable.feed(sensors[sensor], np.asarray(values, np.float32).ravel())
                    clock.step(500_000 // len(second))
                heard(stream, clock, lambda: any(isinstance(one, SignalRecord) for one in stream_log), stream_log)
                said += [one for one in stream_log if isinstance(one, FindingRecord)]
                stream_log.clear()
            wanted = expected(name, fed)
            if len(said) < len(wanted):
                heard(stream, clock, lambda: any(isinstance(one, FindingRecord) for one in stream_log), stream_log)
                said += [one for one in stream_log if isinstance(one, FindingRecord)]
    assert len(said) == len(wanted)
    values = np.array([one.values for one in said])
    if name == "wrist-stress":
        np.testing.assert_allclose(values[:, 1], wanted[:, 0], atol=2 / 65535)
    elif name == "core-temperature":
        np.testing.assert_allclose(values[:, 0], 37 + wanted[:, 0], atol=1e-4)
    else:
        truth = foster.make(1, 0.005, seed=5)
        assert values[0, 0] == truth.parts[0]
        np.testing.assert_allclose(values[0, 1:4], truth.tau_s[0], rtol=0.2)
