from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.image.host_layers import outermost
from orchestra.image.host_scan import closed_directories, mount_points_below, scan
from orchestra.image.host_secrets import is_hidden

if TYPE_CHECKING:
    from pathlib import Path

FILE = stat.S_IFREG
DIRECTORY = stat.S_IFDIR


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("etc/app.conf", FILE | 0o640),
        ("etc/app.conf", FILE | 0o660),
        ("usr/bin/su", FILE | 0o4750),
        ("opt/app", DIRECTORY | 0o750),
        ("opt/app", DIRECTORY | 0o711),
        ("opt/app", DIRECTORY | 0o744),
        ("etc/app.sock", stat.S_IFSOCK | 0o666),
        ("etc/app.fifo", stat.S_IFIFO | 0o666),
        ("etc/disk", stat.S_IFBLK | 0o666),
    ],
)
def test_what_others_may_not_read_is_hidden(path: str, mode: int) -> None:
    assert is_hidden(path, mode)


@pytest.mark.parametrize(
    "path",
    [
        "etc/shadow",
        "etc/gshadow-",
        "etc/ssh/ssh_host_ed25519_key",
        "etc/ssl/private",
        "etc/machine-id",
        "etc/krb5.keytab",
        "etc/other.keytab",
        "etc/docker",
    ],
)
def test_known_secrets_are_hidden_although_world_readable(path: str) -> None:
    assert is_hidden(path, FILE | 0o644)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("etc/passwd", FILE | 0o644),
        ("etc/ssh/ssh_host_ed25519_key.pub", FILE | 0o644),
        ("etc/ssh/moduli", FILE | 0o644),
        ("usr/bin/su", FILE | 0o4755),
        ("etc/alternatives/vi", stat.S_IFLNK | 0o777),
        ("opt/app", DIRECTORY | 0o755),
    ],
)
def test_public_files_stay_visible(path: str, mode: int) -> None:
    assert not is_hidden(path, mode)


def nobody_can_read(root: str, path: str) -> bool:
    """What the kernel would answer to an unrelated user, from the mode bits alone."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        if not os.lstat(os.path.join(root, *parts[:depth])).st_mode & stat.S_IXOTH:
            return False
    return bool(os.lstat(os.path.join(root, path)).st_mode & stat.S_IROTH)


names = st.sampled_from(["a", "b", "shadow", "key"])
modes = st.integers(min_value=0, max_value=0o7777)
files = st.dictionaries(st.lists(names, min_size=1, max_size=4).map("/".join), modes, max_size=8)
directory_modes = st.lists(modes, min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(files, directory_modes)
def test_no_file_that_nobody_cannot_read_is_shown(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, int], dir_modes: list[int]
) -> None:
    root = str(tmp_path_factory.mktemp("host"))
    os.mkdir(f"{root}/etc")
    os.chmod(f"{root}/etc", 0o755)
    made: list[str] = []
    for path, mode in tree.items():
        full = f"{root}/etc/{path}"
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "x"):
                os.chmod(full, mode)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
        made.append(f"etc/{path}")
    directories = [path for path, _, _ in os.walk(f"{root}/etc") if path != f"{root}/etc"]
    # owner bits stay, so that the test also works without root
    for number, path in enumerate(sorted(directories, reverse=True)):
        os.chmod(path, dir_modes[number % len(dir_modes)] | 0o700)

    hidden = scan(root, "etc", ()).hidden

    for path in made:
        parts = path.split("/")
        is_shown = not any("/".join(parts[:depth]) in hidden for depth in range(1, len(parts) + 1))
        if is_shown:
            assert nobody_can_read(root, path), (path, hidden)


def test_mount_points_below_a_tree_are_hidden(tmp_path: Path) -> None:
    (tmp_path / "opt" / "disk" / "data").mkdir(parents=True)
    mountinfo = (
        f"30 1 8:1 / {tmp_path}/opt/disk rw - ext4 /dev/sdb1 rw\n"
        f"31 1 8:1 / {tmp_path}/option rw - ext4 /dev/sdb2 rw\n"
        "32 1 8:1 / /elsewhere rw - ext4 /dev/sdb3 rw\n"
    )
    mounts = mount_points_below("opt", str(tmp_path), mountinfo)

    assert mounts == ("opt/disk",)
    assert scan(str(tmp_path), "opt", mounts).hidden == ("opt/disk",)


def test_mount_points_are_relative_to_the_real_root_too() -> None:
    mountinfo = "30 1 8:1 / /usr/local/my\\040disk rw - ext4 /dev/sdb1 rw\n"

    assert mount_points_below("usr", "/", mountinfo) == ("usr/local/my disk",)


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").touch(mode=0o600)
    (tmp_path / "etc" / "link").symlink_to(tmp_path / "secret")

    assert scan(str(tmp_path), "etc", ()).hidden == ()


def test_closed_directories_are_found_two_levels_down(tmp_path: Path) -> None:
    for path in ("usr/a/b/c", "usr/d", "usr/e/f", "usr/g/mounted"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "usr/link").symlink_to("d")
    for path in ("usr/a/b/c", "usr/d", "usr/e/f"):
        (tmp_path / path).chmod(0o711)

    found = closed_directories(str(tmp_path), "usr", ("usr/g/mounted",))

    assert sorted(found) == ["usr/d", "usr/e/f", "usr/g/mounted"]


def test_what_lies_below_a_hidden_path_needs_no_mask_of_its_own() -> None:
    assert outermost(["a/b/c", "a/b", "ab", "a/bc", "a/b"]) == ["a/b", "ab", "a/bc"]
