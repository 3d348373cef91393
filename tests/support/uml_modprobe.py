"""modprobe for the user-mode Linux guest, which has neither kmod nor /lib/modules.

Run as a program, by the kernel (/proc/sys/kernel/modprobe) or by hand: loads each module or alias
named, with what it depends on. Options are ignored; exit status 1 when a name is not known.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from fnmatch import fnmatchcase

_DIRECTORY = "/usr/lib/uml/modules"
_SYS_FINIT_MODULE = 313  # x86_64


def _read_lines(directory: str, name: str) -> list[str]:
    with open(os.path.join(directory, name)) as file:
        return file.read().splitlines()


def _name_of(path: str) -> str:
    return os.path.basename(path).partition(".ko")[0].replace("-", "_")


def _aliases(directory: str, wanted: str) -> list[str]:
    rows = (line.split() for line in _read_lines(directory, "modules.alias"))
    return [row[2] for row in rows if row[:1] == ["alias"] and fnmatchcase(wanted, row[1])]


def _load(path: str) -> None:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    fd = os.open(path, os.O_RDONLY)
    try:
        failed = syscall(_SYS_FINIT_MODULE, fd, b"", 0) < 0
    finally:
        os.close(fd)
    if failed and ctypes.get_errno() != errno.EEXIST:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def main(arguments: list[str]) -> int:
    """Load the modules named in *arguments*."""
    directory = os.path.join(_DIRECTORY, os.uname().release)
    needed_by: dict[str, list[str]] = {}
    for line in _read_lines(directory, "modules.dep"):
        path, _, dependencies = line.partition(":")
        needed_by[_name_of(path)] = [*reversed(dependencies.split()), path]
    for name in arguments:
        if name.startswith("-"):
            continue
        names = [name] if name.replace("-", "_") in needed_by else _aliases(directory, name)
        if not names:
            return 1
        for found in names:
            for path in needed_by[found.replace("-", "_")]:
                _load(os.path.join(directory, path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
