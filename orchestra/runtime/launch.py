"""Launching a container: the caller's side, and what comes before the steps of `child`.

C, the container's PID 1, must be a child of the project's reaper, which outlives the supervisor. A
supervisor is a child of the reaper itself and clones C as its sibling, who makes the other
namespaces on its own; a build, which waits for C itself, clones it as its child. Where C cannot be
cloned so (its pid namespace is one that exists, the kernel has no clone3) the caller forks M: M
enters or makes the namespaces, forks C, says C's pid and exits; so C is an orphan at once, whose
parent is the nearest subreaper above the caller, or the caller if it is one.

The pidfd of C comes from the clone, or from M, its parent: until M exits the pid cannot come to
mean another process.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from typing import TYPE_CHECKING

from orchestra.errors import LaunchFailed
from orchestra.linux.caps import capget
from orchestra.linux.constants import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
)
from orchestra.linux.fds import Fd, close_all_but
from orchestra.linux.limits import open_files_of_parent
from orchestra.linux.mount import clone_tree
from orchestra.linux.namespaces import NAMESPACE_FLAGS, open_namespace, setns, unshare
from orchestra.linux.pidfd import has_exited
from orchestra.linux.procfs import start_ticks
from orchestra.linux.tty import WindowSize
from orchestra.model.container import NetworkMode
from orchestra.named import NamedTuple
from orchestra.runtime import channel as sync
from orchestra.runtime.base import Launched
from orchestra.runtime.capabilities import capability_set
from orchestra.runtime.child import (
    HOST_CGROUP_NAMESPACE,
    OWN_CGROUP_NAMESPACE,
    ChildPlan,
    ContainerChild,
    FirstProcess,
)
from orchestra.runtime.failure import (
    BEFORE_EXEC,
    Failure,
    StepFailed,
    decode,
    failure_of,
    launch_failed,
)
from orchestra.runtime.mountops import RootDirectory
from orchestra.runtime.options import has_no_new_privs, refusal, seccomp_installer
from orchestra.runtime.plan_rootfs import (
    SHM,
    HostTraits,
    observe_host,
    root_operations,
    shared_trees,
)
from orchestra.runtime.process import SIGNALS, Execution, Limit, shield_memory
from orchestra.runtime.volume_filesystem import detached, leave_host_mounts

if TYPE_CHECKING:
    import socket
    from typing import NoReturn

    from orchestra.linux.clone import Kin
    from orchestra.model.container import ContainerSpec
    from orchestra.runtime.base import Launch
    from orchestra.runtime.mountops import MountOp

_NETWORK_SYSCTLS = (
    ("net.ipv4.ping_group_range", "0 2147483647"),
    ("net.ipv4.ip_unprivileged_port_start", "0"),
)
_DYING_S = 5.0  # how long a child that has reported its failure may take to be gone


class Launcher:
    """Launches containers on this host, whose traits it reads once.

    *kin*: what the container's first process shall be to the caller; the parent of siblings must be
    a subreaper. None: a child of the nearest subreaper.
    """

    def __init__(self, host: HostTraits | None = None, *, kin: Kin | None = None) -> None:
        self._host = host or observe_host()
        self._kin = kin

    def begin(self, plan: Launch, seccomp: bytes | None) -> Launching:
        """Fork; the rest goes on beside the caller. *seccomp* is a BPF program or None.

        Raises LaunchFailed or ConfigError for what is wrong before any fork.
        """
        prepared = _prepare(plan, seccomp, self._host)
        ours, theirs = sync.open_channel()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = pidfd = -1
        try:
            if self._kin is not None and prepared.unshared & CLONE_NEWPID:
                pid, pidfd = _fork_first(plan, self._kin)
            middle = os.fork() if pid < 0 else -1
            if 0 in (pid, middle):
                ours.close()
                entrance = _Entrance(plan, prepared, theirs)
                if pid == 0:
                    entrance.go_on_as_first()
                entrance.go_on_as_middle()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        return Launching(plan.spec.name, plan.spec.process.argv, ours, middle, (pid, pidfd))

    def launch(self, plan: Launch, seccomp: bytes | None) -> Launched:
        """The container, its command executed. Raises LaunchFailed."""
        return self.begin(plan, seccomp).finish()


def launch(plan: Launch, seccomp: bytes | None) -> Launched:
    """As Launcher.launch, looking at the host anew."""
    return Launcher().launch(plan, seccomp)


class Launching:
    """A launch under way. Readable (`fileno`) whenever `advance` has something to do."""

    def __init__(
        self,
        container: str,
        argv: tuple[str, ...],
        channel: socket.socket,
        middle: int,
        first: tuple[int, int],
    ) -> None:
        """*middle* is M's pid, *first* C's with a pidfd; what there is not (yet) is -1."""
        self._container = container
        self._argv = argv
        self._channel = channel
        self._middle = middle
        self._pid, self._pidfd = first
        self._ticks = self._terminal = -1
        self._network_fds: tuple[int, ...] = ()
        self._ready = False
        self._failure: Failure | None = None

    def fileno(self) -> int:
        return self._channel.fileno()

    def advance(self) -> bool:
        """Take in what has been reported, without waiting. True when `finish` will not wait."""
        try:
            while self._take(wait=False):
                pass
        except BlockingIOError:
            return False
        return True

    def finish(self) -> Launched:
        """Wait for the execve. Raises LaunchFailed; then nothing of the launch is left."""
        while self._take(wait=True):
            pass
        self._channel.close()
        if self._middle > 0:
            os.waitpid(self._middle, 0)
        if self._failure is None and self._ready and self._pid > 0:
            return Launched(
                self._pid,
                self._ticks,
                self._pidfd,
                self._network_fds,
                self._terminal,
                self._argv,
            )
        raise self._give_up()

    def _take(self, *, wait: bool) -> bool:
        """Take in one message; False at the end."""
        kind, text, fds = sync.receive(self._channel, wait=wait)
        if kind == sync.STARTED:
            self._pid, self._ticks = (int(word) for word in text.split())
            if fds:
                (self._pidfd,) = fds
        elif kind == sync.NETWORK:
            self._network_fds = fds
        elif kind == sync.TERMINAL:
            (self._terminal,) = fds
        elif kind == sync.READY:
            self._ready = True
        elif kind == sync.FAILED:
            self._failure = decode(text)
        return kind != b""

    def _give_up(self) -> LaunchFailed:
        sync.close_all(self._network_fds)
        if self._terminal >= 0:
            os.close(self._terminal)
        if self._pidfd >= 0:
            if not has_exited(self._pidfd, timeout_s=_DYING_S):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
        if self._failure is not None:
            return launch_failed(self._container, self._failure)
        return LaunchFailed(
            f"container {self._container}: it was killed while it was being set up",
            fix="look at the kernel's log (dmesg) for the OOM killer, and at the memory limit",
        )


class _Prepared(NamedTuple):
    child: ChildPlan
    shared: tuple[MountOp, ...]  # applied among the host's mounts
    joined: tuple[tuple[str, int], ...]
    unshared: int  # CLONE_* flags


def _fork_first(plan: Launch, kin: Kin) -> tuple[int, int]:
    """C's pid and a pidfd; (0, -1) in C, and (-1, -1) where this kernel cannot do it."""
    try:
        return plan.cgroup.fork_init(kin)
    except OSError:
        return -1, -1


