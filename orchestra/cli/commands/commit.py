"""`orchestra commit`."""

from __future__ import annotations

from orchestra.cli.flags import LIST, NUMBER, TEXT, Command, Flag
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="commit [OPTIONS] SERVICE [REPOSITORY[:TAG]]",
    summary="Create a new image from a service container's changes",
    flags=(
        Flag("author", 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', "a", TEXT),
        Flag("change", "Apply Dockerfile instruction to the created image", "c", LIST),
        Flag("index", "index of the container if service has multiple replicas.", kind=NUMBER),
        Flag("message", "Commit message", "m", TEXT),
        Flag("pause", "Pause container during commit", "p", default="true"),
    ),
    min_args=1,
    max_args=2,
    examples=(("orchestra commit -m 'with data' db db:seeded", "What `db` wrote, as an image"),),
)


def run(args: Args, context: Context) -> int:
    """Make the image; its id is told on stderr."""
    from orchestra.ops.commit import commit
    from orchestra.ops.container_commit import CommitOptions

    service, *names = args.words
    options = CommitOptions(
        container="",
        name=names[0] if names else "",
        changes=args.texts("change"),
        message=args.text("message"),
        author=args.text("author"),
        pause=args.on("pause"),
    )
    where = target(context, (service,))
    with open_display(context, "commit", rehearses=True) as report:
        commit(
            context.host(),
            where,
            options,
            report,
            index=args.number("index"),
            dry_run=context.options.dry_run,
        )
    return 0
