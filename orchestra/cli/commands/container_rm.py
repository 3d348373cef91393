"""`orchestra container rm`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container rm [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Remove one or more containers",
    flags=(
        Flag("force", "Force the removal of a running container (uses SIGKILL)", short="f"),
        Flag("link", "Remove the specified link", short="l"),
        Flag("volumes", "Remove anonymous volumes associated with the container", short="v"),
    ),
    min_args=1,
    examples=(
        ("orchestra container rm -f -v web", "Killed first, and its anonymous volumes with it"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Remove each, and name it."""
    from orchestra.cli.flags import UsageError
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops import container_ask as ask

    context.refuse_dry_run()
    if args.on("link"):
        raise UsageError(
            "--link: links are names on a network here, not objects",
            fix="remove the container that has the link",
        )
    request = ask.remove(force=args.on("force"), volumes=args.on("volumes"))
    answers = ask.ask_each(context.host(), args.words, request)
    return tell_each(answers, missing_is_fine=args.on("force"))
