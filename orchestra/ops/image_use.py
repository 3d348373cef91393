"""Which containers use which image: what must not be removed, whatever the user asks for.

Read from the containers' specs, which are written before their image is asked for: so a container
that is being made right now either is seen here or finds its image gone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.runtime.statefile import container_ids, projects, read_states

if TYPE_CHECKING:
    from orchestra.layout import Layout


class Use(NamedTuple):
    """A container that was made from an image, or mounts one."""

    container_id: str
    name: str
    image_id: str
    is_running: bool


def uses(layout: Layout) -> tuple[Use, ...]:
    """Every container of every project, half-made ones too."""
    found: list[Use] = []
    for project in projects(layout):
        states = {state.id: state for state in read_states(layout, project)}
        found += [
            Use(state.id, state.name, image_id, state.status in ALIVE)
            for state in states.values()
            for image_id in (state.image_id, *filter(_is_image, state.mounts))
        ]
        for container_id in container_ids(layout, project):
            if container_id not in states:
                found += _half_made(layout.spec_json(project, container_id))
    return tuple(found)


def _half_made(path: str) -> tuple[Use, ...]:
    try:
        with open(path, "rb") as file:
            spec = json.loads(file.read())
        mounted = [mount.get("source", "") for mount in spec.get("mounts", ())]
        return tuple(
            Use(spec["id"], spec["name"], image_id, is_running=True)
            for image_id in (spec["image_id"], *filter(_is_image, mounted))
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def _is_image(source: str) -> bool:
    """Is it an image that is mounted, among paths and names of volumes?"""
    return source.startswith("sha256:")


def used_images(layout: Layout) -> frozenset[str]:
    """The ids of all images that a container was made from."""
    return frozenset(use.image_id for use in uses(layout))


def running_images(layout: Layout) -> frozenset[str]:
    """Of containers that run or are being made: what not even force removes."""
    return frozenset(use.image_id for use in uses(layout) if use.is_running)
