"""Flash of the firmware's CBOR codec beside zcbor's, for one job that both do on a Cortex-M4.

    python bench/cbor.py [--zcbor FOLDER]

The job is what the firmware asks of CBOR: fields of a map found by their keys, and an answer of every kind of item written
(`cbor_job.h`). Both are compiled with the firmware's own flags and linked with --gc-sections, so that nothing counts that
the job does not use; both run here too, and their answers to random bodies are compared. "caller" is the job's own code,
"C library" what either pulls in of it. The check of a body from outside (UTF-8, keys that are text and differ, depth, strings
in pieces) stands apart: zcbor has none, so the firmware would keep it.

zcbor is fetched with pip, by version and hash, into a folder that is removed afterwards; --zcbor names an unpacked one.
"""

import argparse
import ctypes
import random
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cbor2

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parent / "device" / "firmware"
PINNED = "zcbor==0.9.1 --hash=sha256:bc8bf4470f235c56d6276f162a5cd5417206335da21648ac2274f6417a18266e"
OURS = ("cbor_head", "cbor_find", "cbor_write")
CHECK = (*OURS, "cbor_check")
ZCBOR = ("zcbor_common", "zcbor_encode", "zcbor_decode")
BODIES = 2000
LARGEST = 1024


@dataclass(frozen=True)
class Codec:
    """One way to do the job: sources beside its caller, definitions, folders of headers."""

    name: str
    job: str
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]
    defines: tuple[str, ...] = ()


def codecs(zcbor: Path) -> tuple[Codec, ...]:
    """What is compared; zcbor writes maps and lists of known length as the firmware does, or leaves their ends open."""
    core = FIRMWARE / "core"
    ours = tuple(core / f"{name}.c" for name in OURS)
    theirs = tuple(zcbor / "src" / f"{name}.c" for name in ZCBOR)
    return (
        Codec("ours", "cbor_job_ours", ours, (core,)),
        Codec("zcbor", "cbor_job_zcbor", theirs, (zcbor / "include",), ("ZCBOR_CANONICAL",)),
        Codec("zcbor, open ends", "cbor_job_zcbor", theirs, (zcbor / "include",)),
        Codec("ours, with the check", "cbor_job_ours", (*ours, core / "cbor_check.c"), (core,), ("CHECKED",)),
    )


def fetch(folder: Path) -> Path:
    """The pinned zcbor, unpacked."""
    (folder / "pinned.txt").write_text(PINNED + "\n")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "-r", "pinned.txt", "-d", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(
            "pip could not fetch zcbor 0.9.1, which this compares with; connect to a package index, or name an unpacked "
            "copy with --zcbor."
        )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder / "zcbor"


def firmware_flags() -> list[str]:
    """What the firmware's sources are compiled with, warnings left out: others' sources have some."""
    ask = [
        "make",
        "--no-print-directory",
        "-s",
        "-C",
        str(FIRMWARE),
        "--eval=flags:;@echo $(COMMON) $(mps2_an386_FLAGS) -Os",
    ]
    said = subprocess.run([*ask, "flags"], capture_output=True, text=True, check=True).stdout
    return [flag for flag in shlex.split(said) if not flag.startswith(("-W", "-I", "-M"))]


def compile_command(codec: Codec) -> list[str]:
    """Arguments that both compilers take."""
    found = [str(HERE / f"{codec.job}.c"), *map(str, codec.sources), f"-I{HERE}"]
    return found + [f"-I{folder}" for folder in codec.headers] + [f"-D{name}" for name in codec.defines]


def flash(codec: Codec, flags: list[str], folder: Path) -> Counter[str]:
    """Bytes by file that the job brings into flash; what is of no file of ours or zcbor's as "library"."""
    link_map = folder / "job.map"
    link = ["-nostartfiles", "--specs=nano.specs", f"-Wl,--gc-sections,-e,cbor_job,-Map={link_map}", "-save-temps=obj"]
    subprocess.run(
        ["arm-none-eabi-gcc", *flags, *compile_command(codec), *link, "-o", str(folder / "job.elf")], check=True
    )
    text = link_map.read_text().split("Linker script and memory map", 1)[1]
    stems = {codec.job, *(path.stem for path in codec.sources)}
    found: Counter[str] = Counter()
    for size, name in re.findall(r"^ \.(?:text|rodata|data)\S*\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S+)$", text, re.M):
        stem = next(
            (stem for stem in stems if Path(name).name in (f"{stem}.o", f"job.elf-{stem}.o", f"job-{stem}.o")), None
        )
        found[stem or "library"] += int(size, 16)
    return found


