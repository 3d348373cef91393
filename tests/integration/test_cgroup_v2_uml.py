"""The cgroup tests again, on a kernel of its own with pure cgroup v2 and device programs."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support import uml

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
