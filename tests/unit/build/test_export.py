"""A directory of written files becomes a layer: its blob, its unpacked form, its size."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.build.export import Result, register, store_layer
from orchestra.errors import Unsupported
from orchestra.image.config import RunSettings
from orchestra.image.host import BASE_LABEL, HOST_IMAGE
from orchestra.image.platform import Platform
from orchestra.image.reference import parse_reference
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
    assert store.unpacked.size(layer.diff_id) == len("content") + len("b/file"), (
        "a link counts as its text"
    )
    path = store.unpacked.path(layer.diff_id)
    assert os.path.samefile(f"{path}/a/hard", f"{path}/a/b/file")


def test_what_lies_on_the_host_is_not_published(tmp_path: Path) -> None:
    store = LocalImageStore(str(tmp_path / "images"))
    name = parse_reference("app:1")
    settings = RunSettings(labels={BASE_LABEL: HOST_IMAGE})
    platform = Platform(os="linux", architecture="amd64")
    register(store, Result((), settings, (), "", ""), platform, (name,))
    with pytest.raises(Unsupported, match="FROM host"):
        store.published(name)


def test_the_same_result_is_the_same_image(tmp_path: Path) -> None:
    store = LocalImageStore(str(tmp_path / "images"))
    layer = store_layer(store, written(tmp_path / "one"))
    result = Result((layer,), RunSettings(cmd=("/x",), env=("A=1",)), (), "me", "")
    platform = Platform(os="linux", architecture="arm64", variant="v8")
    first = register(store, result, platform, (parse_reference("app:1"),))
    second = register(store, result, platform, (parse_reference("app:2"),))
    assert first == second
    image = store.find("app:1")
    assert image.id == store.find("app:2").id == first
    assert image.document.diff_ids == (layer.diff_id,)
    assert image.document.variant == "v8"
    assert image.config.command == ("/x",)
    assert store.layers(image.config.id) == (store.unpacked.path(layer.diff_id),)
