"""Who a wearable says it is, what it holds, and whether it is well."""

import hashlib

import pytest
from bundles import IMAGE
from conformance import CAMERA, SPOTS, blocks
from running import SEED, Running, hear

from thermo_core import schema
from thermo_core.errors import RefusedError
from thermo_core.image import parse
from thermo_core.wire.table import PROTOCOL
from thermo_host.link.wearable import Wearable
from thermo_sim.chips.mlx90640.eeprom import generate


def test_hello_tells_who_it_is(wearable: Running, host: Wearable) -> None:
    hear(host, lambda records: bool(blocks(records, SPOTS)), "a scan")
    hello, profile = host.hello(), wearable.bundle.profile
    assert hello.serial == wearable.serial and hello.simulated and hello.development_key and not hello.waived
    assert (hello.protocol, hello.profile, hello.bundle) == (PROTOCOL, profile.name, str(parse(wearable.image).version))
    assert hello.bundle_sha256 == parse(wearable.image).sha256 and hello.lease_max_ms >= 3000
    assert hello.profile_sha256 == hashlib.sha256(schema.to_cbor(profile)).digest()
    camera, spots = hello.sensors
    assert (camera.kind, camera.rate_hz, camera.corrected, camera.fault) == ("mlx90640", 16.0, False, "")
    assert camera.id == generate(SEED)[7:10].astype(">u2").tobytes()
    assert (spots.kind, spots.rate_hz, len(spots.id)) == ("ads1115-ntc", 2.0, 8)


def test_blobs_are_the_sensors_and_the_bundles(wearable: Running, host: Wearable) -> None:
    assert host.profile_bytes() == schema.to_cbor(wearable.bundle.profile)
    assert host.constants(CAMERA, "mlx90640").data == generate(SEED).astype("<u2").tobytes()
    with pytest.raises(RefusedError, match=r"sensor 3"):
        host.correction_bytes(3)


def test_the_image_is_the_shipped_one(wearable: Running, host: Wearable) -> None:
    (active,) = (image for image in host.images() if image.active)
    assert (
        active.hash == parse(IMAGE.read_bytes()).sha256
        and active.version == str(parse(IMAGE.read_bytes()).version)
        and active.confirmed
    )


@pytest.mark.parametrize("text", ["", "hello", "ä€𝄞", "x" * 200])
def test_echo(host: Wearable, text: str) -> None:
    assert host.echo(text) == text


def test_it_passes_its_own_tests(host: Wearable) -> None:
    results = host.self_test()
    assert [one.name for one in results if not one.passed and not one.name.endswith("refresh rate")] == []
    names = [result.name for result in results]
    wanted = {"EEPROM", "bad pixels", "page decodes", "supply", "ambient", "constants"}
    assert {f"skin: {name}" for name in wanted} <= set(names)
    assert sum("thermistor " in name for name in names) == 4
    assert any("lesion" in name for name in names)
