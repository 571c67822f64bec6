"""Fit the table of `thermo_sim.people` to JOS-3, and say how far it is from JOS-3 on courses and bodies it was not fitted to.

JOS-3 is no part of this project: make an environment of its own for it.

    python3 -m venv /tmp/jos3 && /tmp/jos3/bin/pip install jos3==0.5.0 numpy
    PYTHONPATH=hw_sim:core /tmp/jos3/bin/python bench/jos3_table.py run --first 0 --count 400 --out one.npz       # with JOS-3, minutes
    PYTHONPATH=hw_sim:core /tmp/jos3/bin/python bench/jos3_table.py run --first 1000 --count 400 --out two.npz
    PYTHONPATH=hw_sim:core /tmp/jos3/bin/python bench/jos3_table.py run --first 9000 --count 60 --out unseen.npz
    python bench/jos3_table.py fit one.npz two.npz --out hw_sim/thermo_sim/people/jos3.npz
    python bench/jos3_table.py error unseen.npz
    python bench/jos3_table.py scenes ../shared/datasets/jos3_body/jos3_scenes.npz

A course is six hours of a body by chance: air of -5 to 40 degC, rest to running, five outfits and mixtures of two, humidity and wind. The
shipped table is of the 800 courses above. Scenes do not say what is worn, and wear the same everywhere, which no outfit here does: the
nearest mixture is taken, and what is left without each scene's own mean error is printed beside.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people import table

Array = NDArray[np.float64]
HOURS = 6
DAMPING, COARSE_DAMPING, SMOOTH, CORRECTION_DAMPING = 0.2, 60.0, 5.0, 5.0
"""Ridges of the nodes, of their changes with the body, of their second differences, and of the corrections of skin."""


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
    """Least squares with smooth nodes, then what is left of skin by itself, mean skin and core."""
    runs = load(args.runs)
    count, size, modes = len(runs["out"]), table.MAIN + table.FEATURES * table.COARSE, len(table.TAUS_S)
    mean = runs["out"].reshape(-1, table.COLUMNS).mean(axis=0).astype(float)
    scale = runs["out"].reshape(-1, table.COLUMNS).std(axis=0).astype(float)
    normal, right = np.zeros((modes * size,) * 2), np.zeros((modes * size, table.COLUMNS))
    for place in range(count):
        rows = design(runs, place).astype(np.float32)
        normal += rows.T @ rows
        right += rows.T @ ((runs["out"][place] - mean) / scale).astype(np.float32)
    block = SMOOTH * smoothing()
    block += np.diag(np.repeat([DAMPING, COARSE_DAMPING], [table.MAIN, size - table.MAIN]))
    for mode in range(modes):
        at = slice(mode * size, (mode + 1) * size)
        normal[at, at] += block
    found = np.linalg.solve(normal, right) * scale
    numbers = found.reshape(modes, size, table.COLUMNS).transpose(1, 0, 2)
    coarse = numbers[table.MAIN :].reshape(table.FEATURES, table.COARSE, modes, table.COLUMNS)
    parts = {"main": numbers[: table.MAIN], "coarse": coarse, **corrections(runs, found, mean)}
    kept = {name: values.astype(np.float16) for name, values in parts.items()}
    np.savez_compressed(args.out, mean=mean.astype(np.float32), **kept)
    print(f"{count} courses, {modes * size} x {table.COLUMNS} numbers, {Path(args.out).stat().st_size} bytes")


def corrections(runs: dict[str, Array], found: Array, mean: Array) -> dict[str, Array]:
    """What the modes leave of skin, at the nodes of `Table`'s corrections."""
    shapes = {
        "mean_head": (len(table.MEAN_NODES), len(table.HEAD_NODES)),
        "own_mean": (len(table.OWN_NODES), len(table.MEAN_NODES)),
        "own_head": (len(table.OWN_NODES), len(table.HEAD_NODES)),
    }
    size = sum(rows * columns for rows, columns in shapes.values())
    normal, right = np.zeros((17, size, size)), np.zeros((17, size))
    for place in range(len(runs["out"])):
        made = (design(runs, place) @ found + mean)[::2]
        apart = runs["out"][place][::2, :17] - made[:, :17]
        for segment in range(17):
            rows = table.correction_weights(made[:, segment], made[:, :17] @ table.AREA, made[:, 34])
            normal[segment] += rows.T @ rows
            right[segment] += rows.T @ apart[:, segment]
    solved = np.linalg.solve(normal + CORRECTION_DAMPING * np.eye(size), right[:, :, np.newaxis])[:, :, 0]
    # A body has two equal sides.
    solved = (solved + solved[:, :][list(table.MIRROR)]) / 2
    ends = np.cumsum([rows * columns for rows, columns in shapes.values()])[:-1]
    return {
        name: part.reshape(17, *shape)
        for (name, shape), part in zip(shapes.items(), np.split(solved, ends, axis=1), strict=True)
    }


