"""`orchestra pull`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.flags import TEXT, Command, Flag, UsageError
from orchestra.cli.located import load_project
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.service import PullPolicy

POLICIES = ("missing", "always")

COMMAND = Command(
    usage="pull [OPTIONS] [SERVICE...]",
    summary="Pull service images",
    flags=(
        Flag("ignore-buildable", "Ignore images that can be built"),
        Flag("ignore-pull-failures", "Pull what it can and ignores images with pull failures"),
        Flag("include-deps", "Also pull services declared as dependencies"),
        Flag(
            "policy",
            'Apply pull policy ("missing"|"always")',
            kind=TEXT,
            choices=POLICIES,
        ),
        Flag("quiet", "Pull without printing progress information", short="q"),
        Flag("parallel", "Without effect: it is what happens", default="true", hidden=True),
        Flag("no-parallel", "Without effect", hidden=True),
    ),
    examples=(
        ("orchestra pull", "Bring the images of all services up to date"),
        ("orchestra pull --policy missing web", "Only if `web`'s image is not here"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Pull the images of the project's services."""
    from orchestra.ops.pull import PullOptions, pull
    from orchestra.ops.rehearse_pull import rehearse_pull

    options = PullOptions(
        services=args.words,
        policy=_policy(args),
        include_dependencies=args.on("include-deps"),
        ignore_failures=args.on("ignore-pull-failures"),
        ignore_buildable=args.on("ignore-buildable"),
        quiet=args.on("quiet"),
    )
    project = load_project(context, args.words)
    with open_display(context, "Pulling", quietly=args.on("quiet"), rehearses=True) as report:
        get = rehearse_pull if context.options.dry_run else pull
        get(context.host(), project, options, report)
    return 0


def _policy(args: Args) -> PullPolicy | None:
    from orchestra.model.service import PullPolicy

    text = args.text("policy")
    if text not in ("", *POLICIES):
        raise UsageError(f'invalid --policy option "{text}"')
    return PullPolicy(text) if text else None
