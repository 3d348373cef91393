"""A project `demo` on a small image of our own: busybox and some files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.archives import busybox_layer, docker_archive, files_layer

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

COMPOSE = """
name: demo
services:
  small: {image: "small:1", command: [sleep, "600"], init: true, volumes: ["data:/data"]}
volumes: {data: {}}
"""


def small_project(orchestra: Orchestra) -> None:
    """Load the image and start the project, whose service is `small`."""
    files: dict[str, bytes | str] = {"data/": b"", "data/of-image": b"x", "tmp/": b"", "etc/": b""}
    settings = {"Env": ["PATH=/bin"], "Cmd": ["sleep", "600"], "Entrypoint": None}
    path = os.path.join(orchestra.directory, "image.tar")
    with open(path, "wb") as file:
        file.write(docker_archive("small:1", [busybox_layer(), files_layer(files)], settings))
    orchestra("image", "load", "-i", path)
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(COMPOSE)
    orchestra("up", "-d")
