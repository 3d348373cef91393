"""Times builds with Docker's two builders beside them, in one run.

    python -m benchmarks.bench_build [--runs N] [--files N] [--many N] [--no-docker] [WORK...]

Ten steps and 2,000 files, cold and wholly cached; then a context of 50,000 files that is copied in
one step, unchanged and with 20 files changed before each round. All sides begin with the same
busybox image. Runs are interleaved and the medians reported; orchestra works in mount and network
namespaces of its own. TMPDIR chooses the file system. Docker's builders are the classic one and the
engine's BuildKit, which Docker Compose speaks to.
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

from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
_MANY_DOCKERFILE = f"""\
FROM {_IMAGE}
COPY . /src
RUN echo 1 > /one
"""
_CHANGED = 20


class Work(NamedTuple):
    """*touches*: some files are changed before each round."""

    name: str
    context: str
    flags: tuple[str, ...] = ()
    touches: bool = False


_WORKS = (
    Work("cold", "context", ("--no-cache",)),
    Work("cached", "context"),
    Work("many files", "many"),
    Work("20 of them changed", "many", touches=True),
)


class Side(NamedTuple):
    """One builder: *command* gives the arguments that build a context with flags."""

    name: str
    command: Callable[[str, tuple[str, ...]], list[str]]
    env: dict[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bench_build", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--many", type=int, default=50_000, help="files of the large context")
    parser.add_argument("--no-docker", action="store_true", help="time orchestra alone")
    names = [work.name for work in _WORKS]
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"of {names}; else all")
    options = parser.parse_args(argv)
    works = [work for work in _WORKS if work.name in options.works or not options.works]
    reason = why_no_engine()
    if reason:
        sys.exit(f"the base image comes from a Docker Engine: {reason}")
    directory = tempfile.mkdtemp(prefix="bench-build-")
    try:
        with DockerEngine() as engine:
            write_context(f"{directory}/context", _DOCKERFILE, files=options.files)
            write_context(f"{directory}/many", _MANY_DOCKERFILE, files=options.many)
            sides = prepared(directory, engine)
            chosen = sides[:1] if options.no_docker else sides
            report(measured(chosen, works, directory, options.runs))
    finally:
        shutil.rmtree(directory)
    return 0


def write_context(directory: str, dockerfile: str, *, files: int) -> None:
    for number in range(files):
        folder = f"{directory}/src/d{number % 40}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/f{number}", "w", encoding="ascii") as file:
            file.write(f"file {number}\n" * 50)
    with open(f"{directory}/Dockerfile", "w", encoding="ascii") as file:
        file.write(dockerfile)
    with open(f"{directory}.yaml", "w", encoding="ascii") as file:
        file.write("services: {bench: {image: bench, build: {context: ., network: none}}}\n")


def prepared(directory: str, engine: DockerEngine) -> list[Side]:
    """The base image on all sides."""
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

    def orchestra(context: str, flags: tuple[str, ...]) -> list[str]:
        command = [*inside, program, "image", "build", "-q", "--network", "none"]
        return [*command, "-t", "bench", *flags, context]

    def docker(context: str, flags: tuple[str, ...]) -> list[str]:
        return ["docker", "build", "-q", "--network", "none", "-t", "bench", *flags, context]

    sides = [
        Side("orchestra", orchestra, env),
        Side("docker", docker, {**engine.environ, "DOCKER_BUILDKIT": "0"}),
    ]
    compose = find_compose()
    if compose is None:
        print("no BuildKit: that needs Docker Compose, which speaks to the engine's")
        return sides

    def buildkit(context: str, flags: tuple[str, ...]) -> list[str]:
        return [
            compose,
            "--project-directory",
            context,
            "-f",
            f"{context}.yaml",
            "build",
            "-q",
            *flags,
        ]

    return [*sides, Side("buildkit", buildkit, engine.environ)]


def measured(
    sides: list[Side], works: list[Work], directory: str, runs: int
) -> dict[tuple[str, str], float]:
    """Median seconds by work and side; the first round is not counted."""
    times: dict[tuple[str, str], list[float]] = {}
    for count in range(runs + 1):
        for work in works:
            context = f"{directory}/{work.context}"
            if work.touches:  # once: each side has built the same before, and does so now
                touch(context, str(count))
            for side in sides:
                argv = side.command(context, work.flags)
                os.sync()  # whoever syncs its own files must not wait for those of the others
                begun = time.monotonic()
                done = subprocess.run(
                    argv, env=side.env, capture_output=True, text=True, check=False
                )
                if done.returncode:
                    sys.exit(f"{side.name}, {work.name}: {done.stderr[-2000:]}")
                if count:
                    times.setdefault((work.name, side.name), []).append(time.monotonic() - begun)
    return {key: statistics.median(values) for key, values in times.items()}


def touch(context: str, text: str) -> None:
    for number in range(_CHANGED):
        with open(f"{context}/src/d{number}/f{number}", "w", encoding="ascii") as file:
            file.write(f"{text} {number}\n")


def report(medians: dict[tuple[str, str], float]) -> None:
    for name in dict.fromkeys(work for work, _ in medians):
        ours = medians[name, "orchestra"]
        line = f"{name:18} orchestra {ours * 1000:6.0f} ms"
        for side in ("docker", "buildkit"):
            theirs = medians.get((name, side))
            if theirs is not None:
                line += f"   {side} {theirs * 1000:6.0f} ms (ratio {ours / theirs:.2f})"
        print(line)
    print(f"the target for cold and cached is a ratio of at most {TARGET}")


if __name__ == "__main__":
    sys.exit(main())
