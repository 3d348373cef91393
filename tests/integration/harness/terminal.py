"""A terminal with a program in it: what a person at the keyboard sees and types."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Terminal:
    """A program whose stdin, stdout and stderr are a pseudo-terminal of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        size: tuple[int, int] = (24, 80),
    ) -> None:
        self.output = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                os.execve(argv[0], list(argv), dict(env))
            finally:
                os._exit(127)
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """Change the window to *size* (rows, columns); the program gets SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def is_raw(self) -> bool:
        """Are keys passed on as they are, unechoed?"""
        flags: int = termios.tcgetattr(self._master)[3]
        return not flags & (termios.ECHO | termios.ICANON | termios.ISIG)

    def is_cooked(self) -> bool:
        """Are keys echoed and gathered into lines, as a shell has it?"""
        flags: int = termios.tcgetattr(self._master)[3]
        return flags & termios.ECHO != 0 and flags & termios.ICANON != 0

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def expect(self, text: str, *, within_s: float = 20) -> None:
        """Wait until *text* has been printed. Raises AssertionError with all the output."""
        deadline = time.monotonic() + within_s
        while text not in self.output:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"no {text!r} within {within_s} s in:\n{self.output}")

    def expect_more(self, *, within_s: float = 20) -> None:
        """Wait for any further output. Raises AssertionError when there is none."""
        assert self._read(within_s), f"nothing within {within_s} s after:\n{self.output}"

    def read_all(self) -> str:
        """All the output so far, without waiting."""
        while self._read(0.0):
            pass
        return self.output

    def wait(self, *, within_s: float = 30) -> int:
        """The exit code; the program is killed when it takes longer. Reads all the output."""
        deadline = time.monotonic() + within_s
        while self._read(max(0.0, deadline - time.monotonic())):
            if time.monotonic() > deadline:
                break
        return self._collect(deadline)

    def close(self) -> None:
        """End the program, if it still runs."""
        if self.pid:
            self._collect(0.0)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, timeout_s: float) -> bool:
        """Read once; False at the end of the output or after *timeout_s*."""
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last process has closed it
            return False
        self.output += data.decode(errors="replace")
        return bool(data)

    def _collect(self, deadline: float) -> int:
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.pid = 0
                raise AssertionError(f"it did not end; its output:\n{self.output}")
            time.sleep(0.01)
