"""Make what lies in the first 256 bytes of the RP2040's flash: a program of at most 252 and its CRC, as assembler text.

Run by `make`. The CRC is the boot ROM's: polynomial 0x04C11DB7, beginning with all ones, highest bit first, not inverted.
"""

import sys
from pathlib import Path

SIZE = 252


def crc32_mpeg2(data: bytes) -> int:
    """The boot ROM's CRC."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def main() -> int:
    """Read a program, write assembler text."""
    source, target = map(Path, sys.argv[1:])
    code = source.read_bytes()
    if len(code) > SIZE:
        print(f"boot2_image: {source} has {len(code)} bytes; the boot ROM takes {SIZE}.", file=sys.stderr)
        return 1
    padded = code.ljust(SIZE, b"\0")
    image = padded + crc32_mpeg2(padded).to_bytes(4, "little")
    target.write_text('.section .boot2, "a"\n' + "".join(f".byte {byte}\n" for byte in image))
    return 0


if __name__ == "__main__":
    sys.exit(main())
