"""Shipped wearables whose sensors are outside the device run live on the agent, with the findings of the whole graph at once."""

import numpy as np
import pytest

from thermo_core.graph.findings import finding
from thermo_core.graph.series import run
from thermo_core.graph.typical import typical_series
from thermo_core.quality import Quality
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_core.wearable.person import FIELDS
from thermo_core.wire import records
from thermo_core.wire.records import FindingRecord, SignalRecord
from thermo_device.bundled import Bundled
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.hardware import SimulatedHardware

SECONDS = {"core-temperature": 60.0, "time-constants": 1300.0, "wrist-stress": 200.0}


@pytest.mark.parametrize("name", SECONDS)
def test_findings_live_are_those_of_the_whole(name: str) -> None:
    wearable = file.read(library.resolve(name))
    files = {model: path.read_bytes() for model, path in wearable.networks.items()}
    networks = {model: Int8Network(data) for model, data in files.items()}
    graph = wearable.plan({model: network.output.shape for model, network in networks.items()})
    person = {field: (FIELDS[field].low + FIELDS[field].high) / 2 for field in wearable.profile.person}
    sources = typical_series(graph, "skin", SECONDS[name])
    whole = run(graph, sources, networks)

    simulated = SimulatedHardware.from_profile(seed=1)
    hardware = Hardware(simulated.bus, simulated.clock, name, "0001", simulated=True)
    pipeline = Pipeline(hardware, wearable.profile, Bundled(files), person=person, inline=True)
    pipeline.start()
    waiting = sorted(
        (int(sources[sensor.name].order[n]), number, sources[sensor.name].sample(n))
        for number, sensor in enumerate(wearable.profile.sensors)
        for n in range(len(sources[sensor.name]))
    )
    said: list[FindingRecord] = []

    def step(until_us: int) -> None:
        for record in pipeline.step(until_us):
            records.encode(record, 0)
            if isinstance(record, FindingRecord):
                said.append(record)

    for _, number, sample in waiting:
        while simulated.clock.now_us() < sample.time_us:
            step(sample.time_us)
        pipeline.feed(number, sample.values.ravel())
        step(simulated.clock.now_us())
    step(simulated.clock.now_us())
    pipeline.close()

    wanted = []
    for number, model in enumerate(wearable.profile.models):
        series = whole[model.reading]
        wanted += [finding(model, number, series.sample(place)) for place in range(len(series))]
    assert wanted, "typical sensors make it say something"
    assert [(one.time_us, one.model) for one in said] == [(one.time_us, one.model) for one in wanted]
    for one, other in zip(said, wanted, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert one.flags == other.flags | Quality.SIMULATED


def test_what_is_known_of_the_wearer_reaches_the_graph_with_the_next_block() -> None:
    wearable = file.read(library.resolve("core-temperature"))
    files = {model: path.read_bytes() for model, path in wearable.networks.items()}
    simulated = SimulatedHardware.from_profile(seed=1)
    hardware = Hardware(simulated.bus, simulated.clock, "core-temperature", "0001", simulated=True)
    pipeline = Pipeline(hardware, wearable.profile, Bundled(files), person={"age_years": 30.0}, inline=True)
    sources = typical_series(wearable.plan(), "skin", 1.0)
    names = ("person.age_years", "sex", "log-age")
    pipeline.send_signals(tuple(pipeline.plan.number_of(name) for name in names))

    def fed() -> dict[str, float]:
        """The newest of each signal."""
        heard: dict[str, float] = {}
        simulated.clock.sleep_until_us(simulated.clock.now_us() + 1_000_000)
        for number, sensor in enumerate(wearable.profile.sensors):
            pipeline.feed(number, sources[sensor.name].sample(0).values.ravel())
            for record in pipeline.step(simulated.clock.now_us()):
                if isinstance(record, SignalRecord):
                    heard[list(pipeline.plan.signals)[record.signal]] = float(record.values[0])
        return heard

    first = fed()
    assert first["person.age_years"] == 30.0 and first["log-age"] == pytest.approx(np.log(30.0))
    assert np.isnan(first["sex"]), "what is not known has no value"
    pipeline.set_person({"age_years": 90.0, "sex": 1.0})
    second = fed()
    assert (second["person.age_years"], second["sex"]) == (90.0, 1.0)
    assert second["log-age"] == pytest.approx(np.log(90.0))
    assert "person.age_years" not in fed(), "it is told once"