class _Entrance:
    """Into the namespaces: as M, then one fork and gone; or as C, then the steps of `child`."""

    def __init__(self, plan: Launch, prepared: _Prepared, channel: socket.socket) -> None:
        self._plan = plan
        self._prepared = prepared
        self._channel = channel
        self._step = "fork"

    def go_on_as_middle(self) -> NoReturn:
        try:
            self._enter(self._prepared.unshared)
            self._fork()
        except Exception as exc:  # noqa: BLE001 (the root of a forked process)
            self._fail(exc)
        os._exit(0)

    def go_on_as_first(self) -> NoReturn:
        try:
            shield_memory()
            self._introduce(int(os.readlink("/proc/self")))  # as the host's /proc counts
            self._enter(self._prepared.unshared & ~CLONE_NEWPID)
        except Exception as exc:  # noqa: BLE001 (the root of a forked process)
            self._fail(exc)
        ContainerChild(self._prepared.child, self._channel).run()

    def _fail(self, exc: Exception) -> NoReturn:
        with contextlib.suppress(OSError):
            sync.send_failure(self._channel, failure_of(exc, self._step))
        os._exit(125)

    def _enter(self, unshared: int) -> None:
        gc.disable()
        # A listening socket or a lock of the supervisor must not live on here: filling a volume
        # may take long.
        close_all_but((self._channel.fileno(), self._plan.stdin))
        if self._plan.network is not None:
            self._step = "prepare the network"
            self._plan.network.open_host()
        self._keep_trees()
        joined = dict(self._prepared.joined)
        if "ipc" in joined:
            self._keep_shared_memory(joined["ipc"])
        for kind, pid in self._prepared.joined:
            self._step = f"join the {kind} namespace of process {pid}"
            with _namespace_of(pid, kind) as namespace:
                setns(namespace.fileno(), NAMESPACE_FLAGS[kind])
        self._step = "make namespaces"
        unshare(unshared)

    def _keep_trees(self) -> None:
        """Before the container's mount and network namespaces: what comes from the host's."""
        root = self._prepared.child.root
        for operation in self._prepared.shared:
            self._step = operation.describe()
            operation.apply(root)
        filesystems = [volume for volume in self._plan.volumes if volume.filesystem is not None]
        if filesystems:
            leave_host_mounts()
        for volume in filesystems:
            if volume.filesystem is not None:
                self._step = f"mount the file system of the volume on {volume.target}"
                tree = detached(volume.filesystem, root.mount_point)
                root.shared_trees[os.path.normpath(volume.target)] = tree.detach()

    def _keep_shared_memory(self, pid: int) -> None:
        """Take /dev/shm of the container whose IPC namespace is joined, from its mounts."""
        self._step = f"share /dev/shm of process {pid}"
        own = int(os.readlink("/proc/self"))  # C's os.getpid() is not what the host's /proc has
        with open_namespace(own, "mnt") as ours, open_namespace(pid, "mnt") as theirs:
            setns(theirs.fileno(), CLONE_NEWNS)
            try:
                tree = clone_tree(SHM, recursive=False)
            finally:
                setns(ours.fileno(), CLONE_NEWNS)
        self._prepared.child.root.shared_trees[SHM] = tree.detach()

    def _fork(self) -> None:
        self._step = "fork"
        pid = self._plan.cgroup.fork()
        if pid == 0:
            ContainerChild(self._prepared.child, self._channel).run()
        self._introduce(pid, os.pidfd_open(pid))

    def _introduce(self, pid: int, *pidfd: int) -> None:
        sync.send(self._channel, sync.STARTED, b"%d %d" % (pid, start_ticks(pid)), pidfd)


