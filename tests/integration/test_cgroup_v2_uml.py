"""The cgroup tests again, on a kernel of its own with pure cgroup v2 and device programs."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests.support import uml
from tests.support.scenario import PROGRAM

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not uml.is_available(), reason="needs linux.uml (user-mode-linux)"),
]


def test_the_cgroup_tests_pass_on_cgroup_v2() -> None:
    options = ("-q", "-p", "no:cacheprovider", "--noconftest")
    files = ("tests/integration/test_cgroup.py", "tests/integration/test_cgroup_delegation.py")
    command = [sys.executable, "-m", "pytest", *options, *files]
    result = uml.run(command, python=sys.executable)

    assert result.returncode == 0, result.output + result.console
    passed = re.search(r"(\d+) passed", result.output)
    assert passed is not None
    assert int(passed[1]) > 10, result.output  # those for cpuset are skipped: no such controller


SCRIPT = f"""
set -e
export ORCHESTRA_DATA_ROOT=/run/data ORCHESTRA_RUN_ROOT=/run/orchestra
mkdir /run/project && cd /run/project
cat >compose.yaml <<'END'
name: v2
services:
  a:
    image: host
    network_mode: none
    command: [sleep, "1000"]
    mem_limit: 64m
    cpus: 0.5
    stop_grace_period: 0s
END
alias orchestra={os.path.abspath(PROGRAM)}
orchestra up -d 2>/dev/null
orchestra exec -T a sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max; cat /proc/self/cgroup'
orchestra exec -T a sh -c 'mknod /tmp/mem c 1 1; head -c1 /tmp/mem >/dev/null 2>&1 || echo refused'
orchestra pause a 2>/dev/null
cat /sys/fs/cgroup/orchestra/v2/*/cgroup.events
orchestra unpause a 2>/dev/null
orchestra down 2>/dev/null
for attempt in 1 2 3 4 5 6 7 8 9 10; do [ -d /sys/fs/cgroup/orchestra ] || break; sleep 0.3; done
ls /sys/fs/cgroup | grep -c orchestra || true
"""


def test_a_project_runs_on_cgroup_v2() -> None:
    result = uml.run(["sh", "-c", SCRIPT], python=sys.executable)

    assert result.output.splitlines() == [
        str(64 << 20),
        "50000 100000",
        "0::/",
        "refused",
        "populated 1",
        "frozen 1",
        "0",
    ], result.output
    assert result.returncode == 0
