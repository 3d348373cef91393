from __future__ import annotations

import pytest

from orchestra.errors import NotFound
from orchestra.image.store import LocalImageStore
from orchestra.model.container import ImageId


def test_host_resolves_to_a_shell_in_the_root_directory() -> None:
    config = LocalImageStore().resolve("host")

    assert config.id == "host"
    assert config.command == ("/bin/sh",)
    assert config.cwd == "/"
    assert dict(config.env)["PATH"].split(":")[0] == "/usr/local/sbin"


@pytest.mark.parametrize("reference", ["redis", "host:latest", "docker.io/library/host", ""])
def test_any_other_reference_is_not_found_and_the_fix_says_why(reference: str) -> None:
    with pytest.raises(NotFound) as caught:
        LocalImageStore().resolve(reference)

    assert f'"{reference}"' in caught.value.what
    assert "no registry client" in caught.value.fix


def test_layers_of_an_unknown_image_are_not_found() -> None:
    with pytest.raises(NotFound):
        LocalImageStore().layers(ImageId("sha256:" + "0" * 64))
