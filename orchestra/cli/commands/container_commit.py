"""`orchestra container commit`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    summary="Create a new image from a container's changes",
    flags=(
        Flag("author", 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', "a", TEXT),
        Flag("change", "Apply Dockerfile instruction to the created image", "c", LIST),
        Flag("message", "Commit message", "m", TEXT),
        Flag("pause", "Pause container during commit", "p", default="true"),
    ),
    min_args=1,
    max_args=2,
    examples=(
        ("orchestra container commit -c 'USER app' demo-web-1 web:fixed", "Keep what it wrote"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Make the image and print its id."""
    from orchestra.ops.container_commit import CommitOptions, container_commit

    context.refuse_dry_run()
    options = CommitOptions(
        container=args.words[0],
        name=args.words[1] if len(args.words) > 1 else "",
        changes=args.texts("change"),
        message=args.text("message"),
        author=args.text("author"),
        pause=args.on("pause"),
    )
    write(container_commit(context.host(), options) + "\n")
    return 0
