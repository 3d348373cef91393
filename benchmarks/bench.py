"""Times orchestra's commands, with Docker Compose beside it in the same run, as ratios.

    python -m benchmarks.bench [--runs N] [--only WORD] [--json FILE] [--no-docker]

Absolute times differ between machines; the ratios are what counts. The runs of both sides are
interleaved, the median is reported. Other programs that use the processors disturb orchestra, which
computes, more than Docker, which waits.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from typing import TYPE_CHECKING

from benchmarks import arena
from benchmarks.results import Result
from benchmarks.works import WORKS, Work

if TYPE_CHECKING:
    from benchmarks.arena import Arena


def measure(where: Arena) -> list[Result]:
    """All works, one after the other."""
    return [_measure(work, where) for work in WORKS if where.only in work.name]


def _measure(work: Work, where: Arena) -> Result:
    times: dict[str, list[float]] = {peer.name: [] for peer in where.peers}
    for peer in where.turns():
        directory = where.directory(peer, work.slug)
        (directory / "compose.yaml").write_text(work.compose(peer.image))
        try:
            for command in work.before:
                peer.run(directory, command)
            times[peer.name].append(peer.run(directory, work.timed) - work.ideal_s)
        finally:
            peer.run(directory, ("down", "-t", "0"))
            shutil.rmtree(directory)
    medians = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    print(f"... {work.name}", file=sys.stderr)
    return Result(work.name, work.target, medians["orchestra"], medians.get("docker"))


if __name__ == "__main__":
    sys.exit(arena.main("benchmarks.bench", __doc__, measure))
