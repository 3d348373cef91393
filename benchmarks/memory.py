"""Measures the memory of the infrastructure: all processes of ours, and of the Docker Engine.

    python -m benchmarks.memory [--only WORD] [--json FILE] [--no-docker]

Memory is the proportional set size (PSS) from /proc/PID/smaps_rollup, of idle containers after
SETTLED_S: what is shared with other programs counts in part. The containers' own processes do not
count. Without containers orchestra has no process at all.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import arena
from benchmarks.results import Result
from benchmarks.works import DOWN, UP, independent

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.peers import Peer

SETTLED_S = 6.0
"""A supervisor that has nothing to do gives memory back after three seconds."""

TARGETS = {0: 0.0, 10: 0.12, 50: 0.10}


def measure(where: Arena) -> list[Result]:
    """Memory with no, ten and fifty containers; one run, since it hardly varies."""
    results = []
    for count, target in TARGETS.items():
        name = f"memory, {count} idle containers"
        if where.only in name:
            found = {peer.name: _with_containers(where, peer, count) for peer in where.peers}
            docker = found.get("docker")
            results.append(Result(name, target, found["orchestra"], docker, "MB"))
            print(f"... {name}", file=sys.stderr)
    return results


def _with_containers(where: Arena, peer: Peer, count: int) -> float:
    """Megabytes of *peer*'s processes while *count* containers of it sleep."""
    if count == 0:
        return _infrastructure_mb(peer)
    directory = where.directory(peer, f"memory-{count}")
    (directory / "compose.yaml").write_text(independent(count)(peer.image))
    try:
        peer.run(directory, UP)
        time.sleep(SETTLED_S)
        return _infrastructure_mb(peer)
    finally:
        peer.run(directory, DOWN)
        shutil.rmtree(directory)


def _infrastructure_mb(peer: Peer) -> float:
    return sum(_pss_kib(pid) for pid in peer.processes()) * 1024 / 1e6


def _pss_kib(pid: int) -> int:
    """0 for a process that has just ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


if __name__ == "__main__":
    sys.exit(arena.main("benchmarks.memory", __doc__, measure))
