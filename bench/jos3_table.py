"""Fit the table of `thermo_sim.people` to JOS-3, and say how far it is from JOS-3 on courses and bodies it was not fitted to.

JOS-3 is no part of this project: make an environment of its own for it.

    python3 -m venv /tmp/jos3 && /tmp/jos3/bin/pip install jos3==0.5.0 numpy
    PYTHONPATH=hw_sim:core /tmp/jos3/bin/python bench/jos3_table.py run --first 0 --count 300 --out runs.npz     # minutes, with JOS-3
    PYTHONPATH=hw_sim:core /tmp/jos3/bin/python bench/jos3_table.py run --first 9000 --count 40 --out unseen.npz
    python bench/jos3_table.py fit runs.npz --out hw_sim/thermo_sim/people/jos3.npz
    python bench/jos3_table.py error unseen.npz
    python bench/jos3_table.py scenes ../shared/datasets/jos3_body/jos3_scenes.npz
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people import table

Array = NDArray[np.float64]
HOURS = 6
DAMPING = 0.02
SMOOTH = 0.3


def random_body(rng: np.random.Generator) -> dict[str, float]:
    """A grown-up: height by sex, body-mass index, and fat by Deurenberg's formula (1991)."""
    male = float(rng.integers(2))
    height = float(np.clip(rng.normal(1.765 if male else 1.63, 0.07), 1.45, 2.0))
    index = float(np.clip(rng.normal(25, 3.5), 18.5, 36))
    age = float(rng.uniform(18, 78))
    fat = float(np.clip(1.2 * index + 0.23 * age - 10.8 * male - 5.4 + rng.normal(0, 3), 7, 48))
    return {"male": male, "height": height, "weight": index * height**2, "age": age, "fat": fat}


def random_course(rng: np.random.Generator) -> dict[str, Array]:
    """Minutes of air, activity, outfit, humidity and wind, from rest on, as days have them and a little beyond."""
    kept: dict[str, list[Any]] = {name: [] for name in ("air", "par", "worn", "humidity", "wind")}
    count = len(table.OUTFITS)
    place, wear, stop = float(rng.uniform(16, 30)), np.eye(count)[1], 60 * HOURS
    while len(kept["air"]) < stop:
        resting, moved = not kept["air"], rng.random() < 0.4
        if moved:
            rooms = [(-5, 10), (10, 18), (18, 27), (27, 34), (34, 40)]
            place = float(rng.uniform(*rooms[rng.choice(5, p=[0.14, 0.2, 0.44, 0.16, 0.06])]))
        if moved or rng.random() < 0.3 or resting:
            # Colder air is met with more, now and then with less.
            likely = np.exp(-np.square((np.array([26.0, 22.0, 13.0, 3.0, 20.0]) - place) / 7)) + 0.004
            first, second = rng.choice(count, 2, p=likely / likely.sum())
            share = rng.uniform() if rng.random() < 0.4 else 1.0
            wear = share * np.eye(count)[first] + (1 - share) * np.eye(count)[second]
        in_bed = wear[4] > 0.3
        place = float(np.clip(place, 14, 28)) if in_bed else place
        ranges = [(1.0, 1.0), (1.0, 1.6), (1.6, 3.0), (3.0, 5.5), (5.5, 8.0)]
        par = float(rng.uniform(*ranges[rng.choice(5, p=[0.15, 0.4, 0.22, 0.16, 0.07])]))
        if in_bed or resting or (place > 33 and par > 3):
            par = float(rng.uniform(1.0, 1.3))
        lasts = int(rng.choice([4, 10, 20, 40, 75]))
        lasts = min(lasts, 30) if par > 5.5 or place > 34 else lasts
        wind = 0.1 if in_bed else min(0.1 * np.exp(rng.exponential(0.9)), 4.0)
        now = {"air": place, "par": par, "worn": wear, "humidity": rng.uniform(25, 80), "wind": wind}
        for name, value in now.items():
            kept[name] += [value] * lasts
    return {name: np.array(values[:stop], float) for name, values in kept.items()}


def simulate(number: int) -> dict[str, Array]:
    """One body through one course by JOS-3: outputs by the minute."""
    import jos3  # of the environment that this is run in

    rng = np.random.default_rng([number, 0x105])
    body, course = random_body(rng), random_course(rng)
    model = jos3.JOS3(
        height=body["height"],
        weight=body["weight"],
        fat=body["fat"],
        age=int(body["age"]),
        sex="male" if body["male"] else "female",
        ex_output=None,
    )
    clo = course["worn"] @ np.array(list(table.OUTFITS.values()))
    rows = np.zeros((len(course["air"]), table.COLUMNS))
    for minute in range(-1, len(rows)):
        now = max(minute, 0)
        if (
            minute == now == 0
            or minute < 0
            or any(np.any(course[name][now] != course[name][now - 1]) for name in course)
        ):
            model.To, model.PAR, model.Icl = course["air"][now], course["par"][now], clo[now]
            model.RH, model.Va = course["humidity"][now], course["wind"][now]
        if minute < 0:  # a long rest before
            for _ in range(60):
                model._run(dtime=600, output=False)
            continue
        said = model._run(dtime=60, output=True)
        rows[minute] = np.concatenate(
            [
                said["Tsk"],
                np.clip(said["Wet"], 0, 1),
                said["Tcr"][[0, 4]],
                [said["CO"], said["Met"], 3600 * said["Wle"]],
            ]
        )
    return {"out": rows, "body": np.array(list(body.values())), **course}


