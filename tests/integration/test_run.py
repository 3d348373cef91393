"""`orchestra run`: one command in a container of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import fetch, states, write_compose
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


@pytest.fixture
def project(orchestra: Orchestra) -> Orchestra:
    write_compose(
        orchestra,
        """
        services:
          tool:
            image: host
            command: [echo, as written]
            environment: {COLOUR: red}
            ports: ["8097:8080"]
            depends_on: [db]
          db:
            image: host
            command: [sleep, "600"]
        """,
    )
    return orchestra


def test_it_runs_the_service_s_command_after_its_dependencies(project: Orchestra) -> None:
    assert project("run", "--rm", "-T", "tool").out == "as written\n"
    (db,) = states(project).values()
    assert (db["Service"], db["State"]) == ("db", "running")


def test_another_command_and_its_exit_code(project: Orchestra) -> None:
    result = project(
        "run", "--rm", "-T", "tool", "sh", "-c", "echo out; echo err >&2; exit 5", code=5
    )
    assert result.out == "out\n"
    assert result.err.endswith("err\n")


def test_it_reads_what_is_piped_into_it(project: Orchestra) -> None:
    assert (
        project("run", "--rm", "-T", "--no-deps", "tool", "tr", "a-z", "A-Z", stdin="x\n").out
        == "X\n"
    )


def test_a_command_that_is_not_there(project: Orchestra) -> None:
    result = project("run", "--rm", "-T", "--no-deps", "tool", "no-such-program", code=127)
    assert "no-such-program" in result.err
    assert states(project) == {}


def test_what_the_command_line_changes(project: Orchestra) -> None:
    os.mkdir(os.path.join(project.directory, "here"))
    script = "echo $COLOUR $SIZE; pwd; touch /there/made; id -u"
    result = project(
        *("run", "--rm", "-T", "--no-deps", "-e", "COLOUR=blue", "-e", "SIZE", "-w", "/tmp"),
        *("-u", "65534", "-v", "./here:/there", "--entrypoint", "sh -c", "tool", script),
        env={"SIZE": "big"},
        code=None,
    )
    assert result.out.splitlines()[:2] == ["blue big", "/tmp"]
    assert result.out.splitlines()[-1] == "65534"


def test_it_publishes_ports_only_when_asked(project: Orchestra) -> None:
    server = ("/usr/bin/python3", "-m", "http.server", "8080", "--directory", "/etc/apt")
    project("run", "-d", "--no-deps", "tool", *server)
    (state,) = states(project).values()
    assert state["Publishers"] is None
    project("run", "-d", "--no-deps", "-p", "8098:8080", "tool", *server)
    eventually(lambda: "sources.list" in fetch("http://127.0.0.1:8098/"), within_s=10)
    project("down", "--remove-orphans", "-t", "0")
    assert states(project) == {}


def test_its_container_stays_without_rm_and_does_not_count_as_the_service(
    project: Orchestra,
) -> None:
    project("run", "-T", "--no-deps", "--name", "mine", "tool", "true")
    assert states(project)["mine"]["State"] == "exited"
    assert project("ps", "-q").out == ""
    project("rm", "-f")  # as with Docker Compose, this is about services only
    project("rm", "-f", "mine")
    assert states(project) == {}


def test_at_a_terminal_the_command_has_one(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    run = terminal("run", "--rm", "--no-deps", "tool", "sh", cwd=project.directory)
    run.type("test -t 0 && echo a-terminal-$((1+1))\n")
    run.expect("a-terminal-2")
    run.type("exit 4\n")
    assert run.wait() == 4
    assert states(project) == {}


def test_a_volume_that_the_file_does_not_declare_is_nobodys(project: Orchestra) -> None:
    project("run", "--rm", "-T", "--no-deps", "-v", "extra:/x", "tool", "touch", "/x/file")
    listed = project("run", "--rm", "-T", "--no-deps", "-v", "extra:/x", "tool", "ls", "/x").out
    assert listed == "file\n"
    project("down", "-v")
    assert project("volume", "ls", "-q").out == "extra\n"
    project("volume", "rm", "extra")
