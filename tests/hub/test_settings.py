"""hub.toml: what it may say, and what is said of what it may not."""

from pathlib import Path

import pytest

from thermo_core.errors import ThermoError, UsageError
from thermo_hub.settings import Settings, read_settings

GOOD = """
host = "0.0.0.0"
port = 8443
certificate = "hub.pem"
key = "hub.key"
names = ["hub.clinic.example"]
database = "postgresql+psycopg://hub@db/hub"
ports = ["/dev/ttyACM0"]
"""


def test_a_file_says_how_a_hub_is_set_up(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(GOOD)
    settings = read_settings(path)
    assert settings.secure
    assert settings.origin(8443) == "https://0.0.0.0:8443"
    assert settings.database_url.startswith("postgresql")
    assert settings.ports == ("/dev/ttyACM0",)


def test_without_a_file_everything_stays_on_this_machine(tmp_path: Path) -> None:
    settings = Settings(folder=str(tmp_path))
    assert settings.origin(8123) == "http://127.0.0.1:8123"
    assert settings.database_url == f"sqlite:///{tmp_path}/hub.sqlite"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('host = "0.0.0.0"', "in the clear; name certificate and key"),
        ('certificate = "a.pem"', "without its key"),
        ('database = "mysql://x/y"', "SQLite and PostgreSQL"),
        ("port = 99999", "port"),
        ('prot = "x"', "prot"),
        ("host = ", "is not TOML"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_settings(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ThermoError, match="Cannot read"):
        read_settings(tmp_path / "none.toml")
