"""A container's first process, from its fork to its execve: ordered steps, each with its name.

Runs after fork in a copy of the supervisor: no logging, no locks, no imports. Whatever fails ends
as one frame on the sync channel. Until the pivot "/" is the host's root, then the container's.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import stat
from enum import Enum
from typing import TYPE_CHECKING

from orchestra.linux import constants as c
from orchestra.linux.keyring import leave_session_keyring
from orchestra.linux.loopback import raise_loopback
from orchestra.linux.mount import make_read_only, mount, pivot_root, umount
from orchestra.linux.namespaces import (
    open_namespace,
    setdomainname,
    sethostname,
    setns,
    unshare,
)
from orchestra.linux.safe_open import Create, safe_open
from orchestra.linux.signals import reset_dispositions
from orchestra.linux.tty import open_pty, set_controlling, set_window_size
from orchestra.named import NamedTuple
from orchestra.runtime.channel import NETWORK, READY, TERMINAL, send, send_failure
from orchestra.runtime.failure import BEFORE_EXEC, Failure, StepFailed, failure_of
from orchestra.runtime.init import run_init
from orchestra.runtime.process import (
    Execution,
    become,
    enter_directory,
    environment,
    execute,
    look_up_user,
    set_limits,
    set_oom_score,
    shield_memory,
)
from orchestra.runtime.users import User

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import NoReturn

    from orchestra.cgroup.base import CgroupScope
    from orchestra.linux.tty import WindowSize
    from orchestra.runtime.base import NetworkSetup
    from orchestra.runtime.mountops import MountOp, RootDirectory


OWN_CGROUP_NAMESPACE = 0
HOST_CGROUP_NAMESPACE = -1


class FirstProcess(Enum):
    """What runs as the container's first process."""

    COMMAND = "command"
    INIT = "init"  # ours, and the command below it


class ChildPlan(NamedTuple):
    """Everything the child needs, decided before the fork."""

    root: RootDirectory
    cgroup: CgroupScope
    cgroup_namespace: int  # a pid whose namespace is joined, or one of the two above
    operations: tuple[MountOp, ...]
    execution: Execution
    network: NetworkSetup | None
    raise_loopback: bool  # a new network namespace that nobody else configures
    hostname: str  # "" leaves the UTS namespace alone
    domainname: str
    sysctls: tuple[tuple[str, str], ...]
    read_only_root: bool
    stdin: int
    stdout: str
    stderr: str
    tty: bool
    window: WindowSize | None  # the terminal's first size
    first: FirstProcess


