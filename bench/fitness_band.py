"""How far the heart rate, the metabolic rate and the core temperature of `fitness-band` are off, and whom they are refused.

    python bench/fitness_band.py [--data FOLDER] [--energy FOLDER] [--people 6]

Heart rate by the wearable's own stages from the pulse waves of real people (Empatica E4, PhysioNet wearable-device-dataset 1.0.1, brought
to the wearable's 25 Hz). There is no ECG: the reference are the band's own beat intervals, in windows of which it was sure of six
seconds or more. "with" is the share of windows that have such a reference, "given" the share of these that were given a rate, "of all" that of all
windows: what happens in windows without a reference, which are the worse ones, is not known. S and f people followed two protocols.

Metabolic rate from heart rate alone against breath, of walkers with pauses (OpenMetabolics, 28 people of which no constant of ours knows
anything; fetch github.com/Harvard-Slade-Lab/OpenMetabolics_code and name its `validation_dataset` by --energy). Resting heart rates
are not among the data: the stage begins at its usual 65 and learns.

Minutes that count as rest by the wearable's own rule, and alerts `fast-heart`, of the same people (e4_exercise_1hz.npz), each
against the mean of the own minutes of rest under mental stress: a session is shorter than what the wearable learns from.

All three on simulated people, who train with the wearable on; their heart rate comes from JOS-3's cardiac output, never from the equation
that core temperature is estimated by.
"""

import argparse
import csv
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.plan import plan
from thermo_core.quality import DOUBTFUL, Quality
from thermo_core.signals import Series
from thermo_core.wearable import file, library
from thermo_models.features import moments, signal_from, signal_over
from thermo_models.tasks import fitness_band_features as features
from thermo_sim.people import Person, course, motion, pulse_wave
from thermo_sim.people.activities import ACTIVITIES

REPOSITORY = Path(__file__).resolve().parents[1]
PROFILE = file.read(library.resolve("fitness-band")).profile
KINDS = {"STRESS": "at rest, under mental stress", "AEROBIC": "steady cycling", "ANAEROBIC": "cycling with sprints"}
RATE_HZ = 25.0
CURRENT_MA = 6.4
MET = 1.162
"""W/kg."""
Floats = NDArray[np.float64]


def series(values: Floats, rate_hz: float) -> Series:
    """Samples at a rate."""
    times_us = np.rint(np.arange(1, len(values) + 1) * 1e6 / rate_hz).astype(np.int64)
    return Series(times_us, values.astype(np.float32), order=8 * np.arange(len(values), dtype=np.int64))


def at_rate(values: Floats, from_hz: float) -> Floats:
    """Brought to the wearable's rate; (n,) or (n, columns)."""
    times = np.arange(int(len(values) / from_hz * RATE_HZ)) / RATE_HZ
    columns = values.reshape(len(values), -1)
    known = np.arange(len(values)) / from_hz
    return np.stack([np.interp(times, known, column) for column in columns.T], axis=1)


def heart(pulse: Floats, axes: Floats) -> Series:
    """Rate and quality, (n, 2), each two seconds."""
    count = min(len(pulse), len(axes))
    return signal_over(
        PROFILE, {"pulse": series(pulse[:count], RATE_HZ), "motion": series(axes[:count], RATE_HZ)}, "heart"
    )


@dataclass(frozen=True)
class Errors:
    """Magnitudes, and shares: of windows with a reference, of these with a rate, of all windows with a rate."""

    found: Floats
    referenced: float
    given: float
    of_all: float

    def line(self, name: str) -> str:
        """As a row."""
        if not len(self.found):
            return f"{name:44}{0:>8}"
        spread = np.percentile(self.found, 95)
        return (
            f"{name:44}{len(self.found):>8}{self.found.mean():>7.2f}{spread:>7.2f}{(self.found > 5).mean():>10.1%}"
            f"{self.referenced:>8.1%}{self.given:>8.1%}{self.of_all:>8.1%}"
        )


