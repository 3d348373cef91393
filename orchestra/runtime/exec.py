"""Running one more command in a running container, from any process: one fork, no daemon.

The caller's own pid namespace for children is switched around the fork, so that the new process is
a child of the caller, who waits for it, and yet has a pid in the container. The child then enters
the cgroups and all other namespaces, becomes the user and executes.

Free of the model: it needs what `spec.json` says as plain JSON, since `orchestra exec` cannot
afford the imports. The caller must have no threads.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import signal
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from orchestra.errors import NotFound
from orchestra.linux.caps import capget
from orchestra.linux.fds import close_all_but
from orchestra.linux.keyring import leave_session_keyring
from orchestra.linux.limits import differing_limits
from orchestra.linux.namespaces import NAMESPACE_FLAGS, open_namespace, setns
from orchestra.linux.procfs import is_running
from orchestra.linux.signals import reset_dispositions
from orchestra.linux.tty import open_pty, set_controlling
from orchestra.named import NamedTuple
from orchestra.runtime import channel as sync
from orchestra.runtime.capabilities import capability_set
from orchestra.runtime.failure import (
    BEFORE_EXEC,
    NOT_EXECUTABLE,
    decode,
    encode,
    failure_of,
    launch_failed,
)
from orchestra.runtime.options import has_no_new_privs, seccomp_installer
from orchestra.runtime.process import (
    SIGNALS,
    Execution,
    Limit,
    become,
    enter_directory,
    environment,
    execute,
    look_up_user,
    set_limits,
    shield_memory,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from typing import NoReturn

_KINDS = tuple(kind for kind in NAMESPACE_FLAGS if kind not in ("user", "pid"))


class Joinable(Protocol):
    """What a CgroupScope is, and `join_cgroups.CgroupsOf`: `fork` may already be inside."""

    def fork(self) -> int: ...

    def enter(self) -> None: ...


class ExecTarget(NamedTuple):
    """A running container: its first process, and the cgroup to join."""

    name: str  # for messages
    pid: int
    start_ticks: int
    cgroup: Joinable


class ExecRequest(NamedTuple):
    """A command; "" and () mean: as the container's own. Descriptors stay the caller's.

    *stdin*, *stdout* and *stderr* must be pipes (or /dev/null; -1 is the container's /dev/null):
    a container could open anything else again through /proc/self/fd, and write to a file of the
    host that it got for reading. All three are ignored with *tty*.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    cwd: str = ""
    privileged: bool = False
    tty: bool = False
    stdin: int = -1
    stdout: int = -1
    stderr: int = -1


class ExecStarted(NamedTuple):
    """A child of the caller, who reaps it and owns both descriptors."""

    pid: int
    pidfd: int
    terminal: int  # master side, or -1


def execution_for(
    spec: Mapping[str, Any], request: ExecRequest, seccomp: bytes | None
) -> Execution:
    """What to execute for *request* in the container whose `spec.json` holds *spec*."""
    process, security = spec.get("process", {}), spec.get("security", {})
    privileged = request.privileged or security.get("privileged", False)
    own_name = not spec.get("namespaces", {}).get("uts")
    hostname = spec.get("hostname") or spec.get("id", "")[:12]
    env = {"HOSTNAME": hostname if own_name else os.uname().nodename}
    if request.tty:
        env["TERM"] = "xterm"
    env.update((name, value) for name, value in process.get("env", ()))
    env.update(request.env)
    return Execution(
        argv=request.argv,
        env=tuple(env.items()),
        cwd=request.cwd or process.get("cwd") or "/",
        user=request.user or process.get("user", ""),
        groups=tuple(process.get("groups", ())),
        capabilities=capability_set(
            tuple(security.get("cap_add", ())),
            tuple(security.get("cap_drop", ())),
            privileged=privileged,
            available=capget().permitted,
        ),
        no_new_privs=has_no_new_privs(tuple(security.get("options", ()))),
        install_seccomp=seccomp_installer(None if privileged else seccomp),
    )


def spawn_exec(target: ExecTarget, execution: Execution, request: ExecRequest) -> ExecStarted:
    """Start it and return at once (with *tty*: as soon as the terminal exists).

    What goes wrong afterwards the child says on its stderr, and exits with 126 or 127, as
    `docker exec`. Raises NotFound when the container does not run.
    """
    for fd in (request.stdin, request.stdout, request.stderr):
        _check_descriptor(fd)
    with ExitStack() as undo:
        spaces = {
            kind: undo.enter_context(space).fileno() for kind, space in _open_spaces(target).items()
        }
        ours, theirs = sync.open_channel()
        undo.callback(ours.close)
        undo.callback(theirs.close)
        pid_namespace = spaces.pop("pid")
        child = _ExecChild(target, execution, request, spaces, theirs)
        pid = _fork_into(pid_namespace, child, target)
        pidfd = os.pidfd_open(pid)
        theirs.close()
        return ExecStarted(pid, pidfd, _receive_terminal(ours, target) if request.tty else -1)


def _open_spaces(target: ExecTarget) -> dict[str, Any]:
    """The namespaces of *target*, checked afterwards to be those of the process that was meant."""
    try:
        spaces = {kind: open_namespace(target.pid, kind) for kind in ("pid", *_KINDS)}
    except (FileNotFoundError, ProcessLookupError):
        spaces = {}
    if not spaces or not is_running(target.pid, target.start_ticks):
        for space in spaces.values():
            space.close()
        raise _not_running(target)
    return spaces


def _not_running(target: ExecTarget) -> NotFound:
    return NotFound(
        f"container {target.name} is not running",
        fix="start it first; `orchestra ps -a` shows why it ended",
    )


def _fork_into(pid_namespace: int, child: _ExecChild, target: ExecTarget) -> int:
    """fork(2) with the child in *pid_namespace*; later children of the caller are not."""
    flag = NAMESPACE_FLAGS["pid"]
    with open_namespace(os.getpid(), "pid") as own:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            setns(pid_namespace, flag)
            try:
                pid = target.cgroup.fork()
                if pid == 0:
                    child.run()
            finally:
                setns(own.fileno(), flag)
        except MemoryError as exc:  # what fork says when the namespace's PID 1 has gone
            raise _not_running(target) from exc
        except OSError as exc:
            if not is_running(target.pid, target.start_ticks):
                raise _not_running(target) from exc
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _receive_terminal(channel: socket.socket, target: ExecTarget) -> int:
    kind, text, fds = sync.receive(channel, wait=True)
    if kind == sync.FAILED:
        raise launch_failed(target.name, decode(text))
    return fds[0] if fds else -1


class _ExecChild:
    """The child's side."""

    def __init__(
        self,
        target: ExecTarget,
        execution: Execution,
        request: ExecRequest,
        spaces: dict[str, int],
        channel: socket.socket,
    ) -> None:
        self._target = target
        self._execution = execution
        self._request = request
        self._spaces = spaces
        self._channel = channel
        self._step = "enter the container"
        self._stderr = request.stderr
        self._terminal_sent = not request.tty
        self._limits = tuple(Limit(*limit) for limit in differing_limits(target.pid))

    def run(self) -> NoReturn:
        try:
            gc.disable()
            self._drop_descriptors()
            self._enter()
            self._connect()
            self._execute()
        except Exception as exc:  # noqa: BLE001 (the root of a forked process)
            self._report(exc)

    def _drop_descriptors(self) -> None:
        """Close the caller's others: in a frozen cgroup this process stands still until a thaw.

        A supervisor's listening socket that lived on here would take clients in, unanswered.
        """
        streams = (self._request.stdin, self._request.stdout, self._request.stderr)
        close_all_but((*streams, self._channel.fileno(), *self._spaces.values()))

    def _enter(self) -> None:
        shield_memory()
        reset_dispositions()
        os.umask(0o022)
        os.setsid()
        leave_session_keyring()
        self._step = "enter the container's cgroup"
        self._target.cgroup.enter()
        for kind, fd in self._spaces.items():
            self._step = f"enter the container's {kind} namespace"
            setns(fd, NAMESPACE_FLAGS[kind])
        os.chdir("/")

    def _connect(self) -> None:
        self._step = "connect standard input and output"
        request = self._request
        if request.tty:
            directory = os.open("/dev/pts", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            master, slave = open_pty(directory)
            sync.send(self._channel, sync.TERMINAL, fds=(master.fileno(),))
            self._terminal_sent = True
            terminal = slave.fileno()
            fds = (terminal, terminal, terminal)
        else:
            fds = (request.stdin, request.stdout, request.stderr)
        for number, fd in enumerate(_above_stdio(fds)):
            os.dup2(fd, number)
        self._stderr = 2
        if request.tty:
            set_controlling(0)

    def _execute(self) -> NoReturn:
        execution = self._execution
        self._step = "find the user"
        user = look_up_user(execution.user, execution.groups)
        if user.uid:
            for number in (0, 1, 2):
                with contextlib.suppress(OSError):  # so that the user may reopen /dev/stdout
                    if not _is_null(number):
                        os.fchown(number, user.uid, -1)
        env = environment(execution, user)
        self._step = "set resource limits"
        set_limits(self._limits)
        enter_directory(execution.cwd)
        self._step = "take on user and capabilities"
        become(execution, user)
        self._step = f'execute "{execution.argv[0]}"'
        execute(execution.argv, env)

    def _report(self, exc: Exception) -> NoReturn:
        failure = failure_of(exc, self._step)
        if failure.exit_code == BEFORE_EXEC:  # as docker exec, which knows only two codes
            failure = failure._replace(exit_code=NOT_EXECUTABLE)
        with contextlib.suppress(OSError):
            if self._terminal_sent:
                text = f"{launch_failed(self._target.name, failure)}\n"
                os.write(self._stderr, text.encode(errors="replace"))
            else:
                sync.send(self._channel, sync.FAILED, encode(failure))
        os._exit(failure.exit_code)


def _above_stdio(fds: tuple[int, int, int]) -> list[int]:
    """Copies of *fds* above 2, so that dup2 cannot overwrite one that is still needed."""
    copies = []
    for fd in fds:
        if fd < 0:
            fd = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        copies.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3))
    return copies


def _check_descriptor(fd: int) -> None:
    if fd >= 0 and not stat.S_ISFIFO(os.fstat(fd).st_mode) and not _is_null(fd):
        raise ValueError(f"descriptor {fd} for a container is neither a pipe nor /dev/null")


def _is_null(fd: int) -> bool:
    info = os.fstat(fd)
    return stat.S_ISCHR(info.st_mode) and info.st_rdev == os.makedev(1, 3)
