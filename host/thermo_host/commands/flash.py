"""`thermo-host flash`: put a signed image on a wearable, try it, keep it; or a firmware on a board that runs none of ours yet."""

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text

from thermo_core import schema
from thermo_core.errors import UsageError
from thermo_core.files import read_file
from thermo_core.firmware.archive import is_firmware_file
from thermo_core.firmware.segments import ADDRESSES
from thermo_host import flash as flashing
from thermo_host.bootmode import drives, firmware_file, picoboot, programs
from thermo_host.commands.common import BaudOption, JsonOption, Output, TimeoutOption
from thermo_host.flash_firmware import flash_firmware, load_firmware
from thermo_host.flash_model import flash_model, load_model, of_bundle, runs_behind_loader
from thermo_host.link.ports import is_serial
from thermo_host.link.wearable import TIMEOUT_S, Wearable


class Way(StrEnum):
    """How a board is reached."""

    SMP = "smp"
    UF2 = "uf2"
    PICOBOOT = "picoboot"
    PYOCD = "pyocd"
    STM32FLASH = "stm32flash"
    STM32LOADER = "stm32loader"


_SIGNED = (
    "Later firmware goes over its serial line: thermo-host flash PORT FIRMWARE.zip. Informs only. Not a medical device."
)
_UNSIGNED = "Nobody signed what was flashed this way. Informs only. Not a medical device."


def command(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[PORT] FILE",
            help="Port, drive, or serial number of a board or probe, if more than one; signed bundle or model (.img) or firmware (.zip), or one "
            "for a board that runs none of ours yet (.zip with its bootloader, .elf, .uf2, .bin).",
        ),
    ],
    via: Annotated[Way, typer.Option(help="How the board is reached; see below.")] = Way.SMP,
    confirm: Annotated[
        bool, typer.Option(help="Keep the image after its self-test; else it runs until a reset.")
    ] = True,
    address: Annotated[
        str | None, typer.Option(help="Where a .bin belongs, as 0x10000000.", show_default=False)
    ] = None,
    chip: Annotated[
        str | None, typer.Option(help="Chip behind a probe, or family of an STM32.", show_default=False)
    ] = None,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Check, upload, test, reset, self-test and confirm a signed image; or program a board that runs none of ours yet.

    Of a firmware, which is linked for two slots, the image for the free one is sent; a bootloader without a firmware takes one too.
    Of a bundle, a microcontroller behind a bootloader gets the container that was put in for its processor.

    An interrupted upload goes on where it stopped when the same image is flashed again.

    \b
    Ways to reach a board (--via):
    smp          a wearable that runs, over its serial line
    uf2          a board that shows itself as a drive: an RP2040 plugged in with
                 BOOTSEL held
    picoboot     an RP2040 with BOOTSEL held, over USB, read back; needs pyusb
    pyocd        a board behind a debug probe; needs pyocd
    stm32flash   an STM32 whose boot ROM listens at a serial port; needs stm32flash
    stm32loader  the same with another program; needs stm32loader, and --chip
    """  # noqa: D301 (typer's mark of lines that are to stay lines)
    if len(arguments) > 2:
        raise UsageError(f"{len(arguments)} arguments were given; give at most a port and an image.")
    where, path = (arguments[0] if len(arguments) == 2 else None), Path(arguments[-1])
    output = Output(as_json)
    if via is not Way.SMP:
        _program(via, where, path, _address(address), chip, output)
        return
    if address is not None or chip is not None:
        raise UsageError("--address and --chip are for firmware that goes another way; say with --via which.")
    if is_serial(str(path)) or (where is not None and Path(where).is_file() and not path.exists()):
        turned = f" {arguments[0]}" if where is not None else " IMAGE"
        raise UsageError(f"{path} is a port and no image; the port comes first: thermo-host flash {path}{turned}")
    if (firmware := load_firmware(path)) is not None:
        with Wearable.open_for_flash(where, timeout_s=timeout, baud=baud) as wearable, _Bar(output) as bar:
            done = flash_firmware(wearable, firmware, confirm=confirm, progress=bar.upload, step=bar.step)
            name = wearable.port
        output.result(
            _facts(name, path, firmware.development, [], done),
            _words("Firmware", "firmware", done, firmware.development),
        )
        return
    model = load_model(path)
    candidate = None if model is not None else flashing.load(path, output.progress.print)
    with Wearable.open(where, timeout_s=timeout, baud=baud) as wearable, _Bar(output) as bar:
        if candidate is not None and runs_behind_loader(wearable):
            model = of_bundle(wearable, path, candidate)
        if model is not None:
            done = flash_model(wearable, model, confirm=confirm, progress=bar.upload, step=bar.step)
        else:
            assert candidate is not None
            done = flashing.flash(wearable, candidate, confirm=confirm, progress=bar.upload, step=bar.step)
        name = wearable.port
    waived = candidate.bundle.waived if candidate is not None else ()
    development = any(one.development for one in (model, candidate) if one is not None)
    kind = "model" if model is not None else "image"
    output.result(
        _facts(name, path, development, list(waived), done), _words(done.profile, kind, done, development, waived)
    )


def _facts(port: str, path: Path, development: bool, waived: list[str], done: flashing.Flashed) -> dict[str, Any]:
    return {
        "port": port,
        "file": str(path),
        "development_key": development,
        "waived": waived,
        **asdict(done),
        "self_test": [schema.to_readable(result) for result in done.self_test],
    }


def _address(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    if not 0 <= address < ADDRESSES:
        raise UsageError(f"--address {text} is no address of 32 bits; give it as 0x10000000.")
    return address


def _program(via: Way, where: str | None, path: Path, address: int | None, chip: str | None, output: Output) -> None:
    firmware = firmware_file.load(path, address)
    with _Bar(output) as bar:
        bar.step("program")
        match via:
            case Way.UF2:
                drive = drives.choose(None if where is None else Path(where))
                board, count = f"{drive.model} ({drive.board})", drives.flash(drive, firmware)
            case Way.PICOBOOT:
                device = picoboot.choose(where)
                board, count = "RP2040 in boot mode", picoboot.flash(device, firmware, bar.upload)
            case _:
                board, count = where or "the board", programs.flash(via.value, firmware, where, chip)
    notice = _SIGNED if is_firmware_file(read_file(path)) else _UNSIGNED
    data = {"via": via.value, "file": str(path), "board": board, "bytes": count, "notice": notice}
    output.result(data, Text(f"{board} holds {path.name}, {count} bytes, and starts it.\n{notice}"))


def _words(what: str, kind: str, done: flashing.Flashed, development: bool, waived: Sequence[str] = ()) -> Text:
    """What was done, in words: of `what`, which is an image of this kind."""
    if done.unchanged:
        text = Text(f"{what} {done.version} runs already; nothing was sent.")
    else:
        before = f", {done.previous} ran before" if done.previous else ""
        text = Text(f"{what} {done.version} runs{before}; {len(done.self_test)} self-tests passed.")
    if not done.confirmed:
        text.append(" It is not confirmed: the next reset returns to the one before.", style="yellow")
    for sentence in waived:
        text.append(f"\nThe bundle was signed all the same: {sentence}", style="yellow")
    if development:
        text.append(f"\nThe {kind} is signed with the development key, with which anybody can sign.", style="yellow")
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
