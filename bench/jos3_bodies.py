"""Make scenes of bodies with JOS-3 for garments to learn from, beside those of a file, whose bodies 70 to 99 are tested on.

JOS-3 is no part of this project: make an environment of its own for it.

    python3 -m venv /tmp/jos3 && /tmp/jos3/bin/pip install jos3==0.5.0 numpy
    /tmp/jos3/bin/python bench/jos3_bodies.py ../shared/datasets/jos3_body/jos3_scenes.npz bodies.npz      # a quarter of an hour
    thermo-models train clothing --data bodies.npz --out run

Each scene is 90 minutes of one person in one room, after an hour of rest there: clothing by room, person and segment, activities that
change each quarter of an hour, and in four of five something that happens: a jacket is opened, one side is warmed (1 to 4 W) or cooled (a
draught of a quarter of an hour), or a spot of the trunk is warmed. The distributions are chosen so that means and spreads of the skin by
room come near to those of the file's bodies 0 to 69; `--compare` prints both.
"""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVENTS = ("none", "jacket_open", "heat_one_side", "cool_one_side", "warm_spot_trunk")
LIMBS, TRUNK = ("Hand", "Arm", "Thigh", "Leg"), ("Chest", "Back", "Pelvis")
JACKET = ("Chest", "Back", "LShoulder", "RShoulder", "LArm", "RArm")
RATIOS = (1.1, 1.3, 1.8, 2.6, 3.5, 5.0)
MINUTES, BEFORE, QUARTER = 90, 60, 15
KEPT = ("tsk", "event", "t0", "ta", "par")
LEARNT = 70


def person(rng: np.random.Generator) -> dict[str, Any]:
    """A grown-up, as JOS-3 takes one."""
    male = rng.random() < 0.5
    height, weight = np.clip(rng.normal(1.71, 0.095), 1.5, 1.98), np.clip(rng.normal(70.3, 10.3), 47, 93)
    age = float(rng.integers(20, 70))
    fat = np.clip(rng.normal(22.8, 6.2), 8, 35)
    return {"height": height, "weight": weight, "age": age, "fat": fat, "sex": "male" if male else "female"}


def scene(jos3: Any, segments: list[str], rng: np.random.Generator) -> dict[str, Any]:
    """One scene, with the names of the file's arrays."""
    room, humidity, wind = rng.uniform(8, 32), rng.uniform(25, 75), rng.uniform(0.1, 0.25)
    at_rest = rng.choice([1.1, 1.2, 1.3])
    body = jos3.JOS3(**person(rng), ex_output=None)
    worn = np.clip(0.03 * (40 - room), 0.3, 2) * rng.lognormal(0, 0.33) * rng.lognormal(0, 0.3, len(segments))
    body.Ta = body.Tr = room
    body.RH, body.Va, body.Icl, body.PAR = humidity, wind, worn, at_rest
    body.simulate(BEFORE, dtime=60)
    event, begins = EVENTS[rng.integers(len(EVENTS))], int(rng.integers(25, 64))
    place, watt = "", 0.0
    if event in ("heat_one_side", "cool_one_side"):
        place, watt = str(rng.choice(["L", "R"])) + str(rng.choice(LIMBS)), rng.uniform(1, 4)
    elif event == "warm_spot_trunk":
        place, watt = str(rng.choice(TRUNK)), rng.uniform(1, 4)
    opened, colder, draught = rng.uniform(0.2, 0.5), rng.uniform(2, 6), rng.uniform(0.3, 1)
    extra = np.zeros(jos3.matrix.NUM_NODES)
    skin, work = np.zeros((MINUTES, len(segments)), np.float32), np.zeros(MINUTES, np.float32)
    for minute in range(MINUTES):
        if minute % QUARTER == 0:
            body.PAR = work[minute:] = rng.choice(RATIOS)
        if minute == begins and event == "jacket_open":
            body.Icl = np.where(np.isin(segments, JACKET), opened, 1.0) * worn
        if minute == begins and event in ("heat_one_side", "warm_spot_trunk"):
            extra[jos3.matrix.IDICT[place]["skin"]] = watt
        if event == "cool_one_side" and minute in (begins, begins + QUARTER):
            cooled = np.isin(segments, [place]) & (minute == begins)
            body.Ta, body.Va = room - colder * cooled, np.where(cooled, draught, wind)
        body.ex_q = extra
        body.simulate(1, dtime=60)
        skin[minute] = body.Tsk
    return {"tsk": skin, "event": event, "t0": begins if event != "none" else -1, "ta": room, "par": work}


def compare(skin: NDArray[Any], room: NDArray[Any], segments: list[str], made: slice) -> None:
    """Print mean and spread of the skin by room, of the file's bodies that are learnt from and of those that were made."""
    print("room degC   " + "".join(f"{name:>15}" for name in segments[:8]))
    for low in (8, 13, 18, 23, 28):
        for of, said in ((slice(0, LEARNT), "file"), (made, "made")):
            part = skin[of][(room[of] >= low) & (room[of] < low + 5)].reshape(-1, len(segments))[:, :8]
            print(
                f"{low:>2}-{low + 5:<3} {said}  "
                + "".join(f"{m:9.1f} {s:5.1f}" for m, s in zip(part.mean(0), part.std(0), strict=True))
            )


def main() -> None:
    """Make the scenes and write them behind those of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="scenes that come first")
    parser.add_argument("out", type=Path)
    parser.add_argument("--bodies", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    jos3 = import_module("jos3")
    with np.load(options.file, allow_pickle=False) as file:
        first = {name: file[name] for name in (*KEPT, "segments")}
    segments = [str(name) for name in first["segments"]]
    rng = np.random.default_rng(options.seed)
    scenes = [scene(jos3, segments, rng) for _ in range(options.bodies)]
    both = {
        name: np.concatenate([first[name], np.array([one[name] for one in scenes]).astype(first[name].dtype)])
        for name in KEPT
    }
    if options.compare:
        compare(both["tsk"], both["ta"], segments, slice(len(first["ta"]), None))
    np.savez_compressed(options.out, segments=first["segments"], **both)
    print(f"{options.out}: {len(first['ta'])} scenes of {options.file} and {len(scenes)} more")


if __name__ == "__main__":
    main()
