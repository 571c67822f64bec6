"""What was found wanting when a bundle was signed is shown wherever its model is."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from host_sessions import with_hello
from rich.console import Console
from scripted_peer import ScriptedWearable

from thermo_core.bundle import Bundle
from thermo_core.exit_codes import ExitCode
from thermo_core.image import parse
from thermo_core.recording.session import Session
from thermo_host.application import run
from thermo_host.commands import flash
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
        candidate = Candidate(b"", image, msgspec.structs.replace(plain, waived=waived))
        assert (
            SENTENCE
            in _shown(flash._words(done.profile, "image", done, candidate.development, candidate.bundle.waived))
        ) == bool(waived)


def test_info_says_what_the_wearable_says(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    for waived in ((), (SENTENCE,)):
        wearable = ScriptedWearable(with_hello(session, waived=waived))
        try:
            for words in ([], ["--json"]):
                assert run(["info", wearable.port, "--timeout", "20", *words]) == ExitCode.OK
                assert (SENTENCE in " ".join(capsys.readouterr().out.split())) == bool(waived)
        finally:
            wearable.unplug()
