"""`orchestra container wait`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container wait CONTAINER [CONTAINER...]",
    summary="Block until one or more containers stop, then print their exit codes",
    min_args=1,
    examples=(("orchestra container wait job", "Prints its exit code when it has ended"),),
)


def run(args: Args, context: Context) -> int:
    """Print the exit code of each, in order."""
    import sys

    from orchestra.cli.context import write
    from orchestra.ops import container_ask as ask

    code = 0
    for answer in ask.ask_each(context.host(), args.words, ask.await_exit):
        if answer.error is None:
            write(f"{answer.exit_code}\n")
        else:
            sys.stderr.write(f"{answer.error}\n")
            code = 1
    return code
