"""`container update`: other limits for a container, at once if it runs, and from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.base import UpdateContainer
from orchestra.model.container import ContainerId
from orchestra.model.structs import msgspec
from orchestra.ops.container_root import read_spec
from orchestra.plan.limits import check_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.engine.base import Request
    from orchestra.layout import Layout
    from orchestra.model.container import RestartPolicy
    from orchestra.model.state import ContainerState


def update(
    layout: Layout, limits: Mapping[str, int | str], restart: RestartPolicy | None
) -> Callable[[ContainerState], Request]:
    """Give a container what *limits*, fields of Resources, say; a request for `ask_each`.

    0 and "" leave a limit as it is, -1 lifts it. `cpu_nanos` takes the place of a quota with its
    period, and the other way round. It raises ConfigError for limits that cannot be meant together
    with those that stay.
    """
    limits = {name: value for name, value in limits.items() if value}
    replaced: dict[str, int | str] = {}
    if "cpu_nanos" in limits:
        replaced = {"cpu_quota_us": 0, "cpu_period_us": 0}
    elif limits.keys() & {"cpu_quota_us", "cpu_period_us"}:
        replaced = {"cpu_nanos": 0}

    def request(state: ContainerState) -> Request:
        present = read_spec(layout, state).resources
        resources = msgspec.structs.replace(present, **replaced | limits)
        check_resources(resources)
        return UpdateContainer(id=ContainerId(state.id), resources=resources, restart=restart)

    return request
