"""Times orchestra's commands, with Docker Compose beside it in the same run, as ratios.

    python -m benchmarks.bench [--runs N] [--only WORD] [--json FILE] [--no-docker]

Absolute times differ between machines; the ratios are what counts. The runs of both sides are
interleaved, the median is reported. Everything happens in mount and network namespaces of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.peers import BUSYBOX_TAG, Peer, docker_compose, orchestra
from benchmarks.works import WORKS, Work
from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

_INSIDE = "ORCHESTRA_BENCH_INSIDE"


class Result(NamedTuple):
    """Medians in milliseconds; *docker_ms* is None where there is no Docker."""

    work: str
    target: float
    orchestra_ms: float
    docker_ms: float | None

    @property
    def ratio(self) -> float | None:
        return None if self.docker_ms is None else self.orchestra_ms / self.docker_ms


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of each work")
    parser.add_argument("--only", default="", help="only works whose name contains this")
    parser.add_argument("--json", type=Path, help="write the results here as well")
    parser.add_argument("--no-docker", action="store_true", help="time orchestra alone")
    args = parser.parse_args(argv)
    if _INSIDE not in os.environ:
        return _run_in_own_namespaces()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orchestra-bench-")))
        peers = [orchestra(scratch)]
        docker = None if args.no_docker else _docker(stack)
        if docker is not None:
            peers.append(docker)
        works = [work for work in WORKS if args.only in work.name]
        results = [_measure(work, peers, scratch, args.runs) for work in works]
    print(_table(results))
    if args.json is not None:
        args.json.write_text(
            json.dumps([{**result._asdict(), "ratio": result.ratio} for result in results])
        )
    return 0


def _run_in_own_namespaces() -> int:
    """Run this module again below `unshare`: bridges, rules and mounts end with it."""
    again = [sys.executable, "-m", "benchmarks.bench", *sys.argv[1:]]
    script = 'ip link set lo up; exec "$@"'
    return subprocess.run(
        [
            "unshare",
            "--mount",
            "--net",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
            *again,
        ],
        env={**os.environ, _INSIDE: "1"},
        check=False,
    ).returncode


def _docker(stack: ExitStack) -> Peer | None:
    compose = find_compose()
    reason = why_no_engine() or (None if compose else "Docker Compose v2 is not installed")
    if reason is not None or compose is None:
        print(f"without Docker beside it: {reason}", file=sys.stderr)
        return None
    engine = stack.enter_context(DockerEngine())
    engine.import_busybox(BUSYBOX_TAG)
    return docker_compose(engine, compose)


def _measure(work: Work, peers: list[Peer], scratch: Path, runs: int) -> Result:
    times: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for run in range(runs):
        for peer in peers if run % 2 == 0 else peers[::-1]:
            directory = scratch / f"{peer.name}-{work.slug}"
            directory.mkdir()
            (directory / "compose.yaml").write_text(work.compose(peer.image))
            try:
                for command in work.before:
                    peer.run(directory, command)
                times[peer.name].append(peer.run(directory, work.timed) - work.ideal_s)
            finally:
                peer.run(directory, ("down", "-t", "0"))
                shutil.rmtree(directory)
        print(".", end="", file=sys.stderr, flush=True)
    medians = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    print(f" {work.name}", file=sys.stderr)
    return Result(work.name, work.target, medians["orchestra"], medians.get("docker"))


def _table(results: list[Result]) -> str:
    rows = [f"{'work':34} {'docker':>10} {'orchestra':>10} {'ratio':>7} {'target':>7}"]
    for result in results:
        docker = "-" if result.docker_ms is None else f"{result.docker_ms:.1f} ms"
        ratio = "-" if result.ratio is None else f"{result.ratio:.3f}"
        missed = result.ratio is not None and result.ratio > result.target
        rows.append(
            f"{result.work:34} {docker:>10} {f'{result.orchestra_ms:.1f} ms':>10} {ratio:>7} "
            f"{result.target:>7.2f}{'  missed' if missed else ''}"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
