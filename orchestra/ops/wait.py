"""`wait`: block until containers have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.state import ALIVE
from orchestra.ops.dispatch import open_client
from orchestra.ops.target import find_containers, is_meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target


def wait(host: Host, target: Target) -> Iterator[tuple[ContainerState, int]]:
    """Each container of *target* with its exit code, as they end; one-off ones that run as well.

    Raises NotFound for unknown services and when there is no container at all.
    """
    containers = [
        container
        for container in find_containers(host.layout, target, oneoffs=True)
        if container.status in ALIVE or is_meant(target, container)
    ]
    if not containers:
        raise NotFound(
            f'no containers for project "{target.project}"', fix="`orchestra up -d` makes them"
        )
    running = [container for container in containers if container.status in ALIVE]
    for container in containers:
        if container.status not in ALIVE:
            yield container, container.exit_code
    if not running:
        return
    client = open_client(host, target.project)
    try:
        waiting = {client.submit({"type": "WaitExited", "id": c.id}): c for c in running}
        while waiting:
            answer = client.next_completion()
            if answer is None:
                continue
            container = waiting.pop(answer.ticket)
            if answer.error is not None:
                raise answer.error
            yield container, answer.exit_code or 0
    finally:
        client.close()
