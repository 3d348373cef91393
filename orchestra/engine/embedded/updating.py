"""UpdateContainer: other limits and another restart policy for a container that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orchestra.engine.embedded.making import encode_spec
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from orchestra.engine.base import UpdateContainer
    from orchestra.engine.embedded.core import Container, Core, Reply


def update(core: Core, container: Container, request: UpdateContainer, reply: Reply) -> None:
    """The kernel first: what it refuses is not written down."""
    cgroups = core.drivers.cgroups
    if container.is_running and container.scope is not None:
        container.scope = cgroups.update(core.cgroup_name(container), request.resources)
    container.spec = msgspec.structs.replace(
        container.spec,
        resources=request.resources,
        restart=request.restart or container.spec.restart,
    )
    write_atomically(core.layout.spec_json(core.project, container.id), encode_spec(container.spec))
    core.emit(container, "update")
    reply.succeed(warnings=cgroups.warnings(request.resources))
