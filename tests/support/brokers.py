"""mosquitto as tests use it: with passwords and rules of access, in TLS or not, killed and started again."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from certificates import signed

SECRET = "correct horse"
ACL = """
pattern write thermo/v1/%u/+/up/#
pattern read thermo/v1/%u/+/down/#
user ward
topic read thermo/v1/+/+/up/#
topic write thermo/v1/+/+/down/#
topic read homeassistant/#
user home
topic write homeassistant/#
"""
"""Whoever signs in as a site writes what comes of its wearables; the ward reads all and confirms."""
USERS = ("home", "ward", "other")


class Mosquitto:
    """A broker of this machine. Users are sites, and "ward", which takes from all."""

    def __init__(self, folder: Path, tls: bool = False) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        keeper = shutil.which("mosquitto_passwd", path="/usr/bin:/usr/local/bin:/usr/sbin")
        if program is None or keeper is None:
            pytest.skip("mosquitto is not installed; apt install mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._program = folder, program
        self.ca: Path | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        passwords, rules = folder / "passwords", folder / "acl"
        for number, user in enumerate(USERS):
            subprocess.run([keeper, "-b", *(["-c"] if not number else []), str(passwords), user, SECRET], check=True)
        rules.write_text(ACL)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {passwords}",
            f"acl_file {rules}",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "user root",
        ]
        if tls:
            certificate, key = signed(folder)
            self.ca = certificate
            lines += [f"certfile {certificate}", f"keyfile {key}", "tls_version tlsv1.3"]
            key.chmod(0o644)
        (folder / "conf").write_text("\n".join(lines) + "\n")
        for file in (passwords, rules):
            file.chmod(0o644)
        self.process: subprocess.Popen[bytes] | None = None
        self.secret = folder / "secret"
        self.secret.write_text(f"{SECRET}\n")
        self.secret.chmod(0o600)

    def start(self) -> None:
        """Start it; it answers when this returns."""
        self.process = subprocess.Popen([self._program, "-c", str(self.folder / "conf")], stderr=subprocess.DEVNULL)
        for _ in range(600):
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("mosquitto does not answer")

    def kill(self) -> None:
        """End it at once: it keeps nothing of what it knew."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None
