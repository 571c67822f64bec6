"""The live server for Foxglove, seen by a plain WebSocket client that knows nothing but Foxglove's protocol, and by those it refuses."""

import base64
import contextlib
import datetime
import ipaddress
import itertools
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recorded
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from host_sessions import came
from patience import WAIT_S
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from thermo_core.errors import StorageError, UsageError
from thermo_core.recording.layout import Gap, Marker
from thermo_host.application import run
from thermo_host.link.items import Item
from thermo_host.sinks.monitor import Monitor
from thermo_host.viewers.foxglove import FoxgloveServer
from thermo_host.viewers.front import MOST_VIEWERS, Door, is_loopback, read_token, tls_of
from thermo_sim.chips.mlx90640 import eeprom

TOKEN = "0123456789abcdef0123"
PROTOCOL = [Subprotocol("foxglove.sdk.v1")]
MESSAGE = struct.Struct("<BIQ")


class Wearing:
    """A wearable whose telemetry is pushed by hand."""

    def __init__(self, door: Door) -> None:
        words = eeprom.generate(recorded.SEED)
        self.monitor = Monitor(recorded.patch(words))
        self.items: Iterator[Item] = itertools.cycle(came(recorded.patch_records(recorded.subpages(words, 80))))
        self.refused: list[tuple[str, str]] = []
        self.server = FoxgloveServer(self.monitor.decoding, door, lambda who, why: self.refused.append((who, why)))

    def push(self, count: int) -> None:
        for _ in range(count):
            item = next(self.items)
            self.server.take(item, self.monitor.push(item))


def served(door: Door) -> Iterator[Wearing]:
    wearing = Wearing(door)
    with wearing.server:
        wearing.push(60)
        yield wearing


@pytest.fixture(scope="module")
def local() -> Iterator[Wearing]:
    yield from served(Door())


@pytest.fixture(scope="module")
def guarded() -> Iterator[Wearing]:
    yield from served(Door("0.0.0.0", token=TOKEN))


def joined(wearing: Wearing, path: str = "/", **options: Any) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{wearing.server.front.port}{path}",
        subprotocols=PROTOCOL,
        open_timeout=WAIT_S,
        proxy=None,
        max_size=None,
        close_timeout=1.0,
        **options,
    )


def advertised(viewer: ClientConnection) -> dict[str, dict[str, Any]]:
    """Channels by their topics, from what the server says first."""
    hello = json.loads(viewer.recv(WAIT_S))
    assert hello["op"] == "serverInfo" and hello["name"] == "patch 0001"
    found: dict[str, dict[str, Any]] = {}
    while "/findings-lesion" not in found or "/spots" not in found:
        said = json.loads(viewer.recv(WAIT_S))
        found |= {one["topic"]: one for one in said.get("channels", ()) if said["op"] == "advertise"}
    return found


def read_by(channel: dict[str, Any], data: bytes) -> Any:
    if channel["encoding"] == "json":
        return json.loads(data)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(channel["schema"] + "==")).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(channel["schemaName"])).FromString(data)


def test_a_viewer_gets_stock_channels_pictures_and_boxes(local: Wearing) -> None:
    with joined(local) as viewer:
        channels = advertised(viewer)
        assert {topic: one["schemaName"] for topic, one in channels.items() if one["encoding"] == "protobuf"} == {
            "/skin": "foxglove.RawImage",
            "/skin/annotations": "foxglove.ImageAnnotations",
            "/log": "foxglove.Log",
        }
        wanted = ["/skin", "/skin/annotations", "/log", "/spots", "/skin/range"]
        asked = [{"id": number, "channelId": channels[topic]["id"]} for number, topic in enumerate(wanted)]
        viewer.send(json.dumps({"op": "subscribe", "subscriptions": asked}))
        got: dict[str, Any] = {}
        while set(got) != set(wanted):
            # Until the server has heard of the subscription what is pushed is for nobody.
            local.push(8)
            local.server.take(Marker(at_ns=1_700_000_000_000_000_000, text="now"), None)
            local.server.take(Gap(from_ns=1, to_ns=2, reason="unplugged"), None)
            with contextlib.suppress(TimeoutError):
                while True:
                    data = viewer.recv(0.1)
                    if isinstance(data, bytes) and data[0] == 1:
                        _, number, at_ns = MESSAGE.unpack_from(data)
                        got[wanted[number]] = at_ns, read_by(channels[wanted[number]], data[MESSAGE.size :])
    at_ns, image = got["/skin"]
    assert (image.encoding, image.width, image.height) == ("mono16", 32, 24)
    assert image.timestamp.seconds * 1_000_000_000 + image.timestamp.nanos == at_ns
    kelvin = np.frombuffer(image.data, "<u2") / 100
    assert 300 < kelvin.min() < kelvin.max() < 315
    assert got["/skin/annotations"][1].texts[0].text.endswith("(Informs only. Not a medical device.)")
    assert got["/log"][1].message and got["/spots"][1]["core"] > 0


