"""Containers of whatever project: all, or one by name or by the beginning of its id."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from orchestra.errors import NotFound
from orchestra.runtime.statefile import projects, read_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState


def all_states(layout: Layout) -> tuple[ContainerState, ...]:
    """The containers of every project."""
    return tuple(state for project in projects(layout) for state in read_states(layout, project))


def find_container(layout: Layout, text: str) -> ContainerState:
    """The container that *text* means. Raises NotFound for none, or several of that beginning."""
    beginning = []
    for project in projects(layout):
        for state in read_states(layout, project):
            if text in (state.name, state.id):
                return state
            if text and state.id.startswith(text):
                beginning.append(state)
    if len(beginning) == 1:
        return beginning[0]
    if beginning:
        raise NotFound(
            f'"{text}" is the beginning of several container ids',
            fix="write one of " + ", ".join(state.name for state in beginning[:5]),
        )
    raise NotFound(f"No such container: {text}", fix="`orchestra container ls -a` lists them all")


def spec_fields(layout: Layout, container: ContainerState) -> dict[str, Any]:
    """The container's spec.json as plain JSON, for who must load little. Raises NotFound."""
    with reading_spec(layout, container) as stream:
        fields: dict[str, Any] = json.load(stream)
    return fields


@contextmanager
def reading_spec(layout: Layout, container: ContainerState) -> Iterator[BinaryIO]:
    """spec.json, to be decoded. Raises NotFound when it has gone, or is damaged."""
    try:
        with open(layout.spec_json(container.project, container.id), "rb") as stream:
            yield stream
    except (OSError, ValueError) as exc:
        raise NotFound(f"container {container.name} has just been removed") from exc
