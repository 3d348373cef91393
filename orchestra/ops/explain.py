"""`explain`: what `up` would do now, step by step, and why; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.ops.up import plan_up

if TYPE_CHECKING:
    from orchestra.model.project import Project
    from orchestra.ops.host import Host
    from orchestra.ops.up import UpOptions


def explain(host: Host, project: Project, options: UpOptions) -> str:
    """The plan as text, one operation per line; says so when there is nothing to do."""
    plan = plan_up(host, project, options)
    lines = [f"warning: {warning}\n" for warning in plan.warnings]
    lines += [f"keep {resource}\n" for resource in plan.kept]
    if not plan.operations:
        lines.append("Nothing to do: everything is as the compose file says.\n")
    return "".join(lines) + plan.text()