@pytest.mark.parametrize(
    ("path", "headers", "words"),
    [
        ("/", {}, "token is needed"),
        ("/?token=", {}, "token is needed"),
        (f"/?token={TOKEN[:-1]}", {}, "wrong"),
        (f"/?token={TOKEN}x", {}, "wrong"),
        (f"/?token=x&token={TOKEN}", {}, "wrong"),
        ("/", {"Authorization": "Bearer " + TOKEN[::-1]}, "wrong"),
        ("/?token=%00%ff", {}, "wrong"),
    ],
)
def test_beyond_the_computer_a_viewer_without_the_token_is_told_so_and_sees_nothing(
    guarded: Wearing, path: str, headers: dict[str, str], words: str
) -> None:
    before = len(guarded.refused)
    with joined(guarded, path, additional_headers=headers) as viewer, pytest.raises(ConnectionClosed) as closed:
        viewer.recv(WAIT_S)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
    assert words in closed.value.rcvd.reason
    assert words in guarded.refused[before][1]


@pytest.mark.parametrize(("path", "headers"), [(f"/?token={TOKEN}", {}), ("/", {"Authorization": f"Bearer {TOKEN}"})])
def test_a_viewer_with_the_token_is_let_in(guarded: Wearing, path: str, headers: dict[str, str]) -> None:
    with joined(guarded, path, additional_headers=headers) as viewer:
        assert "/skin" in advertised(viewer)


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("https://app.foxglove.dev", True),
        ("http://localhost:8080", True),
        ("https://app.foxglove.dev.evil.example", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_pages_of_other_sites_do_not_read_along(local: Wearing, origin: str, taken: bool) -> None:
    with joined(local, origin=origin) as viewer:
        if taken:
            assert "/skin" in advertised(viewer)
            return
        with pytest.raises(ConnectionClosed) as closed:
            viewer.recv(WAIT_S)
    assert closed.value.rcvd is not None and "other sites" in closed.value.rcvd.reason


def test_one_viewer_too_many_is_told_so(local: Wearing) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_VIEWERS):
            stack.enter_context(joined(local)).recv(WAIT_S)
        late = stack.enter_context(joined(local))
        with pytest.raises(ConnectionClosed) as closed:
            late.recv(WAIT_S)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_with_a_certificate_it_speaks_tls(certificate: tuple[Path, Path]) -> None:
    wearing = Wearing(Door("127.0.0.1", token=TOKEN, tls=tls_of(*certificate)))
    with wearing.server:
        wearing.push(60)
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        address = f"wss://127.0.0.1:{wearing.server.front.port}/?token={TOKEN}"
        with connect(address, subprotocols=PROTOCOL, ssl=trusting, proxy=None, open_timeout=WAIT_S) as viewer:
            assert "/skin" in advertised(viewer)


def test_what_cannot_be_a_door_is_refused_in_a_sentence(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="both --cert and --key"):
        tls_of(certificate[0], None)
    with pytest.raises(StorageError, match="belong together"):
        tls_of(certificate[1], certificate[0])
    with pytest.raises(StorageError, match=r"none\.pem"):
        tls_of(tmp_path / "none.pem", certificate[1])
    for text in ("", "short", "a token with spaces in it", "Ω" * 20):
        (tmp_path / "token").write_text(text)
        with pytest.raises(UsageError, match="holds no token"):
            read_token(tmp_path / "token")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN
    assert [is_loopback(one) for one in ("127.0.0.1", "::1", "0.0.0.0", "::", "192.0.2.2")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(UsageError, match="no address"):
        is_loopback("my-computer")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wearing = Wearing(Door(port=taken.getsockname()[1]))
        with pytest.raises(UsageError, match="--listen-port"), wearing.server:
            pass


def test_the_command_says_what_is_wrong_before_it_opens_a_port(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for arguments, words in (
        (["--bind", "here"], "no address"),
        (["--cert", "x.pem"], "both --cert and --key"),
        (["--token-file", str(tmp_path / "none")], "none"),
        ([str(tmp_path / "tty")], "tty"),
    ):
        assert run(["foxglove", *arguments]) != 0
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1