def said(targets_rows: Array) -> Array:
    """Outputs of the shipped table by the minute, (minutes, COLUMNS), of what the modes give."""
    made = targets_rows.copy()
    made[:, :17] = table.shipped().corrected(made[:, :17], made[:, 34])
    return made


def error(args: argparse.Namespace) -> None:
    """Print errors on runs."""
    shipped, runs = table.shipped(), load(args.runs)
    numbers = np.concatenate([shipped.main, shipped.coarse.reshape(-1, *shipped.coarse.shape[2:])])
    flat = numbers.transpose(1, 0, 2).reshape(-1, table.COLUMNS)
    off = np.stack([said(design(runs, place) @ flat + shipped.mean) for place in range(len(runs["out"]))]) - runs["out"]
    print(f"{len(off)} courses of {HOURS} h")
    report(off.reshape(-1, table.COLUMNS), runs["out"].reshape(-1, table.COLUMNS).std(axis=0))
    within = off - off.mean(axis=1, keepdims=True)
    print(f"skin less each course's own mean error: RMSE {np.sqrt(np.square(within[..., :17]).mean()):.3f} K")
    usual = (runs["air"] > 18) & (runs["air"] < 27) & (runs["par"] < 4) & (runs["out"][..., 35] < 38)
    print(f"skin at 18 to 27 degC, up to a walk: RMSE {np.sqrt(np.square(off[usual][:, :17]).mean()):.3f} K")


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
    offs = []
    for place in range(len(kept["ta"])):
        choices = [scene_error(kept, place, mixture) for mixture in np.linspace(0, 3, 13)]
        offs.append(min(choices, key=lambda off: float(np.square(off[:, :17]).mean())))
    off = np.concatenate(offs)
    rows = (
        ("skin", slice(0, 17), "K"),
        ("core", slice(17, 19), "K"),
        ("cardiac", slice(19, 20), "l/h"),
        ("metabolic", slice(20, 21), "W"),
    )
    for name, columns, unit in rows:
        print(f"{name:10} RMSE {np.sqrt(np.square(off[:, columns]).mean()):8.3f} {unit}")
    print(f"mean skin  RMSE {np.sqrt(np.square(off[:, :17] @ table.AREA).mean()):8.3f} K")
    within = np.stack(offs)[:, :, :17]
    within = within - within.mean(axis=1, keepdims=True)
    print(f"skin less each scene's own mean error: RMSE {np.sqrt(np.square(within).mean()):.3f} K")


def scene_error(kept: dict[str, Any], place: int, mixture: float) -> Array:
    """Errors of one scene after its first 20 minutes, in clothes between two outfits; (70, 21)."""
    shipped = table.shipped()
    height, weight, age, fat, male = kept["person"][place].astype(float)
    minutes = kept["par"].shape[1]
    first, share = min(int(mixture), 2), mixture - min(int(mixture), 2)
    worn = np.zeros(len(table.OUTFITS))
    worn[first], worn[first + 1] = 1 - share, share
    wants = shipped.targets(
        table.features(male, height, weight, age, fat),
        np.full(minutes, float(kept["ta"][place])),
        kept["par"][place].astype(float),
        np.tile(worn, (minutes, 1)),
        np.full(minutes, float(kept["rh"][place])),
        np.full(minutes, 0.1),
    )
    made = said(shipped.mean + sum(relaxed(wants[:, mode], tau) for mode, tau in enumerate(table.TAUS_S)))
    known = [kept["tsk0"][place], kept["core"][place], kept["cardiac"][place][:, None], kept["met"][place][:, None]]
    parts = [slice(0, 17), slice(34, 36), slice(36, 37), slice(37, 38)]
    off: Array = np.concatenate([made[:, part] - true for part, true in zip(parts, known, strict=True)], axis=1)
    return off[20:]


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
    one.add_argument("--count", type=int, default=400)
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
