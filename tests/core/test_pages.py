"""Pages name files that exist, and link to pages and headings that do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_ROOMS = ("core/", "device/", "host/", "hw_sim/", "models/", "quantize/", "tests/", "bench/", "docs/")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, heading = target.partition("#")
        if "://" in target:
            continue
        path = page if not name else (page.parent / name)
        if not path.exists() or (heading and heading not in _headings(path)):
            broken.append(target)
    assert not broken


def test_files_that_the_walks_name_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = [name for name in re.findall(r"`([a-z_A-Z0-9./-]+)`", text) if name.startswith(_ROOMS)]
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def _headings(path: Path) -> set[str]:
    """Anchors that a page has, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}
