"""Times a build of ten steps and 2,000 files, cold and wholly cached, with Docker's beside it.

    python -m benchmarks.bench_build [--runs N] [--files N] [--no-docker]

Both sides begin with the same busybox image. Their runs are interleaved and the medians reported;
orchestra works in mount and network namespaces of its own. TMPDIR chooses the file system. Docker's
builder is the classic one of the engine that the machine has.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.support.docker_engine import DockerEngine, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = 0.35
_IMAGE = "bench:busybox"
_DOCKERFILE = f"""\
FROM {_IMAGE}
WORKDIR /app
COPY src src
RUN echo 1 > a
RUN echo 2 > b
ENV X=1
RUN echo 3 > c
RUN echo 4 > d
COPY src/d1 other
RUN echo 5 > e
CMD ["true"]
"""
_FLAGS = {"cold": ("--no-cache",), "cached": ()}


class Side(NamedTuple):
    """One builder: the command up to its flags, and its environment."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bench_build", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--no-docker", action="store_true", help="time orchestra alone")
    options = parser.parse_args(argv)
    reason = why_no_engine()
    if reason:
        sys.exit(f"the base image comes from a Docker Engine: {reason}")
    directory = tempfile.mkdtemp(prefix="bench-build-")
    try:
        with DockerEngine() as engine:
            sides = prepared(directory, engine, files=options.files)
            if options.no_docker:
                sides = sides[:1]
            report(measured(sides, directory, runs=options.runs))
    finally:
        shutil.rmtree(directory)
    return 0


def prepared(directory: str, engine: DockerEngine, *, files: int) -> list[Side]:
    """The context and the base image on both sides."""
    for number in range(files):
        folder = f"{directory}/context/src/d{number % 40}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/f{number}", "w", encoding="ascii") as file:
            file.write(f"file {number}\n" * 50)
    with open(f"{directory}/context/Dockerfile", "w", encoding="ascii") as file:
        file.write(_DOCKERFILE)
    engine.import_busybox(_IMAGE)
    engine.run(["docker", "save", _IMAGE, "-o", f"{directory}/base.tar"])
    inside = ("unshare", "-mn", "--propagation", "private")
    program = os.path.join(os.path.dirname(sys.executable), "orchestra")
    env = {
        **os.environ,
        "ORCHESTRA_DATA_ROOT": f"{directory}/data",
        "ORCHESTRA_RUN_ROOT": f"{directory}/run",
    }
    load = [*inside, program, "image", "load", "-q", "-i", f"{directory}/base.tar"]
    subprocess.run(load, env=env, check=True, stdout=subprocess.DEVNULL)
    return [
        Side("orchestra", (*inside, program, "image", "build"), env),
        Side("docker", ("docker", "build", "--network", "none"), engine.environ),
    ]


def measured(sides: list[Side], directory: str, *, runs: int) -> dict[tuple[str, str], float]:
    """Median seconds by work and side; the first round is not counted."""
    times: dict[tuple[str, str], list[float]] = {}
    for count in range(runs + 1):
        for work, flags in _FLAGS.items():
            for side in sides:
                argv = (*side.command, "-q", "-t", "bench", *flags, f"{directory}/context")
                begun = time.monotonic()
                subprocess.run(argv, env=side.env, check=True, capture_output=True)
                if count:
                    times.setdefault((work, side.name), []).append(time.monotonic() - begun)
    return {key: statistics.median(values) for key, values in times.items()}


def report(medians: dict[tuple[str, str], float]) -> None:
    for work in _FLAGS:
        ours, theirs = medians[work, "orchestra"], medians.get((work, "docker"))
        line = f"{work:8} orchestra {ours * 1000:6.0f} ms"
        if theirs is not None:
            line += f"   docker {theirs * 1000:6.0f} ms   ratio {ours / theirs:.2f} (≤ {TARGET})"
        print(line)


if __name__ == "__main__":
    sys.exit(main())
