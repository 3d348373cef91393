"""`orchestra push`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.flags import Command, Flag
from orchestra.cli.located import load_project
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="push [OPTIONS] [SERVICE...]",
    summary="Push service images",
    flags=(
        Flag("ignore-push-failures", "Push what it can and ignores images with push failures"),
        Flag("include-deps", "Also push images of services declared as dependencies"),
        Flag("quiet", "Push without printing progress information", short="q"),
    ),
    examples=(("orchestra push web", "Push the image that `web` builds"),),
)


def run(args: Args, context: Context) -> int:
    """Push the images that the project's services build."""
    from orchestra.ops.push import PushOptions, push

    options = PushOptions(
        services=args.words,
        include_dependencies=args.on("include-deps"),
        ignore_failures=args.on("ignore-push-failures"),
        quiet=args.on("quiet"),
    )
    project = load_project(context, args.words)
    with open_display(context, "Pushing", quietly=args.on("quiet")) as report:
        push(context.host().layout, context.environ, project, options, report)
    return 0
