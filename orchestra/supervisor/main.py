"""The life of one supervisor: take the project over, serve it, leave when it needs nobody."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from typing import TYPE_CHECKING

from orchestra.engine.embedded.adoption import adopt_all
from orchestra.engine.embedded.core import Core
from orchestra.engine.embedded.engine import EmbeddedEngine
from orchestra.engine.embedded.exits import ExitWatcher
from orchestra.linux.limits import open_files_of_parent, raise_open_files, set_open_files
from orchestra.model.state import HOOK_OUTPUT
from orchestra.model.structs import msgspec
from orchestra.runtime import eventlog
from orchestra.supervisor import spawn
from orchestra.supervisor.light import Channel
from orchestra.supervisor.loop import Loop
from orchestra.supervisor.server import Server
from orchestra.supervisor.sockets import listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from orchestra.engine.embedded.core import Drivers
    from orchestra.engine.embedded.events import ContainerEvent

_SLIM_AFTER_S = 3.0
"""A forked supervisor that nobody has asked for anything for so long gives its memory back."""

_LOG = logging.getLogger(__name__)


def run(
    project: spawn.Project, birth: spawn.Birth, make_drivers: Callable[[Loop], Drivers]
) -> None:
    """Serve *project* until it needs no supervisor; then this returns, and the process ends."""
    log_to_stderr()
    listener = birth.listener
    if listener is None:
        listener = _claim(project)
        if listener is None:
            return
    life_lock = _be_the_only_one(project)
    loop = Loop()
    reaper = _watch_reaper(loop)
    raise_open_files()  # six per container: a soft limit of 1024 would end at 140 of them
    exits = ExitWatcher(project.layout.exits(project.name), loop)
    core = Core(project.name, make_drivers(loop), loop, exits, birth.lot)
    core.listeners.append(_event_writer(project))
    adopt_all(core, birth.lot.collect())
    server = Server(core, EmbeddedEngine(core), loop, listener)
    _note_identity(project)
    _serve(project, birth, server, reaper)
    os.close(life_lock)


def _event_writer(project: spawn.Project) -> Callable[[ContainerEvent], None]:
    path = project.layout.events(project.name)
    encode = msgspec.json.Encoder().encode

    def write(event: ContainerEvent) -> None:
        if event.action != HOOK_OUTPUT:
            eventlog.make_room(path)
            eventlog.append(path, encode(event))

    return write


def log_to_stderr() -> None:
    """Descriptor 2 is the supervisor's log file already."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )


def _be_the_only_one(project: spawn.Project) -> int:
    """Wait until the last supervisor is really gone: two would tear the logs apart.

    A POSIX record lock: children that we fork do not inherit it, exec and death release it.
    """
    path = project.layout.supervisor_lock(project.name)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _LOG.warning("waiting for another supervisor to be gone")
        fcntl.lockf(fd, fcntl.LOCK_EX)
    return fd


class _Reaper:
    """Whether the process that is to collect our containers lives."""

    def __init__(self) -> None:
        self.is_dead = False
        self.open_files = open_files_of_parent().soft

    def died(self) -> None:
        self.is_dead = True


def _watch_reaper(loop: Loop) -> _Reaper:
    reaper = _Reaper()
    parent = os.getppid()
    try:
        pidfd = os.pidfd_open(parent)
    except ProcessLookupError:
        reaper.died()
        return reaper
    if os.getppid() != parent:
        reaper.died()
        return reaper

    def died() -> None:
        loop.remove_reader(pidfd)
        reaper.died()

    loop.add_reader(pidfd, died)
    return reaper


def _claim(project: spawn.Project) -> socket.socket | None:
    """Our listening socket; None when another supervisor has been started meanwhile."""
    path = project.layout.socket(project.name)
    with spawn.spawn_lock(project.layout, project.name) as lock_fd:
        other = Channel.connect(path)
        if other is not None:
            other.close()
            return None
        spawn.write_identity(lock_fd)
        return listen(path)


def _note_identity(project: spawn.Project) -> None:
    """For who looks; the one who forked us may hold the lock on our behalf, so take none."""
    fd = os.open(project.layout.supervisor_pid(project.name), os.O_WRONLY | os.O_CLOEXEC)
    try:
        spawn.write_identity(fd)
    finally:
        os.close(fd)


def _serve(project: spawn.Project, birth: spawn.Birth, server: Server, reaper: _Reaper) -> None:
    is_fork = birth.listener is not None and birth.forked
    while True:
        idle_since_s = time.monotonic()
        while server.is_needed() and not server.asked_to_end and not reaper.is_dead:
            timeout_s = None
            if server.has_clients:
                idle_since_s = time.monotonic()
            elif is_fork:
                timeout_s = idle_since_s + _SLIM_AFTER_S - time.monotonic()
                if timeout_s <= 0:
                    if server.is_quiet():
                        spawn.exec_supervisor(project, birth.lot, server.listener)
                    timeout_s = None  # the event that makes it quiet is yet to come
            server.loop.run_once(timeout_s)
        if reaper.is_dead and server.is_needed():
            _LOG.warning("the reaper has died: becoming one")
            set_open_files(reaper.open_files)
            spawn.become_reaper(project, birth.lot)
        if server.asked_to_end or _has_ended(project, server):
            return


def _has_ended(project: spawn.Project, server: Server) -> bool:
    """End, unless somebody is just connecting; the files that say we are there are removed."""
    lock_fd = spawn.try_spawn_lock(project.layout, project.name)
    if lock_fd is None:
        server.loop.run_once(0.02)
        return False
    try:
        server.accept_waiting()
        if server.is_needed():
            return False
        server.close()
        for path in (project.layout.socket(project.name), project.layout.exits(project.name)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        server.core.drivers.cgroups.remove_project(project.name)
        if not server.core.containers:
            _tidy(project)
        return True
    finally:
        os.close(lock_fd)


def _tidy(project: spawn.Project) -> None:
    """The project has no containers: remove our log, and the directories if they are empty."""
    layout = project.layout
    with contextlib.suppress(FileNotFoundError):
        os.unlink(layout.supervisor_log(project.name))
    for path in (
        layout.containers(project.name),
        layout.project(project.name),
        os.path.dirname(layout.container_run(project.name, "x")),
    ):
        with contextlib.suppress(OSError):
            os.rmdir(path)
