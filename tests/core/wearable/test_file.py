"""A wearable from its file: what is right is read, what is wrong is named by line and field."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import StorageError, UsageError
from thermo_core.wearable.file import read
from thermo_core.wearable.toml_lines import line_of

PATCH = """\
name = "patch"
version = "1.0.0"

[[sensors]]
name = "skin"
kind = "mlx90640"
path = [0x33]

[[sensors]]
name = "spots"
kind = "ads1115-ntc"
path = ["tca9548a@0x70:3", 0x48]
channels = [
  { name = "left" },
  { name = "right", curve = [1e-3, 2e-4, 1e-7] },
]

[[stages]]
op = "average"
of = "skin"
gives = "calm"
pictures = 16

[[stages]]
op = "centre"
of = "calm"
gives = "above"

[[models]]
name = "lesion"
inputs = ["above"]
scores = ["no lesion", "lesion"]
network = "model.tflite"

[[alerts]]
name = "lesion"
when = "lesion.lesion >= 0.57"
for = { findings = 8 }
clear = "lesion.lesion < 0.4"
"""


def _read(folder: Path, text: str) -> object:
    path = folder / "wearable.toml"
    path.write_text(text)
    wearable = read(path)
    return wearable.plan()


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wearable.toml"
    path.write_text(PATCH)
    wearable = read(path)
    assert [sensor.kind for sensor in wearable.profile.sensors] == ["mlx90640", "ads1115-ntc"]
    assert wearable.networks == {"lesion": tmp_path / "model.tflite"}
    plan = wearable.plan()
    assert plan.signals["skin"].rate_hz == 8
    assert plan.signals["above"].shape == (24, 32)
    assert plan.alerts[0].watch.place == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("pictures = 16", "pictures = 257", 22, "stages[0].pictures: must be a whole number <= 256"),
        ("pictures = 16", "picture = 16", 22, "stages[0].picture: is not a field there"),
        ('op = "centre"', 'op = "center"', 25, "'center' is none of average, "),
        ('of = "skin"', 'of = "skim"', 18, 'stage "calm" takes "skim", and there is no such signal'),
        ('of = "skin"', 'of = "above"', 18, "wait for one another in a circle"),
        ("path = [0x33]", "path = [0x03]", 7, "sensors[0].path[0]: must be a whole number >= 8"),
        ("path = [0x33]", "path = [0x70]", 4, 'sensor "skin" has the address 0x70 of a tca9548a on its way'),
        ("path = [0x33]", "path = [0x48]", 9, "would both answer at 0x48"),
        ('"tca9548a@0x70:3"', '"tca9548a@0x70:8"', 9, "no such channel"),
        ('kind = "mlx90640"', 'kind = "mlx90641"', 6, "'mlx90641' is none of ads1115-ntc, external, "),
        ("path = [0x33]", "path = [0x33]\nrate_hz = 15.0", 4, "has a rate of 15 Hz; the chip has 0.5, 1, 2"),
        ("curve = [1e-3, 2e-4, 1e-7]", "curve = [1e-3]", 13, "must be a list of length >= 2"),
        ('inputs = ["above"]', 'inputs = ["above", "spots"]', 29, "do not come at the same moments; hold one"),
        ('scores = ["no lesion", "lesion"]', 'scores = ["a", "A"]', 29, "could not tell apart"),
        ('scores = ["no lesion", "lesion"]', "", 29, "needs either scores or quantities"),
        ('scores = ["no lesion", "lesion"]', 'scores = ["lesion"]', 29, 'has "lesion" as its only score'),
        ("lesion.lesion >= 0.57", "lesion.spot >= 0.57", 35, "the model says lesion.no-lesion, lesion.lesion"),
        ("lesion.lesion >= 0.57", "lesion.lesion = 0.57", 35, "is no condition"),
        ("lesion.lesion < 0.4", "skin.ta < 0.4", 35, "raised by one number and cleared by another"),
        ("lesion.lesion >= 0.57", "above[3] > 38 degC", 37, 'compares 38 degC with "above", which is in K'),
        ("lesion.lesion < 0.4", "lesion.lesion < 37.5 degC", 39, '"lesion.lesion", which is without a unit'),
        ("lesion.lesion >= 0.57", "above > 1", 35, "has 768 numbers; say above[0]"),
        ("findings = 8", "findings = 0", 38, "alerts[0].for.findings: must be a whole number >= 1"),
        ('gives = "above"', 'gives = "calm"', 24, '"calm" is the name of a stage already'),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in PATCH
    with pytest.raises(UsageError) as caught:
        _read(tmp_path, PATCH.replace(old, new))
    assert f"wearable.toml, line {line}: " in str(caught.value)
    assert said in str(caught.value)


def test_constants_come_from_a_file_beside_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "features.npz", centre=np.full(768, 2.0), words=np.array(["a"]))
    stage = '\n[[stages]]\nop = "normalise"\nof = "above"\ngives = "n"\ncentre = "features.npz:{}"\nspread = [1.0]\n'
    path = tmp_path / "wearable.toml"
    path.write_text(PATCH + stage.format("centre"))
    assert len(read(path).profile.stages[2].centre) == 768  # type: ignore[attr-defined]
    for name, said in (("centr", "holds no numbers named centr"), ("words", "no list of at most")):
        path.write_text(PATCH + stage.format(name))
        with pytest.raises(UsageError, match=rf"line 45: .*{said}"):
            read(path)
    path.write_text(PATCH + stage.replace("features", "other").format("centre"))
    with pytest.raises(UsageError, match=r"line 45: .*other\.npz cannot be read"):
        read(path)
    for damaged in (b"PK\x03\x04" + bytes(60), b"\x93NUMPY\x01\x00\x10\x00{'descr': ('<f8'", b""):
        with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
            archive.writestr("centre.npy", damaged)
        with pytest.raises(UsageError, match=r"line 45: .*other\.npz is no file of NumPy arrays"):
            read(path)
        (tmp_path / "other.npz").write_bytes(damaged)
        with pytest.raises(UsageError, match=r"line 45: .*other\.npz is no file of NumPy arrays"):
            read(path)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read(tmp_path / "missing.toml")
    with pytest.raises(StorageError, match="cannot be read"):
        read(tmp_path)
    path = tmp_path / "wearable.toml"
    for content, said in ((b"\xff\xfe", "no text in UTF-8"), (b"name = [", "no TOML file"), (b"", "name is missing")):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=said):
            read(path)
    with path.open("wb") as file:
        file.truncate(1 << 21)
    with pytest.raises(StorageError, match="more than"):
        read(path)


@given(st.text(alphabet="ab=\"[]{}\n.#\\' 0", max_size=80), st.sampled_from(["", ".a", ".a[0].b", ".b[12]"]))
def test_a_line_is_found_in_any_text(text: str, path: str) -> None:
    assert 1 <= line_of(text, path) <= max(1, text.count("\n") + 1)


def test_lines_of_nested_tables_and_long_strings() -> None:
    text = 'a = """\nx = 1\n"""\n[b.c]\nd = 2\n[[e]]\nf = 1\n[[e.g]]\nh = 1\n[[e]]\n[[e.g]]\nh = 2\n'
    assert line_of(text, ".a") == 1
    assert line_of(text, ".x") == 1
    assert line_of(text, ".b.c.d") == 5
    assert line_of(text, ".e[1].g[0].h") == 12
    assert line_of(text, ".e[0].missing") == 6
