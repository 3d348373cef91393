"""`port`: where a container port is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.ops.target import one_container

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.state import PortState
    from orchestra.ops.target import Target


def port(
    layout: Layout, target: Target, container_port: int, *, protocol: str = "tcp", index: int = 0
) -> PortState:
    """The published port behind *container_port* of the one service of *target*.

    Raises NotFound when the service does not run or does not publish it.
    """
    container = one_container(layout, target, index=index)
    for candidate in container.ports:
        if (
            candidate.container_port == container_port
            and candidate.protocol == protocol
            and candidate.host_port
        ):
            return candidate
    published = ", ".join(  # each once, though it is on IPv4 and IPv6
        dict.fromkeys(f"{p.container_port}/{p.protocol}" for p in container.ports if p.host_port)
    )
    raise NotFound(
        f"no port {container_port}/{protocol} is published by container {container.name}",
        fix=f"published are: {published}" if published else "add it to `ports:` of the service",
    )
