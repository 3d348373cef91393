"""Containers for tests of the runtime alone: the host's programs in a root of their own."""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.cgroup.v1 import V1Scope
from orchestra.linux.prctl import is_child_subreaper, set_child_subreaper
from orchestra.model.container import ContainerId, ContainerSpec, ImageId, Process
from orchestra.model.rootfs import OverlayMount, Rootfs
from orchestra.runtime.base import Launch, VolumeMount
from orchestra.runtime.launch import Launcher

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.runtime.base import Launched

_PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"
_GROUP = "root:x:0:\napp:x:1001:\nusers:x:100:app\n"


class Ended(NamedTuple):
    """A container that has run to its end."""

    exit_code: int
    output: str


class Host:
    """Makes and runs containers below *directory*; the caller's process reaps them."""

    def __init__(self, directory: Path, launcher: Launcher | None = None) -> None:
        self.directory = directory
        self.image = directory / "image"
        self._launcher = launcher or Launcher()
        self._count = 0
        self._was_subreaper = is_child_subreaper()
        set_child_subreaper(on=True)
        self._make_image()

    def close(self) -> None:
        set_child_subreaper(on=self._was_subreaper)

    def launch(
        self,
        *argv: str,
        volumes: tuple[VolumeMount, ...] = (),
        etc_files: tuple[tuple[str, str], ...] = (),
        join_pids: tuple[tuple[str, int], ...] = (),
        process: dict[str, object] | None = None,
        **fields: object,
    ) -> tuple[Launched, int]:
        """The running container and the reading end of its output. Raises LaunchFailed."""
        self._count += 1
        run_dir = self.directory / f"run{self._count}"
        run_dir.mkdir()
        fifo = str(run_dir / "output")
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        spec = ContainerSpec(
            id=ContainerId(f"{self._count:064x}"),
            name=f"test-{self._count}",
            project="test",
            service="test",
            image="test",
            image_id=ImageId("test"),
            process=msgspec.structs.replace(Process(argv=argv), **(process or {})),
        )
        plan = Launch(
            spec=msgspec.structs.replace(spec, **fields),
            rootfs=self._rootfs(run_dir),
            volumes=volumes,
            run_dir=str(run_dir),
            etc_files=etc_files,
            cgroup=V1Scope({}),
            network=None,
            join_pids=join_pids,
            stdout=fifo,
            stderr=fifo,
        )
        try:
            return self._launcher.launch(plan, None), reader
        except BaseException:
            os.close(reader)
            self.reap()
            raise

    def run(self, *argv: str, **options: object) -> Ended:
        """Run to the end; at most ten seconds."""
        launched, reader = self.launch(*argv, **options)  # type: ignore[arg-type]
        exit_code = self.wait(launched)
        with contextlib.suppress(BlockingIOError):
            output = os.read(reader, 1 << 20).decode()
            os.close(reader)
            return Ended(exit_code, output)
        os.close(reader)
        return Ended(exit_code, "")

    def wait(self, launched: Launched) -> int:
        """The exit code once it has ended; its descriptors are closed."""
        assert select.select([launched.pidfd], [], [], 10)[0], "the container does not end"
        os.close(launched.pidfd)
        if launched.terminal >= 0:
            os.close(launched.terminal)
        _, status = os.waitpid(launched.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def reap(self) -> None:
        """Reap what a failed launch has left, which is dying."""
        deadline = time.monotonic() + 5
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] and time.monotonic() < deadline:
                pass

    def _make_image(self) -> None:
        for name in ("etc", "tmp", "root", "usr", "proc", "home/app"):
            (self.image / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            if os.path.islink(f"/{name}"):
                os.symlink(os.readlink(f"/{name}"), self.image / name)
        (self.image / "etc" / "passwd").write_text(_PASSWD)
        (self.image / "etc" / "group").write_text(_GROUP)

    def _rootfs(self, run_dir: Path) -> Rootfs:
        overlays: list[OverlayMount] = []
        for target, lower in (("/", str(self.image)), ("/usr", "/usr")):
            place = run_dir / f"layer{len(overlays)}"
            (place / "upper").mkdir(parents=True)
            (place / "work").mkdir()
            overlays.append(
                OverlayMount(
                    target=target,
                    lower=(lower,),
                    upper=str(place / "upper"),
                    work=str(place / "work"),
                )
            )
        return Rootfs(overlays=tuple(overlays))
