"""`orchestra container export`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container export [OPTIONS] CONTAINER",
    summary="Export a container's filesystem as a tar archive",
    flags=(Flag("output", "Write to a file, instead of STDOUT", short="o", kind=TEXT),),
    min_args=1,
    max_args=1,
    examples=(("orchestra container export -o web.tar web", "Without its volumes"),),
)


def run(args: Args, context: Context) -> int:
    """Write the archive."""
    from orchestra.cli.context import is_terminal
    from orchestra.cli.flags import UsageError
    from orchestra.ops.container_export import container_export
    from orchestra.ops.container_find import find_container
    from orchestra.ops.image_save import write_file, write_stdout

    output = args.text("output")
    if not output and is_terminal(1):
        raise UsageError("cowardly refusing to save to a terminal", fix="add -o FILE, or a pipe")
    host = context.host()
    chunks = container_export(host, find_container(host.layout, args.words[0]))
    if output:
        write_file(output, chunks, mode=0o600)
    else:
        write_stdout(chunks)
    return 0
