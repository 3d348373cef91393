"""The composition root: looks at this host once and picks the concrete classes, each when needed.

Nothing below knows which cgroup version, network driver or image store there is. This module is
imported by short commands too, so every import of weight is inside a function.
"""

from __future__ import annotations

import os
from functools import cached_property, partial
from typing import TYPE_CHECKING, NoReturn

from orchestra.layout import Layout, default_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    from orchestra.build.build import Job
    from orchestra.build.events import StepEvent
    from orchestra.cgroup.base import CgroupManager
    from orchestra.engine.base import Engine
    from orchestra.engine.embedded.core import CommandStart, Launching
    from orchestra.image.base import ImageStore, Snapshotter
    from orchestra.model.container import ContainerSpec
    from orchestra.network.base import NetworkDriver
    from orchestra.registry.base import LayerProgress, PullEnded, PullRequest
    from orchestra.registry.registries import Registries
    from orchestra.runtime.base import Launch
    from orchestra.runtime.cdi import CdiDevices
    from orchestra.runtime.launch import Launcher
    from orchestra.runtime.seccomp_profile import SeccompProfiles
    from orchestra.supervisor.light import Channel
    from orchestra.supervisor.loop import Loop
    from orchestra.supervisor.seed import Seed
    from orchestra.supervisor.spawn import Birth, Project
    from orchestra.volume.base import VolumeDriver


class LocalHost:
    """`ops.host.Host` for this machine."""

    def __init__(self, layout: Layout, *, parallel: int = -1) -> None:
        """*parallel* bounds how many images are pulled at once; -1 leaves it to us."""
        self._layout = layout
        self._parallel = parallel
        self._seed: Seed | None = None

    @property
    def layout(self) -> Layout:
        return self._layout

    def images(self) -> ImageStore:
        from orchestra.image.store import LocalImageStore

        return LocalImageStore(self._layout.images)

    def snapshots(self) -> Snapshotter:
        return _snapshots(self._layout)

    def volumes(self) -> VolumeDriver:
        return _volumes(self._layout)

    def cgroups(self) -> CgroupManager:
        return _cgroups()

    def registries(self) -> Registries:
        """Registries as this user reaches them; the caller closes it."""
        from orchestra.registry.configuration import load_configuration
        from orchestra.registry.registries import Registries

        return Registries(load_configuration(os.environ), os.environ)

    def pull(self, requests: Sequence[PullRequest]) -> Iterator[LayerProgress | PullEnded]:
        if not requests:
            return
        from orchestra.image.receive import Receiver
        from orchestra.image.store import LocalImageStore
        from orchestra.registry.many import IMAGES_AT_ONCE, pull_many

        with self.registries() as registries:
            yield from pull_many(
                requests,
                registries,
                lambda: Receiver(LocalImageStore(self._layout.images)),
                at_once=self._parallel if self._parallel > 0 else IMAGES_AT_ONCE,
            )

    def build(
        self, jobs: Mapping[str, Job], watch: Callable[[str, StepEvent], None]
    ) -> dict[str, str]:
        from contextlib import ExitStack

        from orchestra.build.build import BUILDS_AT_ONCE, build_images
        from orchestra.supervisor.loop import Loop

        with ExitStack() as undo:

            def open_machine() -> LocalDrivers:
                loop = Loop()
                undo.callback(loop.close)
                return LocalDrivers(self._layout).on(loop)

            at_once = self._parallel if self._parallel > 0 else BUILDS_AT_ONCE
            return build_images(open_machine, jobs, watch, at_once=at_once)

    def connect(self, project: str) -> Engine | None:
        from orchestra.supervisor.client import SocketEngine
        from orchestra.supervisor.light import Channel

        channel = Channel.connect(self._layout.socket(project))
        if channel is None:
            return None
        return SocketEngine(channel, partial(self._open_channel, project))

    def expect_engine(self) -> None:
        # What the command will need as well is imported once, before the fork, for both.
        import orchestra.image.store
        import orchestra.supervisor.client  # noqa: F401
        from orchestra.supervisor.seed import Seed

        drivers = LocalDrivers(self._layout, below_reaper=True)
        grow = partial(_become_supervisor, self._layout, drivers)
        self._seed = Seed.plant(partial(_warm_up, drivers), grow)

    def open_engine(self, project: str) -> Engine:
        from orchestra.supervisor.client import SocketEngine

        reconnect = partial(self._open_channel, project)
        return SocketEngine(reconnect(), reconnect)

    def _open_channel(self, project: str) -> Channel:
        from orchestra.supervisor.light import Channel

        seed, self._seed = self._seed, None
        try:
            # A supervisor that has greeted us stays: no need of the lock, nor of what spawns one.
            channel = Channel.connect(self._layout.socket(project))
            if channel is not None:
                return channel
            from orchestra.supervisor.spawn import connect

            drivers = LocalDrivers(self._layout, below_reaper=True)
            processes = _processes(self._layout, project, drivers)
            return connect(processes._replace(seed=seed))
        finally:
            if seed is not None:
                seed.close()


def host(*, parallel: int = -1) -> LocalHost:
    """This machine, for this user and environment; *parallel* as in `LocalHost`."""
    return LocalHost(default_layout(os.environ, euid=os.geteuid()), parallel=parallel)


def resume(argv: list[str]) -> None:
    """Be a supervisor in a fresh interpreter; the counterpart of `_processes`."""
    import socket

    import orchestra.model.structs  # before anything else imports msgspec  # noqa: F401
    from orchestra.supervisor.parking import ParkingLot
    from orchestra.supervisor.spawn import Birth

    data_root, run_root, name, entry, exit_, listener = argv
    lot = ParkingLot.inherited(int(entry), int(exit_))
    listening = None
    if int(listener) >= 0:
        os.set_inheritable(int(listener), False)  # noqa: FBT003 (positional only)
        listening = socket.socket(fileno=int(listener))
    layout = Layout(data_root, run_root)
    _serve(layout, name, LocalDrivers(layout, below_reaper=True), Birth(lot, listening))


