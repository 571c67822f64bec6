"""Findings and alerts in C are core's, bit for bit, whatever a wearable's models and alerts are and whatever happens."""

import math
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from firmware_graph import sanitised_program
from firmware_library import HARNESS
from sensor_recordings import SPECIAL
from small_networks import networks

from thermo_core import schema
from thermo_core.graph.alerts import AlertMachine
from thermo_core.graph.findings import finding
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import Sample
from thermo_core.wearable.profile import Profile
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.graph.generate import generate

WEARABLES, EVENTS = 12, 800


def wearable(rng: np.random.Generator) -> Plan:
    """Models of scores and of quantities, and alerts on what they say and on a sensor's numbers."""
    models: list[dict[str, Any]] = []
    alerts: list[dict[str, Any]] = []
    watched = [("skin[1]", 30.0), ("skin[0]", 33.3)]
    for number in range(3):
        model: dict[str, Any] = {"name": f"m{number}", "inputs": ["skin"]}
        count = int(rng.integers(1, 5))
        if number == 0:
            # One number for two labels.
            model |= {"scores": ["no lesion", "lesion"], "read": "one"}
            watched.append((f"m{number}.lesion", 0.75))
        elif number == 1:
            model["scores"] = [f"label {place}" for place in range(max(2, count))]
            watched.append((f"m{number}.label-0", 0.5))
        else:
            low, offset, factor = (float(x) for x in rng.uniform(-2, 2, 3))
            named = [f"q{place}" for place in range(count)]
            fields = {"unit": "K", "low": low, "high": low + 1.5, "offset": offset, "factor": factor}
            model["quantities"] = [{"name": name} | fields for name in named]
            watched.append((f"m{number}.q0", 0.2))
        models.append(model)
    for number in range(int(rng.integers(1, 7))):
        name, middle = watched[int(rng.integers(len(watched)))]
        threshold = middle + float(np.round(rng.normal(0, 0.2), 2))
        alert: dict[str, Any] = {
            "name": f"a{number}",
            "when": f"{name} {rng.choice(['>=', '>', '<=', '<'])} {threshold:.2f}",
            "for": {"findings": int(rng.integers(1, 4)), "seconds": float(rng.choice([0.0, 0.0, 1.5]))},
        }
        if rng.random() < 0.5:
            alert["clear"] = f"{name} {rng.choice(['>=', '>', '<=', '<'])} {threshold + rng.normal(0, 0.2):.2f}"
        alerts.append(alert)
    parts = {
        "name": "test",
        "version": "1",
        "sensors": [{"kind": "external", "name": "skin", "shape": [2], "rate_hz": 1.0}],
        "stages": [{"op": "select", "of": "skin", "gives": "one", "places": [0]}],
        "models": models,
        "alerts": alerts,
    }
    return plan(schema.from_plain(parts, Profile, "profile"))


class Expected:
    """What core makes of what happens to a wearable, as the harness writes it, and what the harness reads of it."""

    def __init__(self, number: int, made: Plan, rng: np.random.Generator) -> None:
        self._number, self._plan, self._rng = number, made, rng
        self._machines = [AlertMachine(one, place) for place, one in enumerate(made.alerts)]
        self._time_us = 0
        self.read: list[Any] = []
        self.written: list[Any] = []
        for _ in range(EVENTS):
            self._time_us += int(rng.integers(0, 1_500_000))
            self._finding() if rng.random() < 0.3 else self._alert()

    def _flags(self) -> int:
        return int(self._rng.integers(0, 1 << 15)) if self._rng.random() < 0.2 else 0

    def _value(self, middle: float) -> float:
        if self._rng.random() < 0.1:
            return float(self._rng.choice([*SPECIAL, np.float32(np.nan)]))
        return float(np.float32(np.round(self._rng.normal(middle, 0.4), 1)))

    def _finding(self) -> None:
        number = int(self._rng.integers(len(self._plan.profile.models)))
        model, flags = self._plan.profile.models[number], self._flags()
        count = self._plan.signals[model.reading].elements
        said = np.array([self._value(0.5) for _ in range(count)], np.float32)
        self._happens(0, number, flags, struct.pack("<H", count) + said.tobytes())
        found = finding(model, number, Sample(self._time_us, said, flags))
        values = np.asarray(found.values, np.float32)
        self.written.append(
            struct.pack("<HH", found.flags, len(values))
            + np.where(values != values, np.nan, values).astype("<f4").tobytes()
        )
        if found.winner is not None:
            self.written.append(struct.pack("<H", found.winner))
        if model.scores is not None:
            self.written += [struct.pack("<H", round(value * 65535)) for value in found.values]

    def _alert(self) -> None:
        number = int(self._rng.integers(len(self._machines)))
        machine, flags = self._machines[number], self._flags()
        value = self._value(self._plan.alerts[number].when.number)
        what = int(self._rng.choice([1, 2, 3], p=[0.9, 0.06, 0.04]))
        self._happens(what, number, flags, struct.pack("<f", value) if what == 1 else b"")
        if what == 1:
            change = machine.push(value, flags, self._time_us)
        elif what == 2:
            change = machine.acknowledge(self._time_us)
        else:
            change = machine.interrupt(self._time_us)
        newest = machine.newest
        said = 0.0 if newest.time_us == 0 and math.isnan(newest.value) else newest.value
        self.written.append(struct.pack("<HHHqf", change is not None, newest.state, newest.flags, newest.time_us, said))

    def _happens(self, what: int, number: int, flags: int, more: bytes) -> None:
        self.read.append(struct.pack("<HHHHq", self._number, what, number, flags, self._time_us) + more)


def program(plans: list[Plan], folder: Path) -> Path:
    """The harness with the generated tables of all."""
    rows, headers, sources = [], [], []
    for number, made in enumerate(plans):
        name = f"case{number}"
        compiled = {model: compile_model(data, f"{name}_{model}") for model, data in networks(made, number).items()}
        for file, text in generate(made, compiled, name).files.items():
            (folder / file).write_text(text)
            sources += [folder / file] if file.endswith(".c") else []
        headers.append(f'#include "{name}.h"')
        rows.append(f"    {{{name}_models, {name}_alerts}},")
    struct_text = "struct rules_case {\n  const struct finding_model *models;\n  const struct alert_plan *alerts;\n};"
    table = "static const struct rules_case cases[] = {\n" + "\n".join(rows) + "\n};"
    (folder / "cases.h").write_text("\n".join([*headers, f"#define CASES {len(plans)}", struct_text, table]))
    return sanitised_program([HARNESS / "rules.c", HARNESS / "io_host.c", *sources], folder, "rules")


def test_findings_and_alerts_are_cores(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    plans = [wearable(rng) for _ in range(WEARABLES)]
    expected = [Expected(number, made, rng) for number, made in enumerate(plans)]
    stream = b"".join(part for one in expected for part in one.read)
    done = subprocess.run([str(program(plans, tmp_path))], input=stream, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[:4000]
    at = 0
    for one in expected:
        for place, wanted in enumerate(one.written):
            assert done.stdout[at : at + len(wanted)] == wanted, (one._number, place, one._plan.profile)
            at += len(wanted)
    assert at == len(done.stdout)
    states = {change for one in expected for machine in one._machines for change in [machine.newest.state]}
    assert len(states) > 1