def _namespace_of(pid: int, kind: str) -> Fd:
    """The namespace of another container's process. Raises StepFailed when that has ended."""
    try:
        return open_namespace(pid, kind)
    except (FileNotFoundError, ProcessLookupError) as exc:
        step = f"join the {kind} namespace of another container"
        fix = "its command must go on as long as others share what it has; see its logs"
        failure = Failure(BEFORE_EXEC, step, text="that has just ended", fix=fix)
        raise StepFailed(failure) from exc


def _prepare(plan: Launch, seccomp: bytes | None, host: HostTraits) -> _Prepared:
    spec = plan.spec
    refused = refusal(
        spec.security.options, has_apparmor=host.has_apparmor, has_selinux=host.has_selinux
    )
    if refused:
        raise LaunchFailed(
            f"container {spec.name}: security_opt: {refused}",
            fix="known are no-new-privileges:true, seccomp=unconfined or a profile, "
            "systempaths=unconfined, apparmor=unconfined, label=disable",
        )
    own_network = spec.network_mode is NetworkMode.ENDPOINTS
    hostname = "" if spec.namespaces.uts else (spec.hostname or spec.id[:12])
    root = RootDirectory(os.path.join(plan.run_dir, "root"), os.path.join(plan.run_dir, "files"))
    child = ChildPlan(
        root=root,
        cgroup=plan.cgroup,
        cgroup_namespace=_cgroup_namespace(plan),
        operations=root_operations(plan, host),
        execution=_execution(spec, seccomp, hostname),
        network=plan.network,
        raise_loopback=own_network and plan.network is None,
        hostname=hostname,
        domainname="" if spec.namespaces.uts else spec.domainname,
        sysctls=_sysctls(spec, own_network=own_network),
        read_only_root=spec.security.read_only_root,
        stdin=plan.stdin,
        stdout=plan.stdout,
        stderr=plan.stderr,
        tty=spec.process.tty,
        window=_window(spec),
        first=_first_process(spec),
    )
    joins = dict(plan.join_pids)
    joined = tuple(
        (kind, joins[kind]) for kind in NAMESPACE_FLAGS if kind in joins and kind != "cgroup"
    )
    return _Prepared(child, shared_trees(spec), joined, _unshared(spec, own_network=own_network))


