"""Writes the seeds of the wire and SMP corpora: requests and lines as thermo_core encodes them.

python device/firmware/fuzz/make_wire_corpus.py
"""

from pathlib import Path
from typing import Any

from thermo_core.wire.framing import encode_frame, encode_packet
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage

CORPUS = Path(__file__).with_name("corpus")

REQUESTS: dict[str, tuple[int, Op, int, dict[str, Any]]] = {
    "echo": (Group.OS, Op.WRITE, 0, {"d": "Wärme"}),
    "reset": (Group.OS, Op.WRITE, 5, {}),
    "parameters": (Group.OS, Op.READ, 6, {}),
    "application": (Group.OS, Op.READ, 7, {"format": "snrvbmpioa"}),
    "application-bad": (Group.OS, Op.READ, 7, {"format": "xyz"}),
    "bootloader": (Group.OS, Op.READ, 8, {}),
    "bootloader-mode": (Group.OS, Op.READ, 8, {"query": "mode"}),
    "images": (Group.IMAGE, Op.READ, 0, {}),
    "confirm": (Group.IMAGE, Op.WRITE, 0, {"hash": bytes(32), "confirm": True}),
    "confirm-running": (Group.IMAGE, Op.WRITE, 0, {"confirm": True}),
    "upload": (Group.IMAGE, Op.WRITE, 1, {"off": 0, "len": 9, "data": b"image", "sha": bytes(32)}),
    "erase": (Group.IMAGE, Op.WRITE, 5, {}),
    "slots": (Group.IMAGE, Op.READ, 6, {}),
    "hello": (Group.THERMO, Op.READ, 0, {}),
    "start": (Group.THERMO, Op.WRITE, 1, {"op": 1, "lease_ms": 3000, "key_interval": 64}),
    "renew": (Group.THERMO, Op.WRITE, 1, {"op": 2, "lease_ms": 3000, "key_interval": None}),
    "stop": (Group.THERMO, Op.WRITE, 1, {"op": 0}),
    "constants": (Group.THERMO, Op.READ, 2, {"off": 1024, "sensor": 0}),
    "correction": (Group.THERMO, Op.READ, 3, {"off": 9000, "slot": 1}),
    "correction-part": (Group.THERMO, Op.WRITE, 3, {"off": 0, "len": 9348, "data": b"TCOR\2\1\6\0" + bytes(93)}),
    "correction-next": (Group.THERMO, Op.WRITE, 3, {"off": 101, "len": 9348, "data": bytes(31)}),
    "rollback": (Group.THERMO, Op.WRITE, 4, {}),
    "self-test": (Group.THERMO, Op.WRITE, 5, {}),
    "counters": (Group.THERMO, Op.READ, 6, {}),
    "rate": (Group.THERMO, Op.WRITE, 7, {"rate_hz": 16.5}),
    "rate-double": (Group.THERMO, Op.WRITE, 7, {"rate_hz": 0.1}),
    "refusal": (Group.THERMO, Op.READ, 8, {}),
    "profile": (Group.THERMO, Op.READ, 9, {"off": 2048}),
    "signals": (Group.THERMO, Op.WRITE, 10, {"signals": [2, 0, 1]}),
    "feed": (Group.THERMO, Op.WRITE, 11, {"sensor": 1, "values": bytes(8)}),
    "person": (Group.THERMO, Op.READ, 12, {}),
    "person-told": (Group.THERMO, Op.WRITE, 12, {"person": {"age_years": 41, "height_m": 1.75}}),
    "alerts": (Group.THERMO, Op.READ, 13, {}),
    "alert-seen": (Group.THERMO, Op.WRITE, 13, {"alert": 0}),
    "nested": (Group.OS, Op.WRITE, 0, {"a": [1, -2, {"b": [None, True, 1.5, b"\0", [[]]]}], "d": ""}),
}
RAW_BODIES = {
    "indefinite": "bf6164 7f61616162ff 6161 9f01ff 6162 5f4101420203ff 6163 bf6161f6ff ff",
    "floats": "a3 6161 f93c00 6162 fa3f800000 6163 fb3ff0000000000000",
    "tag": "a16161c100",
    "duplicate": "a2616101616102",
    "deep": "a16161" + "81" * 20 + "00",
}


def main() -> None:
    """Write all seeds."""
    messages = {
        name: SmpMessage(SmpHeader(op, group, command, 7), body).encode()
        for name, (group, op, command, body) in REQUESTS.items()
    }
    for name, text in RAW_BODIES.items():
        body = bytes.fromhex(text.replace(" ", ""))
        messages[name] = bytes((0x0A, 0)) + len(body).to_bytes(2, "big") + bytes((0, 0, 7, 0)) + body
    prefixed = {name: len(message).to_bytes(2, "little") + message for name, message in messages.items()}
    write("smp", prefixed)
    sessions = (
        "start renew stop refusal",
        "start signals feed alerts alert-seen stop",
        "person-told person reset person self-test",
        "correction-part correction-next correction-part",
        "rollback correction",
    )
    write(
        "smp", {f"session-{i}": b"".join(prefixed[name] for name in names.split()) for i, names in enumerate(sessions)}
    )
    lines = {name: encode_packet(messages[name]) for name in ("echo", "hello", "correction-part", "nested")}
    lines["frame"] = encode_frame(bytes((2, 6)) + bytes(34))
    lines["mixed"] = b"\0junk\x06\x06\x09" + lines["correction-part"].replace(b"\n", b"\r\n", 1) + lines["frame"]
    lines["short-lines"] = encode_packet(messages["hello"], 8) + lines["hello"][:-3] + lines["hello"]
    write("wire", lines)


def write(target: str, seeds: dict[str, bytes]) -> None:
    """Write the seeds of one target."""
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
