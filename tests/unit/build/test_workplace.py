"""Where a build works: directories that are gone with it, and apart from each other on ext4."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from orchestra.build.workplace import Workplace
from orchestra.layout import Layout
from tests.unit.linux.test_block_groups import flags_of


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "data"), str(tmp_path / "run"))


def test_nothing_is_left_of_it(layout: Layout) -> None:
    with Workplace(layout) as work:
        path = work.directory("step")
        assert os.path.isdir(path)
    assert os.listdir(os.path.dirname(work.path)) == []


def test_what_a_killed_build_has_left_is_swept(layout: Layout) -> None:
    with Workplace(layout) as alive:
        abandoned = os.path.join(os.path.dirname(alive.path), "abandoned", "step")
        os.makedirs(abandoned)
        with Workplace(layout) as work:
            assert not work.is_alone
            assert not os.path.exists(abandoned)
            assert os.path.isdir(alive.path)


@pytest.mark.skipif(shutil.which("lsattr") is None, reason="needs lsattr of e2fsprogs")
def test_ext4_keeps_the_steps_apart(layout: Layout, tmp_path: Path) -> None:
    """New files would be looked for among those that the last step has left behind."""
    is_ext4 = "e" in flags_of(tmp_path)
    with Workplace(layout) as work:
        assert ("T" in flags_of(Path(work.path))) == is_ext4
