"""Images loaded, removed and swept, with containers that come at the worst moment."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.image.loading import load
from orchestra.image.store import LocalImageStore
from orchestra.image.sweep import chain_ids, remove_image, sweep
from orchestra.model.container import ImageId
from tests.support.archives import docker_archive
from tests.unit.image.layer_tar import layer

if TYPE_CHECKING:
    from pathlib import Path

BASE, TOP = layer(("base", b"b" * 1000)), layer(("top", b"t" * 100))


@pytest.fixture
def store(tmp_path: Path) -> LocalImageStore:
    return LocalImageStore(str(tmp_path / "images"))


def loaded(store: LocalImageStore, name: str, *layers: bytes) -> ImageId:
    (image,) = load(store, io.BytesIO(docker_archive(name, layers)))
    return ImageId(image.id)


def nobody() -> frozenset[str]:
    return frozenset()


def test_layers_that_another_image_has_stay(store: LocalImageStore) -> None:
    base = loaded(store, "base:1", BASE)
    top = loaded(store, "top:1", BASE, TOP)

    assert remove_image(store, top, nobody)
    swept = sweep(store, nobody)

    assert swept.freed_bytes >= 100
    assert len(swept.layers) == 1
    assert len(store.layers(base)) == 1
    with pytest.raises(NotFound):
        store.layers(top)


def test_an_image_in_use_is_not_removed_and_keeps_its_names(store: LocalImageStore) -> None:
    image = loaded(store, "app:1", BASE)

    assert not remove_image(store, image, lambda: {image})

    assert store.resolve("app:1").id == image


def test_a_container_that_comes_while_its_image_goes_either_stops_it_or_gets_none(
    store: LocalImageStore,
) -> None:
    image = loaded(store, "app:1", BASE)
    answers: list[str] = []

    def container_is_made_now() -> frozenset[str]:
        """It has written its spec, and asks for the image while the catalog lacks it."""
        try:
            store.require(image)
            answers.append("has one")
        except NotFound:
            answers.append("has none")
        return frozenset({image})

    assert not remove_image(store, image, container_is_made_now)

    assert answers == ["has none"]
    store.require(image)


def test_layers_stay_as_long_as_a_container_has_the_image_that_was_removed(
    store: LocalImageStore,
) -> None:
    image = loaded(store, "app:1", BASE)
    assert remove_image(store, image, frozenset)

    sweep(store, lambda: {image})
    assert len(store.layers(image)) == 1
    with pytest.raises(NotFound):
        store.require(image)

    sweep(store, frozenset)
    with pytest.raises(NotFound):
        store.layers(image)


def test_nothing_is_swept_while_an_image_is_coming_in(store: LocalImageStore) -> None:
    digest = store.blobs.put(b"of an image that is not registered yet")

    with store.holding():
        assert sweep(store, nobody).freed_bytes == 0
        assert store.blobs.has(digest)

    assert sweep(store, nobody).freed_bytes > 0
    assert not store.blobs.has(digest)


def test_what_a_container_uses_stays_even_when_the_catalog_has_lost_it(
    store: LocalImageStore,
) -> None:
    image = loaded(store, "app:1", BASE)
    store.catalog.forget(image)

    sweep(store, lambda: {image})

    assert store.blobs.has(image)
    assert len(os.listdir(os.path.dirname(store.unpacked.path("sha256:" + "0" * 64)))) == 2


def test_a_damaged_image_does_not_hide_the_others(store: LocalImageStore) -> None:
    damaged = loaded(store, "damaged:1", TOP)
    whole = loaded(store, "whole:1", BASE)
    store.blobs.remove(damaged)

    assert store.readable(damaged) is None
    assert store.resolve("whole:1").id == whole
    sweep(store, nobody)
    assert store.layers(whole)


def test_chain_ids_are_those_of_the_specification() -> None:
    assert chain_ids(["sha256:a", "sha256:b"]) == (
        "sha256:a",
        "sha256:970a948bffa8de94d6e22d747ba8c95030e6e546909f98f54e99a13005e173a8",
    )