def _cgroup_namespace(plan: Launch) -> int:
    if plan.spec.namespaces.cgroup == "host":
        return HOST_CGROUP_NAMESPACE
    return dict(plan.join_pids).get("cgroup", OWN_CGROUP_NAMESPACE)


def _window(spec: ContainerSpec) -> WindowSize | None:
    rows, columns = spec.process.tty_rows, spec.process.tty_columns
    return WindowSize(rows, columns) if rows and columns else None


def _first_process(spec: ContainerSpec) -> FirstProcess:
    if spec.process.init and not spec.namespaces.pid:  # elsewhere there is an init already
        return FirstProcess.INIT
    return FirstProcess.COMMAND


def _unshared(spec: ContainerSpec, *, own_network: bool) -> int:
    flags = CLONE_NEWNET if own_network else 0
    flags |= 0 if spec.namespaces.pid else CLONE_NEWPID
    flags |= 0 if spec.namespaces.ipc == "host" or ":" in spec.namespaces.ipc else CLONE_NEWIPC
    flags |= 0 if spec.namespaces.uts else CLONE_NEWUTS
    return flags


def _sysctls(spec: ContainerSpec, *, own_network: bool) -> tuple[tuple[str, str], ...]:
    """Docker's defaults (ping and low ports for everybody), then the user's."""
    sysctls = {
        name: value
        for name, value in _NETWORK_SYSCTLS
        if own_network and os.path.exists("/proc/sys/" + name.replace(".", "/"))
    }
    sysctls.update(spec.security.sysctls)
    return tuple(sysctls.items())


def _execution(spec: ContainerSpec, seccomp: bytes | None, hostname: str) -> Execution:
    process, security = spec.process, spec.security
    env = {"HOSTNAME": hostname or os.uname().nodename}
    if process.tty:
        env["TERM"] = "xterm"
    env.update(process.env)
    return Execution(
        argv=process.argv,
        env=tuple(env.items()),
        cwd=process.cwd or "/",
        user=process.user,
        groups=process.groups,
        capabilities=capability_set(
            security.cap_add,
            security.cap_drop,
            privileged=security.privileged,
            available=capget().permitted,
        ),
        no_new_privs=has_no_new_privs(security.options),
        install_seccomp=seccomp_installer(seccomp),
        limits=(
            Limit("nofile", *open_files_of_parent()),
            *(Limit(item.name, item.soft, item.hard) for item in process.ulimits),
        ),
        oom_score_adj=process.oom_score_adj,
    )