class ContainerChild:
    """The steps, and what they leave for each other."""

    def __init__(self, plan: ChildPlan, channel: socket.socket) -> None:
        self._plan = plan
        self._channel = channel
        self._step = "set up the container"
        self._stdio: tuple[int, int, int] = (-1, -1, -1)
        self._user = User(0, 0, (0,), "")

    def run(self) -> NoReturn:
        """Never returns: executes the command, or reports why not and exits."""
        try:
            gc.disable()
            self._prepare()
            self._start()
        except Exception as exc:  # noqa: BLE001 (the root of a forked process)
            failure = failure_of(exc, self._step)
            with contextlib.suppress(OSError):
                send_failure(self._channel, failure)
            os._exit(failure.exit_code)

    def _prepare(self) -> None:
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("start a session", self._start_session),
            ("enter the cgroup", self._enter_cgroup),
            ("configure the network", self._configure_network),
            ("set sysctls", self._set_sysctls),
            ("set the host name", self._set_names),
            ("take the mounts for itself", self._make_private),
            ("build the root", self._build_root),
            ("open standard input and output", self._open_stdio),
            ("set oom_score_adj", self._set_oom_score),
            ("change the root", self._pivot),
            ("find the user", self._find_user),
            ("create the working directory", self._make_directory),
            ("make the root read-only", self._protect_root),
            ("set resource limits", self._set_limits),
            ("connect standard input and output", self._connect_stdio),
        )
        for step, action in steps:
            self._step = step
            action()

    # -- while "/" is the host's --------------------------------------------------------------
    def _start_session(self) -> None:
        shield_memory()
        reset_dispositions()
        os.umask(0o022)
        os.setsid()
        leave_session_keyring()

    def _enter_cgroup(self) -> None:
        """Only this process: with a limit of one process there is no room for its parent."""
        self._plan.cgroup.enter()
        other = self._plan.cgroup_namespace
        if other == OWN_CGROUP_NAMESPACE:
            unshare(c.CLONE_NEWCGROUP)
        elif other != HOST_CGROUP_NAMESPACE:
            with open_namespace(other, "cgroup") as namespace:
                setns(namespace.fileno(), c.CLONE_NEWCGROUP)

    def _configure_network(self) -> None:
        if self._plan.network is not None:
            send(self._channel, NETWORK, fds=self._plan.network.configure())
        elif self._plan.raise_loopback:
            raise_loopback()

    def _set_sysctls(self) -> None:
        for name, value in self._plan.sysctls:
            self._step = f"set the sysctl {name}"
            fd = os.open("/proc/sys/" + sysctl_path(name), os.O_WRONLY | os.O_CLOEXEC)
            os.write(fd, value.encode())
            os.close(fd)

    def _set_names(self) -> None:
        if self._plan.hostname:
            sethostname(self._plan.hostname)
        if self._plan.domainname:
            setdomainname(self._plan.domainname)

    def _make_private(self) -> None:
        # Here and not before the fork: pivot_root(2) moves the root of every process in the mount
        # namespace, and the process in the middle still has to read the host's /proc.
        unshare(c.CLONE_NEWNS)
        mount(None, "/", None, c.MS_REC | c.MS_PRIVATE)

    def _build_root(self) -> None:
        for operation in self._plan.operations:
            try:
                operation.apply(self._plan.root)
            except OSError:
                self._step = operation.describe()
                raise

    def _open_stdio(self) -> None:
        plan = self._plan
        if plan.tty:
            self._open_terminal()
            return
        # Read-write, so that a FIFO always has a reader: no writer ever gets SIGPIPE or blocks in
        # open(2) because the supervisor is away.
        stdin = (
            plan.stdin if plan.stdin >= 0 else os.open(plan.root.null, os.O_RDONLY | os.O_CLOEXEC)
        )
        stdout, stderr = (
            os.open(path, os.O_RDWR | os.O_CLOEXEC) for path in (plan.stdout, plan.stderr)
        )
        self._stdio = (stdin, stdout, stderr)

    def _open_terminal(self) -> None:
        root = self._plan.root.fd
        with safe_open(root, "/dev/pts") as directory:
            master, slave = open_pty(directory.fileno())
        if self._plan.window is not None:
            set_window_size(master.fileno(), self._plan.window)
        with safe_open(root, "/dev/console", create=Create.FILE) as console:
            mount(slave.path, console.path, None, c.MS_BIND)
        send(self._channel, TERMINAL, fds=(master.fileno(),))
        master.close()
        terminal = slave.detach()
        self._stdio = (terminal, terminal, terminal)

    def _set_oom_score(self) -> None:
        if self._plan.execution.oom_score_adj is not None:
            set_oom_score(self._plan.execution.oom_score_adj)

    def _pivot(self) -> None:
        os.fchdir(os.open(f"/proc/self/fd/{self._plan.root.fd}", os.O_PATH | os.O_CLOEXEC))
        pivot_root(".", ".")
        umount(".", c.MNT_DETACH)
        os.chdir("/")

    # -- while "/" is the container's ---------------------------------------------------------
    def _find_user(self) -> None:
        self._user = look_up_user(self._plan.execution.user, self._plan.execution.groups)

    def _make_directory(self) -> None:
        path = self._plan.execution.cwd
        try:
            os.makedirs(path, 0o755, exist_ok=True)
        except FileExistsError as exc:
            text = f"{path} in the image is not a directory"
            fix = "set working_dir to a directory"
            raise StepFailed(
                Failure(BEFORE_EXEC, self._step, errno.ENOTDIR, path, text, fix)
            ) from exc
        except OSError as exc:
            if exc.errno != errno.EROFS:  # then entering it says what is wrong
                raise

    def _protect_root(self) -> None:
        if self._plan.read_only_root:
            for layer in self._plan.root.layers:
                make_read_only(f"/proc/self/fd/{layer}", recursive=False)

    def _set_limits(self) -> None:
        set_limits(self._plan.execution.limits)

    def _connect_stdio(self) -> None:
        for number, fd in enumerate(self._stdio):
            if not stat.S_ISREG(os.fstat(fd).st_mode) and not _is_null(fd):
                with contextlib.suppress(OSError):  # so that the user may reopen /dev/stdout
                    os.fchown(fd, self._user.uid, -1)
            os.dup2(fd, number)
        if self._plan.tty:
            set_controlling(0)

    def _start(self) -> NoReturn:
        execution = self._plan.execution
        env = environment(execution, self._user)
        self._step = "tell that it is ready"
        send(self._channel, READY)
        self._step = f"enter the working directory {execution.cwd}"
        enter_directory(execution.cwd)
        self._step = "take on user and capabilities"
        become(execution, self._user)
        self._step = f'execute "{execution.argv[0]}"'
        if self._plan.first is FirstProcess.INIT:
            run_init(self._channel)
        execute(execution.argv, env)


def sysctl_path(name: str) -> str:
    """The path below /proc/sys of "net.ipv4.ip_forward" or "net/ipv4/conf/eth0.1/…"."""
    first = next((char for char in name if char in "./"), ".")
    path = name if first == "/" else name.translate(str.maketrans("./", "/."))
    if ".." in path.split("/"):
        raise StepFailed(
            Failure(BEFORE_EXEC, f"set the sysctl {name}", 0, "", "its name leaves /proc/sys")
        )
    return path


def _is_null(fd: int) -> bool:
    return os.fstat(fd).st_rdev == os.makedev(1, 3)
