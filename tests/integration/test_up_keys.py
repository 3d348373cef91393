"""`up` in the foreground at a terminal: its menu, its keys, and the terminal it leaves behind."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.integration.harness.terminal import Terminal
from tests.support.compose import states, write_compose
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: keys
services:
  web:
    image: host
    command: [sh, -c, "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"]
    develop:
      watch:
        - {path: src, action: sync, target: /tmp/app}
        - {path: conf, action: restart}
"""
MENU = "w Enable Watch   d Detach   q Stop"


def screen(terminal: Terminal, size: tuple[int, int] = (24, 80)) -> list[str]:
    """The lines that a person sees now."""
    shown = pyte.Screen(size[1], size[0])
    pyte.Stream(shown).feed(terminal.read_all())
    return [line.rstrip() for line in shown.display if line.strip()]


@pytest.fixture
def project(orchestra: Orchestra) -> Orchestra:
    write_compose(orchestra, COMPOSE)
    return orchestra


@pytest.fixture
def up(project: Orchestra, terminal: Callable[..., Terminal]) -> Terminal:
    opened = terminal("up", cwd=project.directory)
    opened.expect("ready")
    eventually(lambda: screen(opened)[-1] == MENU, within_s=5)
    return opened


def status(project: Orchestra) -> str:
    (state,) = states(project).values()
    return str(state["State"])


def test_the_menu_is_the_last_line_and_is_gone_at_the_end(up: Terminal) -> None:
    assert screen(up)[-2] == "web-1  | ready"
    assert not up.is_cooked()
    up.type("q")
    assert up.wait() == 130
    assert "Enable Watch" not in "\n".join(screen(up))
    assert "web-1  | bye" in screen(up)


def test_detaching_leaves_everything_running(project: Orchestra, up: Terminal) -> None:
    up.type("d")
    assert up.wait() == 0
    assert status(project) == "running"
    assert MENU not in screen(up)


def test_ctrl_c_twice_kills(project: Orchestra, terminal: Callable[..., Terminal]) -> None:
    write_compose(project, COMPOSE.replace("trap 'echo bye; exit 0' TERM", "trap '' TERM"))
    opened = terminal("up", cwd=project.directory)
    opened.expect("Detach")
    opened.expect("ready")
    opened.type("\x03")
    opened.expect("again to force")
    opened.type("\x03")
    assert opened.wait(within_s=8) == 130
    (state,) = states(project).values()
    assert (state["State"], state["ExitCode"]) == ("exited", 137)


def test_the_watch_is_switched_on_and_off(project: Orchestra, up: Terminal) -> None:
    up.type("w")
    up.expect("⦿ ")
    up.expect("Watch enabled")
    eventually(lambda: "w Disable Watch" in screen(up)[-1], within_s=5)
    os.makedirs(os.path.join(project.directory, "src"))
    with open(os.path.join(project.directory, "src/a"), "w") as file:
        file.write("one")
    up.expect('Syncing service "web" after')
    eventually(lambda: project("exec", "-T", "web", "cat", "/tmp/app/a").out == "one", within_s=10)
    up.type("w")
    up.expect("Watch disabled")
    eventually(lambda: screen(up)[-1] == MENU, within_s=5)
    assert any(re.fullmatch(r" +⦿ Watch disabled", line) for line in screen(up))


