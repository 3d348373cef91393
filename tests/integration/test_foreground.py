"""`up` in the foreground, into pipes: what is shown, what ends it, and its exit code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: fg
services:
  web:
    image: host
    command: [sh, -c, "echo hello; sleep 0.2; echo bye"]
    depends_on: [db]
  db:
    image: host
    init: true
    command: [sh, -c, "echo base; sleep 1; exit 3"]
  quiet:
    image: host
    attach: false
    init: true
    command: [sh, -c, "echo hush; exec sleep 600"]
"""


@pytest.fixture
def fg(orchestra: Orchestra) -> Orchestra:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    return orchestra


def running(fg: Orchestra) -> list[str]:
    return fg("ps", "--services").out.split()


def test_the_attached_containers_are_named_first(fg: Orchestra) -> None:
    done = fg("up")
    assert done.out.splitlines()[0] == "Attaching to db-1, web-1"
    assert "web-1  | hello\n" in done.out
    assert "hush" not in done.out
    assert done.out.endswith("db-1 exited with code 3\n")
    assert " Container fg-web-1  Creating\n Container" in done.err
    assert "Start" not in done.err
    assert running(fg) == ["quiet"]


@pytest.mark.parametrize(
    ("flags", "attached"),
    [
        (("--attach", "web"), "web-1"),
        (("--no-attach", "web"), "db-1"),
        (("web",), "web-1"),
        (("--attach-dependencies", "web"), "db-1, web-1"),
        (("--attach", "quiet", "--abort-on-container-failure", "--scale", "quiet=0"), ""),
    ],
    ids=" ".join,
)
def test_flags_choose_what_is_attached(
    fg: Orchestra, flags: tuple[str, ...], attached: str
) -> None:
    first = fg("up", "--no-log-prefix", *flags).out.splitlines()[:1]
    assert first == ([f"Attaching to {attached}"] if attached else [])


def test_a_failure_stops_everything_and_gives_its_code(fg: Orchestra) -> None:
    done = fg("up", "--abort-on-container-failure", code=3)
    assert "web-1 exited with code 0\n" in done.out
    assert "\nAborting on container exit...\n" in done.err
    assert " Container fg-quiet-1  Stopped\n" in done.err
    assert running(fg) == []


def test_the_first_exit_stops_everything(fg: Orchestra) -> None:
    done = fg("up", "--abort-on-container-exit")
    assert "web-1 exited with code 0\n" in done.out
    assert "db-1 exited with code 143\n" in done.out
    assert running(fg) == []


def test_the_exit_code_is_that_of_the_chosen_service(fg: Orchestra) -> None:
    fg("up", "--exit-code-from", "db", code=143)
    assert running(fg) == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--attach", "nope"), "cannot attach to services not included in up: nope"),
        (("--attach", "quiet", "web"), "cannot attach to services not included in up: quiet"),
        (("--exit-code-from", "nope"), 'no such service: "nope"'),
        (("-d", "--exit-code-from", "db"), "--detach cannot be combined with --exit-code-from"),
        (("--wait", "--attach", "db"), "--wait cannot be combined with --attach"),
        (
            ("--attach-dependencies", "--attach", "web"),
            "cannot combine --attach and --attach-dependencies",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_flags_that_make_no_sense_start_nothing(
    fg: Orchestra, flags: tuple[str, ...], message: str
) -> None:
    assert message in fg("up", *flags, code=1).err
    assert fg("ps", "-aq").out == ""


def test_waiting_has_an_end(fg: Orchestra) -> None:
    with open(os.path.join(fg.directory, "compose.yaml"), "w") as file:
        file.write(
            "services: {sick: {image: host, init: true, command: [sleep, '600'], "
            "healthcheck: {test: [CMD, 'false'], interval: 1h}}}\n"
        )
    done = fg("up", "--wait", "--wait-timeout", "1", code=1)
    assert "not ready after 1 s" in done.err
    assert fg("ps", "--services").out == "sick\n"


def test_waiting_notices_a_command_that_fails_at_once(fg: Orchestra) -> None:
    with open(os.path.join(fg.directory, "compose.yaml"), "w") as file:
        file.write(
            "services:\n"
            "  bad: {image: host, command: [sh, -c, 'sleep 0.1; exit 5']}\n"
            "  done: {image: host, command: ['true']}\n"
            "  good: {image: host, init: true, command: [sleep, '600']}\n"
        )
    assert "container fg-bad-1 exited (5)\n" in fg("-p", "fg", "up", "--wait", "bad", code=1).err
    fg("-p", "fg", "up", "--wait", "good", "done")
    fg("-p", "fg", "down", "-t", "0")
