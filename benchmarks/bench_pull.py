"""Times the pull of one image from a registry on loopback, with Docker Engine beside it.

    python -m benchmarks.bench_pull [--runs N] [--megabytes N] [--layers N] [--no-docker]

The image's layers are made of this machine's /usr. Each run of either side has a store of its own,
Docker's a whole engine, since nothing may be deleted before the last one: ext4 without a journal
does not reuse the inodes of deleted files for seconds, and searches past them at the cost of who
comes next. Dirty pages are written before each run. The runs are interleaved and the medians
reported, with the second pull that changes nothing and the memory of orchestra's process. TMPDIR
chooses the file system.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestra.linux.namespaces import setns
from tests.support.docker_engine import DockerEngine, why_no_engine
from tests.support.images import make_image
from tests.support.registry import running_registry
from tests.support.skopeo import publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.registry import Registry

TARGET = 0.7
_INSIDE = "ORCHESTRA_BENCH_INSIDE"
_SOURCES = ("/usr/lib", "/usr/bin", "/usr/share")
_LARGEST_FILE = 8 << 20


class Run(NamedTuple):
    """One command: its time, and the largest memory of its process."""

    seconds: float
    peak_kb: int


class Timed(NamedTuple):
    """Single runs: *first* pulls everything, *second* nothing."""

    first: list[Run]
    second: list[Run]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bench_pull", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs")
    parser.add_argument("--megabytes", type=int, default=200, help="size of the image, unpacked")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--no-docker", action="store_true", help="time orchestra alone")
    args = parser.parse_args(argv)
    if _INSIDE not in os.environ:
        return _again_in_own_namespaces()
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="orchestra-bench-"))
        storage = os.path.join(scratch, "registry")
        with running_registry(storage) as registry:
            _publish(registry, args.megabytes << 20, args.layers)
        docker, orchestra = Timed([], []), Timed([], [])
        with_docker = not args.no_docker and _has_engine()
        for run in range(args.runs):
            engine = _engine(stack) if with_docker else None
            with running_registry(storage) as registry:
                name = f"{registry.host}/bench:1"
                if engine is not None and run % 2:
                    _time_docker(engine.environ, name, docker)
                _time_orchestra(os.path.join(scratch, str(run)), name, orchestra)
                if engine is not None and not run % 2:
                    _time_docker(engine.environ, name, docker)
    _report(docker, orchestra)
    return 0


def _again_in_own_namespaces() -> int:
    unshare = ["unshare", "--mount", "--net", "--propagation", "private"]
    inside = ["sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    return subprocess.run(
        [*unshare, *inside, sys.executable, "-m", "benchmarks.bench_pull", *sys.argv[1:]],
        env={**os.environ, _INSIDE: "1"},
        check=False,
    ).returncode


def _has_engine() -> bool:
    reason = why_no_engine()
    if reason is not None:
        print(f"without Docker beside it: {reason}", file=sys.stderr)
    return reason is None


def _engine(stack: ExitStack) -> DockerEngine:
    """A new Docker Engine, after moving into its network namespace, where its loopback is ours."""
    engine = stack.enter_context(DockerEngine())
    pid = Path(engine.root, "pid").read_text().strip()
    with open(f"/proc/{pid}/ns/net") as namespace:
        setns(namespace.fileno(), 0)
    return engine


def _publish(registry: Registry, size: int, layers: int) -> None:
    """In a process of its own, whose memory our measurements do not inherit."""
    pid = os.fork()
    if not pid:
        publish(registry, "bench:1", make_image(_layers(size, layers)))
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("the image could not be published")


def _layers(size: int, count: int) -> list[dict[str, bytes]]:
    """*count* layers of together *size* bytes, from files of this machine in a fixed order."""
    layers: list[dict[str, bytes]] = [{}]
    wanted, filled = size // count, 0
    for source in _SOURCES:
        for directory, below, names in os.walk(source):
            below.sort()
            for name in sorted(names):
                path = os.path.join(directory, name)
                if os.path.islink(path) or not 0 < os.path.getsize(path) < _LARGEST_FILE:
                    continue
                data = Path(path).read_bytes()
                layers[-1][path.lstrip("/")] = data
                filled += len(data)
                if filled >= wanted:
                    if len(layers) == count:
                        return layers
                    layers.append({})
                    filled = 0
    return layers


def _time_orchestra(root: str, name: str, timed: Timed) -> None:
    environ = {
        **os.environ,
        "ORCHESTRA_DATA_ROOT": os.path.join(root, "data"),
        "ORCHESTRA_RUN_ROOT": os.path.join(root, "run"),
    }
    program = str(Path(sys.executable).with_name("orchestra"))
    _time([program, "image", "pull", "-q", name], environ, timed)


def _time_docker(environ: dict[str, str], name: str, timed: Timed) -> None:
    _time(["docker", "pull", "-q", name], environ, timed)


def _time(pull: Sequence[str], environ: dict[str, str], timed: Timed) -> None:
    os.sync()
    timed.first.append(_run(pull, environ))
    timed.second.append(_run(pull, environ))


def _run(argv: Sequence[str], environ: dict[str, str]) -> Run:
    began = time.perf_counter()
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{argv[0]} exited with {process.returncode}")
    return Run(took, usage.ru_maxrss)


def _report(docker: Timed, orchestra: Timed) -> None:
    for work, ours, theirs in (
        ("pull", orchestra.first, docker.first),
        ("second pull", orchestra.second, docker.second),
    ):
        mine = statistics.median(run.seconds for run in ours) * 1000
        line = f"{work:14} orchestra {mine:8.1f} ms"
        if theirs:
            other = statistics.median(run.seconds for run in theirs) * 1000
            line += f"   docker {other:8.1f} ms   ratio {mine / other:.3f}"
        print(line)
        print(f"{'':14} runs: {_seconds(ours)}   {_seconds(theirs)}")
    peak_mib = max(run.peak_kb for run in orchestra.first) // 1024
    print(f"target for the pull: {TARGET}; orchestra's process at its largest: {peak_mib} MiB")


def _seconds(runs: Sequence[Run]) -> str:
    return " ".join(f"{run.seconds:.2f}" for run in runs)


if __name__ == "__main__":
    sys.exit(main())
