"""A directory of written files becomes a layer: its blob, its unpacked form, its size."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.build.export import store_layer
from orchestra.image.store import LocalImageStore

if TYPE_CHECKING:
    from pathlib import Path


def written(top: Path) -> str:
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").write_text("content")
    os.link(top / "a" / "b" / "file", top / "a" / "hard")
    (top / "a" / "soft").symlink_to("b/file")
    for path in (top / "a" / "b" / "file", top / "a" / "b", top / "a", top):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    os.utime(top / "a" / "soft", (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    return str(top)


def test_the_same_files_have_the_same_digest_and_are_kept_once(tmp_path: Path) -> None:
    store = LocalImageStore(str(tmp_path / "images"))
    first = store_layer(store, written(tmp_path / "one"))
    second = store_layer(store, written(tmp_path / "two"))
    assert first == second
    assert store.unpacked.has(first.diff_id)
    assert store.blobs.size(first.blob.digest) == first.blob.size
    assert not os.path.exists(tmp_path / "one"), "it has become the layer"
    assert os.path.exists(tmp_path / "two"), "there was one already"


def test_hard_links_count_once(tmp_path: Path) -> None:
    store = LocalImageStore(str(tmp_path / "images"))
    layer = store_layer(store, written(tmp_path / "one"))
    assert store.unpacked.size(layer.diff_id) == len("content")
    path = store.unpacked.path(layer.diff_id)
    assert os.path.samefile(f"{path}/a/hard", f"{path}/a/b/file")
