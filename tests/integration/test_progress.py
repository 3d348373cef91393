"""Live progress of a hundred services at a small terminal that is resized meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.support.compose import write_compose

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

SERVICE = '{image: host, init: true, network_mode: none, command: [sleep, "600"]}'


def services(count: int) -> str:
    lines = "".join(f"  s{number}: {SERVICE}\n" for number in range(count))
    return f"name: many\nservices:\n{lines}"


def test_a_hundred_services_on_a_small_terminal(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write_compose(orchestra, services(100))
    opened = terminal("up", "-d", cwd=orchestra.directory)
    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    fed = 0
    for marks, size in ((1, (12, 50)), (3, (30, 100)), (5, (16, 60))):
        while opened.output.count("[+] up") < marks and "?25h" not in opened.output:
            opened.expect_more()
        stream.feed(opened.output[fed:])
        fed = len(opened.output)
        opened.resize(size)
        screen.resize(*size)
    assert opened.wait(within_s=60) == 0
    stream.feed(opened.output[fed:])
    lines = [line.rstrip() for line in screen.display if line.strip()]
    assert lines.count("[+] up 100/100") == 1
    assert lines[-1] == " … 87 more: 87 Started"
    shown = [line for line in lines if "Container" in line]
    assert len(shown) == len(set(shown)) == 13
    assert not screen.cursor.hidden


@pytest.mark.parametrize("mode", ["plain", "json", "quiet", "auto"])
def test_into_a_pipe_there_are_lines_and_no_colours(orchestra: Orchestra, mode: str) -> None:
    write_compose(orchestra, services(2))
    told = orchestra("--progress", mode, "up", "-d").err
    assert "\x1b" not in told
    if mode == "json":
        ended = [json.loads(line) for line in told.splitlines()]
        assert {"id": "Container many-s1-1", "status": "Done", "text": "Started"} in ended
    elif mode == "quiet":
        assert told == ""
    else:
        assert " Container many-s1-1  Started\n" in told


@pytest.mark.parametrize(
    ("flags", "env", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--ansi", "never"), {}, False),
        (("--ansi", "always"), {}, True),
        (("--progress", "plain"), {}, False),
    ],
)
def test_colours_at_a_terminal(
    orchestra: Orchestra,
    terminal: Callable[..., Terminal],
    flags: tuple[str, ...],
    env: dict[str, str],
    coloured: bool,
) -> None:
    write_compose(orchestra, services(1))
    orchestra.env.update(env)
    opened = terminal(*flags, "up", "-d", cwd=orchestra.directory)
    assert opened.wait() == 0
    assert ("\x1b[32m" in opened.output) is coloured
    if not coloured:
        assert "\x1b" not in opened.output
