"""A graph gives the same bytes one moment at a time and over a whole recording, whatever the graph and whatever came."""

import pytest
from graph_plans import graphs
from hypothesis import given
from sensor_recordings import Recording, plain_bytes, recordings
from small_networks import interpreted, networks

from thermo_core.graph import series as whole
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import Plan
from thermo_core.signals import DEPTHS, Sample, Series


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(graphs(), recordings())
def test_live_and_whole_agree(made: Plan, blocks: Recording) -> None:
    runners = interpreted(networks(made, 1))
    live: dict[str, list[Sample]] = {name: [] for name in made.signals}
    graph = LiveGraph(made, runners)
    for name, samples in blocks:
        for produced in graph.push([{name: sample} for sample in samples]):
            for signal, given_sample in produced.items():
                live[signal].append(given_sample)
    sources = {}
    for sensor in made.profile.sensors:
        (given,) = sensor.signals
        of = [
            Sample(one.time_us, one.values, one.flags, one.fresh, DEPTHS * place)
            for place, (source, samples) in enumerate(blocks)
            if source == given.name
            for one in samples
        ]
        sources[given.name] = Series.of(of, given.shape)
    found = whole.run(made, sources, runners)
    for name, made_of in made.signals.items():
        wanted = Series.of(live[name], made_of.shape)
        assert found[name].times_us.tolist() == wanted.times_us.tolist(), name
        assert plain_bytes(found[name].values) == plain_bytes(wanted.values), name
        assert found[name].values.shape == wanted.values.shape, name
        assert found[name].flags.tolist() == wanted.flags.tolist(), name
        assert found[name].fresh.tolist() == wanted.fresh.tolist(), name
        assert found[name].order.tolist() == wanted.order.tolist(), name
