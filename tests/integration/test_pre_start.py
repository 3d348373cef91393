"""`pre_start`: commands in containers of their own, before a service starts for the first time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: steps
services:
  web:
    image: host
    init: true
    scale: {scale}
    command: [sh, -c, "echo web >> /out/log; exec sleep {seconds}"]
    environment: {{KEPT: service, CHANGED: service}}
    user: "0"
    working_dir: /usr
    volumes: ["./out:/out", "/cache"]
    depends_on: [db]
    pre_start:
      - command: [sh, -c, "echo one $$KEPT $$CHANGED in $$(pwd) >> /out/log; echo warm > /cache/f"]
        environment: {{CHANGED: hook}}
      - command: [sh, -c, "{second}"]
        image: host
        per_replica: {per_replica}
        user: "1234"
        working_dir: /tmp
  db:
    image: host
    init: true
    command: [sh, -c, "echo db >> /out/log; exec sleep 600"]
    volumes: ["./out:/out"]
  late:
    image: host
    init: true
    command: [sleep, "600"]
    depends_on: [web]
"""
SECOND = "echo two as $$(id -u) in $$(pwd) >> /out/log"
FIRST_LINES = ["db", "one service hook in /usr", "two as 1234 in /tmp"]


def write(
    orchestra: Orchestra,
    *,
    second: str = SECOND,
    seconds: int = 600,
    scale: int = 1,
    per_replica: str = "false",
) -> None:
    out = os.path.join(orchestra.directory, "out")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(
            COMPOSE.format(second=second, seconds=seconds, scale=scale, per_replica=per_replica)
        )
    with open(os.path.join(out, "log"), "w") as file:
        os.chmod(file.name, 0o666)


def log(orchestra: Orchestra) -> list[str]:
    with open(os.path.join(orchestra.directory, "out", "log")) as file:
        return file.read().splitlines()


def containers(orchestra: Orchestra) -> list[str]:
    return sorted(orchestra("ps", "-a", "--format", "{{.Name}}").out.split())


def test_steps_run_in_order_after_dependencies_and_leave_nothing(orchestra: Orchestra) -> None:
    write(orchestra)
    orchestra("up", "-d")
    eventually(lambda: log(orchestra) == [*FIRST_LINES, "web"], within_s=10)
    assert containers(orchestra) == ["steps-db-1", "steps-late-1", "steps-web-1"]
    assert orchestra("exec", "-T", "web", "cat", "/cache/f").out == "warm\n"


def test_steps_that_have_succeeded_run_again_only_for_a_new_container(
    orchestra: Orchestra,
) -> None:
    write(orchestra)
    orchestra("up", "-d")
    orchestra("up", "-d")
    orchestra("restart", "web")
    orchestra("stop", "web")
    orchestra("up", "-d")
    orchestra("stop", "web")
    orchestra("start", "web")
    orchestra("up", "-d", "--scale", "web=2")
    eventually(lambda: log(orchestra) == [*FIRST_LINES, *["web"] * 5], within_s=10)
    write(orchestra, seconds=601, scale=2)
    orchestra("up", "-d")
    eventually(lambda: log(orchestra) == [*FIRST_LINES[1:], "web", "web"], within_s=10)


def test_failure_stops_what_needs_the_service_and_is_told(orchestra: Orchestra) -> None:
    write(orchestra, second="echo no luck >&2; exit 9")
    done = orchestra("up", "-d", code=1)
    assert 'service "web" pre_start[1] (sh -c ' in done.err
    assert "exited with status 9" in done.err
    assert orchestra("ps", "--services").out.split() == ["db"]
    assert "no luck" in orchestra("logs", "steps-web-pre_start-2").out
    assert "orphan" not in orchestra("up", "-d", code=1).err
    write(orchestra)
    orchestra("up", "-d")
    eventually(lambda: log(orchestra) == [*FIRST_LINES[1:], "web"], within_s=10)
    assert containers(orchestra) == ["steps-db-1", "steps-late-1", "steps-web-1"]


def test_down_removes_what_has_failed(orchestra: Orchestra) -> None:
    write(orchestra, second="exit 9")
    orchestra("up", "-d", code=1)
    orchestra("down")
    assert containers(orchestra) == []


def test_each_replica_has_its_own_when_asked(orchestra: Orchestra) -> None:
    write(orchestra, scale=2, per_replica="true")
    orchestra("up", "-d")
    expected = [*FIRST_LINES, FIRST_LINES[-1], "web", "web"]
    eventually(lambda: log(orchestra) == expected, within_s=10)


def test_created_service_runs_them_when_it_is_started(orchestra: Orchestra) -> None:
    write(orchestra)
    orchestra("create")
    assert log(orchestra) == []
    orchestra("start")
    eventually(lambda: log(orchestra) == [*FIRST_LINES, "web"], within_s=10)
    assert containers(orchestra) == ["steps-db-1", "steps-late-1", "steps-web-1"]


def test_foreground_up_shows_what_they_write(orchestra: Orchestra) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write("""
name: steps
services:
  web:
    image: host
    command: [echo, main]
    pre_start:
      - command: [echo, prepared]
""")
    out = orchestra("up", "--abort-on-container-exit").out
    said = [line.split("|", 1)[-1].strip() for line in out.splitlines() if "|" in line]
    assert said == ["prepared", "main"]
    assert "pre_start-1 exited" not in out
