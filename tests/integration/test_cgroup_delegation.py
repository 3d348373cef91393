"""cgroup v2 where the whole tree is not ours: inside a container, and as a plain user."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.probe import missing_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.root,
    pytest.mark.cgroup2,
    pytest.mark.skipif(
        bool(missing_for("root") or missing_for("cgroup2")), reason="needs root and cgroup v2"
    ),
]

TOP = f"/sys/fs/cgroup/delegated{os.getpid()}"
CONTROLLERS = "+cpu +io +memory +pids"

SCRIPT = """
import os, sys
from orchestra.cgroup.select import select_manager
from orchestra.model.container import Resources

manager = select_manager()
scope = manager.create("web/abc", Resources(pids=7, memory_bytes=32 << 20), (), privileged=False)
pid = os.fork()
if pid == 0:
    scope.enter()
    with open("/proc/self/cgroup") as file:
        print(file.read().strip(), flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(scope.usage().memory_limit_bytes, flush=True)
scope.destroy()
manager.remove_project("web")
with open("/proc/self/cgroup") as file:
    print(file.read().strip(), flush=True)
"""


@pytest.fixture
def part() -> Iterator[str]:
    """A cgroup with controllers, emptied and removed in the end."""
    with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as file:
        file.write(CONTROLLERS)
    os.mkdir(TOP)
    yield TOP
    with open(f"{TOP}/cgroup.kill", "w") as file:
        file.write("1")
    for directory, _, _ in os.walk(TOP, topdown=False):
        for _ in range(200):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
                break
            signal.sigtimedwait([], 0.01)


def run_in(cgroup: str, *command: str) -> list[str]:
    """Run *command* from inside *cgroup*; the lines that it wrote."""
    enter = f'echo $$ >{cgroup}/cgroup.procs && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", enter, "sh", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_inside_a_container_the_processes_of_the_root_move_to_a_leaf(part: str) -> None:
    """Its namespace's root holds processes, so controllers cannot be enabled in it at first."""
    mount = 'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'
    lines = run_in(
        part, "unshare", "-Cm", "--propagation", "private",
        "sh", "-c", mount, "sh", sys.executable, "-c", SCRIPT,
    )  # fmt: skip

    assert lines == ["0::/orchestra/web/abc", str(32 << 20), "0::/init"]


AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def skip_unless_nobody_can_run_us() -> None:
    """A checkout or environment in a closed home directory is out of nobody's reach."""
    command = (*AS_NOBODY, sys.executable, "-c", "import orchestra")
    if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0:
        pytest.skip(f"the user nobody may not run {sys.executable} with this checkout")


def test_a_plain_user_limits_within_what_was_delegated(part: str) -> None:
    skip_unless_nobody_can_run_us()
    with open(f"{part}/cgroup.subtree_control", "w") as file:
        file.write(CONTROLLERS)
    service = f"{part}/user@65534.service"
    session = f"{service}/app.scope"
    os.makedirs(session)
    for cgroup in (service, session):
        for file_name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(os.path.join(cgroup, file_name), 65534, 65534)

    lines = run_in(
        session, *AS_NOBODY, sys.executable, "-c", SCRIPT,
    )  # fmt: skip

    own = service.removeprefix("/sys/fs/cgroup")
    assert lines == [f"0::{own}/orchestra/web/abc", str(32 << 20), f"0::{own}/app.scope"]
