"""`up` and `pull` with images from a registry: the sample's names unmodified, through a mirror."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.images import make_image
from tests.support.probe import missing_for
from tests.support.registry import PROGRAM, running_registry
from tests.support.skopeo import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.registry import Registry
    from tests.support.scenario import Orchestra

BUSYBOX = "/bin/busybox"

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(bool(missing_for("network")), reason="needs network namespaces"),
    pytest.mark.skipif(
        not (shutil.which(PROGRAM) and shutil.which("skopeo") and os.path.exists(BUSYBOX)),
        reason="needs docker-registry, skopeo and busybox-static",
    ),
]

COMPOSE = """
name: demo
services:
  cache:
    image: redis:7
    command: [sh, -c, "echo from the registry; exec sleep 60"]
    init: true
"""


def write(orchestra: Orchestra, text: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(text)


@pytest.fixture
def hub(orchestra: Orchestra) -> Iterator[Registry]:
    """A registry that stands in for Docker Hub, with one image: redis:7."""
    with open(BUSYBOX, "rb") as file:
        busybox = file.read()
    base = {"bin/": b"", "bin/busybox": busybox, "bin/sh": busybox, "bin/sleep": busybox}
    image = make_image([base, {"etc/": b"", "etc/redis.conf": b"7"}], {"Env": ["PATH=/bin"]})
    with running_registry(os.path.join(orchestra.directory, "hub")) as registry:
        publish(registry, "library/redis:7", image)
        orchestra.env["ORCHESTRA_REGISTRY_MIRROR"] = f"http://{registry.host}"
        write(orchestra, COMPOSE)
        yield registry
        orchestra("down", "-t", "0")


def test_up_pulls_what_the_file_names(orchestra: Orchestra, hub: Registry) -> None:
    done = orchestra("up", "-d")
    assert "cache  Pulled" in done.err
    assert "from the registry" in orchestra("logs").out
    before = len(hub.requests())
    orchestra("up", "-d")
    assert hub.requests()[before:] == []


def test_pull_brings_images_up_to_date(orchestra: Orchestra, hub: Registry) -> None:
    done = orchestra("pull")
    assert "cache  Pulling" in done.err
    assert "Download complete" in done.err
    before = len(hub.requests())
    orchestra("pull", "-q")
    assert hub.requests()[before:] == ["HEAD /v2/library/redis/manifests/7"]


def test_a_missing_image_is_told_with_its_place(orchestra: Orchestra, hub: Registry) -> None:
    write(orchestra, COMPOSE.replace("redis:7", f"{hub.host}/redis:8"))
    done = orchestra("up", "-d", code=18)
    assert 'compose.yaml:5:12: service "cache":' in done.err
    assert f"{hub.host} has no redis:8" in done.err
    assert orchestra("ps", "-aq").out == ""
    assert orchestra("pull", code=18).out == ""
    orchestra("pull", "--ignore-pull-failures")


def test_up_without_pulling_says_what_to_do(orchestra: Orchestra, hub: Registry) -> None:
    del hub
    done = orchestra("up", "-d", "--pull", "never", code=18)
    assert "orchestra pull" in done.err


def test_run_pulls_as_well(orchestra: Orchestra, hub: Registry) -> None:
    del hub
    done = orchestra("run", "--rm", "-T", "cache", "busybox", "cat", "/etc/redis.conf")
    assert done.out == "7"
