"""Work inside of an image's file system: a forked process with mounts of its own.

The host never sees these mounts, and they are gone with the process, however it ends.
"""

from __future__ import annotations

import os
import signal
import traceback
from typing import TYPE_CHECKING, NamedTuple

from orchestra.linux.constants import CLONE_NEWNS, MS_PRIVATE, MS_REC
from orchestra.linux.mount import mount
from orchestra.linux.namespaces import unshare
from orchestra.linux.prctl import set_parent_death_signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.rootfs import Rootfs


class ChamberError(Exception):
    """What the process could not do; the text is a sentence."""


class Mounted(NamedTuple):
    """A file system to be mounted at *at*, a directory of ours on the host."""

    rootfs: Rootfs
    at: str


def inside(mounts: tuple[Mounted, ...], work: Callable[[], bytes]) -> bytes:
    """What *work* returns, done in a process that sees *mounts*. The caller has no threads.

    Raises ChamberError for what *work* raises as OSError or ValueError and its kin.
    """
    import orchestra.runtime.mountops
    import orchestra.runtime.plan_rootfs  # noqa: F401 (here: a forked process imports nothing)

    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        _be_inside(mounts, work, write_end)
    os.close(write_end)
    try:
        with open(read_end, "rb") as pipe:
            try:
                answer = pipe.read()
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                pipe.read()  # until those that it has forked are gone, too
                raise
    finally:
        _, status = os.waitpid(pid, 0)
    if status == 0 and answer[:1] == b"+":
        return answer[1:]
    text = answer[1:].decode("utf-8", "replace") if answer[:1] == b"-" else "it was killed"
    raise ChamberError(text)


def _be_inside(mounts: tuple[Mounted, ...], work: Callable[[], bytes], answer: int) -> None:
    from orchestra.runtime.mountops import Overlay, RootDirectory
    from orchestra.runtime.plan_rootfs import observe_host

    code = 1
    try:
        set_parent_death_signal(signal.SIGKILL)
        unshare(CLONE_NEWNS)
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        options = observe_host().overlay_options
        for each in mounts:
            root = RootDirectory(each.at, each.at)
            for layer in each.rootfs.overlays:
                Overlay(layer.target, layer.lower, layer.upper, layer.work, options).apply(root)
        _send(answer, b"+" + work())
        code = 0
    except OSError as exc:
        place = f"{exc.filename}: " if exc.filename else ""
        _send(answer, f"-{place}{exc.strerror or exc}".encode())
    except ValueError as exc:
        _send(answer, f"-{exc}".encode("utf-8", "replace"))
    except BaseException:  # noqa: BLE001 (the root of a forked process)
        _send(answer, b"-" + traceback.format_exc().encode("utf-8", "replace"))
    os._exit(code)


def _send(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
