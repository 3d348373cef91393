"""A Docker Engine of our own, beside whatever the machine has: the oracle and the yardstick.

`DockerEngine` starts Debian's `dockerd` with its own data root and socket inside a new network
namespace, so that it neither sees nor changes the host's bridges and firewall, and ends it again.
Not `ip netns exec`: that gives a new /sys, without /sys/fs/cgroup.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

COMPOSE_PLACES = (
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/local/lib/docker/cli-plugins/docker-compose",
)
_START_WITHIN_S = 30.0
_STOP_WITHIN_S = 20.0


def find_compose() -> str | None:
    """Path of a Docker Compose v2 binary: $ORCHESTRA_DOCKER_COMPOSE or the plugin's places."""
    asked = os.environ.get("ORCHESTRA_DOCKER_COMPOSE")
    for place in (asked, *COMPOSE_PLACES):
        if place and os.access(place, os.X_OK):
            return place
    return None


def why_no_engine() -> str | None:
    """The reason why no Docker Engine can be started here; None when one can."""
    if os.geteuid() != 0:
        return "starting dockerd needs root"
    for tool in ("dockerd", "docker", "containerd", "unshare", "ip"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


class DockerEngine:
    """A running dockerd; use it as a context manager."""

    def __init__(self) -> None:
        self._undo = ExitStack()
        self.root = ""
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DockerEngine:
        with ExitStack() as undo:
            self.root = tempfile.mkdtemp(prefix="orchestra-docker-")
            undo.callback(shutil.rmtree, self.root, ignore_errors=True)
            log = undo.enter_context(open(f"{self.root}/log", "wb"))
            self._daemon = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec dockerd "$@"', "dockerd",
                 "--data-root", f"{self.root}/data", "--exec-root", f"{self.root}/exec",
                 "--host", self.host, "--pidfile", f"{self.root}/pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
            undo.callback(self._end)
            self._await_answer()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._undo.close()

    @property
    def host(self) -> str:
        """The value for DOCKER_HOST."""
        return f"unix://{self.root}/docker.sock"

    @property
    def environ(self) -> dict[str, str]:
        """This process's environment, pointed at the engine."""
        return {**os.environ, "DOCKER_HOST": self.host, "DOCKER_CONFIG": f"{self.root}/config"}

    @property
    def pid(self) -> int:
        """Dockerd's pid: its network namespace is where published ports answer."""
        if self._daemon is None:
            raise RuntimeError("the engine has not been started")
        return self._daemon.pid

    def run(self, argv: Sequence[str], *, timeout_s: float = 120.0) -> str:
        """Run *argv* against the engine; its standard output. Raises CalledProcessError."""
        done = subprocess.run(
            argv, env=self.environ, check=True, capture_output=True, text=True, timeout=timeout_s
        )
        return done.stdout

    def import_busybox(self, tag: str) -> None:
        """An image of Debian's static busybox with all its applets, named *tag*."""
        busybox = shutil.which("busybox") or "/bin/busybox"
        applets = subprocess.run(
            [busybox, "--list"], check=True, capture_output=True, text=True
        ).stdout.split()
        archive = f"{self.root}/busybox.tar"
        with tarfile.open(archive, "w") as tar:
            for directory in ("bin", "tmp", "etc"):
                entry = tarfile.TarInfo(directory)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            tar.add(os.path.realpath(busybox), "bin/busybox")
            for applet in applets:
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                if applet != "busybox":
                    tar.addfile(link)
        self.run(["docker", "import", "--change", 'CMD ["sh"]', archive, tag])

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline:
            if self._daemon is not None and self._daemon.poll() is not None:
                break
            try:
                self.run(["docker", "version"], timeout_s=5)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                time.sleep(0.1)
            else:
                return
        log = Path(self.root, "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"dockerd did not come up within {_START_WITHIN_S} s:\n{log}")

    def _end(self) -> None:
        if self._daemon is None:
            return
        self._daemon.send_signal(signal.SIGTERM)
        try:
            self._daemon.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait(_STOP_WITHIN_S)
