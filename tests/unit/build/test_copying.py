"""What COPY writes, file by file: here into a directory, with the owner that we have."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from orchestra.build.copying import Job, carry_out
from orchestra.build.selection import CopyError, Source, Wanted, select

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWNER = (os.getuid(), os.getgid())
TIME_NS = 1_700_000_000_123_456_789


class Copying:
    """From the directory `context` to the directory `image`."""

    def __init__(self, top: Path) -> None:
        self.context, self.image = top / "context", top / "image"
        self.context.mkdir()
        self.image.mkdir()

    def copy(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """*meanwhile*: between the selection and the copying."""
        self.copy_from(str(self.context), ".", meanwhile)

    def copy_from(self, top: str, name: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        root = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        try:
            source = Source(root, owner=OWNER)
            matches = select(source, Wanted((name,)))
            meanwhile()
            carry_out(Job(source, matches, (), f"{self.image}/"))
        finally:
            os.close(root)


@pytest.fixture
def copying(tmp_path: Path) -> Copying:
    return Copying(tmp_path)


def test_files_and_links_in_the_way_are_replaced(copying: Copying, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("outside")
    for name in ("file", "link", "dangling"):
        (copying.context / name).write_text("new")
    (copying.context / "turned").symlink_to("elsewhere")
    (copying.image / "file").write_text("old")
    (copying.image / "link").symlink_to(outside)
    (copying.image / "dangling").symlink_to(tmp_path / "nowhere")
    (copying.image / "turned").write_text("old")
    copying.copy()
    for name in ("file", "link", "dangling"):
        assert (copying.image / name).read_text() == "new"
        assert not (copying.image / name).is_symlink()
    assert os.readlink(copying.image / "turned") == "elsewhere"
    assert outside.read_text() == "outside"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("kind", ["file", "link", "fifo", "socket"])
def test_a_directory_in_the_way_is_an_error(copying: Copying, kind: str) -> None:
    path = copying.context / "it"
    make(kind, path)
    (copying.image / "it").mkdir()
    with pytest.raises(
        CopyError, match=f"cannot copy a file over the directory {copying.image}/it"
    ):
        copying.copy()
    assert (copying.image / "it").is_dir()


def make(kind: str, path: Path) -> None:
    if kind == "file":
        path.write_text("new")
    elif kind == "link":
        path.symlink_to("elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path))


def test_a_file_in_the_way_of_a_directory_is_an_error(copying: Copying) -> None:
    (copying.context / "it").mkdir()
    (copying.image / "it").write_text("old")
    with pytest.raises(CopyError, match="cannot copy a directory over the file"):
        copying.copy()


def test_kinds(copying: Copying) -> None:
    """Of a socket nothing stays, nor of what was there."""
    make("fifo", copying.context / "fifo")
    make("socket", copying.context / "socket")
    (copying.image / "socket").write_text("old")
    copying.copy()
    assert stat.S_ISFIFO(os.lstat(copying.image / "fifo").st_mode)
    assert not (copying.image / "socket").exists()


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o644, 0o755, 0o2755, 0o4711, 0o1666])
def test_modes_and_times_are_kept(copying: Copying, mode: int) -> None:
    path = copying.context / "file"
    path.write_text("content")
    path.chmod(mode)
    os.utime(path, ns=(TIME_NS, TIME_NS))
    os.utime(copying.context, ns=(TIME_NS, TIME_NS))
    before = os.umask(0o077)
    try:
        copying.copy()
    finally:
        os.umask(before)
    status = os.lstat(copying.image / "file")
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (mode, TIME_NS)


def test_directories_have_the_time_of_the_source_whatever_was_put_into_them(
    copying: Copying,
) -> None:
    (copying.context / "a" / "b").mkdir(parents=True)
    (copying.context / "a" / "b" / "file").write_text("content")
    for name in ("a/b", "a"):
        os.utime(copying.context / name, ns=(TIME_NS, TIME_NS))
    copying.copy()
    assert os.lstat(copying.image / "a").st_mtime_ns == TIME_NS
    assert os.lstat(copying.image / "a" / "b").st_mtime_ns == TIME_NS


def test_attributes_of_users_are_kept(copying: Copying) -> None:
    path = copying.context / "file"
    path.write_text("content")
    os.setxattr(path, "user.a", b"\0\xff")
    copying.copy()
    assert os.getxattr(copying.image / "file", "user.a") == b"\0\xff"


def test_names_of_one_file_stay_so(copying: Copying) -> None:
    (copying.context / "a").write_text("content")
    os.link(copying.context / "a", copying.context / "b")
    (copying.image / "b").write_text("old")
    copying.copy()
    assert (copying.image / "b").read_text() == "content"
    assert os.path.samefile(copying.image / "a", copying.image / "b")


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_files_of_all_sizes_are_whole(copying: Copying, size: int) -> None:
    content = os.urandom(size)
    (copying.context / "file").write_bytes(content)
    copying.copy()
    assert (copying.image / "file").read_bytes() == content


def test_holes_are_zeros(copying: Copying) -> None:
    with open(copying.context / "file", "wb") as file:
        file.seek(5 << 20)
        file.write(b"end")
    copying.copy()
    assert (copying.image / "file").read_bytes() == bytes(5 << 20) + b"end"


@pytest.mark.parametrize("now", [0, 10, 99, 101, 3 << 20])
@pytest.mark.parametrize("before", [100, 2 << 20])
def test_a_file_that_has_another_size_meanwhile_is_copied_as_it_is(
    copying: Copying, before: int, now: int
) -> None:
    path, content = copying.context / "file", os.urandom(now)
    path.write_bytes(bytes(before))
    copying.copy(meanwhile=lambda: void(path.write_bytes(content)))
    assert (copying.image / "file").read_bytes() == content


def void(_: object) -> None:
    """For a lambda that must return nothing."""


def test_a_file_that_does_not_tell_its_size_is_whole(copying: Copying) -> None:
    copying.copy_from("/proc/sys/kernel", "ostype")
    assert (copying.image / "ostype").read_text() == "Linux\n"


def test_many_files_are_all_there(copying: Copying) -> None:
    """More than one process copies them."""
    for number in range(1200):
        directory = copying.context / f"d{number % 7}"
        directory.mkdir(exist_ok=True)
        (directory / f"f{number}").write_text(str(number))
        os.utime(directory, ns=(TIME_NS, TIME_NS))
    copying.copy()
    for number in range(1200):
        assert (copying.image / f"d{number % 7}" / f"f{number}").read_text() == str(number)
    assert os.lstat(copying.image / "d0").st_mtime_ns == TIME_NS


def test_a_file_that_cannot_be_written_is_named(copying: Copying) -> None:
    (copying.context / "file").write_bytes(bytes(5000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            copying.copy()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, f"{copying.image}/file")
