"""A serial port without a cable: one side of a pseudo-terminal, whose other side a host opens by a name that stays."""

import contextlib
import os
import secrets
import termios
import tty
from pathlib import Path

from thermo_core.errors import UsageError
from thermo_device.port import DescriptorPort


class PseudoTerminal(DescriptorPort):
    """A pseudo-terminal whose other side a host opens through a link with a stable name.

    The host's side is kept open here too: a master whose slave nobody holds answers EIO, which would look like an
    unplugged cable whenever no host is there.

    Args:
        link: symbolic link to keep pointing at the host's side.
    """

    def __init__(self, link: Path) -> None:
        super().__init__(str(link))
        self._link = link
        self._host_side = -1

    def open(self) -> None:
        """Make the pair and the link to the host's side."""
        master, slave = os.openpty()
        self._descriptor, self._host_side = master, slave
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            replace_link(self._link, os.ttyname(slave))
        except (OSError, termios.error, UsageError):
            self.close()
            raise

    def close(self) -> None:
        """Close both sides and take the link away; harmless when closed."""
        if self._descriptor < 0:
            return
        remove_link(self._link, os.ttyname(self._host_side))
        os.close(self._host_side)
        os.close(self._descriptor)
        self._descriptor = self._host_side = -1

    def discard_output(self) -> None:
        """Throw away what was written and nobody has read."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._host_side, termios.TCIFLUSH)


def replace_link(link: Path, target: str) -> None:
    """Point a symbolic link at a target in one step, whether or not it existed.

    Raises:
        UsageError: something other than a link has that name, or its folder cannot be written.
    """
    if link.exists() and not link.is_symlink():
        raise UsageError(f"{link} exists and is not a link; name another one with --link.")
    # In a folder that others may write to, nobody may know the name beforehand.
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(8)}")
    try:
        temporary.symlink_to(target)
        temporary.replace(link)
    except OSError as error:
        raise UsageError(f"the link {link} cannot be made ({error.strerror}); name another one with --link.") from error


def remove_link(link: Path, target: str) -> None:
    """Remove a symbolic link if it still points at a target."""
    with contextlib.suppress(OSError):
        if link.is_symlink() and str(link.readlink()) == target:
            link.unlink()