def recorded(path: Path) -> None:
    """Print errors by kind of session and people."""
    data = np.load(path)
    rows: dict[tuple[str, str], list[tuple[Floats, int, int, int]]] = {}
    for key in sorted(name for name in data.files if name.endswith("_bvp_x10_64hz")):
        kind, person = key.split("_")[:2]
        said = heart(
            at_rate(data[key] / 10.0, 64.0),
            at_rate(data[key.replace("_bvp_x10_64hz", "_acc_64th_g_32hz")] / 64.0, 32.0),
        )
        beats = data[key.replace("_bvp_x10_64hz", "_ibi_t_s")].astype(np.float64)
        ends = said.times_us / 1e6
        inside = (beats[:, 0] - beats[:, 1] >= ends[:, np.newaxis] - 8) & (beats[:, 0] <= ends[:, np.newaxis])
        seconds = (inside * beats[:, 1]).sum(1)
        known = seconds > 6
        with np.errstate(all="ignore"):
            errors = np.abs(said.values[:, 0] - 60 * inside.sum(1) / seconds)[known]
        errors = errors[np.isfinite(errors)].astype(np.float64)
        rows.setdefault((kind, person[0]), []).append(
            (errors, int(known.sum()), len(ends), int(np.isfinite(said.values[:, 0]).sum()))
        )
    for kind, about in KINDS.items():
        for people in ("S", "f"):
            parts = rows.get((kind, people), [])
            if not parts:
                continue
            known, windows, given = (float(sum(one)) for one in zip(*(part[1:] for part in parts), strict=True))
            found = np.concatenate([part[0] for part in parts])
            if known:
                named = f"{about}, {len(parts)} {people} people"
                print(Errors(found, known / windows, len(found) / known, given / windows).line(named))


def rested(path: Path) -> None:
    """Print minutes of real sessions that count as rest, and how often these raise `fast-heart`."""
    data = np.load(path)
    ends = np.cumsum(data["length"])
    parts: dict[str, tuple[Floats, NDArray[np.bool_]]] = {}
    for name, start, end in zip(data["session"].tolist(), ends - data["length"], ends, strict=True):
        if name in features.NOT_WORN:
            continue
        part = slice(start, min(end, start + features.DOUBLED.get(name, end)))
        rate = np.where(data["hr_x50"][part] < 0, np.nan, data["hr_x50"][part] / 50)[:, np.newaxis]
        moved = np.stack([data["enmo_g"][part], data["acc_sd_g"][part]], axis=1)
        given = moments({"beating": rate, "moved": moved})
        minutes = signal_from(PROFILE, given, dict.fromkeys(given, 1.0), "calm-rate")
        calm = np.isfinite(minutes.values[:, 0]) & ((minutes.flags & np.uint16(DOUBTFUL)) == 0)
        parts[name] = minutes.values[:, 0].astype(np.float64), calm
    own: dict[str, list[float]] = {}
    for name, (rates, calm) in parts.items():
        if name.startswith("STRESS"):
            own.setdefault(person_of(name), []).extend(rates[calm].tolist())
    print(f"{'at rest by the wearable':44}{'minutes':>8}{'rest':>7}{'alerts':>8}")
    for kind, about in KINDS.items():
        sessions = [name for name in parts if name.startswith(f"{kind}/") and own.get(person_of(name))]
        alerts = sum(fast(parts[name][0] - np.mean(own[person_of(name)]), parts[name][1]) for name in sessions)
        calm = np.concatenate([parts[name][1] for name in sessions])
        people = len({person_of(name) for name in sessions})
        print(f"{f'{about}, {people} people':44}{len(calm):>8}{int(calm.sum()):>7}{alerts:>8}")


def person_of(session: str) -> str:
    """Of KIND/person, or of its half KIND/person_a."""
    return session.split("/")[1].split("_")[0]


def fast(over: Floats, calm: NDArray[np.bool_]) -> int:
    """How often minutes of a heart's rate above the own one raise `fast-heart`."""
    alert = next(one for one in plan(PROFILE).alerts if one.alert.name == "fast-heart")
    machine = AlertMachine(alert, 0)
    changes = [
        machine.push(float(value), 0 if still else int(Quality.MOVING), 60_000_000 * minute)
        for minute, (value, still) in enumerate(zip(over, calm, strict=True))
    ]
    return sum(change is not None and change.state is AlertState.RAISED for change in changes)


def rows_of(path: Path) -> list[list[str]]:
    """Of a CSV file, without its heading."""
    with path.open(newline="") as lines:
        return list(csv.reader(lines))[1:]


def wearer_of(row: list[str]) -> dict[str, float]:
    """The wearer in a row of basal rate, resting rate, age, gender, weight and height."""
    return {
        "age_years": float(row[2]),
        "weight_kg": float(row[4]),
        "height_m": float(row[5]),
        "sex": float(row[3].strip() == "M"),
    }


