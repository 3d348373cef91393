"""`explain`: what `up` would do now, step by step, and why; nothing is changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.engine.base import CreateContainer
from orchestra.errors import NotFound
from orchestra.ops.container_root import read_spec
from orchestra.ops.target import Target, find_containers
from orchestra.ops.up import plan_up
from orchestra.plan.difference import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.engine.base import Request
    from orchestra.model.container import ContainerSpec
    from orchestra.model.project import Project
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.ops.up import UpOptions
    from orchestra.plan.graph import Plan


def explain(host: Host, project: Project, options: UpOptions) -> str:
    """The plan as text, one operation per line; says so when there is nothing to do.

    Of a container that would be recreated it tells before that which attributes have changed.
    """
    plan = plan_up(host, project, options)
    lines = [f"warning: {warning}\n" for warning in plan.warnings]
    lines += [f"keep {resource}\n" for resource in plan.kept]
    lines += _changes(host, project, plan)
    if not plan.operations:
        lines.append("Nothing to do: everything is as the compose file says.\n")
    return "".join(lines) + plan.text()


def _changes(host: Host, project: Project, plan: Plan[Request]) -> Iterator[str]:
    existing = {c.name: c for c in find_containers(host.layout, Target(project.name))}
    for operation in plan.operations:
        request = operation.request
        if not isinstance(request, CreateContainer) or request.spec.name not in existing:
            continue
        state = existing[request.spec.name]
        try:
            before = read_spec(host.layout, state)
        except NotFound:
            continue
        yield f"recreate {operation.resource}: {operation.cause}\n"
        for difference in differences(before, request.spec):
            yield f"    {difference}\n"
        if state.config_hash != request.spec.config_hash:
            yield from _changed_files(request.spec, state)


def _changed_files(spec: ContainerSpec, state: ContainerState) -> Iterator[str]:
    """Configs and secrets from files that have been written since the container was made."""
    for file in spec.files:
        path = file.source
        if path and os.path.exists(path) and os.stat(path).st_mtime_ns > state.created_ns:
            yield f"    files.{file.target}: {path} has been changed\n"
