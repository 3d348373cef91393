"""What a person at a terminal meets: shells in containers, foreground `up`, live progress."""

from __future__ import annotations

import os
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

SLEEPER = """
services:
  web:
    image: host
    command: [sh, -c, "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"]
"""
STUBBORN = """
services:
  web:
    image: host
    command: [sh, -c, "trap '' TERM; echo ready; while :; do sleep 0.1; done"]
"""


@pytest.fixture
def shell(orchestra: Orchestra, terminal: Callable[..., Terminal]) -> Terminal:
    """A shell in a running container, at a terminal."""
    write_compose(orchestra, SLEEPER)
    orchestra("up", "-d")
    opened = terminal("exec", "web", "sh", cwd=orchestra.directory)
    opened.type("echo shell-$((1+1))\n")
    opened.expect("shell-2")
    return opened


def test_exec_gives_a_terminal_of_the_right_size(shell: Terminal) -> None:
    shell.type("test -t 0 && test -t 1 && echo is-a-$((1+1))-way-terminal\n")
    shell.expect("is-a-2-way-terminal")
    shell.type("stty size\n")
    shell.expect("24 80")
    shell.resize((40, 132))
    shell.type("sleep 0.2; stty size\n")
    shell.expect("40 132")
    shell.type("exit 3\n")
    assert shell.wait() == 3


def test_ctrl_c_goes_to_the_command_and_not_to_orchestra(shell: Terminal) -> None:
    shell.type("sh -c 'echo now-$((1+1)); exec sleep 60'\n")
    shell.expect("now-2")
    shell.type("\x03")
    shell.type("echo still-$((40+2))\n")
    shell.expect("still-42")
    shell.type("exit\n")
    shell.wait()


def test_up_shows_coloured_logs_and_stops_gracefully_at_ctrl_c(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, SLEEPER)
    up = terminal("up", cwd=orchestra.directory)
    up.expect("ready")
    assert "\x1b[36mweb-1  | \x1b[0mready" in up.output
    up.type("\x03")
    up.expect("bye")
    assert up.wait() == 130
    (state,) = states(orchestra).values()
    assert (state["State"], state["ExitCode"]) == ("exited", 0)


def test_a_second_ctrl_c_kills(orchestra: Orchestra, terminal: Callable[..., Terminal]) -> None:
    write_compose(orchestra, STUBBORN)
    up = terminal("up", cwd=orchestra.directory)
    up.expect("ready")
    up.type("\x03")
    up.expect("again to force")
    up.type("\x03")
    assert up.wait(within_s=8) == 130
    (state,) = states(orchestra).values()
    assert (state["State"], state["ExitCode"]) == ("exited", 137)


def test_after_the_grace_period_up_kills(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, STUBBORN)
    up = terminal("up", "-t", "1", cwd=orchestra.directory)
    up.expect("ready")
    up.type("\x03")
    # the answers come after the last output, which is no reason to look for them 5 s later
    assert up.wait(within_s=5) == 130
    assert next(iter(states(orchestra).values()))["ExitCode"] == 137


def test_up_ends_when_all_have_ended_and_gives_the_code_of_one(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        services:
          good: {image: host, command: [sh, -c, "echo fine"]}
          bad: {image: host, command: [sh, -c, "exit 3"], depends_on: [good]}
        """,
    )
    result = orchestra("up")
    assert "good-1  | fine\n" in result.out
    assert "bad-1 exited with code 3\n" in result.out
    assert orchestra("up", "--exit-code-from", "bad", code=3).code == 3


def test_progress_is_drawn_in_place(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, SLEEPER)
    name = os.path.basename(orchestra.directory)
    up = terminal("up", "-d", cwd=orchestra.directory)
    assert up.wait() == 0
    last = up.output.rsplit("[+] up", 1)[1]
    assert f"Container {name}-web-1" in last
    assert "✔" in last
    assert "\x1b[?25h" in up.output
    eventually(lambda: "ready" in orchestra("logs").out, within_s=5)


def test_an_error_shows_the_line_with_a_caret(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, "services:\n  web:\n    imge: host\n")
    config = terminal("--ansi", "never", "config", cwd=orchestra.directory)
    assert config.wait() == 15
    assert "     3 |     imge: host\r\n       |     ^\r\n" in config.output


def test_a_reader_that_goes_away_is_no_error(orchestra: Orchestra) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{PROGRAM} --help | head -n 1"],
        env=orchestra.env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stderr == ""


def test_ctrl_c_during_up_in_the_background_leaves_what_runs_running(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(
        orchestra,
        """
        services:
          slow:
            image: host
            command: [sleep, "600"]
            healthcheck: {test: [CMD, "false"], interval: 1s, start_period: 60s}
          late:
            image: host
            command: [sleep, "600"]
            depends_on: {slow: {condition: service_healthy}}
        """,
    )
    up = terminal("up", "-d", cwd=orchestra.directory)
    up.expect("Waiting")
    up.type("\x03")
    assert up.wait() == 130
    assert up.output.endswith("\x1b[?25h"), "the cursor must be shown again"
    found = {str(state["Service"]): state["State"] for state in states(orchestra).values()}
    assert found["slow"] == "running"
    assert found.get("late", "created") == "created"
    orchestra("down", "-t", "0")
    assert states(orchestra) == {}
