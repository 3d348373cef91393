"""A low soft limit of open files, as login shells have it, is no limit to a project's size."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COUNT = 16
LOW = ("prlimit", "--nofile=60:4000")  # util-linux


def test_more_containers_than_the_soft_limit_has_room_for(orchestra: Orchestra) -> None:
    service = "image: host, init: true, command: [sh, -c, 'ulimit -n; ulimit -Hn; sleep infinity']"
    probe = "healthcheck: {test: 'ulimit -n >/tmp/probe', start_interval: 50ms, start_period: 9s}"
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write("services:\n")
        file.writelines(f"  s{number}: {{{service}}}\n" for number in range(COUNT))
        file.write(f"  own: {{{service}, ulimits: {{nofile: {{soft: 70, hard: 80}}}}, {probe}}}\n")
    orchestra.through(LOW, "up", "-d", "--wait", code=0)
    assert len(orchestra("ps", "-q").out.split()) == COUNT + 1
    assert orchestra("logs", "--no-log-prefix", "s3").out == "60\n4000\n"
    assert orchestra("logs", "--no-log-prefix", "own").out == "70\n80\n"
    shown = "ulimit -n; ulimit -Hn"
    assert orchestra("exec", "-T", "s3", "sh", "-c", shown).out == "60\n4000\n"
    assert orchestra("exec", "-T", "own", "sh", "-c", shown).out == "70\n80\n"
    assert orchestra("exec", "-T", "own", "cat", "/tmp/probe").out == "70\n"
