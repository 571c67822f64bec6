"""Channels against what is on the other end: an HTTP server, a mail server, and mosquitto."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from patience import WAIT_S

from thermo_core.errors import StorageError, UsageError
from thermo_hub.alerts.channels.channel import DeliveryError, Message
from thermo_hub.alerts.channels.mail import MailChannel, written
from thermo_hub.alerts.channels.mqtt import MqttChannel, topic_of
from thermo_hub.alerts.channels.webhook import DELIVERY, SIGNATURE, WebhookChannel, sign
from thermo_hub.channel_settings import Broker, Mail, Webhook
from thermo_hub.secret_files import secret_of

HOSTILE = 'evil\r\nBcc: spy@example.org\x1b[31m <script>alert(1)</script> =cmd|" /C calc"!A0'
ALERT: dict[str, Any] = {
    "id": "a1",
    "wearable": "SIM/+#\n",
    "rule": "hot",
    "version": 3,
    "severity": "urgent",
    "text": "Too warm: " + HOSTILE,
    "condition": "> 38 degC",
    "personal": True,
    "value": 38.25,
    "unit": "degC",
    "state": "notified",
    "calling": True,
    "raised_ms": 1_700_000_000_000,
    "snoozed_ms": None,
    "resolved_ms": None,
    "level": 0,
    "channels": ["page"],
}
MESSAGE = Message("d1", True, 1_700_000_000_000, "notified", "the hub", ALERT, HOSTILE)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return str(path)


@contextmanager
def web(status: int, headers: dict[str, str] | None = None) -> Iterator[tuple[str, list[Any]]]:
    got: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"thanks\x1b[31m")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got
        server.shutdown()


def test_a_webhook_is_signed_so_that_its_receiver_can_tell(secret: str) -> None:
    with web(200) as (url, got):
        said = asyncio.run(WebhookChannel(Webhook(name="h", url=url, secret_file=secret)).send(MESSAGE))
    assert said == "200 thanks"
    ((headers, body),) = got
    seconds, proof = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
    wanted = hmac.new(b"correct horse", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert proof == wanted and abs(time.time() - int(seconds)) < 600
    assert sign(b"another", int(seconds), body) != headers[SIGNATURE]
    facts = json.loads(body)
    assert (headers[DELIVERY], facts["alert"], facts["label"]) == ("d1", ALERT, HOSTILE)
    assert facts["notice"] == "Informs only. Not a medical device."


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500, 503])
def test_any_other_answer_is_no_delivery_and_what_is_signed_goes_nowhere_else(secret: str, status: int) -> None:
    with web(200) as (other, stolen), web(status, {"location": other}) as (url, _):
        channel = WebhookChannel(Webhook(name="h", url=url, secret_file=secret))
        with pytest.raises(DeliveryError, match=f"^{status} thanks"):
            asyncio.run(channel.send(MESSAGE))
        assert not stolen


def test_nobody_at_the_other_end_is_said_in_a_line(secret: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DeliveryError, match="refused"):
            asyncio.run(WebhookChannel(Webhook(name="h", url=url, secret_file=secret)).send(MESSAGE))


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x\n")
    path.chmod(0o644)
    with pytest.raises(StorageError, match="chmod 600"):
        secret_of(str(path))
    path.chmod(0o600)
    path.write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        secret_of(str(path))
    with pytest.raises(StorageError):
        secret_of(str(tmp_path / "none"))


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs that sends one mail."""

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "DATA":
                self._say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                self.server.got.append(data[:-3])  # type: ignore[attr-defined]
                self._say("250 taken")
            elif word == "RCPT" and "refused" in line:
                self._say("550 no such person")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def post_office() -> Iterator[tuple[int, list[bytes]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.got = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], server.got  # type: ignore[attr-defined]
        server.shutdown()


def test_a_mail_arrives_and_a_hostile_name_makes_no_header() -> None:
    with post_office() as (port, got):
        settings = Mail(name="m", to=("ann@example.org", "bob@example.org"), sender="hub@example.org", port=port)
        assert asyncio.run(MailChannel(settings).send(MESSAGE)) == "taken for 2 addresses"
    mail = email.message_from_bytes(got[0], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert (mail["to"], mail["bcc"]) == ("ann@example.org, bob@example.org", None)
    assert mail["subject"].startswith("urgent: evil")
    text = mail.get_content()
    assert "Value: 38.25 degC" in text and "Informs only. Not a medical device." in text
    assert "\x1b" not in text and "a threshold of this wearer" in text


def test_a_mail_that_nobody_takes_is_no_delivery() -> None:
    with post_office() as (port, got):
        settings = Mail(name="m", to=("refused@example.org",), sender="hub@example.org", port=port)
        with pytest.raises(DeliveryError):
            asyncio.run(MailChannel(settings).send(MESSAGE))
    assert not got


def test_the_same_mail_has_the_same_id_at_each_try() -> None:
    settings = Mail(name="m", to=("ann@example.org",), sender="hub@example.org")
    assert written(settings, MESSAGE)["message-id"] == written(settings, MESSAGE)["message-id"] == "<d1@example.org>"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """mosquitto, which asks for a password."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed; apt install mosquitto")
    folder = tmp_path_factory.mktemp("mosquitto")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keeper = shutil.which("mosquitto_passwd", path="/usr/bin:/usr/local/bin:/usr/sbin")
    assert keeper is not None
    subprocess.run([keeper, "-b", "-c", str(folder / "passwords"), "hub", "correct horse"], check=True)
    (folder / "passwords").chmod(0o644)
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder / 'passwords'}\nuser root\n"
    )
    process = subprocess.Popen([program, "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def test_a_broker_keeps_how_an_alert_stands(broker: int, secret: str) -> None:
    settings = Broker(name="b", port=broker, user="hub", password_file=secret)
    topic = topic_of("home", ALERT["wearable"], "hot")
    assert topic == "thermo/v1/home/SIM____/up/alert/hot"

    async def both() -> Any:
        assert await MqttChannel(settings).send(MESSAGE) == f"kept at {topic}"
        async with aiomqtt.Client(
            "127.0.0.1", broker, username="hub", password="correct horse", timeout=WAIT_S
        ) as client:
            await client.subscribe("thermo/v1/#")
            async for message in client.messages:
                return str(message.topic), message.retain, json.loads(message.payload)
        raise AssertionError("nothing is kept")

    where, kept, facts = asyncio.run(asyncio.wait_for(both(), WAIT_S))
    assert (where, kept, facts["alert"]) == (topic, True, ALERT)


def test_a_broker_that_refuses_is_no_delivery(broker: int, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    wrong.chmod(0o600)
    with pytest.raises(DeliveryError):
        asyncio.run(MqttChannel(Broker(name="b", port=broker, user="hub", password_file=str(wrong))).send(MESSAGE))
