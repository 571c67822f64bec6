"""Property tests with fresh examples, what no run before has drawn, and all places of campaigns that `make test` tries some of.

Run `python bench/properties.py` for one round, or `--rounds 50 tests/core tests/firmware` overnight. `make test` draws
the same examples each time; an example that fails here belongs into its test as an `@example`. Ends with code 1 where a
property failed; pytest's report above says which, and with which values.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NO_TESTS = 5
"""What pytest returns where it finds none."""


def main() -> int:
    """Run the rounds; 1 where a property failed."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=1, help="how often to draw (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="of pytest (default: %(default)s)")
    parser.add_argument("tests", nargs="*", default=["tests"], metavar="PATH", help="files or folders (default: all)")
    options = parser.parse_args()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "hypothesis or campaign",
        "-n",
        str(options.processes),
        *options.tests,
    ]
    failed = 0
    for number in range(1, options.rounds + 1):
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"HYPOTHESIS_PROFILE": "fresh"}, check=False)
        if done.returncode == NO_TESTS:
            parser.error(f"there is no property test in {', '.join(options.tests)}")
        failed += done.returncode != 0
        print(
            f"round {number} of {options.rounds}: {'a property failed' if done.returncode else 'every property held'}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
