"""Paths below a root that somebody else controls: openat2(2) and the walk behave the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.linux.safe_open import Create, safe_open, walk_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchestra.linux.fds import Fd

WAYS = pytest.mark.parametrize("way", [safe_open, walk_open])


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    inside = tmp_path / "root"
    (inside / "etc").mkdir(parents=True)
    (inside / "etc" / "passwd").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    fd = os.open(inside, os.O_PATH | os.O_CLOEXEC)
    yield fd
    os.close(fd)


def content(opened: Fd) -> str:
    with opened, open(opened.path) as file:
        return file.read()


@WAYS
@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("/etc/passwd", "/link"),
        ("../../../../etc/passwd", "link"),
        ("etc/../etc/./passwd", "/etc/../link"),
        ("/etc", "link/passwd"),
    ],
)
def test_links_stay_inside(way: Callable[..., Fd], root: int, link: str, path: str) -> None:
    os.symlink(link, "link", dir_fd=root)
    assert content(way(root, path)) == "inside"


@WAYS
@pytest.mark.parametrize("path", ["../secret", "/../secret", "etc/../../secret", "/link"])
def test_nothing_outside_is_reached(way: Callable[..., Fd], root: int, path: str) -> None:
    os.symlink("../secret", "link", dir_fd=root)
    with pytest.raises(FileNotFoundError):
        way(root, path)


@WAYS
def test_missing_directories_are_made(way: Callable[..., Fd], root: int, tmp_path: Path) -> None:
    way(root, "/a/b/c", create=Create.DIRECTORY).close()
    way(root, "/x/file", create=Create.FILE).close()
    assert (tmp_path / "root" / "a" / "b" / "c").is_dir()
    assert (tmp_path / "root" / "x" / "file").is_file()


@WAYS
def test_a_dangling_link_is_made_where_it_points_inside(
    way: Callable[..., Fd], root: int, tmp_path: Path
) -> None:
    os.symlink("../../../run/resolve/stub.conf", "etc/resolv.conf", dir_fd=root)
    way(root, "/etc/resolv.conf", create=Create.FILE).close()
    assert (tmp_path / "root" / "run" / "resolve" / "stub.conf").is_file()
    assert not (tmp_path / "run").exists()


@WAYS
def test_links_that_turn_in_circles_are_refused(way: Callable[..., Fd], root: int) -> None:
    os.symlink("b", "a", dir_fd=root)
    os.symlink("a", "b", dir_fd=root)
    with pytest.raises(OSError, match=r"(?i)symbolic links"):
        way(root, "a", create=Create.DIRECTORY)


@WAYS
def test_descriptors_are_not_leaked(way: Callable[..., Fd], root: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    way(root, "etc/deep/deeper", create=Create.DIRECTORY).close()
    with pytest.raises(FileNotFoundError):
        way(root, "etc/none/at/all")
    assert len(os.listdir("/proc/self/fd")) == before