def run(args: argparse.Namespace) -> None:
    """Simulate courses one by one."""
    kept: dict[str, list[NDArray[np.float32]]] = {}
    for number in range(args.first, args.first + args.count):
        for name, values in simulate(number).items():
            kept.setdefault(name, []).append(values.astype(np.float32))
    np.savez_compressed(args.out, **{name: np.stack(values) for name, values in kept.items()})


def relaxed(weights: Array, tau_s: float) -> Array:
    """(n, k) weights as a mode feels them at the end of each minute, from the steady state of the first on."""
    if not tau_s:
        return weights
    keep = np.exp(-60 / tau_s)
    felt, state = np.empty_like(weights), weights[0]
    for row in range(len(weights)):
        state = felt[row] = keep * state + (1 - keep) * weights[row]
    return felt


def design(runs: dict[str, Array], place: int) -> Array:
    """What the numbers of the table are multiplied with to give the outputs, (minutes, parameters)."""
    air, par, worn = (runs[name][place].astype(float) for name in ("air", "par", "worn"))
    male, height, weight, age, fat = runs["body"][place].astype(float)
    body = table.features(male, height, weight, int(age), fat)
    around = table.surroundings(runs["humidity"][place].astype(float), runs["wind"][place].astype(float))
    several = np.concatenate([np.tile(body, (len(air), 1)), around], axis=1)
    coarse = np.einsum("nf,nc->nfc", several, table.coarse_weights(air, par, worn)).reshape(len(air), -1)
    both = np.concatenate([table.main_weights(air, par, worn), coarse], axis=1)
    return np.concatenate([relaxed(both, tau) for tau in table.TAUS_S], axis=1)


def smoothing() -> Array:
    """Second differences of the nodes along air and activity, and differences between outfits, as a penalty; for one mode."""
    shape = (len(table.AIR_NODES), len(table.PAR_NODES), len(table.OUTFITS))
    grid = np.arange(table.MAIN).reshape(shape)
    rows: list[tuple[tuple[int, float], ...]] = []
    for axis in (0, 1):
        moved = np.moveaxis(grid, axis, 0)
        for first, middle, last in zip(moved[:-2].ravel(), moved[1:-1].ravel(), moved[2:].ravel(), strict=True):
            rows.append(((first, 1.0), (middle, -2.0), (last, 1.0)))
    for one in range(shape[2] - 1):
        rows += [((a, 0.3), (b, -0.3)) for a, b in zip(grid[..., one].ravel(), grid[..., one + 1].ravel(), strict=True)]
    penalty = np.zeros((len(rows), table.MAIN + table.FEATURES * table.COARSE))
    for row, entries in enumerate(rows):
        for place, weight in entries:
            penalty[row, place] = weight
    return penalty.T @ penalty


def fit(args: argparse.Namespace) -> None:
    """Least squares with smooth nodes."""
    runs = load(args.runs)
    size = table.MAIN + table.FEATURES * table.COARSE
    modes = len(table.TAUS_S)
    mean = runs["out"].reshape(-1, table.COLUMNS).mean(axis=0).astype(float)
    scale = runs["out"].reshape(-1, table.COLUMNS).std(axis=0).astype(float)
    normal, right = np.zeros((modes * size,) * 2), np.zeros((modes * size, table.COLUMNS))
    for first in range(0, len(runs["out"]), 4):
        some = range(first, min(first + 4, len(runs["out"])))
        rows = np.concatenate([design(runs, place) for place in some]).astype(np.float32)
        wanted = np.concatenate([(runs["out"][place] - mean) / scale for place in some]).astype(np.float32)
        normal += rows.T @ rows
        right += rows.T @ wanted
    block = SMOOTH * smoothing() + DAMPING * np.eye(size)
    for mode in range(modes):
        at = slice(mode * size, (mode + 1) * size)
        normal[at, at] += block
    found = np.linalg.solve(normal, right) * scale
    numbers = found.reshape(modes, size, table.COLUMNS).transpose(1, 0, 2)
    coarse = numbers[table.MAIN :].reshape(table.FEATURES, table.COARSE, modes, table.COLUMNS)
    np.savez_compressed(
        args.out,
        mean=mean.astype(np.float32),
        main=numbers[: table.MAIN].astype(np.float16),
        coarse=coarse.astype(np.float16),
    )
    print(
        f"{len(runs['out'])} courses, {modes * size} x {table.COLUMNS} numbers, {Path(args.out).stat().st_size} bytes"
    )


