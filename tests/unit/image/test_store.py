from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.image.store import LocalImageStore
from orchestra.model.container import ImageId

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> LocalImageStore:
    return LocalImageStore(str(tmp_path / "images"))


def test_host_resolves_to_a_shell_in_the_root_directory(store: LocalImageStore) -> None:
    config = store.resolve("host")

    assert config.id == "host"
    assert config.command == ("/bin/sh",)
    assert config.cwd == "/"
    assert dict(config.env)["PATH"].split(":")[0] == "/usr/local/sbin"


@pytest.mark.parametrize("reference", ["redis", "host:latest", "docker.io/library/host", "", "A B"])
def test_any_other_reference_is_not_found_and_the_fix_says_how_to_get_it(
    store: LocalImageStore, reference: str
) -> None:
    with pytest.raises(NotFound) as caught:
        store.resolve(reference)

    assert f'"{reference}"' in caught.value.what
    assert "image load" in caught.value.fix


def test_layers_of_an_unknown_image_are_not_found(store: LocalImageStore) -> None:
    with pytest.raises(NotFound):
        store.layers(ImageId("sha256:" + "0" * 64))
