"""Directories whose subdirectories ext4 keeps apart."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from orchestra.linux.block_groups import spread_subdirectories

if TYPE_CHECKING:
    from pathlib import Path


def flags_of(path: Path) -> str:
    """What lsattr(1) shows; "" where the file system has no such flags."""
    done = subprocess.run(
        ["lsattr", "-d", str(path)], capture_output=True, text=True, timeout=10, check=False
    )
    return done.stdout.partition(" ")[0]


@pytest.mark.skipif(shutil.which("lsattr") is None, reason="needs lsattr of e2fsprogs")
def test_ext4_is_told_and_others_are_left_alone(tmp_path: Path) -> None:
    before = flags_of(tmp_path)
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        spread_subdirectories(fd)
        spread_subdirectories(fd)
    finally:
        os.close(fd)
    is_ext4 = "e" in before  # extents: no other file system shows that
    assert ("T" in flags_of(tmp_path)) == is_ext4
    assert flags_of(tmp_path).replace("T", "-") == before
