"""`events`: what happens to a project's containers, from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.errors import EngineUnavailable, NotFound
from orchestra.model.state import HOOK_OUTPUT
from orchestra.supervisor.light import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.ops.target import Target


class ProjectEvent(NamedTuple):
    """*action* in Docker's words: create, start, die, stop, "health_status: healthy" …"""

    time_ns: int
    action: str
    id: str
    name: str
    service: str
    image: str
    attributes: tuple[tuple[str, str], ...]


def events(layout: Layout, target: Target) -> Iterator[ProjectEvent]:
    """The events of *target*, without end: the supervisor stays as long as somebody listens.

    Raises NotFound when the project has no supervisor now.
    """
    channel = Channel.connect(layout.socket(target.project))
    if channel is None:
        raise NotFound(
            f'project "{target.project}" is not running', fix="`orchestra up -d` starts it"
        )
    try:
        channel.send({"type": "Subscribe"})
        while True:
            try:
                message = channel.receive()
            except EngineUnavailable:
                return
            fields = message.get("event") if message is not None else None
            if isinstance(fields, dict):
                event = _event(fields)
                if event.action == HOOK_OUTPUT:
                    continue
                if not target.services or event.service in target.services:
                    yield event
    finally:
        channel.close()


def _event(fields: dict[str, object]) -> ProjectEvent:
    attributes = fields.get("attributes") or []
    pairs = [(str(key), str(value)) for key, value in attributes]  # type: ignore[attr-defined]
    if fields.get("exit_code") is not None:
        pairs.append(("exitCode", str(fields["exit_code"])))
    return ProjectEvent(
        time_ns=int(str(fields.get("time_ns", 0))),
        action=str(fields.get("action", "")),
        id=str(fields.get("id", "")),
        name=str(fields.get("name", "")),
        service=str(fields.get("service", "")),
        image=str(fields.get("image", "")),
        attributes=tuple(pairs),
    )
