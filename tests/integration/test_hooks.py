"""`post_start` and `pre_stop`: where they run, as whom, when, and what their failure means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMPOSE = """
name: hooks
services:
  web:
    image: host
    init: true
    user: "1234"
    working_dir: /tmp
    environment: {{KEPT: service, CHANGED: service}}
    command: [sleep, "600"]
    restart: always
    stop_grace_period: 2s
    volumes: [./out:/out]
    post_start:
      - command: [sh, -c, "{post_start}"]
        user: "0"
        working_dir: /usr
        privileged: {privileged}
        environment: {{CHANGED: hook}}
      - command: [sh, -c, "echo second as $$(id -u) in $$(pwd) >> /out/log"]
    pre_stop:
      - command: [sh, -c, "{pre_stop}"]
        user: root
  later:
    image: host
    init: true
    command: [sh, -c, "echo later >> /out/log; exec sleep 600"]
    volumes: [./out:/out]
    depends_on: [web]
"""

TELL = "echo first as $$(id -u) in $$(pwd) with $$KEPT $$CHANGED >> /out/log"


def write(
    orchestra: Orchestra,
    *,
    post_start: str = TELL,
    pre_stop: str = "echo stopping >> /out/log",
    privileged: str = "false",
) -> None:
    out = os.path.join(orchestra.directory, "out")
    os.makedirs(out, exist_ok=True)
    os.chmod(out, 0o777)
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE.format(post_start=post_start, pre_stop=pre_stop, privileged=privileged))
    with open(os.path.join(out, "log"), "w") as file:
        os.chmod(file.name, 0o666)


def log(orchestra: Orchestra) -> list[str]:
    with open(os.path.join(orchestra.directory, "out", "log")) as file:
        return file.read().splitlines()


STARTED = ["first as 0 in /usr with service hook", "second as 1234 in /tmp"]


def test_hooks_run_in_order_before_dependents_and_before_the_stop_signal(
    orchestra: Orchestra,
) -> None:
    write(orchestra, post_start=f"sleep 0.3; {TELL}")
    orchestra("up", "-d")
    eventually(lambda: log(orchestra)[:3] == [*STARTED, "later"], within_s=10)
    orchestra("down")
    assert log(orchestra)[3:] == ["stopping"]


def test_a_privileged_hook_may_what_its_container_may_not(orchestra: Orchestra) -> None:
    tell = "grep CapEff /proc/self/status >> /out/log"
    write(orchestra, post_start=tell, privileged="true")
    orchestra("up", "-d", "web")
    (line,) = (each for each in log(orchestra) if each.startswith("CapEff"))
    assert int(line.split()[1], 16) >> 21 & 1  # CAP_SYS_ADMIN
    inside = orchestra("exec", "-T", "--user", "0", "web", "grep", "CapEff", "/proc/self/status")
    assert not int(inside.out.split()[1], 16) >> 21 & 1


def test_restart_runs_both_and_a_crash_neither(orchestra: Orchestra) -> None:
    write(orchestra)
    orchestra("up", "-d", "web")
    orchestra("restart", "web")
    assert log(orchestra) == [*STARTED, "stopping", *STARTED]
    before = started_at(orchestra)
    orchestra("kill", "-s", "USR1", "web")  # ends its command; the policy starts it again
    eventually(lambda: started_at(orchestra) not in ("", before), within_s=10)
    assert log(orchestra) == [*STARTED, "stopping", *STARTED]


def started_at(orchestra: Orchestra) -> str:
    """When PID 1 of web began, by the kernel's clock; "" when it does not run."""
    done = orchestra("exec", "-T", "web", "cut", "-d ", "-f22", "/proc/1/stat", code=None)
    return done.out


def test_failing_post_start_fails_up_and_keeps_the_container(orchestra: Orchestra) -> None:
    write(orchestra, post_start="echo bad luck >&2; exit 7")
    done = orchestra("up", "-d", code=1)
    assert "container hooks-web-1: post_start hook 1 exited with status 7: bad luck" in done.err
    assert "sh -c 'echo bad luck >&2; exit 7'" in done.err
    assert orchestra("ps", "--services").out.split() == ["web"]


def test_hook_that_cannot_be_executed_is_told(orchestra: Orchestra) -> None:
    write(orchestra, post_start="exec /not/there")
    done = orchestra("up", "-d", "web", code=1)
    assert "post_start hook 1 exited with status 127" in done.err
    assert "/not/there" in done.err


def test_failing_pre_stop_leaves_it_running(orchestra: Orchestra) -> None:
    write(orchestra, pre_stop="exit 3")
    orchestra("up", "-d", "web")
    done = orchestra("stop", "web", code=1)
    assert "pre_stop hook 1 exited with status 3" in done.err
    assert orchestra("ps", "--services").out.split() == ["web"]
    orchestra("kill", "web")
    assert orchestra("ps", "--services").out.split() == []


def test_hook_ends_with_its_container(orchestra: Orchestra) -> None:
    write(orchestra, pre_stop="kill -9 -1; sleep 600")
    orchestra("up", "-d", "web")
    orchestra("stop", "web")
    assert "exited" in orchestra("ps", "-a", "web", "--format", "json").out


def test_foreground_up_shows_what_hooks_write(orchestra: Orchestra) -> None:
    path = os.path.join(orchestra.directory, "compose.yaml")
    with open(path, "w") as file:
        file.write("""
name: hooks
services:
  web:
    image: host
    command: [sh, -c, "echo main; sleep 1"]
    post_start:
      - command: [sh, -c, "echo from the hook; printf unfinished"]
""")
    done = orchestra("up")
    lines = [line.split("|", 1) for line in done.out.splitlines() if "|" in line]
    said = {(prefix.strip(), text.strip()) for prefix, text in lines}
    assert said == {
        ("web-1", "main"),
        ("web-1 ->", "from the hook"),
        ("web-1 ->", "unfinished"),
    }
    assert "hook" not in orchestra("logs").out
