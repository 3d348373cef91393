"""`orchestra version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="version [OPTIONS]",
    summary="Show the version information",
    flags=(
        Flag(
            "format",
            "Format the output. Values: [pretty | json]. (Default: pretty)",
            short="f",
            kind=TEXT,
            choices=("pretty", "json"),
        ),
        Flag("short", "Shows only the version number"),
    ),
    max_args=0,
    examples=(("orchestra version --short", "The number alone, for scripts"),),
)


def run(args: Args, context: Context) -> int:  # noqa: ARG001 (every command has this signature)
    """Print the version."""
    if args.on("short"):
        write(f"{__version__}\n")
    elif args.text("format") == "json":
        write(f'{{"version":"{__version__}"}}\n')
    elif args.text("format") in ("", "pretty"):
        write(f"orchestra version {__version__}\n")
    else:
        raise UsageError(f'format value "{args.text("format")}" could not be parsed')
    return 0
