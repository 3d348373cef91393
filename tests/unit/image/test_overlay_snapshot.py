from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from orchestra.image.snapshot.overlay import OverlaySnapshotter
from orchestra.model.container import ImageId

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = ImageId("sha256:0")


def test_the_upper_directory_takes_the_attributes_of_the_top_layer(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    top.chmod(0o1751)
    snapshotter = OverlaySnapshotter(lambda _: (str(top), str(tmp_path)))

    (overlay,) = snapshotter.prepare(IMAGE, str(tmp_path / "snapshot")).overlays

    assert overlay.target == "/"
    assert overlay.lower == (str(top), str(tmp_path))
    assert stat.S_IMODE((tmp_path / "snapshot/root/upper").stat().st_mode) == 0o1751


def test_preparing_again_keeps_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    snapshotter = OverlaySnapshotter(lambda _: (str(tmp_path / "layer"),))
    first = snapshotter.prepare(IMAGE, str(tmp_path / "snapshot"))
    (tmp_path / "snapshot/root/upper/file").write_text("kept")

    assert snapshotter.prepare(IMAGE, str(tmp_path / "snapshot")) == first
    assert (tmp_path / "snapshot/root/upper/file").read_text() == "kept"


def test_a_half_made_snapshot_is_finished(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir(mode=0o755)
    (tmp_path / "snapshot/root/upper.draft").mkdir(parents=True, mode=0o700)
    snapshotter = OverlaySnapshotter(lambda _: (str(tmp_path / "layer"),))

    snapshotter.prepare(IMAGE, str(tmp_path / "snapshot"))

    assert stat.S_IMODE((tmp_path / "snapshot/root/upper").stat().st_mode) == 0o755
    assert not (tmp_path / "snapshot/root/upper.draft").exists()


def test_removing_accepts_gone(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    snapshotter = OverlaySnapshotter(lambda _: (str(tmp_path / "layer"),))
    snapshotter.prepare(IMAGE, str(tmp_path / "snapshot"))

    snapshotter.remove(str(tmp_path / "snapshot"))
    snapshotter.remove(str(tmp_path / "snapshot"))

    assert not (tmp_path / "snapshot").exists()