def error(args: argparse.Namespace) -> None:
    """Print errors on runs."""
    shipped = table.shipped()
    runs = load(args.runs)
    numbers = np.concatenate([shipped.main, shipped.coarse.reshape(-1, *shipped.coarse.shape[2:])])
    flat = numbers.transpose(1, 0, 2).reshape(-1, table.COLUMNS)
    off = np.concatenate(
        [design(runs, place) @ flat + shipped.mean - runs["out"][place] for place in range(len(runs["out"]))]
    )
    spread = runs["out"].reshape(-1, table.COLUMNS).std(axis=0)
    print(f"{len(runs['out'])} courses of {HOURS} h")
    report(off, spread)


def report(off: Array, spread: Array) -> None:
    """Errors by output."""
    for name, unit in (
        ("skin", "K"),
        ("core", "K"),
        ("cardiac", "l/h"),
        ("metabolic", "W"),
        ("sweat", "g/h"),
        ("wet", ""),
    ):
        columns = table.OUTPUTS[name]
        rms, usual = (np.sqrt(np.square(values[..., columns]).mean()) for values in (off, spread))
        most = np.quantile(np.abs(off[:, columns]), 0.95)
        print(f"{name:10} RMSE {rms:8.3f} {unit:4} of SD {usual:8.3f}; 95 % within {most:.3f}")
    rms = np.sqrt(np.square(off[:, :17]).mean(axis=0))
    print(
        "skin by segment, K: "
        + ", ".join(f"{name} {value:.2f}" for name, value in zip(table.SEGMENTS, rms, strict=True))
    )
    print(f"mean skin  RMSE {np.sqrt(np.square(off[:, :17] @ table.AREA).mean()):8.3f} K")


def scenes(args: argparse.Namespace) -> None:
    """Against 100 bodies of 90 minutes whose clothing is not told: for each the mixture of outfits that is nearest."""
    with np.load(args.file) as file:
        kept = {name: file[name] for name in ("tsk0", "core", "cardiac", "met", "par", "ta", "rh", "person")}
    shipped = table.shipped()
    offs = []
    for place in range(len(kept["ta"])):
        height, weight, age, fat, male = kept["person"][place].astype(float)
        best: Array | None = None
        for mixture in np.linspace(0, 3, 13):
            worn = np.zeros(len(table.OUTFITS))
            worn[int(mixture)], worn[min(int(mixture) + 1, 3)] = 1 - mixture % 1, mixture % 1
            if mixture == 3:
                worn = np.eye(len(table.OUTFITS))[3]
            n = kept["par"].shape[1]
            body = table.features(male, height, weight, age, fat)
            wants = shipped.targets(
                body,
                np.full(n, float(kept["ta"][place])),
                kept["par"][place].astype(float),
                np.tile(worn, (n, 1)),
                np.full(n, float(kept["rh"][place])),
                np.full(n, 0.1),
            )
            said = shipped.mean + sum(relaxed(wants[:, mode], tau) for mode, tau in enumerate(table.TAUS_S))
            off = np.concatenate(
                [
                    said[:, :17] - kept["tsk0"][place],
                    said[:, 34:36] - kept["core"][place],
                    said[:, 36:37] - kept["cardiac"][place][:, None],
                    said[:, 37:38] - kept["met"][place][:, None],
                ],
                axis=1,
            )[20:]
            if best is None or np.square(off[:, :17]).mean() < np.square(best[:, :17]).mean():
                best = off
        assert best is not None
        offs.append(best)
    off = np.concatenate(offs)
    for name, columns, unit in (
        ("skin", slice(0, 17), "K"),
        ("core", slice(17, 19), "K"),
        ("cardiac", slice(19, 20), "l/h"),
        ("metabolic", slice(20, 21), "W"),
    ):
        print(f"{name:10} RMSE {np.sqrt(np.square(off[:, columns]).mean()):8.3f} {unit}")
    print(f"mean skin  RMSE {np.sqrt(np.square(off[:, :17] @ table.AREA).mean()):8.3f} K")


def load(paths: str | list[str]) -> dict[str, Any]:
    """Runs of several files, one after the other."""
    parts = []
    for path in [paths] if isinstance(paths, str) else paths:
        with np.load(path) as file:
            parts.append({name: file[name] for name in file.files})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run", help="simulate courses with JOS-3")
    one.add_argument("--first", type=int, default=0)
    one.add_argument("--count", type=int, default=300)
    one.add_argument("--out", required=True)
    one.set_defaults(act=run)
    one = commands.add_parser("fit", help="fit the table")
    one.add_argument("runs", nargs="+")
    one.add_argument("--out", required=True)
    one.set_defaults(act=fit)
    one = commands.add_parser("error", help="of the shipped table, on runs it was not fitted to")
    one.add_argument("runs", nargs="+")
    one.set_defaults(act=error)
    one = commands.add_parser("scenes", help="of the shipped table, on shared/datasets/jos3_body")
    one.add_argument("file")
    one.set_defaults(act=scenes)
    args = parser.parse_args()
    args.act(args)


if __name__ == "__main__":
    main()
