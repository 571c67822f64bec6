"""What labels of recordings buy: breast patches that nobody calibrated, read by somebody who knows the truth: `python bench/labels.py [--full]`.

Half of the wearers have a lesion of 1.6 K. The same training with and without labels is measured on new pictures of labelled wearers who were
learnt from, of those who were held out, and of strangers: the share of moments that are told right. `--full` trains as long as a shipped model
is trained, hours; without it the training is a quick one, and only the difference between the two columns says anything.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.labels import About, Item, Labels, Opinion, Reading, to_bytes
from thermo_core.tflite.interpreter import Int8Network
from thermo_models import runs
from thermo_models.features import network_inputs
from thermo_models.labels import HELD_OUT
from thermo_models.tasks import find
from thermo_models.templates import chain
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.scenes import Lesion, breast_patch

TASK = "breast-patch"
CLASSES = ("no lesion", "lesion")
LESION = Lesion(8.0, 10.0, 3.0, 1.6)
AVERAGED = 16
MOMENTS = 8
STRANGERS = 1000
Pictures = NDArray[np.float32]


def has_lesion(wearer: int) -> int:
    """1 for every second one, and for every second one of those that are held out."""
    return (wearer + wearer // HELD_OUT) % 2


def seen(wearer: int, moments: int) -> Pictures:
    """Means of 16 pictures of a wearer: (moments, 24, 32), degC."""
    source = PictureSource(wearer)
    scene = breast_patch(wearer, LESION if has_lesion(wearer) else None).celsius(0.0)
    return np.array([source.still(scene, AVERAGED).mean(0) for _ in range(moments)], np.float32)


def written(path: Path, wearers: list[int]) -> None:
    """Labels of them, as the hub would write them."""
    items = []
    for number, wearer in enumerate(wearers):
        opinion = Opinion(label=CLASSES[has_lesion(wearer)])
        read = Reading(at_ns=number, by="bench", kind="first", blinded=True, opinion=opinion)
        items.append(
            Item(
                id=f"{wearer:04d}", person=f"{wearer:04d}", from_ns=number * 1000, to_ns=number * 1000 + 1000,
                opinion=opinion, adjudicated=False, readings=(read,),
            )
        )  # fmt: skip
    about = About(profile=TASK, model="lesion", classes=CLASSES, items=tuple(items))
    of = np.repeat(np.arange(len(wearers)), MOMENTS)
    pictures = np.concatenate([seen(wearer, MOMENTS) for wearer in wearers])
    path.write_bytes(to_bytes(Labels(about, of, of * 1000, {"calm": pictures})))


def right(model: Path, pictures: dict[int, Pictures]) -> float:
    """Share of moments that a model tells right."""
    task, network, said = find(TASK), Int8Network(model.read_bytes()), []
    assert task.wearable is not None
    stages = chain(task.wearable.profile, task.entry)
    for wearer, of in pictures.items():
        parts = np.zeros((*of.shape, 3), np.float32)
        parts[..., 0] = of
        outputs = network.predict([network_inputs(stages, task.prepare(parts))])
        said.append((outputs.argmax(1) == has_lesion(wearer)).mean())
    return float(np.mean(said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="train as long as a shipped model is trained")
    parser.add_argument("--wearers", type=int, default=16, help="labelled wearers")
    chosen = parser.parse_args()
    wearers = list(range(chosen.wearers))
    held = [wearer for wearer in wearers if wearer % HELD_OUT == HELD_OUT - 1]
    groups = {
        "learnt from": [wearer for wearer in wearers if wearer not in held],
        "held out": held,
        "strangers": list(range(STRANGERS, STRANGERS + chosen.wearers)),
    }
    task = find(TASK)
    settings = task.settings if chosen.full else task.settings.changed({"batch": 16, "dropout": 0.0})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder / "labels.npz", wearers)
        for run, labels in (("without", None), ("with", folder / "labels.npz")):
            runs.run(task, None, (), settings, folder / run, not chosen.full, labels=labels)
        print(
            f"{chosen.wearers} labelled wearers, {'full' if chosen.full else 'quick'} training; share of moments told right"
        )
        print("| wearers | without labels | with labels |\n|---|---|---|")
        for group, of in groups.items():
            pictures = {wearer: seen(wearer, MOMENTS) for wearer in of}
            shares = [right(folder / run / runs.MODEL, pictures) for run in ("without", "with")]
            print(f"| {group}, {len(of)} | {' | '.join(f'{100 * share:.0f} %' for share in shares)} |")


if __name__ == "__main__":
    main()
