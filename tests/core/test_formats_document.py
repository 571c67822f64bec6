"""docs/formats.md names what files hold: topics, keys and attachments of recordings, keys of bundles."""

import re
from pathlib import Path

import msgspec

from thermo_core.bundle import FORMAT_VERSION, Bundle
from thermo_core.recording import layout
from thermo_core.recording.session import Session, to_metadata
from thermo_core.sensors.kind import SensorConstants
from thermo_core.wearable import file, library
from thermo_core.wire.management import Hello
from thermo_core.wire.table import RecordType

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def _cells(heading: str, column: int = 0) -> list[str]:
    """Names in a column of the table under a heading row that begins so."""
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [name for row in table for name in re.findall(r"`([^`]+)`", row.split("|")[column + 1])]


def _session() -> Session:
    profile = file.read(library.resolve("breast-patch")).profile
    hello = Hello(name="x", serial="x", software="x", platform="x", profile="x", profile_sha256=b"")
    return Session(hello, profile, {0: SensorConstants(1, b"\x00\x01")}, {1: b"TCOR"}, {"age_years": 40.0})


def test_topics_of_a_recording() -> None:
    assert _cells("topic") == list(layout.CHANNELS.values())
    said = dict(re.findall(r"^\| `(/[a-z]+)` \| `thermo-record` \|.*?type (\d)", PAGE, re.MULTILINE))
    assert said == {topic: str(int(kind)) for kind, (topic, _) in layout.TOPICS.items()}
    assert len(said) == len(RecordType)
    assert f"profile `{layout.MCAP_PROFILE}`" in PAGE
    assert f"`{layout.RECORD_ENCODING}`" in PAGE
    added: dict[str, type[msgspec.Struct]] = {
        layout.GAP_TOPIC: layout.Gap,
        layout.MARKER_TOPIC: layout.Marker,
        layout.LSL_STREAM_TOPIC: layout.LslStream,
        layout.LSL_TOPIC: layout.LslSamples,
    }
    for topic, kind in added.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{topic}`"))
        assert all(f"`{field.name}`" in row for field in msgspec.structs.fields(kind))


def test_keys_of_a_session() -> None:
    metadata, attachments = to_metadata(_session(), "UTC")
    assert metadata["format"] == layout.FORMAT
    assert f"# Files: recording {layout.FORMAT}, bundle {FORMAT_VERSION}" in PAGE
    listed = [name for name in _cells("key") if name != "format"]
    assert listed == [*list(metadata)[1:], layout.ATTACHMENTS, layout.SEAL]
    named = [re.sub(r"-\d+", "-N", name) for name in attachments]
    assert _cells("attachment") == named


def test_keys_of_a_bundle() -> None:
    table = PAGE.split("## Bundles")[1].split("\n|---|---|\n")[1].split("\n\n")[0]
    keys = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    assert sorted(keys) == sorted(field.name for field in msgspec.structs.fields(Bundle))
