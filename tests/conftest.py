"""Fixtures every room's tests use, how examples are drawn, and the rule that a skip is a failure in CI.

Property tests draw the same examples each time and know no deadline, so that neither chance nor a busy machine decides
about a change. `python bench/properties.py` draws fresh ones; what it finds becomes an `example` of its test.
"""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("fresh", deadline=None, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "same")
settings.load_profile(PROFILE)
if PROFILE == "same":
    # It draws constants of the modules that happen to be loaded, which are others in each worker and after each change.
    pytest.MonkeyPatch().setattr("hypothesis.internal.conjecture.providers.is_local_module_file", lambda path: False)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of golden vectors and data that lies beside a checkout; tests that need it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("THERMO_SHARED", default))
    if not path.is_dir():
        pytest.skip(f"golden data not found at {path}; set THERMO_SHARED to the folder that holds golden/")
    return path


@pytest.fixture(scope="session")
def golden_dir(shared_dir: Path) -> Path:
    """MLX90640 golden vectors."""
    return shared_dir / "golden" / "mlx90640"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take file by file: what takes minutes comes first, or the last of them would work alone."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.get_closest_marker("lengthy") is None, -tests[item.path]))


def pytest_configure() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and their children too; undo that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With THERMO_STRICT_SKIPS set, fail the run for every skip that does not name absent hardware."""
    if not os.environ.get("THERMO_STRICT_SKIPS"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skips = [report for report in reporter.stats.get("skipped", []) if "hardware absent" not in str(report.longrepr)]
    if skips:
        for report in skips:
            reporter.write_line(f"skipped although nothing but absent hardware may skip: {report.nodeid}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
