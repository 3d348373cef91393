"""inotify(7): which names in a directory changed."""

from __future__ import annotations

import ctypes
import os
import struct

from orchestra.linux.fds import Fd
from orchestra.linux.libc import bind, check, fsencode
from orchestra.named import NamedTuple

_EVENT = struct.Struct("iIII")

_inotify_init1 = bind("inotify_init1", ctypes.c_int, ctypes.c_int)
_inotify_add_watch = bind(
    "inotify_add_watch", ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32
)
_inotify_rm_watch = bind("inotify_rm_watch", ctypes.c_int, ctypes.c_int, ctypes.c_int)


class Event(NamedTuple):
    """*watch* is what add_watch returned; -1 with IN_Q_OVERFLOW, when events were lost."""

    watch: int
    mask: int
    cookie: int
    name: str


def inotify_init() -> Fd:
    """A non-blocking inotify instance."""
    return Fd(check(_inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify_init1"))


def add_watch(fd: int, path: str, mask: int) -> int:
    """Watch *path* for the events in *mask*. Raises OSError; ENOSPC when the user has too many."""
    return check(_inotify_add_watch(fd, fsencode(path), mask), "inotify_add_watch", path)


def remove_watch(fd: int, watch: int) -> None:
    check(_inotify_rm_watch(fd, watch), "inotify_rm_watch", watch)


def read_events(fd: int) -> tuple[Event, ...]:
    """What is queued now; empty when nothing is."""
    try:
        data = os.read(fd, 64 * 1024)
    except BlockingIOError:
        return ()
    events = []
    offset = 0
    while offset < len(data):
        watch, mask, cookie, length = _EVENT.unpack_from(data, offset)
        offset += _EVENT.size
        name = data[offset : offset + length].rstrip(b"\0")
        events.append(Event(watch, mask, cookie, os.fsdecode(name)))
        offset += length
    return tuple(events)
