"""`orchestra cp`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="cp [OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n       orchestra cp [OPTIONS] SRC_PATH|- "
    "SERVICE:DEST_PATH",
    summary="Copy files/folders between a service container and the local filesystem",
    flags=(
        Flag("all", "Include containers created by the run command"),
        Flag("archive", "Archive mode (copy all uid/gid information)", short="a"),
        Flag("follow-link", "Always follow symbol link in SRC_PATH", short="L"),
        Flag("index", "Index of the container if service has multiple replicas", kind=NUMBER),
    ),
    min_args=2,
    max_args=2,
    examples=(
        ("orchestra cp web:/var/log/app ./logs", "A directory out of the container of `web`"),
        ("orchestra cp nginx.conf web:/etc/nginx/", "A file into all containers of `web`"),
        ("orchestra cp web:/etc - | tar t", "As a tar archive"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Copy; progress is told on stderr."""
    from orchestra.ops.container_cp import CopyOptions
    from orchestra.ops.copy_rules import check_direction, split_place
    from orchestra.ops.cp import CpRequest, cp

    source, destination = (split_place(word) for word in args.words)
    check_direction(source, destination)
    request = CpRequest(
        source,
        destination,
        number=args.number("index"),
        oneoffs=args.on("all"),
        options=CopyOptions(follow_link=args.on("follow-link"), archive=args.on("archive")),
    )
    where = target(context, (source.service or destination.service,))
    with open_display(context, "copy", rehearses=True) as report:
        cp(context.host(), where, request, report, dry_run=context.options.dry_run)
    return 0
