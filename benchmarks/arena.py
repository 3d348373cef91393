"""Where a comparison takes place: both sides, in mount and network namespaces of their own.

Everything that they keep lies in a tmpfs, hence no disk disturbs the times. (An ext4 without a
journal, as virtual machines have it, looks at every inode that was deleted in the last minute when
one is made: after a few rounds that took half of the time of an `up` of fifty.)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.peers import BUSYBOX_TAG, Peer, docker_compose, orchestra
from benchmarks.results import Result, table, write_json
from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INSIDE = "ORCHESTRA_BENCH_INSIDE"
_ENDED_WITHIN_S = 10.0


class Arena(NamedTuple):
    """The sides, a directory for files, how often to repeat, and which works ("" for all)."""

    peers: tuple[Peer, ...]
    scratch: Path
    runs: int
    only: str

    def turns(self) -> list[Peer]:
        """Whose turn it is, *runs* times each, interleaved so that neither has the better times."""
        return [
            peer
            for run in range(self.runs)
            for peer in (self.peers if run % 2 == 0 else self.peers[::-1])
        ]

    def directory(self, peer: Peer, name: str) -> Path:
        """An empty project directory."""
        path = self.scratch / f"{peer.name}-{name}"
        path.mkdir()
        return path


def main(
    module: str,
    description: str | None,
    measure: Callable[[Arena], list[Result]],
    argv: Sequence[str] | None = None,
) -> int:
    """The command line of the benchmark *module*: run *measure* and print what it returns."""
    parser = argparse.ArgumentParser(prog=module, description=description)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of each work")
    parser.add_argument("--only", default="", help="only works whose name contains this")
    parser.add_argument("--json", type=Path, help="write the results here as well")
    parser.add_argument("--no-docker", action="store_true", help="measure orchestra alone")
    args = parser.parse_args(argv)
    if _INSIDE not in os.environ:
        return _run_in_own_namespaces(module)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orchestra-bench-")))
        peers = [orchestra(scratch)]
        stack.callback(_await_end, peers[0])
        docker = None if args.no_docker else _docker(stack)
        if docker is not None:
            peers.append(docker)
        results = measure(Arena(tuple(peers), scratch, args.runs, args.only))
    print(table(results))
    if args.json is not None:
        write_json(results, args.json)
    return 0


def _run_in_own_namespaces(module: str) -> int:
    """Run the module again below `unshare`: bridges, rules and mounts end with it."""
    unshare = ("unshare", "--mount", "--net", "--propagation", "private")
    prepare = 'ip link set lo up && mount -t tmpfs tmpfs "$TMPDIR" && exec "$@"'
    again = (sys.executable, "-m", module, *sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="orchestra-bench-") as mount_point:
        environ = {**os.environ, _INSIDE: "1", "TMPDIR": mount_point}
        argv = [*unshare, "sh", "-c", prepare, "sh", *again]
        return subprocess.run(argv, env=environ, check=False).returncode


def _await_end(peer: Peer) -> None:
    """Until its last supervisor has tidied up and left *scratch* alone."""
    deadline_s = time.monotonic() + _ENDED_WITHIN_S
    while peer.processes() and time.monotonic() < deadline_s:
        time.sleep(0.05)


def _docker(stack: ExitStack) -> Peer | None:
    compose = find_compose()
    reason = why_no_engine() or (None if compose else "Docker Compose v2 is not installed")
    if reason is not None or compose is None:
        print(f"without Docker beside it: {reason}", file=sys.stderr)
        return None
    engine = stack.enter_context(DockerEngine())
    engine.import_busybox(BUSYBOX_TAG)
    return docker_compose(engine, compose)