def told(wearer: Mapping[str, float]) -> dict[str, Series]:
    """The wearer as signals, at the start."""
    return {
        f"person.{name}": Series(np.zeros(1, np.int64), np.array([wearer[name]], np.float32)) for name in PROFILE.person
    }


def minutes(times_s: Floats, values: Floats, ends_s: Floats) -> Floats:
    """Mean of values in the minute before each end; NaN where there are none."""
    inside = (times_s > ends_s[:, np.newaxis] - 60) & (times_s <= ends_s[:, np.newaxis])
    with np.errstate(all="ignore"):
        found: Floats = (inside * np.nan_to_num(values)).sum(1) / (inside & np.isfinite(values)).sum(1)
    return found


def keytel(rate: Floats, wearer: Mapping[str, float]) -> Floats:
    """W/kg after Keytel et al. 2005, without oxygen uptake, at least 1 MET."""
    age, weight = wearer["age_years"], wearer["weight_kg"]
    man = -55.0969 + 0.6309 * rate + 0.1988 * weight + 0.2017 * age
    woman = -20.4022 + 0.4472 * rate - 0.1263 * weight + 0.074 * age
    return np.maximum((man if wearer["sex"] > 0.5 else woman) * 1000 / 60 / weight, MET)


def ridge(features: list[Floats], wanted: list[Floats], penalty: float = 10.0) -> list[Floats]:
    """Said of each person by what the others teach."""
    said = []
    for out in range(len(features)):
        known = np.concatenate([one for n, one in enumerate(features) if n != out])
        truth = np.concatenate([one for n, one in enumerate(wanted) if n != out])
        mean, spread = known.mean(0), known.std(0) + 1e-9
        scaled = (known - mean) / spread
        weights = np.linalg.solve(
            scaled.T @ scaled + penalty * np.eye(scaled.shape[1]), scaled.T @ (truth - truth.mean())
        )
        said.append((features[out] - mean) / spread @ weights + truth.mean())
    return said


def interval(figure: Callable[[list[int]], float], people: int) -> str:
    """95 % of 1,000 draws of people."""
    rng = np.random.default_rng(0)
    low, high = np.percentile([figure(rng.integers(0, people, people).tolist()) for _ in range(1000)], [2.5, 97.5])
    return f"{figure(list(range(people))):.2f} ({low:.2f} to {high:.2f})"


def energy(folder: Path) -> None:
    """Print errors of minutes every half minute, and of a person's whole walk."""
    said: dict[str, list[Floats]] = {"this wearable, nothing learnt": [], "Keytel 2005": []}
    features, wanted = [], []
    for path in sorted(folder.glob("*/hr_data.csv")):
        beats, breath = (
            np.array(rows_of(path.with_name(name)), np.float64) for name in ("hr_data.csv", "respirometry_met.csv")
        )
        wearer = wearer_of(rows_of(path.with_name("subject_spec_info.csv"))[0])
        start_s = max(beats[0, 0], breath[0, 0])
        ends = np.arange(start_s + 60, min(beats[-1, 0], breath[-1, 0]), 30)
        times_us = np.rint((beats[:, 0] - beats[0, 0] + 5) * 1e6).astype(np.int64)
        order = 8 * np.arange(1, 1 + len(beats), dtype=np.int64)
        rate = Series(times_us, beats[:, 1:].astype(np.float32), order=order)
        own = signal_from(PROFILE, told(wearer) | {"beating": rate}, {"beating": 0.2}, "metabolic-rate")
        own_s = own.times_us / 1e6 + beats[0, 0] - 5
        heart_rate = minutes(beats[:, 0], beats[:, 1], ends)
        truth = minutes(breath[:, 0], breath[:, 1], ends) / wearer["weight_kg"]
        mine = minutes(own_s, own.values.astype(np.float64), ends)
        known = np.isfinite(heart_rate + truth + mine)
        said["this wearable, nothing learnt"].append(mine[known])
        said["Keytel 2005"].append(keytel(heart_rate[known], wearer))
        features.append(np.column_stack([heart_rate[known], np.tile(list(wearer.values()), (int(known.sum()), 1))]))
        wanted.append(truth[known])
    if not wanted:
        sys.exit(f"fitness_band: {folder} holds no */hr_data.csv; name the folder validation_dataset.")
    said["ridge on heart rate and person, one left out"] = ridge(features, wanted)
    whole = np.concatenate(wanted)
    said["the mean of all"] = [np.full(len(one), whole.mean()) for one in wanted]
    print(f"\n{f'metabolic rate of {len(wanted)} walkers':46}{'RMSE, MET':>24}{'whole walk, %':>26}")
    for name, each in said.items():

        def rmse(people: list[int], each: list[Floats] = each) -> float:
            return float(np.sqrt(np.mean(np.square(np.concatenate([each[n] - wanted[n] for n in people]))))) / MET

        def whole_walk(people: list[int], each: list[Floats] = each) -> float:
            return float(np.mean([abs(each[n].mean() / wanted[n].mean() - 1) for n in people])) * 100

        print(f"{name:46}{interval(rmse, len(wanted)):>24}{interval(whole_walk, len(wanted)):>26}")


