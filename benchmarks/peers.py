"""The two sides of a comparison: orchestra, and Docker Compose against an engine of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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

    def run(self, directory: Path, command: Sequence[str]) -> float:
        """Run one compose command in *directory*; its wall-clock time in seconds.

        Raises RuntimeError with its output when it fails: a failed command has no time.
        """
        log = directory / f"{self.name}.log"
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
            status = process.wait(_COMMAND_WITHIN_S)
            took = time.perf_counter() - began
        if status != 0:
            said = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} {' '.join(command)} exited with {status}:\n{said}")
        return took


def orchestra(scratch: Path) -> Peer:
    """The orchestra installed beside this interpreter, with its state below *scratch*."""
    command = Path(sys.executable).with_name("orchestra")
    roots = {
        "ORCHESTRA_DATA_ROOT": str(scratch / "data"),
        "ORCHESTRA_RUN_ROOT": str(scratch / "run"),
    }
    return Peer("orchestra", (str(command),), {**os.environ, **roots}, "host")


def docker_compose(engine: DockerEngine, compose: str) -> Peer:
    """Docker Compose, called without the `docker` client's start-up in front of it."""
    return Peer("docker", (compose,), engine.environ, BUSYBOX_TAG)
