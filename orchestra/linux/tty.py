"""Terminals: raw mode, window size, and a new pair of them from a container's devpts."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.linux.constants import TIOCGPTPEER, TIOCSPTLCK
from orchestra.linux.fds import Fd
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class WindowSize(NamedTuple):
    """In characters."""

    rows: int
    columns: int


def window_size(fd: int) -> WindowSize | None:
    """The size of the terminal *fd*; None when it is no terminal or has none."""
    try:
        packed = fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return None
    rows, columns, _, _ = struct.unpack("HHHH", packed)
    return WindowSize(rows, columns) if rows and columns else None


def set_window_size(fd: int, size: WindowSize) -> None:
    """Tell the terminal *fd* its size; its foreground process group gets SIGWINCH."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))


def open_pty(pts_directory: int) -> tuple[Fd, Fd]:
    """Master and slave of a new terminal of the devpts mounted at *pts_directory*.

    The slave is got from the master (TIOCGPTPEER, Linux 4.13), never by a path that the
    container could have replaced. Raises OSError.
    """
    master = Fd(os.open("ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=pts_directory))
    try:
        fcntl.ioctl(master.fileno(), TIOCSPTLCK, struct.pack("i", 0))
        flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
        return master, Fd(fcntl.ioctl(master.fileno(), TIOCGPTPEER, flags))
    except OSError:
        master.close()
        raise


def set_controlling(fd: int) -> None:
    """Make *fd* the controlling terminal of the calling session leader."""
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)


@contextmanager
def raw_mode(fd: int) -> Iterator[None]:
    """The terminal *fd* passes every byte on, Ctrl-C too; restored on the way out."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
