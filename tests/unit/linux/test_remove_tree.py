from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_symbolic_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    (tree / "sub").mkdir()
    (tree / "sub" / "link").symlink_to("../../outside")

    remove_tree(str(tree))

    assert not tree.exists()
    assert (outside / "file").read_text() == "kept"


def test_a_tree_that_is_itself_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    (tmp_path / "tree").symlink_to("outside")

    with pytest.raises(NotADirectoryError):
        remove_tree(str(tmp_path / "tree"))

    assert (tmp_path / "outside" / "file").exists()


def test_a_tree_deeper_than_the_recursion_and_descriptor_limits_goes(tmp_path: Path) -> None:
    top = os.open(tmp_path, os.O_RDONLY)
    os.mkdir("tree", dir_fd=top)
    current = os.open("tree", os.O_RDONLY, dir_fd=top)
    for _ in range(3000):
        os.mkdir("d", dir_fd=current)
        below = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(os.open("file", os.O_CREAT, dir_fd=current))
        os.close(current)
        current = below
    os.close(current)
    os.close(top)

    remove_tree(str(tmp_path / "tree"))

    assert not (tmp_path / "tree").exists()


def test_names_like_those_used_for_moving_are_no_trap(tmp_path: Path) -> None:
    for path in ("tree/.removing-0/a/b", "tree/x/.removing-1/y/z", "tree/x/y/z/w"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "tree/.removing-2").touch()

    remove_tree(str(tmp_path / "tree"))

    assert not (tmp_path / "tree").exists()


def test_gone_is_fine(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "nothing"))

    assert not (tmp_path / "nothing").exists()