def random_body(rng: random.Random) -> bytes:
    """A body of the job, its fields in any order and between others."""
    text = "".join(rng.choices("abc äπ🜂", k=rng.randrange(30)))
    number = rng.choice(
        [rng.randrange(1 << rng.choice([4, 8, 16, 31])), -rng.randrange(1, 300), rng.randrange(-50, 50) / 8]
    )
    fields = {
        "off": rng.randrange(1 << rng.choice([4, 8, 16, 32])),
        "at": rng.choice([-1, 1]) * rng.randrange(1 << rng.choice([3, 8, 16, 32, 62])),
        "value": number,
        "on": rng.random() < 0.5,
        "none": None,
        "name": text,
        "data": rng.randbytes(rng.randrange(300)),
        "list": [rng.randrange(1 << rng.choice([4, 8, 16, 32, 40])) for _ in range(rng.randrange(30))],
        "map": {f"k{i}": rng.choice([i, -i, i / 4]) for i in range(rng.randrange(8))},
        "other": [{"deep": [1, 2.5, None]}, text],
    }
    order = list(fields)
    rng.shuffle(order)
    return cbor2.dumps({name: fields[name] for name in order})


def answers(codec: Codec, bodies: list[bytes], folder: Path) -> list[object]:
    """What the job answers when it runs here, decoded by cbor2."""
    library = folder / "job.so"
    subprocess.run(
        ["cc", "-std=c11", "-O1", "-shared", "-fPIC", *compile_command(codec), "-o", str(library)], check=True
    )
    job = ctypes.CDLL(str(library)).cbor_job
    job.restype = ctypes.c_size_t
    made = []
    for body in bodies:
        answer = ctypes.create_string_buffer(LARGEST)
        asked = ctypes.create_string_buffer(body, len(body))
        size = job(asked, ctypes.c_size_t(len(body)), answer, ctypes.c_size_t(LARGEST))
        made.append(cbor2.loads(answer.raw[:size]) if size else None)
    return made


def main() -> int:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--zcbor", type=Path, help="an unpacked zcbor with src/ and include/, instead of the pinned one"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the bodies both answer")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    bodies = [random_body(rng) for _ in range(BODIES)]
    with tempfile.TemporaryDirectory(prefix="thermo-bench-") as name:
        folder = Path(name)
        if options.zcbor is not None and not (options.zcbor / "src" / "zcbor_decode.c").is_file():
            raise OSError(f"'{options.zcbor}' has no src/zcbor_decode.c; name the folder zcbor was unpacked into.")
        zcbor = options.zcbor.resolve() if options.zcbor is not None else fetch(folder)
        flags = firmware_flags()
        print(f"{'bytes of flash':22} {'codec':>6} {'caller':>7} {'C library':>10} {'together':>9}")
        answered = []
        for number, codec in enumerate(codecs(zcbor)):
            place = folder / str(number)
            place.mkdir()
            found = flash(codec, flags, place)
            own = sum(found[path.stem] for path in codec.sources)
            print(
                f"{codec.name:22} {own:6,} {found[codec.job]:7,} {found['library']:10,} {sum(found.values()):9,}   "
                + ", ".join(f"{path.stem} {found[path.stem]:,}" for path in codec.sources)
            )
            answered.append(answers(codec, bodies, place))
    given = sum(answer is not None for answer in answered[0])
    differ = sum(any(answer != row[0] for answer in row) for row in zip(*answered, strict=True))
    print(f"{BODIES:,} random bodies, {given:,} answered: {differ} answers differ between the codecs")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError as error:
        sys.exit(
            f"cbor: {error.filename} is not installed; apt install gcc make gcc-arm-none-eabi libnewlib-arm-none-eabi."
        )
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"cbor: {error}")
