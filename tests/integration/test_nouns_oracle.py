"""`volume` and `network` beside the Docker CLI: the same output and exit codes, word for word."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.docker_engine import DockerEngine, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.docker, pytest.mark.slow]

STEPS = """
volume create --label a=b --label c=d data
volume create data
volume create -o type=tmpfs -o device=tmpfs -o o=size=1m memory
volume ls
volume ls -q -f label=a=b
volume ls -q -f label=a=x
volume ls -q -f name=mem
volume ls -q -f dangling=false
volume ls --format {{.Name}}:{{.Driver}}:{{.Scope}}:{{.Labels}}
volume inspect data memory
volume inspect -f {{.Name}}-{{.Scope}}-{{json.Options}} data memory
volume inspect nowhere
volume rm nowhere data
volume rm -f nowhere
volume rm memory
volume ls -f nothing=1
volume create -d nowhere other
volume prune -f
network create --subnet 10.7.0.0/24 --gateway 10.7.0.9 --ip-range 10.7.0.128/25 --label a=b edge
network create --internal --attachable -o com.docker.network.driver.mtu=1400 inner
network create edge
network create host
network create --gateway 10.1.1.1 other
network create --subnet 10.8.0.0/24 --gateway 10.9.0.1 other
network create -d nowhere other
network ls --filter type=custom --format {{.Name}}:{{.Driver}}:{{.Scope}}:{{.Internal}}:{{.Labels}}
network ls -f label=a --format {{.Name}}
network ls -f driver=macvlan -q
network inspect edge
network inspect -f {{(index.IPAM.Config0).Gateway}}-{{.Attachable}} edge
network inspect nowhere
network connect edge nobody
network disconnect edge nobody
network rm nowhere inner
network rm -f nowhere
network prune -f
network ls -f nothing=1
"""

SPACED = {"{{json.Options}}": "{{json .Options}}", "(index.IPAM.Config0)": "(index .IPAM.Config 0)"}
"""Templates with blanks, which the steps above are split at."""


def steps() -> list[list[str]]:
    found = []
    for line in STEPS.split("\n"):
        words = line.split()
        for short, long in SPACED.items():
            words = [word.replace(short, long) for word in words]
        found += [words] if words else []
    return found


def plainly(text: str) -> str:
    """Without what differs from machine to machine: ids, times, where volumes lie."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
    text = re.sub(r'"(Created|CreatedAt)": "[^"]*"', r'"\1": "TIME"', text)
    return re.sub(r'"Mountpoint": "[^"]*"', '"Mountpoint": "PLACE"', text)


def values(text: str) -> object:
    """JSON as values, without a key that the older Docker has not got; other text as it is."""
    try:
        found = json.loads(plainly(text))
    except ValueError:
        return plainly(text).strip()
    for each in found:
        each.pop("EnableIPv4", None)
    return found


@pytest.fixture
def engine(outer_namespaces: None) -> Iterator[DockerEngine]:
    del outer_namespaces
    reason = why_no_engine()
    if reason:
        pytest.skip(reason)
    with DockerEngine() as started:
        yield started


def test_the_same_commands_tell_the_same(engine: DockerEngine, orchestra: Orchestra) -> None:
    for step in steps():
        theirs = subprocess.run(
            ["docker", "-H", engine.host, *step], capture_output=True, text=True, check=False
        )
        ours = orchestra(*step, code=None)
        said = f"{' '.join(step)}\n{theirs.stdout}{theirs.stderr}---\n{ours.out}{ours.err}"
        assert ours.code == theirs.returncode, said
        assert values(ours.out) == values(theirs.stdout), said
        assert bool(ours.err) == bool(theirs.stderr), said
