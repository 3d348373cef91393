"""The builds before `up`, `create` and `run`, shown as `build` shows them.

Where that cannot be (a dry run, --progress json or quiet, and --pull, which comes before builds)
the operation itself builds, and tells the steps on its own lines.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.model.project import Project
    from orchestra.model.service import PullPolicy
    from orchestra.ops.building import Building
    from orchestra.ops.up import UpOptions
    from orchestra.plan.desired import Dependencies
    from orchestra.plan.events import Report

_SHOWN = ("auto", "tty", "plain")


def up_after_builds(context: Context, project: Project, options: UpOptions) -> UpOptions:
    """Build what *options* ask for; *options* without that. Raises what a build raises."""
    from orchestra.plan.trace import Recorder

    recorder = Recorder()
    asked = Asked(options.services, options.dependencies, options.building, options.pull)
    building = build_first(context, project, asked, recorder.noting_images(lambda _: None))
    return options._replace(building=building, recorder=recorder)


class Asked(NamedTuple):
    """The services, with what they need or without, and what is to be built and pulled of them."""

    services: tuple[str, ...]
    dependencies: Dependencies
    building: Building
    pull: PullPolicy | None


def build_first(context: Context, project: Project, asked: Asked, note: Report) -> Building:
    """Build what is *asked*; what is left to build then. *note* hears the steps, too."""
    if context.options.dry_run or asked.pull or context.options.progress not in _SHOWN:
        return asked.building
    from orchestra.ops.building import Building, build_shown, services_to_build
    from orchestra.plan.desired import select_services

    host = context.host()
    chosen = select_services(project, asked.services, asked.dependencies)
    due = services_to_build(host, chosen, asked.building)
    if not due:
        return asked.building
    from orchestra.cli.render.building import open_build_display

    with open_build_display(context, context.options.progress, quietly=False) as watch:
        built = build_shown(host, project, due, watch, note)
    for image in built:
        sys.stderr.write(f" {image}  Built\n")
    return Building.NEVER
