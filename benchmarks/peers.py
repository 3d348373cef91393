"""The two sides of a comparison: orchestra, and Docker Compose against an engine of its own."""

from __future__ import annotations

import compileall
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestra import __file__ as package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.docker_engine import DockerEngine

BUSYBOX_TAG = "orchestra-bench:busybox"
_COMMAND_WITHIN_S = 180.0


class Peer(NamedTuple):
    """How one side is called: `argv` before the compose command, and its environment."""

    name: str
    argv: tuple[str, ...]
    environ: dict[str, str]
    image: str
    root: str  # a path that all its processes have in their command lines
    inside: tuple[str, ...] = ()  # before a command that is to use its published ports

    def run(self, directory: Path, command: Sequence[str], *, fails: bool = False) -> float:
        """Run one compose command in *directory*; its wall-clock time in seconds.

        Raises RuntimeError with its output when it fails, since a failed command has no time,
        unless *fails* says that its exit code tells something else.
        """
        log = self._log(directory)
        with log.open("wb") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                [*self.argv, *command],
                cwd=directory,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            _await_exit(process)
            took = time.perf_counter() - began
            status = process.wait(0)
        if status != 0 and not fails:
            said = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} {' '.join(command)} exited with {status}:\n{said}")
        return took

    def output(self, directory: Path) -> bytes:
        """What the last command in *directory* has said."""
        return self._log(directory).read_bytes()

    def processes(self) -> list[int]:
        """The pids of its infrastructure, without the containers."""
        marker, own = os.fsencode(self.root), {os.getpid(), os.getppid()}
        pids = {int(entry) for entry in os.listdir("/proc") if entry.isdigit()} - own
        return [pid for pid in pids if marker in _command_line(pid)]

    def _log(self, directory: Path) -> Path:
        return directory / f"{self.name}.log"


def _await_exit(process: subprocess.Popen[bytes]) -> None:
    """Popen.wait with a time-out looks every 50 ms only: what it measures comes in steps of that.

    pidfd_open(2). Raises TimeoutExpired.
    """
    pidfd = os.pidfd_open(process.pid)
    try:
        if not select.select([pidfd], [], [], _COMMAND_WITHIN_S)[0]:
            raise subprocess.TimeoutExpired(process.args, _COMMAND_WITHIN_S)
    finally:
        os.close(pidfd)


def _command_line(pid: int) -> bytes:
    """Empty for a process that has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def orchestra(scratch: Path) -> Peer:
    """The orchestra installed beside this interpreter, with its state below *scratch*.

    As an installed package has it, the byte code is there: an editable checkout may lack it.
    """
    compileall.compile_dir(Path(package).parent, quiet=1)
    command = Path(sys.executable).with_name("orchestra")
    roots = {
        "ORCHESTRA_DATA_ROOT": str(scratch / "data"),
        "ORCHESTRA_RUN_ROOT": str(scratch / "run"),
    }
    return Peer(
        "orchestra", (str(command),), {**os.environ, **roots}, "host", str(scratch / "data")
    )


def docker_compose(engine: DockerEngine, compose: str) -> Peer:
    """Docker Compose, called without the `docker` client's start-up in front of it."""
    inside = ("nsenter", "--net", "--target", str(engine.pid))
    return Peer("docker", (compose,), engine.environ, BUSYBOX_TAG, engine.root, inside)
