"""`thermo-hub` as a person types it, right and wrong."""

import contextlib
import json
import re
import select
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from certificates import signed
from fhir.resources.R4B.bundle import Bundle
from fhir_past import agree, fill
from patience import WAIT_S

from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store
from thermo_hub.trends.keeper import HOUR_NS

pytestmark = pytest.mark.lengthy


def says(*words: str) -> tuple[int, str]:
    """What a command returns and says."""
    run = [sys.executable, "-m", "thermo_hub.cli", *words]
    done = subprocess.run(run, capture_output=True, text=True, timeout=WAIT_S, check=False)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def hub(*words: str) -> Iterator[str]:
    """A hub that runs; its link."""
    run = [sys.executable, "-m", "thermo_hub.cli", "run", *words]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], WAIT_S)
        assert readable
        link = process.stdout.readline().split()[1]
        said = [process.stdout.readline(), process.stdout.readline()]
        assert any("no port /dev/none yet; it is waited for" in line for line in said)
        yield link
    finally:
        process.terminate()
        assert process.wait(30) == 143


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("rnu",), 2, "Did you mean 'run'"),
        (("run", "none.toml"), 9, "Cannot read none.toml"),
        (("run", "a.toml", "b.toml"), 2, "a.toml and b.toml are both settings; name one."),
        (("run", "--http-port", "65536"), 2, "not in the range"),
        (("run", "--folder", "/dev/null/x"), 9, "Cannot make the folder"),
        (("demo", "--wearables", "0"), 2, "not in the range"),
        (("export", "SIM", "x.mcap"), 2, "'SIM' is no wearable of another hub; write WEARABLE@SITE"),
        (("export", "SIM@home", "x.mcap", "--from", "noon"), 2, "'noon' is no moment"),
        (("fhir", "none-such", "--hours", "0"), 2, "not in the range"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(words: tuple[str, ...], code: int, said: str) -> None:
    returned, answer = says(*words)
    assert returned == code
    assert said in answer
    assert "Traceback" not in answer


def test_help_names_every_command() -> None:
    code, answer = says("--help")
    assert code == 0
    for word in ("run", "demo", "export", "link", "Not a"):
        assert word in answer


def test_a_link_is_of_a_hub_that_runs_and_one_folder_has_one_hub(tmp_path: Path) -> None:
    folder = str(tmp_path / "hub")
    code, answer = says("link", "--folder", folder)
    assert code == 2
    assert "No hub runs with the folder" in answer
    with hub("/dev/none", "--http-port", "0", "--folder", folder) as link:
        origin = link.partition("/enter")[0]
        code, answer = says("link", "--folder", folder)
        assert code == 0, answer
        found = re.search(r"http://\S+", answer)
        assert found is not None
        assert found[0].startswith(origin)
        with httpx.Client(base_url=origin, timeout=WAIT_S) as client:
            assert client.get(found[0]).status_code == 303
            said = client.get("/api/wearables").json()
        assert said["wearables"] == []
        code, answer = says("run", "--http-port", "0", "--folder", folder)
        assert code == 2
        assert "A hub runs with the folder" in answer
    assert says("link", "--folder", folder)[0] == 2


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, answer = says("run", "--http-port", port, "--folder", str(tmp_path / "hub"))
    assert code == 2
    assert f"cannot listen at 127.0.0.1:{port} (address already in use)" in answer


def test_behind_a_certificate_everything_is_encrypted(tmp_path: Path) -> None:
    certificate, key = signed(tmp_path)
    settings = tmp_path / "hub.toml"
    settings.write_text(
        f'folder = "{tmp_path}/hub"\nport = 0\nports = ["/dev/none"]\ncertificate = "{certificate}"\nkey = "{key}"\n'
    )
    with hub(str(settings)) as link:
        assert link.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(verify=context, timeout=WAIT_S) as client:
            answer = client.get(link)
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-thermo-hub-")
            assert "Secure" in cookie
            assert answer.headers["strict-transport-security"]
            assert client.get(f"{link.partition('/enter')[0]}/api/me").status_code == 200
    settings.write_text(settings.read_text().replace(str(key), str(certificate)))
    code, said = says("run", str(settings))
    assert code == 2
    assert "are no certificate with its key" in said


def test_a_bundle_is_written_where_the_wearer_agreed(tmp_path: Path) -> None:
    folder, file = str(tmp_path / "hub"), str(tmp_path / "out.json")
    with contextlib.closing(open_store(Settings(folder=folder))) as store:
        fill(store, "w", (time.time_ns() // HOUR_NS - 4) * HOUR_NS)
        code, answer = says("fhir", "w", "--folder", folder)
        assert (code, "nobody has given consent for it" in answer) == (2, True)
        agree(store, "w")
        assert says("fhir", "none", "--folder", folder)[0] == 2
        assert says("fhir", "w", "--folder", folder, "-o", file) == (0, "")
        Bundle.model_validate_json(Path(file).read_bytes())
        assert says("fhir", "w", "--folder", folder, "-o", file, "--hours", "1")[0] == 2
        code, answer = says("fhir", "w", "--folder", folder, "--each")
        assert (code, "\x1b" in answer) == (0, False)
        kinds = [one["resourceType"] for one in json.loads(answer)]
        assert kinds.count("Flag") == 1
        assert "Consent" in kinds
