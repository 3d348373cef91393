from __future__ import annotations

import pytest

from orchestra.cgroup.delegated import delegated_root, own_path

MOUNT = "/sys/fs/cgroup"
USER = "/user.slice/user-1000.slice"
SERVICE = f"{USER}/user@1000.service"


def test_the_own_cgroup_is_the_line_without_controllers() -> None:
    assert own_path("4:memory:/a\n1:name=systemd:/b\n0::/user.slice/c\n") == "/user.slice/c"
    assert own_path("4:memory:/a\n") == ""


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (f"{SERVICE}/app.slice/terminal.scope", MOUNT + SERVICE),
        (SERVICE, MOUNT + SERVICE),
        (f"{USER}/session-3.scope", ""),
        ("/", ""),
        ("", ""),
    ],
)
def test_the_topmost_cgroup_of_the_users_own_is_the_root(path: str, root: str) -> None:
    def is_ours(directory: str) -> bool:
        return directory.startswith(MOUNT + SERVICE)

    assert delegated_root(MOUNT, path, is_ours) == root


def test_a_foreign_cgroup_in_between_ends_the_part() -> None:
    ours = {"/m/a", "/m/a/b/c"}

    assert delegated_root("/m", "/a/b/c", ours.__contains__) == "/m/a/b/c"
