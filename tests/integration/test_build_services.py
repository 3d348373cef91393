"""Services with `build`: what `build`, `up` and `run` make of them, and show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.building import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def test_up_builds_what_has_no_image_and_rebuilds_when_asked(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM host\n        COPY page /page\n    command: [sleep, infinity]\n"
        "    network_mode: none\n",
    )
    write(orchestra, "page", "one")
    assert "Built" in orchestra("up", "-d").err
    assert orchestra("exec", "-T", "web", "cat", "/page").out == "one"
    write(orchestra, "page", "two")
    assert "Built" not in orchestra("up", "-d").err
    assert "Built" in orchestra("up", "-d", "--build", "-t", "0").err
    assert orchestra("exec", "-T", "web", "cat", "/page").out == "two"


def test_a_service_may_begin_with_the_image_of_another(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM base\n        RUN cat /base > /app\n"
        "      additional_contexts:\n        base: service:base\n"
        "  base:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM host\n        RUN echo base > /base\n",
    )
    done = orchestra("--progress", "plain", "build")
    assert done.err.index("[base 1/2]") < done.err.index("[app 1/2]")


def test_services_are_built_at_the_same_time_and_share_their_steps(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo same > /same\nARG N\nRUN echo $N > /n\n")
    write(
        orchestra,
        "compose.yaml",
        "services:\n"
        + "".join(f"  s{n}: {{build: {{context: ., args: {{N: {n}}}}}}}\n" for n in range(3)),
    )
    done = orchestra("--progress", "json", "build")
    events = [json.loads(line) for line in done.err.splitlines()]
    same = [
        event["status"]
        for event in events
        if "echo same" in event["id"] and event["status"] in ("Done", "Cached")
    ]
    assert sorted(same) == ["Cached", "Cached", "Done"], "one has done it for all"
    assert orchestra("run", "--rm", "-T", "s2", "cat", "/n").out == "2\n"


def test_up_and_run_show_their_builds_as_build_does(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "services:\n  web:\n    build: .\n    command: sleep 1000\n    network_mode: none\n",
    )
    write(orchestra, "Dockerfile", "FROM host\nRUN echo from the step\n")
    first = orchestra("up", "-d").err
    assert "#2 [web 2/2] RUN echo from the step\n" in first
    assert " from the step\n" in first
    assert "#2 DONE" in first
    again = orchestra("up", "-d", "--build").err
    assert "#2 CACHED" in again
    assert "#2 CACHED" in orchestra("create", "--build").err
    assert "#2 CACHED" in orchestra("run", "--build", "--rm", "-T", "web", "true").err
    assert "RUN echo" not in orchestra("up", "-d").err, "nothing to build"


def test_up_on_a_terminal_shows_the_running_step_of_its_build(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write(orchestra, "compose.yaml", "services: {web: {build: ., network_mode: none}}\n")
    write(orchestra, "Dockerfile", "FROM host\nRUN echo the tail; sleep 600\n")
    shown = terminal("create", "--build", cwd=orchestra.directory)
    shown.expect("the tail\r\n")
    shown.type("\x03")
    assert shown.wait() == 130
    assert "CANCELED" in shown.output
