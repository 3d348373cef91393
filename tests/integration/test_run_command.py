"""`run`: one-off containers with the caller's pipes, exit codes, and nothing left with --rm."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
services:
  web:
    image: host
    command: [sleep, "600"]
    environment: {COLOUR: red}
    depends_on: [db]
  db:
    image: host
    command: [sleep, "600"]
    init: true
"""


@pytest.fixture
def project(orchestra: Orchestra) -> Iterator[Orchestra]:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    yield orchestra
    orchestra("down", "-v", "-t", "0", "--remove-orphans")


def test_run_gives_output_and_exit_code_and_starts_dependencies(project: Orchestra) -> None:
    result = project("run", "--rm", "-T", "web", "sh", "-c", "echo $COLOUR; exit 7", code=7)
    assert result.out == "red\n"
    assert project("ps", "-a", "--format", "{{.Service}}").out.split() == ["db"]


def test_run_reads_what_is_piped_into_it_to_its_end(project: Orchestra) -> None:
    result = project("run", "--rm", "--no-deps", "-T", "web", "wc", "-c", stdin="12345")
    assert result.out.strip() == "5"


def test_run_with_overrides(project: Orchestra) -> None:
    flags = ("--rm", "--no-deps", "-T", "-e", "COLOUR=blue", "-w", "/tmp", "-u", "nobody")
    result = project("run", *flags, "web", "sh", "-c", "echo $COLOUR; pwd; id -un")
    assert result.out.split() == ["blue", "/tmp", "nobody"]


def test_run_without_rm_leaves_a_stopped_container_for_rm(project: Orchestra) -> None:
    project("run", "--no-deps", "-T", "web", "true")
    names = project("ps", "-a", "--format", "{{.Name}} {{.State}}").out.split()
    assert names[0].startswith(f"{os.path.basename(project.directory)}-web-run-")
    assert names[1] == "exited"
    project("rm", "-f")
    assert project("ps", "-a", "-q").out == ""


def test_run_detached_prints_the_name_and_goes_on(project: Orchestra) -> None:
    name = project("run", "-d", "--no-deps", "web").out.strip()
    states = project("ps", "-a", "--format", "{{.Name}} {{.State}}").out.split("\n")
    assert f"{name} running" in states


def test_run_of_a_command_that_is_not_there_exits_127(project: Orchestra) -> None:
    project("run", "--rm", "--no-deps", "-T", "web", "/no/such", code=127)
    assert project("ps", "-a", "-q").out == ""


def test_run_gives_a_real_terminal(project: Orchestra, terminal: Callable[..., Terminal]) -> None:
    words = ("run", "--rm", "--no-deps", "web", "sh", "-c", "tty; read line; exit 5")
    shell = terminal(*words, cwd=project.directory)
    shell.expect("/dev/pts/")
    shell.type("go\n")
    assert shell.wait() == 5