def trained(number: int, seed: int) -> dict[str, Any]:
    """What the wearable says of a simulated person who trains, and what is true: by name, (times, said, true)."""
    person = Person.drawn(number)
    truth = course("workout", seed, person).at(np.arange(0.0, 5400.0))
    light = pulse_wave(truth, RATE_HZ, seed, led="infrared")[:, np.newaxis] * CURRENT_MA
    wearer = {
        "age_years": person.age_years,
        "weight_kg": person.weight_kg,
        "height_m": person.height_m,
        "sex": float(person.sex == "male"),
    }
    sources = {"pulse": series(light, RATE_HZ), "motion": series(motion(truth, RATE_HZ, seed), RATE_HZ)}
    found = {}
    for name, true in (
        ("heart", truth.heart_bpm),
        ("metabolic-rate", truth.metabolic_w / person.weight_kg),
        ("core", truth.core_celsius),
    ):
        said = signal_over(PROFILE, sources | told(wearer), name)
        ends = said.times_us / 1e6
        behind = {"heart": 4.0, "metabolic-rate": 5.0, "core": 0.0}[name]
        at = np.clip((ends - behind).astype(int), 0, len(true) - 1)
        found[name] = (said.values.reshape(len(said), -1)[:, 0].astype(np.float64), true[at], truth.activity[at])
    return found


def simulated(people: int) -> None:
    """Print errors by activity."""
    each = [trained(100 + number, number) for number in range(people)]
    print(
        f"\n{f'heart rate of {people} simulated people':44}{'windows':>8}{'mean':>7}{'95 %':>7}{'beyond 5':>10}{'with':>8}{'given':>8}{'of all':>8}"
    )
    names = sorted({name for one in each for name in one["heart"][2].tolist()})
    for name in names:
        said, true, doing = (np.concatenate([one["heart"][place] for one in each]) for place in range(3))
        of = doing == name
        errors = np.abs(said - true)[of]
        known = np.isfinite(errors)
        print(Errors(errors[known], 1.0, float(known.mean()), float(known.mean())).line(list(ACTIVITIES)[name]))
    for name, unit in (("metabolic-rate", "W/kg"), ("core", "K")):
        said, true = (np.concatenate([one[name][place] for one in each]) for place in range(2))
        known = np.isfinite(said)
        apart = np.sqrt(np.mean(np.square(said - true)[known]))
        level = {"metabolic-rate": float(true.mean()), "core": 37.0}[name]
        constant = np.sqrt(np.mean(np.square(true - level)))
        print(
            f"{name}: RMSE {apart:.2f} {unit}, given {known.mean():.1%} of the time; {level:.2f} said always: {constant:.2f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("THERMO_SHARED", REPOSITORY.parent / "shared"))
    parser.add_argument(
        "--data",
        type=Path,
        default=shared / "datasets/e4_exercise",
        help="folder of e4_bvp.npz and e4_exercise_1hz.npz",
    )
    parser.add_argument("--energy", type=Path, help="folder validation_dataset of OpenMetabolics")
    parser.add_argument("--people", type=int, default=6, help="simulated ones")
    options = parser.parse_args()
    path = options.data / "e4_bvp.npz"
    print(
        f"{'heart rate off by, beats a minute':44}{'windows':>8}{'mean':>7}{'95 %':>7}{'beyond 5':>10}{'with':>8}{'given':>8}{'of all':>8}"
    )
    if path.is_file():
        recorded(path)
    if (sessions := options.data / "e4_exercise_1hz.npz").is_file():
        rested(sessions)
    if options.energy is not None:
        energy(options.energy)
    if options.people > 0:
        simulated(options.people)


if __name__ == "__main__":
    main()
