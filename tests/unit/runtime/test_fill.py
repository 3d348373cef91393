"""A new volume gets exactly what the image has."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orchestra.runtime.fill import copy_tree

if TYPE_CHECKING:
    from pathlib import Path


def trees(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "image", tmp_path / "volume"
    source.mkdir()
    target.mkdir()
    return source, target


def test_modes_times_and_content_are_kept(tmp_path: Path) -> None:
    source, target = trees(tmp_path)
    (source / "sub").mkdir(mode=0o750)
    (source / "sub" / "file").write_bytes(b"x" * 100_000)
    (source / "sub" / "file").chmod(0o4711)
    os.utime(source / "sub" / "file", ns=(1, 2_000_000_000))
    os.utime(source / "sub", ns=(1, 3_000_000_000))
    source.chmod(0o1777)
    copy_tree(str(source), str(target))
    copied = (target / "sub" / "file").stat()
    assert (copied.st_size, copied.st_mode & 0o7777) == (100_000, 0o4711)
    assert copied.st_mtime_ns == 2_000_000_000
    assert (target / "sub").stat().st_mtime_ns == 3_000_000_000
    assert (target / "sub").stat().st_mode & 0o7777 == 0o750
    assert target.stat().st_mode & 0o7777 == 0o1777


def test_links_stay_links(tmp_path: Path) -> None:
    source, target = trees(tmp_path)
    (source / "a").write_text("a")
    (source / "d").mkdir()
    os.link(source / "a", source / "d" / "hard")
    os.symlink("/etc/passwd", source / "soft")
    os.symlink("nowhere", source / "dangling")
    copy_tree(str(source), str(target))
    assert os.readlink(target / "soft") == "/etc/passwd"
    assert os.readlink(target / "dangling") == "nowhere"
    assert (target / "a").stat().st_ino == (target / "d" / "hard").stat().st_ino


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    source, target = trees(tmp_path)
    (source / "a").write_text("image")
    (source / "b").write_text("image")
    (target / "a").write_text("mine")
    copy_tree(str(source), str(target))
    assert (target / "a").read_text() == "mine"
    assert (target / "b").read_text() == "image"


def test_a_link_in_the_volume_does_not_lead_the_copy_elsewhere(tmp_path: Path) -> None:
    source, target = trees(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (source / "d").mkdir()
    (source / "d" / "file").write_text("image")
    os.symlink(outside, target / "d")
    with contextlib.suppress(OSError):
        copy_tree(str(source), str(target))
    assert not list(outside.iterdir())
