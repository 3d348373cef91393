"""What was read need not be read again, as long as nothing speaks against it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.build.digests import Digests, digests_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LATER_NS = 10_000_000_000
_MANY = 250


class Tree:
    """Many files, and how often each is read for its digest."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "tree"
        self.directory.mkdir()
        self.path = str(directory / "kept" / "digests")
        self.read: list[str] = []
        for number in range(_MANY):
            self.write(f"f{number}", "same")

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    def look(self, *, later_ns: int = _LATER_NS) -> list[str]:
        """Ask for all digests, as if *later_ns* had passed; the files that had to be read."""
        self.read.clear()
        digests = Digests(self.path, lambda: time.time_ns() + later_ns)
        for entry in sorted(os.scandir(self.directory), key=lambda entry: entry.name):
            status = entry.stat(follow_symlinks=False)
            digests.of(entry.name, status, self._reader(entry.name))
        digests.save()
        return list(self.read)

    def _reader(self, name: str) -> Callable[[], bytes]:
        def read() -> bytes:
            self.read.append(name)
            return (self.directory / name).read_bytes()

        return read


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_only_what_has_changed_is_read_again(tree: Tree) -> None:
    assert len(tree.look()) == _MANY
    assert tree.look() == []
    tree.write("f7", "new!")
    tree.write("extra", "x")
    os.chmod(tree.directory / "f8", 0o600)
    assert tree.look() == ["extra", "f7", "f8"]
    assert tree.look() == []


def test_a_change_that_keeps_size_and_mtime_is_seen(tree: Tree) -> None:
    tree.look()
    status = os.stat(tree.directory / "f3")
    tree.write("f3", "SAME")
    os.utime(tree.directory / "f3", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert tree.look() == ["f3"], "nobody can set ctime"


def test_another_file_in_the_place_of_one_is_read(tree: Tree) -> None:
    tree.look()
    tree.write("new", "SAME")
    os.replace(tree.directory / "new", tree.directory / "f3")
    assert tree.look() == ["f3"]


def test_what_has_just_changed_is_not_trusted(tree: Tree) -> None:
    assert len(tree.look(later_ns=0)) == _MANY
    assert len(tree.look(later_ns=0)) == _MANY
    tree.look()
    tree.write("f5", "next")
    assert tree.look(later_ns=0) == ["f5"]
    assert tree.look(later_ns=0) == ["f5"], "it could change again within the same tick"


def test_a_damaged_list_and_a_short_one_do_no_harm(tree: Tree) -> None:
    tree.look()
    with open(tree.path, "wb") as file:
        file.write(b"\xff\xff")
    assert len(tree.look()) == _MANY
    os.unlink(tree.path)
    for name in os.listdir(tree.directory)[20:]:
        os.unlink(tree.directory / name)
    tree.look()
    assert not os.path.exists(tree.path), "a few small files are read faster than a list of them"


def test_each_copy_of_each_context_has_a_list_of_its_own() -> None:
    paths = {
        digests_path("/d", "/one", ("a",)),
        digests_path("/d", "/two", ("a",)),
        digests_path("/d", "/one", ("b",)),
        digests_path("/d", "/one", ("a", "b")),
    }
    assert len(paths) == 4
