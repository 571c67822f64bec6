"""Lines of each room that ran, by coverage.py; fails below the floor of pyproject.toml.

python tests/lines/report.py FOLDER --begin    # before the tests
python tests/lines/report.py FOLDER            # after them
"""

import argparse
import shutil
import sys
from pathlib import Path

import counted
from coverage import Coverage, CoverageData


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the count is, made anew by --begin")
    parser.add_argument("--begin", action="store_true", help="compile all modules with marks, and count from none")
    given = parser.parse_args()
    folder: Path = given.folder
    if given.begin:
        shutil.rmtree(folder, ignore_errors=True)
        counted.prepare(folder, counted.sources())
        return 0
    if not (folder / "marks").is_file():
        parser.error(f"{folder} holds no count of lines; begin one with --begin before the tests.")
    data = CoverageData(str(folder / "coverage"))
    data.add_lines(counted.ran(folder))
    data.write()
    report = Coverage(data_file=str(folder / "coverage"), config_file=str(counted.ROOT / "pyproject.toml"))
    report.load()
    reached, floor = report.report(), float(str(report.get_option("report:fail_under")))
    if reached < floor:
        print(
            f"{reached:.2f} % of all lines ran, fewer than {floor:g} %: tests of what was added are missing.",
            file=sys.stderr,
        )
    return int(reached < floor)


if __name__ == "__main__":
    sys.exit(main())
