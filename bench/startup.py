"""CPU time of each command line before it says anything: --help, and a command of thermo-host without a wearable."""

import resource
import subprocess
import sys

TRIES = 7


def cpu_s(program: str, *arguments: str) -> float:
    """The least of some tries: what others do on the machine only adds."""
    script = f"import sys; from thermo_{program}.cli import main; sys.exit(main())"
    best = float("inf")
    for _ in range(TRIES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def main() -> None:
    for program, *arguments in (
        ("host", "--help"),
        ("host", "ports"),
        ("host", "replay", "--help"),
        ("host", "info", "/dev/none"),
        ("host", "calibrate", "--help"),
        ("sim", "--help"),
        ("device", "--help"),
        ("quantize", "--help"),
        ("models", "--help"),
    ):
        print(f"thermo-{program} {' '.join(arguments):24} {cpu_s(program, *arguments):.2f} s of CPU")


if __name__ == "__main__":
    main()