def _processes(layout: Layout, name: str, drivers: LocalDrivers) -> Project:
    from orchestra.supervisor.spawn import Project, interpreter

    command = interpreter("orchestra.wiring", "resume")
    return Project(
        layout,
        name,
        serve=partial(_serve, layout, name, drivers),
        resume=(*command, layout.data_root, layout.run_root, name),
    )


def _warm_up(drivers: LocalDrivers) -> None:
    """What a supervisor that launches containers imports and makes, before it is asked to."""
    import orchestra.network.bridge
    import orchestra.supervisor.main  # noqa: F401
    from orchestra.supervisor.protocol import prepare_server

    prepare_server()
    drivers.warm_up()


def _become_supervisor(layout: Layout, drivers: LocalDrivers, name: str, birth: Birth) -> NoReturn:
    from orchestra.supervisor.spawn import become_reaper_and_supervisor

    become_reaper_and_supervisor(_processes(layout, name, drivers), birth)


def _serve(layout: Layout, name: str, drivers: LocalDrivers, birth: Birth) -> None:
    from orchestra.supervisor.main import run

    run(_processes(layout, name, drivers), birth, drivers.on)


class LocalDrivers:
    """`engine.embedded.core.Drivers` of this host, for one process.

    An idle supervisor has imported no more than it needs: launching comes with the first launch.
    """

    def __init__(self, layout: Layout, *, below_reaper: bool = False) -> None:
        """*below_reaper*: this process is a supervisor, and its parent reaps what it launches.

        A build waits for its steps itself.
        """
        self._below_reaper = below_reaper
        self.layout = layout
        self._loop: Loop | None = None

    def on(self, loop: Loop) -> Self:
        """These, with *loop* to watch the sockets of networks."""
        self._loop = loop
        return self

    @property
    def loop(self) -> Loop:
        if self._loop is None:
            raise RuntimeError("drivers without a loop: call `on` first")
        return self._loop

    def warm_up(self) -> None:
        """Make what every launch needs and no fork, loop or project changes.

        No connections to databases: SQLite's must not cross a fork.
        """
        from contextlib import suppress

        from orchestra.errors import OrchestraError
        from orchestra.runtime.capabilities import capability_set

        _ = self.cgroups, self.volumes, self.snapshots, self._launcher
        with suppress(OrchestraError):  # then the launch says what is wrong, if it needs one
            usual = capability_set((), (), privileged=False)
            self._profiles.program((), usual, privileged=False)

    @cached_property
    def cgroups(self) -> CgroupManager:
        return _cgroups()

    @cached_property
    def networks(self) -> NetworkDriver:
        from orchestra.network.bridge import BridgeDriver

        return BridgeDriver(self.layout, self.loop)

    @cached_property
    def volumes(self) -> VolumeDriver:
        return _volumes(self.layout)

    @cached_property
    def snapshots(self) -> Snapshotter:
        return _snapshots(self.layout)

    @cached_property
    def _launcher(self) -> Launcher:
        from orchestra.linux.clone import Kin
        from orchestra.runtime.launch import Launcher

        return Launcher(kin=Kin.SIBLING if self._below_reaper else Kin.CHILD)

    @cached_property
    def _profiles(self) -> SeccompProfiles:
        from orchestra.runtime.seccomp_profile import SeccompProfiles

        return SeccompProfiles()

    def cdi_devices(self) -> CdiDevices:
        from orchestra.runtime.cdi_files import read_devices

        return read_devices()

    def begin_launch(self, plan: Launch) -> Launching:
        return self._launcher.begin(plan, self._seccomp(plan.spec))

    def start_command(self, start: CommandStart) -> tuple[int, int]:
        """Run a healthcheck or a hook as `exec` would."""
        import msgspec

        from orchestra.runtime.exec import ExecRequest, ExecTarget, execution_for, spawn_exec

        spec, command = start.spec, start.command
        request = ExecRequest(
            argv=command.argv,
            env=command.env,
            user=command.user,
            cwd=command.cwd,
            privileged=command.privileged,
            stdout=start.output,
            stderr=start.output,
        )
        target = ExecTarget(spec.name, start.pid, start.start_ticks, start.cgroup)
        execution = execution_for(msgspec.to_builtins(spec), request, self._seccomp(spec))
        started = spawn_exec(target, execution, request)
        return started.pid, started.pidfd

    def _seccomp(self, spec: ContainerSpec) -> bytes | None:
        from orchestra.runtime.capabilities import capability_set

        security = spec.security
        bits = capability_set(security.cap_add, security.cap_drop, privileged=security.privileged)
        return self._profiles.program(security.options, bits, privileged=security.privileged)


def _cgroups() -> CgroupManager:
    from orchestra.cgroup.select import select_manager

    return select_manager()


def _volumes(layout: Layout) -> VolumeDriver:
    from orchestra.runtime.volume_users import users_of_volume
    from orchestra.volume.local import LocalVolumes

    return LocalVolumes(layout, partial(users_of_volume, layout))


def _snapshots(layout: Layout) -> Snapshotter:
    from orchestra.image.host import HostImage
    from orchestra.image.snapshot.host import HostSnapshotter
    from orchestra.image.snapshot.select import ImageSnapshotter, LayeredSnapshotter
    from orchestra.image.store import LocalImageStore

    host_image = HostImage(os.path.join(layout.images, "host"))
    store = LocalImageStore(layout.images)
    return ImageSnapshotter(HostSnapshotter(host_image), LayeredSnapshotter(store.layers), store)
