"""RUN: a command in a container of its own, which is gone when the command has ended.

The container has what Docker gives one: capabilities, seccomp rules, a cgroup, a network with name
service. It belongs to no project; a supervisor is not needed for something that its caller awaits.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.errors import Conflict
from orchestra.linux.prctl import is_child_subreaper, set_child_subreaper
from orchestra.linux.remove_tree import remove_tree
from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    Endpoint,
    FileContent,
    ImageId,
    Mount,
    NetworkMode,
    Pairs,
    Process,
    Resources,
    Ulimit,
)
from orchestra.model.network import NetworkSpec
from orchestra.network import etcfiles
from orchestra.runtime.base import Launch
from orchestra.runtime.statefile import exit_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.build.base import Machine
    from orchestra.build.guard import Guard
    from orchestra.model.rootfs import Rootfs
    from orchestra.runtime.base import Launched, NetworkSetup

PROJECT = "orchestra-build"
_NETWORK = NetworkSpec(name=f"{PROJECT}_default", project=PROJECT, key="default")
_CHUNK = 1 << 16
_ALIVE_S = 0.5
"""How often a silent command is heard of."""

STANDARD_MOUNT_POINTS = (
    "/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
)  # fmt: skip


class Limits(NamedTuple):
    """What the compose file or the command line gives every step."""

    extra_hosts: Pairs = ()
    shm_bytes: int = 64 << 20
    ulimits: tuple[Ulimit, ...] = ()
    memory_bytes: int = 0


class Command(NamedTuple):
    """*network* is "default", "none" or "host"."""

    argv: tuple[str, ...]
    env: Pairs
    cwd: str
    user: str
    network: str
    mounts: tuple[Mount, ...] = ()
    files: tuple[FileContent, ...] = ()


class _Network(NamedTuple):
    """What a step has of its network: two files of /etc, links, and who is told that it runs."""

    hosts: str
    resolv_conf: str
    setup: NetworkSetup | None = None
    connected: Callable[[Launched], None] = lambda _: None


class Runner:
    """Runs one command after another; its files lie in *directory*.

    *has_network*: the builds' network was used, so `close` tries to remove it.
    """

    def __init__(self, machine: Machine, guard: Guard, limits: Limits, directory: str) -> None:
        self._machine = machine
        self._guard = guard
        self._limits = limits
        self._directory = directory
        self._mark = os.path.join(directory, "has-run")
        self.has_network = False

    def run(self, command: Command, rootfs: Rootfs, output: Callable[[bytes], None]) -> int:
        """The exit status of *command*, whose output goes to *output*. Raises LaunchFailed."""
        spec = self._spec(command)
        self._guard.start()
        os.makedirs(self._mark, exist_ok=True)
        with ExitStack() as undo:
            run_dir = os.path.join(self._directory, spec.id[:12])
            os.makedirs(run_dir, 0o700)
            undo.callback(remove_tree, run_dir)
            return self._run(spec, rootfs, run_dir, output, undo)

    def sweep(self) -> None:
        """Remove what the commands of killed builds have left; there is no other build now."""
        machine = self._machine
        directory = machine.layout.containers(PROJECT)
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(directory):
                os.makedirs(self._mark, exist_ok=True)
                scope = machine.cgroups.find(f"{PROJECT}/{name}", Resources())
                scope.kill()
                scope.destroy()
                machine.networks.release(name)
                remove_tree(os.path.join(directory, name))

    def close(self) -> None:
        """Remove the builds' cgroup and network, unless another build is in them.

        Nothing where neither this process nor one forked from it has run anything.
        """
        if not os.path.isdir(self._mark):
            return
        self._machine.cgroups.remove_project(PROJECT)
        if self.has_network:
            with contextlib.suppress(Conflict):
                self._machine.networks.remove_network(_NETWORK.name)

    def _spec(self, command: Command) -> ContainerSpec:
        connected = command.network == "default"
        mode = NetworkMode.HOST if command.network == "host" else NetworkMode.ENDPOINTS
        return ContainerSpec(
            id=ContainerId(os.urandom(32).hex()),
            name="build",
            project=PROJECT,
            service="",
            image="",
            image_id=ImageId(""),
            hostname="buildkitsandbox",  # what steps see with BuildKit
            process=Process(
                argv=command.argv,
                env=command.env,
                cwd=command.cwd,
                user=command.user,
                ulimits=self._limits.ulimits,
            ),
            mounts=command.mounts,
            files=command.files,
            network_mode=mode,
            endpoints=(Endpoint(network=_NETWORK.name),) if connected else (),
            extra_hosts=self._limits.extra_hosts,
            shm_bytes=self._limits.shm_bytes or 64 << 20,
            resources=Resources(memory_bytes=self._limits.memory_bytes),
        )

    def _run(
        self,
        spec: ContainerSpec,
        rootfs: Rootfs,
        run_dir: str,
        output: Callable[[bytes], None],
        undo: ExitStack,
    ) -> int:
        machine = self._machine
        network = self._connect(spec, undo)
        fifo = os.path.join(run_dir, "output")
        os.mkfifo(fifo, 0o600)
        pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        undo.callback(os.close, pipe)
        scope = machine.cgroups.create(
            f"{PROJECT}/{spec.id}", spec.resources, spec.devices, privileged=False
        )
        undo.callback(scope.destroy)
        undo.callback(scope.kill)
        if not is_child_subreaper():
            set_child_subreaper(on=True)
            undo.callback(set_child_subreaper, on=False)
        launched = machine.begin_launch(
            Launch(
                spec=spec,
                rootfs=rootfs,
                volumes=(),
                run_dir=run_dir,
                etc_files=_etc_files(spec, network, run_dir),
                cgroup=scope,
                network=network.setup,
                join_pids=(),
                stdout=fifo,
                stderr=fifo,
            )
        ).finish()
        self._guard.watch(launched.pid)
        undo.callback(self._guard.forget, launched.pid)
        undo.callback(os.close, launched.pidfd)
        try:
            network.connected(launched)
            self._pump(pipe, launched.pidfd, output)
        except BaseException:
            scope.kill()
            raise
        finally:
            _, status = os.waitpid(launched.pid, 0)
        self._drain(pipe, output)
        return exit_code(status)

    def _connect(self, spec: ContainerSpec, undo: ExitStack) -> _Network:
        """Addresses for *spec*; they are known to be in use while its spec file exists."""
        path = self._machine.layout.spec_json(PROJECT, spec.id)
        os.makedirs(os.path.dirname(path), 0o700)
        undo.callback(remove_tree, os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(msgspec.json.encode(spec))
        if not spec.endpoints:  # then the driver, which imports much, need not be there
            return _Network(etcfiles.hosts(spec), etcfiles.resolv_conf(spec))
        self.has_network = True
        networks = self._machine.networks
        networks.create_network(_NETWORK)
        allocation = networks.allocate(spec)
        undo.callback(networks.release, spec.id)

        def connected(launched: Launched) -> None:
            networks.connected(spec, allocation, launched.pid, launched.network_fds)

        return _Network(
            networks.hosts(spec, allocation),
            networks.resolv_conf(spec),
            networks.setup(spec, allocation),
            connected,
        )

    def _pump(self, pipe: int, pidfd: int, output: Callable[[bytes], None]) -> None:
        """Hand the output on until the process has ended."""
        loop = self._machine.loop
        ended: list[bool] = []
        loop.add_reader(pipe, lambda: self._drain(pipe, output, limit=1))
        loop.add_reader(pidfd, lambda: ended.append(True))
        try:
            while not ended:
                loop.run_once(_ALIVE_S)
                output(b"")
        finally:
            loop.remove_reader(pipe)
            loop.remove_reader(pidfd)

    def _drain(self, pipe: int, output: Callable[[bytes], None], limit: int = 1 << 20) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(limit):
                output(os.read(pipe, _CHUNK))


def _etc_files(spec: ContainerSpec, network: _Network, run_dir: str) -> tuple[tuple[str, str], ...]:
    contents = {
        "hostname": f"{spec.hostname}\n",
        "hosts": network.hosts,
        "resolv.conf": network.resolv_conf,
    }
    for name, text in contents.items():
        with open(os.path.join(run_dir, name), "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
    return tuple((f"/etc/{name}", os.path.join(run_dir, name)) for name in contents)
