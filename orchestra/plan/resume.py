"""Which containers are started again after a reboot, and in which order. Pure, light.

As Docker's daemon when it starts (moby daemon/daemon.go `restore`, restartmanager): by the restart
policy alone. Unlike there, what `depends_on` says gives the order; but a dependency that fails
holds nobody up, since its own policy may mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.plan.lifecycle import plan_start, plan_stop
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.model.state import ContainerState
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame


class Policy(NamedTuple):
    """A container's restart policy; *max_attempts* 0 is no bound."""

    mode: str = "no"
    max_attempts: int = 0


def is_due(container: ContainerState, policy: Policy) -> bool:
    """Is *container*, which has been started at least once, to run again?"""
    if container.status in ALIVE or not container.started_ns:
        return False
    match policy.mode:
        case "always":
            return True
        case "unless-stopped":
            return not container.stopped_by_user
        case "on-failure":
            is_left = not policy.max_attempts or container.restart_count < policy.max_attempts
            return container.exit_code != 0 and is_left
        case _:
            return False


def plan_resume(due: Sequence[ContainerState]) -> Plan[Frame]:
    """Start *due*, each after those of them that it depends on are ready, or have failed."""
    plan = plan_start(due, due)
    waits = (Verb.AWAIT_HEALTHY, Verb.AWAIT_EXIT)
    return plan._replace(
        operations=tuple(
            operation._replace(optional=True)
            if operation.verb in waits
            else operation._replace(needs=(), wants=operation.needs)
            for operation in plan.operations
        )
    )


def plan_shutdown(containers: Sequence[ContainerState]) -> Plan[Frame]:
    """Stop what runs, in order, such that `plan_resume` starts it again."""
    plan = plan_stop(containers, None)
    return plan._replace(
        operations=tuple(
            operation._replace(request={**operation.request, "to_resume": True})
            for operation in plan.operations
        )
    )
