"""`orchestra scale`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.creation import scale_of
from orchestra.cli.flags import Command, Flag
from orchestra.cli.located import load_project
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="scale [OPTIONS] SERVICE=REPLICAS...",
    summary="Scale services",
    flags=(Flag("no-deps", "Don't start linked services"),),
    min_args=1,
    examples=(("orchestra scale worker=3", "Three containers of `worker`, from now on"),),
)


def run(args: Args, context: Context) -> int:
    """Bring the named services to their numbers of containers. Raises UsageError."""
    from orchestra.ops.up import UpOptions, rehearse_up, up
    from orchestra.plan.desired import Dependencies

    scale = tuple(scale_of(text) for text in args.words)
    services = tuple(name for name, _number in scale)
    options = UpOptions(
        services=services,
        scale=scale,
        dependencies=Dependencies.LEFT_OUT if args.on("no-deps") else Dependencies.INCLUDED,
    )
    project = load_project(context, services)
    with open_display(context, "scale", rehearses=True) as report:
        bring_up = rehearse_up if context.options.dry_run else up
        bring_up(context.host(), project, options, report)
    return 0
