"""`thermo-host flash`: put a signed model bundle or a signed firmware on a wearable, try it, keep it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text

from thermo_core import schema
from thermo_core.errors import UsageError
from thermo_host import flash as flashing
from thermo_host.commands.common import BaudOption, JsonOption, Output, TimeoutOption
from thermo_host.flash_firmware import FirmwareCandidate, flash_firmware, load_firmware
from thermo_host.link.ports import is_serial
from thermo_host.link.wearable import TIMEOUT_S, Wearable


def command(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="[PORT] IMAGE", help="Port, if more than one; signed bundle (.img) or firmware (.zip)."),
    ],
    confirm: Annotated[
        bool, typer.Option(help="Keep the image after its self-test; else it runs until a reset.")
    ] = True,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Check, upload, test, reset, self-test and confirm a signed image.

    Of a firmware, which is linked for two slots, the image for the free one is sent. A bootloader without a firmware takes
    one too.

    An interrupted upload goes on where it stopped when the same image is flashed again.
    """
    if len(arguments) > 2:
        raise UsageError(f"{len(arguments)} arguments were given; give at most a port and an image.")
    port, path = (arguments[0] if len(arguments) == 2 else None), Path(arguments[-1])
    if is_serial(str(path)) or (port is not None and Path(port).is_file() and not path.exists()):
        turned = f" {arguments[0]}" if port is not None else " IMAGE"
        raise UsageError(f"{path} is a port and no image; the port comes first: thermo-host flash {path}{turned}")
    output = Output(as_json)
    if (firmware := load_firmware(path)) is not None:
        with Wearable.open_for_flash(port, timeout_s=timeout, baud=baud) as wearable, _Bar(output) as bar:
            done = flash_firmware(wearable, firmware, confirm=confirm, progress=bar.upload, step=bar.step)
            name = wearable.port
        output.result(_facts(name, path, firmware.development, [], done), _firmware_words(done, firmware))
        return
    candidate = flashing.load(path, output.progress.print)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable, _Bar(output) as bar:
        done = flashing.flash(wearable, candidate, confirm=confirm, progress=bar.upload, step=bar.step)
        name = wearable.port
    facts = _facts(name, path, candidate.development, list(candidate.bundle.waived), done)
    output.result(facts, _words(done, candidate))


def _facts(port: str, path: Path, development: bool, waived: list[str], done: flashing.Flashed) -> dict[str, Any]:
    return {
        "port": port,
        "file": str(path),
        "development_key": development,
        "waived": waived,
        **asdict(done),
        "self_test": [schema.to_readable(result) for result in done.self_test],
    }


def _firmware_words(done: flashing.Flashed, candidate: FirmwareCandidate) -> Text:
    if done.unchanged:
        text = Text(f"Firmware {done.version} runs already; nothing was sent.")
    else:
        before = f", {done.previous} ran before" if done.previous else ""
        text = Text(f"Firmware {done.version} runs{before}; {len(done.self_test)} self-tests passed.")
    if not done.confirmed:
        text.append(" It is not confirmed: the next reset returns to the one before.", style="yellow")
    if candidate.development:
        text.append("\nThe firmware is signed with the development key, with which anybody can sign.", style="yellow")
    return text


def _words(done: flashing.Flashed, candidate: flashing.Candidate) -> Text:
    if done.unchanged:
        text = Text(f"{done.profile} {done.version} runs already; nothing was sent.")
    else:
        before = f", {done.previous} ran before" if done.previous else ""
        text = Text(f"{done.profile} {done.version} runs{before}; {len(done.self_test)} self-tests passed.")
    if not done.confirmed:
        text.append(" It is not confirmed: the next reset returns to the one before.", style="yellow")
    for sentence in candidate.bundle.waived:
        text.append(f"\nThe bundle was signed all the same: {sentence}", style="yellow")
    if candidate.development:
        text.append("\nThe image is signed with the development key, with which anybody can sign.", style="yellow")
    return text


class _Bar:
    """A progress bar for the upload, and the name of each step, on standard error."""

    def __init__(self, output: Output) -> None:
        self._console = output.progress
        self._progress = Progress(
            TextColumn("{task.description:<10}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, name: str) -> None:
        self._console.print(f"{name} ...", style="dim")

    def upload(self, done: int, total: int) -> None:
        if self._task is None:
            self._task = self._progress.add_task("upload", total=total)
        self._progress.update(self._task, completed=done)
