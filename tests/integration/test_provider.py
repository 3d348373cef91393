"""`provider`: a service that an external program makes, by the protocol of Docker Compose."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.scenario import Orchestra, Result

pytestmark = [pytest.mark.root, pytest.mark.network]

PROGRAM = """\
#!/bin/sh
echo "$@" >> {calls}
case "$*" in
*metadata) cat {metadata} 2>/dev/null ;;
*" up "*)
    echo '{{"type": "info", "message": "preparing"}}'
    echo '{{"type": "debug", "message": "hidden"}}'
    echo '{{"type": "setenv", "message": "URL=http://cloud/a=b"}}'
    echo '{{"type": "rawsetenv", "message": "SECRET=new"}}'
    {more}
esac
"""
COMPOSE = """
name: provided
services:
  web:
    image: host
    init: true
    command: [sleep, "600"]
    environment: {SECRET: old}
    depends_on: [data-base]
  other:
    image: host
    init: true
    command: [sleep, "600"]
  data-base:
    provider:
      type: cloud
      options: {size: 256, zone: [a, b]}
"""


@pytest.fixture
def cloud(orchestra: Orchestra) -> Callable[..., Result]:
    """Runs orchestra with the program `cloud` on its PATH."""
    install(orchestra)
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    path = f"{orchestra.directory}:{orchestra.env['PATH']}"

    def run(*arguments: str, code: int = 0) -> Result:
        return orchestra(*arguments, code=code, env={"PATH": path})

    return run


def install(orchestra: Orchestra, *, more: str = "", name: str = "cloud") -> None:
    path = os.path.join(orchestra.directory, name)
    calls = os.path.join(orchestra.directory, "calls")
    metadata = os.path.join(orchestra.directory, "metadata.json")
    with open(path, "w") as file:
        file.write(PROGRAM.format(calls=calls, metadata=metadata, more=more))
    os.chmod(path, stat.S_IRWXU)


def calls(orchestra: Orchestra) -> list[str]:
    """What the program was asked, but for its metadata; then forgotten."""
    path = os.path.join(orchestra.directory, "calls")
    with open(path) as file:
        lines = file.read().splitlines()
    os.unlink(path)
    return [line for line in lines if not line.endswith("metadata")]


FLAGS = "--size=256 --zone=a --zone=b"


def test_up_runs_the_program_and_gives_its_variables_to_dependents(
    orchestra: Orchestra, cloud: Callable[..., Result]
) -> None:
    done = cloud("up", "-d")
    assert calls(orchestra) == [f"compose --project-name=provided up {FLAGS} data-base"]
    assert "preparing" in done.err
    assert "hidden" not in done.err
    assert "data-base overrides SECRET in the environment of web" in done.err
    env = cloud("exec", "-T", "web", "env").out.splitlines()
    assert {"DATA-BASE_URL=http://cloud/a=b", "SECRET=new"} <= set(env)
    assert "SECRET" not in cloud("exec", "-T", "other", "env").out
    assert "as the compose file says" in cloud("explain").out
    assert cloud("run", "--rm", "-T", "web", "sh", "-c", "echo $SECRET").out == "new\n"
    calls(orchestra)
    cloud("down")
    assert calls(orchestra) == [f"compose --project-name=provided down {FLAGS} data-base"]
    assert "No resource found" in cloud("down").err


def test_what_the_program_says_of_itself_is_respected(
    orchestra: Orchestra, cloud: Callable[..., Result]
) -> None:
    with open(os.path.join(orchestra.directory, "metadata.json"), "w") as file:
        file.write('{"description": "x", "up": {"parameters": [{"name": "size"}]}, "stop": {}}')
    cloud("up", "-d")
    cloud("stop", "-t", "0")
    assert calls(orchestra) == [
        "compose --project-name=provided up --size=256 data-base",
        "compose --project-name=provided stop data-base",
    ]
    with open(os.path.join(orchestra.directory, "metadata.json"), "w") as file:
        file.write('{"up": {"parameters": [{"name": "key", "required": true}]}}')
    done = cloud("up", "-d", code=1)
    assert "provider cloud requires the option key" in done.err
    assert "compose.yaml:" in done.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('echo \'{"type": "error", "message": "no credit"}\'; exec sleep 600', "cloud: no credit"),
        ("echo nonsense", "invalid response from provider cloud: nonsense"),
        ("exit 3", "ended with status 3"),
    ],
)
def test_failure_is_told_and_nothing_is_started(
    orchestra: Orchestra, cloud: Callable[..., Result], more: str, told: str
) -> None:
    install(orchestra, more=more)
    done = cloud("up", "-d", code=1)
    assert told in done.err
    assert cloud("ps", "-aq").out == ""


def test_missing_program_is_told(orchestra: Orchestra, cloud: Callable[..., Result]) -> None:
    os.unlink(os.path.join(orchestra.directory, "cloud"))
    assert 'no provider "cloud"' in cloud("up", "-d", code=1).err
    install(orchestra, name="docker-cloud")
    cloud("up", "-d")
    assert len(calls(orchestra)) == 1
