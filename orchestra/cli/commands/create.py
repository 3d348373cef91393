"""`orchestra create`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.creation import CREATION_FLAGS, creation_options
from orchestra.cli.flags import Command
from orchestra.cli.located import expect_supervisor, load_project
from orchestra.cli.prebuild import up_after_builds
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="create [OPTIONS] [SERVICE...]",
    summary="Creates containers for a service",
    flags=CREATION_FLAGS,
    examples=(("orchestra create", "Make the containers, start none"),),
)


def run(args: Args, context: Context) -> int:
    """Make what is missing and start nothing."""
    if not context.options.dry_run:
        expect_supervisor(context)
    from orchestra.ops.up import rehearse_up, up

    options = creation_options(args, context)._replace(start=False)
    project = load_project(context, args.words)
    options = up_after_builds(context, project, options)
    with open_display(context, "create", rehearses=True) as report:
        bring_up = rehearse_up if context.options.dry_run else up
        bring_up(context.host(), project, options, report)
    return 0
