"""Starts the processes of a project: reaper, supervisor, and the reaper anew when it was killed.

The first supervisor is a fork of the caller (which has everything loaded); the reaper becomes a
small program of its own at once. Who wants a supervisor holds the project's spawn lock while it
looks for one and forks one, and a supervisor holds it while it decides to end: so there is never
a second one, and nobody talks to one that is leaving.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from orchestra.errors import EngineUnavailable, PermissionDenied
from orchestra.linux.caps import NUMBERS, capget
from orchestra.linux.prctl import set_child_subreaper
from orchestra.linux.procfs import boot_id, is_running, start_ticks
from orchestra.named import NamedTuple
from orchestra.supervisor.light import Channel
from orchestra.supervisor.parking import ParkingLot
from orchestra.supervisor.reaper import START_NOW, hold_signals, let_signals_through
from orchestra.supervisor.sockets import listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    from orchestra.layout import Layout
    from orchestra.supervisor.seed import Seed

RESPAWN_WAIT_S = 3.0
"""How long a living reaper is given to start its next supervisor before we fork one."""

_RETRY_S = 0.01
_NEEDED = 1 << NUMBERS["SYS_ADMIN"] | 1 << NUMBERS["NET_ADMIN"]


class Birth(NamedTuple):
    """What a new supervisor is given."""

    lot: ParkingLot
    listener: socket.socket | None  # None: make your own
    forked: bool = False  # from a command, with all that it had loaded


class Project(NamedTuple):
    """Which project, and how its supervisor is run.

    *serve* runs the supervisor in a fork and returns when it may end; *resume* is the command of a
    fresh interpreter that does the same: to it, the descriptors of the parking lot and of the
    listening socket (-1: make your own) are appended. *seed*, if there is one, is used in place of
    a fork of the caller.
    """

    layout: Layout
    name: str
    serve: Callable[[Birth], None]
    resume: tuple[str, ...]
    seed: Seed | None = None


@contextlib.contextmanager
def spawn_lock(layout: Layout, project: str) -> Iterator[int]:
    """The exclusive right to start or end the project's supervisor; held for milliseconds."""
    for path in (layout.run_root, layout.run(project)):
        os.makedirs(path, mode=0o700, exist_ok=True)
    fd = os.open(layout.supervisor_pid(project), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        _forget_other_boot(layout, project, fd)
        yield fd
    finally:
        os.close(fd)


def _forget_other_boot(layout: Layout, project: str, lock_fd: int) -> None:
    """Clear what names processes of before a reboot, if the run root has outlived it."""
    path, boot = layout.boot(project), boot_id()
    before = ""
    with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as file:
        before = file.read()
    if before == boot:
        return
    if before:  # "": the directory is new
        os.ftruncate(lock_fd, 0)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(layout.exits(project))
    with open(path, "w", encoding="ascii") as file:
        file.write(boot)


def try_spawn_lock(layout: Layout, project: str) -> int | None:
    """The lock's fd, or None when somebody else holds it."""
    fd = os.open(layout.supervisor_pid(project), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def write_identity(lock_fd: int) -> None:
    """Note this supervisor and its reaper: "PID STARTTIME" on a line each."""
    lines = b"".join(b"%d %d\n" % (pid, start_ticks(pid)) for pid in (os.getpid(), os.getppid()))
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, lines, 0)


def _living_reaper(lock_fd: int) -> int:
    """Its pid, or 0."""
    lines = os.pread(lock_fd, 200, 0).splitlines()
    fields = lines[1].split() if len(lines) > 1 else []
    lives = len(fields) == 2 and is_running(int(fields[0]), int(fields[1]))
    return int(fields[0]) if lives else 0


def connect(project: Project) -> Channel:
    """A connection to the project's supervisor, which is started if there is none.

    Raises EngineUnavailable.
    """
    deadline_s = time.monotonic() + RESPAWN_WAIT_S
    path = project.layout.socket(project.name)
    has_asked = False
    while True:
        with spawn_lock(project.layout, project.name) as lock_fd:
            channel = Channel.connect(path)
            if channel is not None:
                return channel
            reaper = _living_reaper(lock_fd)
            if reaper and not has_asked:
                has_asked = True
                os.kill(reaper, START_NOW)
            elif not reaper or time.monotonic() > deadline_s:
                _start(project, lock_fd)
                channel = Channel.connect(path)
                if channel is None:
                    raise EngineUnavailable(
                        f"the supervisor of project {project.name} ended while it started",
                        fix=f"see {project.layout.supervisor_log(project.name)}",
                    )
                return channel
        time.sleep(_RETRY_S)  # the reaper is starting one, which needs the lock


def _start(project: Project, lock_fd: int) -> None:
    """Make reaper and supervisor; the socket listens when this returns.

    Raises PermissionDenied before anything is made, for whoever could not make a container.
    """
    if capget().effective & _NEEDED != _NEEDED:
        raise PermissionDenied(
            "orchestra makes namespaces, mounts and network links, and may not do so here",
            fix="run it as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN",
        )
    for path in (
        project.layout.data_root,
        project.layout.run_root,
        project.layout.containers(project.name),
    ):
        os.makedirs(path, mode=0o700, exist_ok=True)
    listener = listen(project.layout.socket(project.name))
    birth = Birth(ParkingLot.new(), listener, forked=True)
    if project.seed is None or not project.seed.grow(project.name, birth, listener):
        _fork(project, birth, lock_fd)
    listener.close()
    birth.lot.close()


def _fork(project: Project, birth: Birth, lock_fd: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if os.fork() == 0:
        try:
            os.close(lock_fd)
            become_reaper_and_supervisor(project, birth)
        finally:
            os._exit(1)


def become_reaper_and_supervisor(project: Project, birth: Birth) -> NoReturn:
    """Leave the command's session, fork the supervisor and become the reaper."""
    os.setsid()
    set_child_subreaper(on=True)
    _detach(project.layout.supervisor_log(project.name))
    hold_signals()
    supervisor = os.fork()
    if supervisor:
        exec_reaper(project, birth.lot, supervisor)
    let_signals_through()
    gc.freeze()  # what is loaded stays: looking through it would copy the pages of all of it
    try:
        project.serve(birth)
    except BaseException:  # noqa: BLE001 (the root of a process; the reaper starts a new one)
        report_crash()
        os._exit(1)
    os._exit(0)


def report_crash() -> None:
    """Print the traceback of what is being handled to the supervisor's log."""
    import traceback

    with contextlib.suppress(OSError):  # a full disk
        traceback.print_exc()
        sys.stderr.flush()


def exec_reaper(project: Project, lot: ParkingLot, supervisor: int) -> NoReturn:
    """Turn this process into the project's reaper. Raises OSError."""
    argv = [
        *interpreter("orchestra.supervisor.reaper", "main"),
        project.layout.exits(project.name),
        str(supervisor),
        *project.resume,
        *_inheritable(lot.filenos()),
        "-1",
    ]
    _exec(argv)


def become_reaper(project: Project, lot: ParkingLot) -> NoReturn:
    """For a supervisor whose reaper was killed: be the reaper, start the next supervisor.

    What this one knew is in the files, and what it held open is parked. Raises OSError.
    """
    set_child_subreaper(on=True)
    hold_signals()
    exec_reaper(project, lot, 0)


def exec_supervisor(project: Project, lot: ParkingLot, listener: socket.socket) -> NoReturn:
    """Go on as a fresh supervisor: what the command that forked us had loaded is given back."""
    fds = (*lot.filenos(), listener.fileno())
    _exec([*project.resume, *_inheritable(fds)])


def _inheritable(fds: tuple[int, ...]) -> tuple[str, ...]:
    for fd in fds:
        os.set_inheritable(fd, True)  # noqa: FBT003 (positional only)
    return tuple(str(fd) for fd in fds)


def _exec(argv: list[str]) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.execv(argv[0], argv)  # noqa: S606


def interpreter(module: str, function: str) -> tuple[str, ...]:
    """The command of a fresh isolated interpreter that calls *function* with its arguments.

    It has our sys.path, so it needs neither site nor the environment.
    """
    text = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from {module} import {function}; {function}(sys.argv[1:])"
    )
    return (sys.executable, "-SIE", "-c", text)


def _detach(log_path: str) -> None:
    """Leave the caller's terminal, directory and descriptors 0 to 2."""
    os.chdir("/")
    os.umask(0o022)
    null = os.open("/dev/null", os.O_RDWR)
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(log, 2)
    for fd in (null, log):
        if fd > 2:
            os.close(fd)
