"""`container update`: other limits for a container, at once if it runs, and from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orchestra.engine.base import UpdateContainer, call
from orchestra.model.container import ContainerId
from orchestra.ops.container_find import find_container
from orchestra.ops.container_root import read_spec
from orchestra.plan.limits import check_resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.model.container import RestartPolicy
    from orchestra.ops.host import Host


def update(
    host: Host, asked: str, limits: Mapping[str, int | str], restart: RestartPolicy | None
) -> tuple[str, ...]:
    """Give the container *asked* what *limits*, fields of Resources, say; what to warn of.

    `cpu_nanos` takes the place of a quota with its period, and the other way round. Raises
    NotFound, ConfigError for limits that cannot be meant together with those that stay,
    RuntimeFailure for what the kernel refuses.
    """
    state = find_container(host.layout, asked)
    replaced: dict[str, int | str] = {}
    if "cpu_nanos" in limits:
        replaced = {"cpu_quota_us": 0, "cpu_period_us": 0}
    elif limits.keys() & {"cpu_quota_us", "cpu_period_us"}:
        replaced = {"cpu_nanos": 0}
    present = read_spec(host.layout, state).resources
    resources = msgspec.structs.replace(present, **replaced | dict(limits))
    check_resources(resources)
    engine = host.open_engine(state.project)
    try:
        request = UpdateContainer(id=ContainerId(state.id), resources=resources, restart=restart)
        return call(engine, request).warnings
    finally:
        engine.close()
