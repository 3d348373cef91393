"""Times `config` of large projects: against Docker Compose, and how it grows.

    python -m benchmarks.bench_config [--services 300] [--runs 7] [--growth] [--check] [--json FILE]

Every service extends a base in another file, merges an anchor, reads an env file and has variables
to fill in. Both programs run in turn on the same files; medians and their ratio are reported.
With --growth, orchestra alone is timed at 300, 1,000 and 3,000 services, in processor time, which
a busy machine disturbs less. --check fails when the ratio is above 0.6, or when a service costs
half as much again at 3,000 as it does at 300.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from tests.support.docker_engine import find_compose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HIGHEST_RATIO = 0.6
HIGHEST_GROWTH = 1.5
SIZES = (300, 1000, 3000)

_HEAD = """\
name: bench
x-common: &common
  restart: unless-stopped
  logging:
    driver: json-file
    options: {max-size: 10m, max-file: "3"}
  labels:
    com.example.team: ${TEAM:-platform}
services:
"""

_SERVICE = """\
  service-%(number)d:
    <<: *common
    extends:
      file: base.yaml
      service: base
    image: ${REGISTRY:-registry.example.com}/app-%(number)d:${TAG:?set TAG}
    env_file:
      - path: common.env
    environment:
      NUMBER: "%(number)d"
      URL: http://service-%(number)d.${DOMAIN}:${PORT:-8080}/
      TOKEN: ${TOKEN-}
    ports:
      - "%(port)d:8080"
      - target: 9090
        protocol: udp
    volumes:
      - ./data/%(number)d:/data:ro
      - shared:/shared
    depends_on:%(dependencies)s
    networks:
      back:
        aliases: ["app-%(number)d"]
"""

_TAIL = """\
networks:
  back:
    driver: bridge
volumes:
  shared: {}
"""

_BASE = """\
services:
  base:
    command: ["./serve", "--port", "${PORT:-8080}"]
    healthcheck:
      test: curl -f http://localhost:8080/health
      interval: 30s
      timeout: ${TIMEOUT:-5s}
    deploy:
      resources:
        limits: {cpus: "0.5", memory: 256M}
    ulimits:
      nofile: {soft: 20000, hard: 40000}
"""


def write_project(folder: str, services: int) -> None:
    """A project of so many services in *folder*."""
    parts = [_HEAD]
    for number in range(services):
        # a tree: Docker Compose looks for cycles along every path, so two roads to one service
        # at every step would take it for ever
        dependencies = f"\n      - service-{(number - 1) // 2}" if number else " []"
        values = {"number": number, "port": 10000 + number, "dependencies": dependencies}
        parts.append(_SERVICE % values)
    parts.append(_TAIL)
    for name, text in (
        ("compose.yaml", "".join(parts)),
        ("base.yaml", _BASE),
        (".env", "TAG=1.2.3\nDOMAIN=example.com\n"),
        ("common.env", "".join(f"COMMON_{number}='value ${{TAG}}'\n" for number in range(10))),
    ):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def elapsed_ms(command: Sequence[str], folder: str) -> float:
    """How long *command* takes in *folder*. Raises CalledProcessError if it fails."""
    begin = time.perf_counter()
    _run(command, folder)
    return (time.perf_counter() - begin) * 1000


def processor_ms(command: Sequence[str], folder: str) -> float:
    """The processor time that *command* takes in *folder*, in user mode and in the kernel."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(command, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _run(command: Sequence[str], folder: str) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": folder}
    subprocess.run(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True)


def compare(
    commands: dict[str, list[str]],
    services: int,
    runs: int,
    measure: Callable[[Sequence[str], str], float] = elapsed_ms,
) -> dict[str, float]:
    """Median milliseconds of each command, run in turn after one run each to warm up."""
    with tempfile.TemporaryDirectory(prefix="orchestra-bench-") as folder:
        write_project(folder, services)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(runs + 1):
            for name, command in commands.items():
                elapsed = measure(command, folder)
                if run:
                    times[name].append(elapsed)
    return {name: statistics.median(values) for name, values in times.items()}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bench_config", description=__doc__)
    parser.add_argument("--services", type=int, default=SIZES[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args(argv)
    mine = [os.path.join(os.path.dirname(sys.executable), "orchestra"), "config"]
    commands = {"orchestra": mine}
    compose = find_compose()
    if compose is not None:
        commands["docker compose"] = [compose, "config"]
    results: dict[str, float] = {}
    medians = compare(commands, options.services, options.runs)
    for name, median in medians.items():
        results[f"{name} {options.services}"] = median
        print(f"config of {options.services:5} services  {name:15} {median:8.1f} ms")
    if compose is not None:
        results["ratio"] = medians["orchestra"] / medians["docker compose"]
        print(f"ratio {results['ratio']:.2f} (at most {HIGHEST_RATIO})")
    if options.growth:
        results.update(_growth(mine, options.runs))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    bad = results.get("ratio", 0) > HIGHEST_RATIO or results.get("growth", 0) > HIGHEST_GROWTH
    return 1 if options.check and bad else 0


def _growth(command: list[str], runs: int) -> dict[str, float]:
    """The processor times at SIZES, without the program's start, and how a service's cost grows."""
    start = compare({"orchestra": command}, 1, runs, processor_ms)["orchestra"]
    each: list[float] = []
    results: dict[str, float] = {}
    for size in SIZES:
        few = max(1, runs // 2)
        median = compare({"orchestra": command}, size, few, processor_ms)["orchestra"]
        each.append((median - start) / size)
        results[f"orchestra {size}"] = median
        print(f"config of {size:5} services  {median:8.1f} ms, {each[-1]:.3f} ms a service")
    results["growth"] = each[-1] / each[0]
    print(f"a service costs {results['growth']:.2f} times as much at {SIZES[-1]} as at {SIZES[0]}")
    return results


if __name__ == "__main__":
    raise SystemExit(main())
