"""What was found wanting when a bundle was signed is shown wherever its model is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from thermo_core.bundle import Bundle
from thermo_core.image import parse
from thermo_core.recording.plain import from_plain
from thermo_core.wire.management import Hello
from thermo_host.commands import flash, info
from thermo_host.flash import Candidate, Flashed

SHIPPED = Path(__file__).resolve().parents[2] / "models/thermo_models/wearables/breast-patch/bundle.img"
SENTENCE = "The int8 model loses 3.00 points of accuracy."


def _shown(words: Any) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(words)
    return captured.get()


def test_flash_says_what_the_bundle_says() -> None:
    image = parse(SHIPPED.read_bytes())
    plain = Bundle.from_payload(image.payload)
    done = Flashed("1.0.0", "", "00", "breast-patch", 1, True)
    for waived in ((), (SENTENCE,)):
        candidate = Candidate(b"", image, replace(plain, waived=waived))
        assert (SENTENCE in _shown(flash._words(done, candidate))) == bool(waived)


def test_info_says_what_the_wearable_says() -> None:
    hello = Hello("n", "s", "1", "sim", "p", "1.0.0", 5, (), True, False, True, 5000, "notice", ("a", "b"))
    for waived in ((), (SENTENCE,)):
        told = replace(hello, waived=waived)
        assert (SENTENCE in _shown(info._words("p", told, [], {}, {}, 0.001))) == bool(waived)
        assert info._hello(told)["waived"] == list(waived)


def test_recordings_from_before_there_was_such_a_field_are_read() -> None:
    hello = Hello("n", "s", "1", "sim", "p", "1.0.0", 5, (), True, False, True, 5000, "notice", ("a", "b"))
    plain = {name: value for name, value in info._hello(hello).items() if name != "waived"}
    assert from_plain(Hello, plain) == hello
