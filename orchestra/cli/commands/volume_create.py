"""`orchestra volume create`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="volume create [OPTIONS] [VOLUME]",
    summary="Create a volume",
    flags=(
        Flag("driver", "Specify volume driver name", short="d", kind=TEXT, default="local"),
        Flag("label", "Set metadata for a volume", kind=LIST),
        Flag("name", "Specify volume name", kind=TEXT, hidden=True),
        Flag("opt", "Set driver specific options", short="o", kind=LIST),
    ),
    max_args=1,
    examples=(
        ("orchestra volume create shared", "For projects that declare it `external: true`"),
        (
            "orchestra volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch",
            "One in memory",
        ),
    ),
)


def run(args: Args, context: Context) -> int:
    """Make it and print its name."""
    from orchestra.cli.pairs import pairs_of
    from orchestra.ops.volumes import create_volume

    context.refuse_dry_run()
    if args.words and args.text("name"):
        raise UsageError(
            "conflicting options: a volume name is given by --name and as an argument",
            fix="leave --name out",
        )
    made = create_volume(
        context.host().layout,
        args.words[0] if args.words else args.text("name"),
        args.text("driver"),
        pairs_of(args.texts("opt")),
        pairs_of(args.texts("label")),
    )
    write(f"{made.spec.name}\n")
    return 0