def test_a_restart_by_the_watch_does_not_end_up(
    project: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    opened = terminal("up", "--watch", "--abort-on-container-exit", cwd=project.directory)
    opened.expect("Watch enabled")
    for _ in range(2):
        os.makedirs(os.path.join(project.directory, "conf"), exist_ok=True)
        with open(os.path.join(project.directory, "conf/a"), "w") as file:
            file.write("x")
        opened.expect("restarted")
        opened.output = ""
    opened.type("q")
    assert opened.wait() == 130
    assert status(project) == "exited"


def test_keys_without_a_counterpart_say_what_to_do(up: Terminal) -> None:
    up.type("vo\n")
    up.expect("no Docker Desktop here: `orchestra ps`")
    up.expect("`orchestra config` prints it")
    eventually(lambda: screen(up)[-1] == MENU, within_s=5)


def test_there_is_nothing_to_watch(project: Orchestra, terminal: Callable[..., Terminal]) -> None:
    write_compose(project, re.sub(r"    develop:\n(      .*\n)*", "", COMPOSE))
    opened = terminal("up", cwd=project.directory)
    opened.expect("Detach")
    opened.type("w")
    opened.expect("no service has a `develop.watch` section")
    opened.type("q")
    opened.wait()
    done = project("up", "--watch", code=1)
    assert "none of the selected services is configured for watch" in done.err


@pytest.fixture
def shell(project: Orchestra) -> Iterator[Terminal]:
    """A shell with job control, at a terminal."""
    env = {**project.env, "PS1": "> "}
    bash = ["/bin/bash", "--norc", "--noprofile", "-i"]
    opened = Terminal(bash, cwd=project.directory, env=env)
    yield opened
    opened.close()


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(shell: Terminal) -> None:
    shell.type(f"{PROGRAM} up\n")
    shell.expect("ready")
    shell.expect("Detach")
    shell.type("\x1a")
    shell.expect("Stopped")
    shell.output = ""
    shell.type("stty -a; echo cooked-$((1+1))\n")
    shell.expect("cooked-2")
    assert " icanon" in shell.output
    assert " echo " in shell.output
    shell.output = ""
    shell.type("fg\n")
    shell.expect("Detach")
    shell.output = ""  # it holds a prompt already, and what is typed too early goes to `up`
    shell.type("d")
    shell.expect("> ")
    shell.type("echo code-$?\n")
    shell.expect("code-0")
    shell.type("exit\n")
    assert shell.wait() == 0


def test_a_job_in_the_background_stays_away_from_the_terminal(shell: Terminal) -> None:
    shell.type(f"{PROGRAM} up &\n")
    shell.expect("ready")
    shell.type("jobs; echo still-$((40+2))\n")
    shell.expect("still-42")
    assert "Running" in shell.output
    assert "Detach" not in shell.output
    shell.type("kill %1; wait %1; echo code-$?\n")
    shell.expect("code-130")
    shell.type("exit\n")
    shell.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_signals_leave_the_terminal_as_it_was(up: Terminal, number: signal.Signals) -> None:
    os.kill(up.pid, number)
    eventually(up.is_cooked, within_s=10)
    code = up.wait()
    assert code == (-number if number == signal.SIGQUIT else 130)


def test_the_menu_fits_after_a_resize(up: Terminal) -> None:
    up.resize((10, 20))
    eventually(lambda: screen(up, (10, 20))[-1] == "w Enable Watch", within_s=5)


@pytest.mark.parametrize(
    ("flags", "env", "env_file"),
    [
        (("--menu=false",), {}, ""),
        ((), {"COMPOSE_MENU": "false"}, "COMPOSE_MENU=true"),
        ((), {}, "COMPOSE_MENU=false"),
        ((), {"NO_COLOR": "1"}, ""),
        ((), {"TERM": "dumb"}, ""),
    ],
)
def test_without_a_menu_the_terminal_is_left_alone(
    project: Orchestra,
    terminal: Callable[..., Terminal],
    flags: tuple[str, ...],
    env: dict[str, str],
    env_file: str,
) -> None:
    with open(os.path.join(project.directory, ".env"), "w") as file:
        file.write(env_file)
    project.env.update(env)
    opened = terminal("up", *flags, cwd=project.directory)
    opened.expect("ready")
    assert opened.is_cooked()
    if "NO_COLOR" in env:
        assert "\x1b" not in opened.output
    opened.type("\x03")
    assert opened.wait() == 130
    assert "Detach" not in opened.output
