"""Builds as tests look at them: files of a project, what each step did, what an image has."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tests.support.archives import busybox_layer, docker_archive

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

BASE = "busybox:1"
"""What `load_base` calls its image."""


def write(orchestra: Orchestra, name: str, text: str) -> str:
    """Write *text* into the file *name* below the project's directory; its path."""
    path = os.path.join(orchestra.directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def load_base(orchestra: Orchestra) -> None:
    """Have an image of busybox alone, called BASE; the same one each time."""
    path = os.path.join(orchestra.directory, "base.tar")
    with open(path, "wb") as file:
        file.write(docker_archive(BASE, [busybox_layer()]))
    orchestra("image", "load", "-i", path)
    os.unlink(path)


def steps_of(err: str) -> list[tuple[str, str]]:
    """(instruction, "cached" | "done") of the steps that change files, of a rawjson build."""
    events = [json.loads(line) for line in err.splitlines()]
    ended = [event for event in events if event["status"] in ("Cached", "Done")]
    return [
        (event["id"].partition("] ")[2].split()[0], event["status"].lower())
        for event in ended
        if "] " in event["id"] and "] FROM" not in event["id"]
    ]


def build(orchestra: Orchestra, *flags: str, context: str = ".") -> list[tuple[str, str]]:
    """Build *context* and tell its steps as `steps_of` does."""
    done = orchestra("image", "build", "--progress", "rawjson", *flags, context)
    return steps_of(done.err)


def file_in(orchestra: Orchestra, image: str, command: str) -> str:
    """What the shell *command* prints in a container of *image*."""
    write(
        orchestra,
        "run/compose.yaml",
        f"services:\n  it:\n    image: {image}\n    network_mode: none\n",
    )
    at = orchestra.at(os.path.join(orchestra.directory, "run"))
    return at("run", "--rm", "-T", "it", "sh", "-c", command).out
