"""Which process has a port: read from /proc, for error messages."""

from __future__ import annotations

import os
from contextlib import suppress

_LISTEN, _UDP_BOUND = "0A", "07"


def port_holder(protocol: str, port: int) -> str:
    """As "nginx (pid 812)"; "" when /proc does not tell. proc(5), /proc/net/tcp."""
    inodes = _inodes(protocol, port)
    if not inodes:
        return ""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and _has_open(name, wanted):
                return f"{_command(name)} (pid {name})"
    return ""


def _inodes(protocol: str, port: int) -> set[str]:
    """The inodes of the sockets that are bound to *port*."""
    found: set[str] = set()
    suffix = f":{port:04X}"
    for table in (protocol, protocol + "6"):
        with suppress(OSError), open(f"/proc/net/{table}") as file:
            for line in file:
                words = line.split()
                if words[1].endswith(suffix) and words[3] in (_LISTEN, _UDP_BOUND):
                    found.add(words[9])
    return found


def _has_open(pid: str, sockets: set[str]) -> bool:
    try:
        fds = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for fd in fds:
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{fd}") in sockets:
                return True
    return False


def _command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return "a process"
