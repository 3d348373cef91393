"""Times a container that writes a million lines, and `logs` of them.

    python -m benchmarks.output [--runs N] [--only WORD] [--json FILE] [--no-docker]

Writing is timed from the start of the container to its end: `cat` of a file of 100 MB.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from typing import TYPE_CHECKING

from benchmarks import arena
from benchmarks.results import Result
from benchmarks.works import DOWN, UP

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.arena import Arena
    from benchmarks.peers import Peer

LINES = 1_000_000
_WRITE, _READ = "a container writes 1 M lines", "logs of those"
_TARGETS = {_WRITE: 0.20, _READ: 0.10}


def measure(where: Arena) -> list[Result]:
    """Both works, of the same containers."""
    lines = where.scratch / "lines"
    lines.write_text("".join(f"{number:099d}\n" for number in range(LINES)))
    times: dict[tuple[str, str], list[float]] = {}
    for peer in where.turns():
        for work, seconds in _write_and_read(where, peer, lines).items():
            times.setdefault((work, peer.name), []).append(seconds)
    print("... output", file=sys.stderr)
    medians = {key: statistics.median(taken) * 1000 for key, taken in times.items()}
    return [
        Result(work, target, medians[work, "orchestra"], medians.get((work, "docker")))
        for work, target in _TARGETS.items()
        if where.only in work
    ]


def _write_and_read(where: Arena, peer: Peer, lines: Path) -> dict[str, float]:
    """Seconds for each work."""
    directory = where.directory(peer, "output")
    (directory / "compose.yaml").write_text(
        f"services:\n  writer:\n    image: {peer.image}\n    command: [cat, /lines]\n"
        f"    volumes: ['{lines}:/lines:ro']\n    network_mode: none\n"
    )
    try:
        written = peer.run(directory, UP) + peer.run(directory, ("wait", "writer"), fails=True)
        read = peer.run(directory, ("logs", "--no-log-prefix", "writer"))
        said = peer.output(directory).count(b"\n")
        if said != LINES:
            raise RuntimeError(f"{peer.name} shows {said} lines of {LINES}")
    finally:
        peer.run(directory, DOWN)
        shutil.rmtree(directory)
    return {_WRITE: written, _READ: read}


if __name__ == "__main__":
    sys.exit(arena.main("benchmarks.output", __doc__, measure))
