"""`run`: one-off containers with the caller's pipes, exit codes, and nothing left with --rm."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

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
    name, state = project("ps", "-a", "--format", "{{.Name}} {{.State}}").out.split()
    assert name.startswith(f"{os.path.basename(project.directory)}-web-run-")
    assert state == "exited"
    project("rm", "-f")
    assert project("ps", "-a", "-q").out != "", "as Docker Compose does"
    project("rm", "-f", name)
    assert project("ps", "-a", "-q").out == ""


def test_run_detached_prints_the_id_and_goes_on(project: Orchestra) -> None:
    identifier = project("run", "-d", "--no-deps", "web").out.strip()
    states = project("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}").out.split("\n")
    assert f"{identifier} running" in states


def test_run_of_a_command_that_is_not_there_exits_127(project: Orchestra) -> None:
    project("run", "--rm", "--no-deps", "-T", "web", "/no/such", code=127)
    assert project("ps", "-a", "-q").out == ""


def test_run_gives_a_real_terminal(project: Orchestra, terminal: Callable[..., Terminal]) -> None:
    words = ("run", "--rm", "--no-deps", "web", "sh", "-c", "tty; read line; exit 5")
    shell = terminal(*words, cwd=project.directory)
    shell.expect("/dev/pts/")
    shell.type("go\n")
    assert shell.wait() == 5


def background(project: Orchestra, *arguments: str) -> subprocess.Popen[bytes]:
    """`run` with pipes of ours."""
    return subprocess.Popen(
        [PROGRAM, "--progress", "quiet", "run", "--no-deps", "-T", *arguments],
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def oneoffs(project: Orchestra) -> list[str]:
    """The states of all containers that `run` made."""
    return [str(s["State"]) for name, s in states(project).items() if "-run-" in name]


def test_the_command_is_the_first_process(project: Orchestra) -> None:
    project("run", "--no-deps", "-T", "web", "sh", "-c", "echo $$; exit 3", code=3)
    ((name, state),) = states(project).items()
    assert (state["State"], state["ExitCode"]) == ("exited", 3)
    assert str(state["Command"]).startswith('"sh -c')
    assert project("logs", "--no-log-prefix", name).out == "1\n"


def test_every_byte_of_both_streams_arrives(project: Orchestra) -> None:
    script = "head -c 30000000 /dev/urandom | tee /dev/stderr | md5sum > /tmp/sum; cat /tmp/sum"
    with background(project, "--rm", "web", "sh", "-c", script) as run:
        out, err = run.communicate(timeout=60)
    assert run.returncode == 0
    digest = subprocess.run(["md5sum"], input=err, capture_output=True, check=True).stdout
    assert (len(err), digest) == (30_000_000, out)


def test_every_byte_of_stdin_arrives(project: Orchestra) -> None:
    content = os.urandom(3_000_000)
    with background(project, "--rm", "web", "cat") as run:
        assert run.communicate(content, timeout=60) == (content, b"")


def test_a_closed_stdin_is_an_empty_one(project: Orchestra) -> None:
    command = f"exec {PROGRAM} run --rm --no-deps -T web wc -c <&-"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=project.directory,
        env=project.env,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.strip() == b"0"


def test_stdin_can_be_opened_again_after_its_end(project: Orchestra) -> None:
    flags = ("--rm", "--no-deps", "-T", "-u", "nobody")
    script = "cat; cat /dev/stdin; echo out > /dev/stdout"
    result = project("run", *flags, "web", "sh", "-c", script, stdin="in\n", timeout_s=20)
    assert result.out == "in\nout\n"


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_signals_are_passed_on(project: Orchestra, name: str) -> None:
    script = f"trap 'echo caught; exit 9' {name}; echo ready; while :; do sleep 0.05; done"
    with background(project, "--rm", "web", "sh", "-c", script) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(signal.Signals[f"SIG{name}"])
        out, _ = run.communicate(timeout=20)
    assert (out, run.returncode) == (b"caught\n", 9)
    assert oneoffs(project) == []


def test_a_first_process_that_ignores_signals_is_killed_by_the_third(project: Orchestra) -> None:
    with background(project, "--rm", "web", "sh", "-c", "echo ready; exec sleep 60") as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        for _ in range(20):  # signals that come too fast after each other are one
            run.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(0.3)
        run.communicate(timeout=20)
    assert run.returncode == 137
    assert oneoffs(project) == []


def test_it_goes_on_when_the_command_is_killed(project: Orchestra) -> None:
    script = "echo ready; cat; echo end of input; exec sleep 60"
    with background(project, "--name", "lonely", "web", "sh", "-c", script) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        run.kill()
    assert states(project)["lonely"]["State"] == "running"
    expected = "ready\nend of input\n"
    eventually(lambda: project("logs", "--no-log-prefix", "lonely").out == expected, within_s=10)
    project("stop", "-t", "0", "lonely")
    told = project("wait", "lonely", code=137).out
    assert re.fullmatch(r'container "[0-9a-f]{64}" exited with status code 137\n', told)


def test_rm_of_a_command_that_was_killed_removes_all_the_same(project: Orchestra) -> None:
    script = "echo ready; cat; exit 0"
    with background(project, "--rm", "web", "sh", "-c", script) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        run.kill()
    eventually(lambda: oneoffs(project) == [], within_s=20)


def test_run_detached_with_rm_leaves_nothing(project: Orchestra) -> None:
    project("run", "-d", "--rm", "--no-deps", "web", "true")
    eventually(lambda: oneoffs(project) == [], within_s=5)


def test_a_reader_that_goes_away_ends_it(project: Orchestra) -> None:
    with background(project, "--rm", "web", "sh", "-c", "while :; do echo y; done") as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"y\n"
        run.stdout.close()
        assert run.wait(20) == 141
    assert oneoffs(project) == []


def test_it_outlives_the_supervisor(project: Orchestra) -> None:
    with background(project, "--rm", "web", "cat") as run:
        assert run.stdin is not None
        assert run.stdout is not None
        for number in range(3):
            run.stdin.write(b"%d\n" % number)
            run.stdin.flush()
            assert run.stdout.readline() == b"%d\n" % number
            os.kill(_supervisor(project), signal.SIGKILL)
        run.communicate(timeout=20)
    assert run.returncode == 0
    assert oneoffs(project) == []


def _supervisor(project: Orchestra) -> int:
    name = os.path.basename(project.directory)
    path = os.path.join(project.env["ORCHESTRA_RUN_ROOT"], "projects", name, "supervisor.pid")
    with open(path) as file:
        return int(file.read().split()[0])


def test_the_terminal_has_its_size_before_the_command_runs(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    size = terminal("run", "--rm", "--no-deps", "web", "stty", "size", cwd=project.directory)
    assert size.wait() == 0
    assert "24 80\r\n" in size.output


def test_the_detach_keys_leave_it_running_and_the_terminal_as_it_was(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    words = ("run", "--rm", "--no-deps", "--name", "left", "web", "sh")
    shell = terminal(*words, cwd=project.directory)
    shell.type("echo in-$((1+1))\n")
    shell.expect("in-2")
    assert shell.is_raw()
    shell.type("\x10\x11")
    assert shell.wait() == 0
    assert not shell.is_raw()
    assert states(project)["left"]["State"] == "running"


def test_a_terminal_that_is_closed_leaves_it_running(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    shell = terminal("run", "--no-deps", "--name", "left", "web", "sh", cwd=project.directory)
    shell.type("echo in-$((1+1))\n")
    shell.expect("in-2")
    os.kill(shell.pid, signal.SIGHUP)
    assert shell.wait() == 128 + signal.SIGHUP
    assert not shell.is_raw()
    assert states(project)["left"]["State"] == "running"
