"""`orchestra container cp`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n       orchestra container cp "
    "[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    summary="Copy files/folders between a container and the local filesystem",
    flags=(
        Flag("archive", "Archive mode (copy all uid/gid information)", short="a"),
        Flag("follow-link", "Always follow symbol link in SRC_PATH", short="L"),
        Flag("quiet", "Suppress progress output during copy", short="q"),
    ),
    min_args=2,
    max_args=2,
    examples=(("orchestra container cp web:/etc/hosts -", "As a tar archive"),),
)


def run(args: Args, context: Context) -> int:
    """Copy; what was copied is told on a terminal's stderr."""
    from orchestra.ops.container_cp import CopyOptions, copy_from, copy_to
    from orchestra.ops.container_find import find_container
    from orchestra.ops.copy_rules import split_place

    context.refuse_dry_run()
    source, destination = (split_place(word) for word in args.words)
    if bool(source.service) == bool(destination.service):
        what = "copying between containers is not supported"
        if not source.service:
            what = "must specify at least one container source"
        raise UsageError(what, fix="write one side as CONTAINER:PATH")
    options = CopyOptions(follow_link=args.on("follow-link"), archive=args.on("archive"))
    host = context.host()
    state = find_container(host.layout, source.service or destination.service)
    if source.service:
        copy_from(host, state, source.path, destination.path, options)
    else:
        copy_to(host, state, source.path, destination.path, options)
    _tell(args, state.name)
    return 0


def _tell(args: Args, name: str) -> None:
    import sys

    from orchestra.cli.context import is_terminal

    if not args.on("quiet") and is_terminal(2) and "-" not in args.words:
        sys.stderr.write(f"Copied {args.words[0]} to {args.words[1]} ({name})\n")
