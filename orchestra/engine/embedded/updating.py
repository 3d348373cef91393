"""UpdateContainer: other limits and another restart policy for a container that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.embedded.making import change_spec
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from orchestra.engine.base import UpdateContainer
    from orchestra.engine.embedded.core import Container, Core, Reply


def update(core: Core, container: Container, request: UpdateContainer, reply: Reply) -> None:
    """The kernel first: what it refuses is not written down."""
    cgroups = core.drivers.cgroups
    if container.is_running and container.scope is not None:
        container.scope = cgroups.update(core.cgroup_name(container), request.resources)
    changed = msgspec.structs.replace(
        container.spec,
        resources=request.resources,
        restart=request.restart or container.spec.restart,
    )
    change_spec(core, container, changed)
    core.emit(container, "update")
    reply.succeed(warnings=cgroups.warnings(request.resources))
