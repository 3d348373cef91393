"""`orchestra bundle up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.commands import up
from orchestra.cli.flags import Command

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

_SETTLED: dict[str, bool | int | str | tuple[str, ...]] = {
    "build": False,
    "menu": False,
    "no-build": True,
    "pull": "never",
    "quiet-build": False,
    "quiet-pull": False,
    "watch": False,
    "yes": True,
}
"""Flags of `up` that have one meaning here: everything is in the bundle, nothing is fetched."""

COMMAND = Command(
    usage="bundle up [OPTIONS] BUNDLE [SERVICE...]",
    summary="Create and start the containers of a bundle, with no network",
    flags=tuple(flag for flag in up.COMMAND.flags if flag.name not in _SETTLED),
    min_args=1,
    examples=(
        ("orchestra bundle up -d project.tar", "Start everything in the background"),
        ("orchestra -p other bundle up --wait project.tar", "Under another name"),
        ("ssh host cat project.tar | orchestra bundle up -d -", "From a pipe"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Unpack the bundle and do what `up` does."""
    from orchestra.cli.located import warn
    from orchestra.cli.render.progress import open_display
    from orchestra.ops.bundle_up import unpack_bundle

    context.refuse_dry_run()
    path, *services = args.words
    args = args._replace(values={**args.values, **_SETTLED}, words=tuple(services))
    options = up.up_options(args, context)
    name = context.options.project_name or context.environ.get("COMPOSE_PROJECT_NAME", "")
    with open_display(context, "bundle") as report:
        loaded = unpack_bundle(context.host().layout, path, name, report).loaded
    context.sources = loaded.sources
    warn(context, loaded.warnings)
    return up.bring_up(args, context, loaded.project, options)
