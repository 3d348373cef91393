"""`attach`, and `run` at a terminal: keys go in, output comes out, leaving ends nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import states, write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

SHELL = """
services:
  web: {image: host, command: [sh], tty: true, stdin_open: true}
"""
READER = """
services:
  web:
    image: host
    stdin_open: true
    command: [sh, -c, "echo early; while read line; do echo got $$line; done; echo end"]
"""
TRAPPER = """
services:
  web:
    image: host
    command: [sh, -c, "trap 'echo caught; exit 9' INT; echo early; while :; do sleep 0.1; done"]
"""


def state_of(orchestra: Orchestra) -> str:
    (state,) = states(orchestra).values()
    return str(state["State"])


def background(orchestra: Orchestra, *arguments: str) -> subprocess.Popen[str]:
    """The command with pipes of ours."""
    return subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=orchestra.directory,
        env=orchestra.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_attach_is_in_front_of_the_first_process(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, SHELL)
    orchestra("up", "-d")
    shell = terminal("attach", "web", cwd=orchestra.directory)
    shell.type("echo pid-$$-$((1+1)); stty size\n")
    shell.expect("pid-1-2")
    shell.expect("24 80")
    shell.resize((40, 132))
    shell.type("sleep 0.2; stty size\n")
    shell.expect("40 132")
    shell.type("exit 4\n")
    assert shell.wait() == 4
    assert state_of(orchestra) == "exited"
    assert "pid-1-2" in orchestra("logs", "web").out


def test_ctrl_c_is_a_key_for_the_terminal(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, SHELL)
    orchestra("up", "-d")
    shell = terminal("attach", "web", cwd=orchestra.directory)
    shell.type("sh -c 'echo now-$((1+1)); exec sleep 60'\n")
    shell.expect("now-2")
    shell.type("\x03")
    shell.type("echo still-$((40+2))\n")
    shell.expect("still-42")
    shell.type("\x10\x11")
    assert shell.wait() == 0
    assert state_of(orchestra) == "running"


@pytest.mark.parametrize(("flags", "keys"), [((), "\x10\x11"), (("--detach-keys", "x,y"), "xy")])
def test_the_detach_keys_leave_it_running(
    orchestra: Orchestra,
    terminal: Callable[..., Terminal],
    flags: tuple[str, ...],
    keys: str,
) -> None:
    write_compose(orchestra, SHELL)
    orchestra("up", "-d")
    shell = terminal("attach", *flags, "web", cwd=orchestra.directory)
    shell.type("echo in-$((1+1))\n")
    shell.expect("in-2")
    shell.type(keys)
    assert shell.wait() == 0
    assert shell.output.rstrip().endswith("read escape sequence")
    assert state_of(orchestra) == "running"


def test_without_a_terminal_lines_go_in_and_its_end_is_not_passed_on(orchestra: Orchestra) -> None:
    write_compose(orchestra, READER)
    orchestra("up", "-d")
    eventually(lambda: "early" in orchestra("logs").out, within_s=5)
    with background(orchestra, "attach", "web") as attached:
        assert attached.stdin is not None
        assert attached.stdout is not None
        attached.stdin.write("one\n")
        attached.stdin.close()
        assert attached.stdout.readline() == "got one\n", "and nothing of what was before"
        assert state_of(orchestra) == "running"
        orchestra("stop", "-t", "0")
        assert attached.wait(10) == 137


def test_signals_go_to_the_container(orchestra: Orchestra) -> None:
    write_compose(orchestra, TRAPPER)
    orchestra("up", "-d")
    eventually(lambda: "early" in orchestra("logs").out, within_s=5)
    attached = background(orchestra, "attach", "web")
    eventually(lambda: _catches_signals(attached.pid), within_s=5)
    attached.send_signal(signal.SIGINT)
    out, _ = attached.communicate(timeout=10)
    assert (out, attached.returncode) == ("caught\n", 9)


def test_signals_stay_ours_when_told_so(orchestra: Orchestra) -> None:
    write_compose(orchestra, TRAPPER)
    orchestra("up", "-d")
    attached = background(orchestra, "attach", "--sig-proxy=false", "web")
    eventually(lambda: _catches_signals(attached.pid), within_s=5)
    attached.send_signal(signal.SIGTERM)
    attached.communicate(timeout=10)
    assert attached.returncode == 128 + signal.SIGTERM
    assert state_of(orchestra) == "running"


def test_what_cannot_be_attached_to_is_told(orchestra: Orchestra) -> None:
    write_compose(orchestra, TRAPPER)
    assert "is not running" in orchestra("attach", "web", code=1).err
    orchestra("up", "-d")
    assert "ctrl-!" in orchestra("attach", "--detach-keys", "ctrl-!", "web", code=1).err
    assert "no running container #7" in orchestra("attach", "--index", "7", "web", code=1).err
    orchestra("pause")
    assert "-web-1` before you attach" in orchestra("attach", "web", code=1).err


def test_attach_outlives_the_supervisor(orchestra: Orchestra) -> None:
    write_compose(orchestra, READER)
    orchestra("up", "-d")
    eventually(lambda: "early" in orchestra("logs").out, within_s=5)
    attached = background(orchestra, "attach", "web")
    assert attached.stdin is not None
    assert attached.stdout is not None
    for number in range(3):
        attached.stdin.write(f"{number}\n")
        attached.stdin.flush()
        assert attached.stdout.readline() == f"got {number}\n"
        os.kill(_supervisor(orchestra), signal.SIGKILL)
    orchestra("kill")
    attached.communicate(timeout=20)
    assert attached.returncode == 137


def _supervisor(orchestra: Orchestra) -> int:
    name = os.path.basename(orchestra.directory)
    path = os.path.join(orchestra.env["ORCHESTRA_RUN_ROOT"], "projects", name, "supervisor.pid")
    with open(path) as file:
        return int(file.read().split()[0])


def _catches_signals(pid: int) -> bool:
    """Does process *pid* handle SIGHUP, as whoever attends does and no other command?"""
    with open(f"/proc/{pid}/status") as file:
        caught = next(line for line in file if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGHUP - 1))


def test_stdin_stays_open_when_the_supervisor_is_killed(orchestra: Orchestra) -> None:
    write_compose(orchestra, READER)
    orchestra("up", "-d")
    os.kill(_supervisor(orchestra), signal.SIGKILL)
    with background(orchestra, "attach", "web") as attached:
        assert attached.stdin is not None
        assert attached.stdout is not None
        attached.stdin.write("late\n")
        attached.stdin.flush()
        assert attached.stdout.readline() == "got late\n"
        attached.kill()
    assert state_of(orchestra) == "running"


def test_a_terminal_outlives_the_supervisor(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, SHELL)
    orchestra("up", "-d")
    shell = terminal("attach", "web", cwd=orchestra.directory)
    shell.type("echo first-$((1+1))\n")
    shell.expect("first-2")
    os.kill(_supervisor(orchestra), signal.SIGKILL)
    shell.type("echo second-$((1+1))\n")
    shell.expect("second-2")
    other = terminal("attach", "web", cwd=orchestra.directory)
    other.type("echo third-$((1+1))\n")
    other.expect("third-2")
    shell.expect("third-2")
    other.type("exit 5\n")
    assert (shell.wait(), other.wait()) == (5, 5)
