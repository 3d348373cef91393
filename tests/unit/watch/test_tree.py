"""Watched trees on a real kernel: whatever is done to the files, its paths are told."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from orchestra.watch.tree import Seen, WatchedTree, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Opener = "Callable[..., WatchedTree]"


@pytest.fixture
def root(tmp_path: Path) -> str:
    path = tmp_path / "src"
    path.mkdir()
    return str(path)


@pytest.fixture
def open_tree() -> Iterator[Callable[..., WatchedTree]]:
    opened: list[WatchedTree] = []

    def opener(*roots: str, skipped: tuple[str, ...] = ()) -> WatchedTree:
        tree = WatchedTree(roots, lambda path: os.path.basename(path) in skipped)
        opened.append(tree)
        return tree

    yield opener
    for tree in opened:
        tree.close()


def write(root: str, name: str, text: str = "x") -> str:
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def test_nothing_has_changed_at_first(root: str, open_tree: Callable[..., WatchedTree]) -> None:
    write(root, "a/b")
    assert open_tree(root).changes() == frozenset()


def test_writing_removing_and_chmod_are_changes(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    one, two = write(root, "one"), write(root, "two")
    tree = open_tree(root)
    write(root, "one", "new")
    assert tree.changes() == {one}
    os.chmod(two, 0o600)
    assert tree.changes() == {two}
    os.unlink(two)
    assert tree.changes() == {two}


def test_an_editor_that_renames_over_the_file(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    file = write(root, "main.py", "old")
    tree = open_tree(root)
    for _ in range(3):
        os.rename(write(root, "main.py.tmp", "new"), file)
        assert file in tree.changes()


def test_directories_made_and_filled_at_once_are_seen_whole(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    tree = open_tree(root)
    files = {write(root, f"d{n}/a/b/c/file") for n in range(200)}
    assert files <= tree.changes()
    again = {write(root, f"d{n}/a/b/c/file", "new") for n in range(200)}
    assert again <= tree.changes()


def test_a_directory_that_is_removed_takes_its_files_along(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    file = write(root, "a/b/c")
    tree = open_tree(root)
    shutil.rmtree(os.path.join(root, "a"))
    assert {file, os.path.join(root, "a")} <= tree.changes()


def test_a_directory_that_is_moved_is_followed(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    old = write(root, "a/b/c")
    tree = open_tree(root)
    os.rename(os.path.join(root, "a"), os.path.join(root, "z"))
    new = os.path.join(root, "z/b/c")
    assert {old, new} <= tree.changes()
    write(root, "z/b/c", "later")
    assert tree.changes() == {new}
    os.rename(os.path.join(root, "z"), f"{root}-outside")
    assert new in tree.changes()
    write(f"{root}-outside", "b/c", "not ours")
    assert tree.changes() == frozenset()


def test_links_are_files_and_are_not_followed(
    root: str, open_tree: Callable[..., WatchedTree], tmp_path: Path
) -> None:
    elsewhere = write(str(tmp_path), "elsewhere/file")
    tree = open_tree(root)
    link = os.path.join(root, "link")
    os.symlink(os.path.dirname(elsewhere), link)
    assert tree.changes() == {link}
    write(str(tmp_path), "elsewhere/file", "new")
    assert tree.changes() == frozenset()


def test_a_single_file_is_watched_through_replacement_and_absence(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    file = write(root, "package.json")
    tree = open_tree(file)
    write(root, "other")
    assert tree.changes() == frozenset()
    os.rename(write(root, "new.tmp"), file)
    assert tree.changes() == {file}
    os.unlink(file)
    assert tree.changes() == {file}
    write(root, "package.json")
    assert tree.changes() == {file}


def test_a_root_may_be_missing_vanish_and_come_back(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    deep = os.path.join(root, "x/y/z")
    tree = open_tree(deep)
    for _ in range(2):
        file = write(deep, "file")
        assert file in tree.changes()
        write(deep, "file", "new")
        assert tree.changes() == {file}
        shutil.rmtree(os.path.join(root, "x"))
        assert file in tree.changes()


def test_skipped_directories_cost_no_watch(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    write(root, "node_modules/a/b")
    tree = open_tree(root, skipped=("node_modules",))
    write(root, "node_modules/a/b", "new")
    write(root, "node_modules/c/d")
    assert tree.changes() == frozenset()


def test_after_an_overflow_everything_is_listed_anew(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    with open("/proc/sys/fs/inotify/max_queued_events") as file:
        room = int(file.read())
    gone, changed = write(root, "gone"), write(root, "changed")
    moved = write(root, "dir/file")
    busy = write(root, "busy")
    other = write(root, "other")
    tree = open_tree(root)
    for _ in range(room // 2 + 100):  # events that alternate are not merged by the kernel
        os.utime(busy)
        os.utime(other)
    os.unlink(gone)
    write(root, "changed", "longer")
    os.rename(os.path.join(root, "dir"), os.path.join(root, "new"))
    told = tree.changes()
    assert {gone, changed, moved, os.path.join(root, "new/file")} <= told
    write(root, "new/file", "and it goes on")
    assert tree.changes() == {os.path.join(root, "new/file")}


def test_thousands_of_files_as_by_git_checkout(
    root: str, open_tree: Callable[..., WatchedTree]
) -> None:
    before = {write(root, f"old/{n % 50}/{n}") for n in range(3000)}
    tree = open_tree(root)
    shutil.rmtree(os.path.join(root, "old"))
    after = {write(root, f"new/{n % 50}/{n}") for n in range(3000)}
    told: set[str] = set()
    while changes := tree.changes():
        told |= changes
    assert before <= told
    assert after <= told


def test_differences_of_two_snapshots() -> None:
    one, two = Seen(0o100644, 1, 1, 1), Seen(0o100644, 2, 1, 1)
    before = {"/r": {"same": one, "changed": one, "gone": one}, "/r/d": {"f": one}}
    after = {"/r": {"same": one, "changed": two, "new": one}}
    assert differences(before, after) == {"/r/changed", "/r/gone", "/r/new", "/r/d/f"}
