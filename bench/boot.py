"""Sizes of the bootloader, and mutated images: what it accepts against what imgtool does.

python bench/boot.py                      sizes, and 100,000 mutations
python bench/boot.py --mutations 2000     fewer
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from imgtool.image import Image as Imgtool
from imgtool.image import VerifyResult
from imgtool.keys import load

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from firmware_slots import KEY, Slots, image, library
from two_slots import FIRMWARE

TRAILER = bytes.fromhex("01ffffffffffffff01ffffffffffffff77c295f360d2ef7f3552500f2cb67980")
LIMIT = 32768


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=100_000, help="how many images (default 100000)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes(Path(folder))
        mutations(Path(folder), arguments.mutations, arguments.seed)


def sizes(folder: Path) -> None:
    """Link the loaders with throw-away keys, for which real boards are refused none, and print their flash and RAM."""
    for name in ("firmware", "models"):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        public = Ed25519PrivateKey.generate().public_key()
        (folder / f"{name}.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    boards = sorted(
        path.parent.name for path in (FIRMWARE / "boards").glob("*/board.mk") if "_LOADER_LINK" in path.read_text()
    )
    print(f"{'bootloader':<14}{'processor':<14}{'flash':>8}{'of':>8}{'RAM':>8}")
    for board in boards:
        keys = [f"FIRMWARE_KEY={folder}/firmware.pem", f"MODEL_KEY={folder}/models.pem"]
        target = f"{folder}/{board}/loader.elf"
        command = ["make", "-C", str(FIRMWARE), f"BUILD={folder}", f"GENERATED={folder}/generated", *keys, target]
        subprocess.run(command, check=True, capture_output=True)
        said = subprocess.run(["arm-none-eabi-size", target], check=True, capture_output=True, text=True).stdout
        text, data, bss = map(int, said.splitlines()[1].split()[:3])
        rules = (FIRMWARE / "boards" / board / "board.mk").read_text()
        found = re.search(r"-mcpu=([\w-]+)", rules)
        print(f"{board:<14}{found.group(1) if found else '':<14}{text + data:>8}{LIMIT:>8}{data + bss:>8}")


def mutations(folder: Path, count: int, seed: int) -> None:
    """Change images and trailers at random; print what imgtool and the loader made of them."""
    random_ = random.Random(seed)
    slots = Slots(library(folder))
    pem = folder / "key.pem"
    pem.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load(str(pem))
    path = folder / "image.bin"
    genuine = [image(0, f"{version}.0.0", 200 + 50 * version, counter=version) for version in range(1, 4)]
    faults: Counter[str] = Counter()
    both = only_loader = only_imgtool = 0
    for _ in range(count):
        data = mutated(random_.choice(genuine), genuine, random_)
        trailer = mutated(TRAILER, genuine, random_) if random_.random() < 0.5 else TRAILER
        room = slots.slot_bytes - len(TRAILER)
        slots.write(0, data[:room], trailer[: len(TRAILER)].rjust(len(TRAILER), b"\xff"))
        fault, _read = slots.verify(0)
        slots.choose()
        faults[fault] += 1
        path.write_bytes(data)
        accepted = accepts(path, key)
        both += accepted and fault == "good"
        only_loader += not accepted and fault == "good"
        only_imgtool += accepted and fault != "good"
    print(
        f"\n{count} mutated images and trailers, 0 crashes: {both} accepted by both, {only_loader} by the loader alone,"
    )
    print(f"{only_imgtool} by imgtool alone (it looks neither at addresses and vectors nor at key hashes)")
    print("loader: " + ", ".join(f"{name} {number}" for name, number in faults.most_common()))


def mutated(data: bytes, others: list[bytes], random_: random.Random) -> bytes:
    """One to four changes: bits, bytes, pieces moved, taken from another image, cut off or added."""
    changed = bytearray(data)
    for _ in range(random_.randint(0, 4)):
        at = random_.randrange(len(changed))
        match random_.randrange(6):
            case 0:
                changed[at] ^= 1 << random_.randrange(8)
            case 1:
                changed[at] = random_.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                other = random_.choice(others)
                size = random_.randint(1, 64)
                changed[at : at + size] = other[at : at + size]
            case 3:
                del changed[at : at + random_.randint(1, 8)]
            case 4:
                changed[at:at] = random_.randbytes(random_.randint(1, 8))
            case _:
                changed[at:] = b"\xff" * (len(changed) - at)
        changed = changed or bytearray(b"\xff")
    return bytes(changed)


def accepts(path: Path, key: object) -> bool:
    """Whether `imgtool verify` accepts a file; what makes it fail is refused."""
    try:
        result, *_ = Imgtool.verify(str(path), key)
    except Exception:
        return False
    return bool(result == VerifyResult.OK)


if __name__ == "__main__":
    main()
