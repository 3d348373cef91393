"""`orchestra images`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

COMMAND = Command(
    usage="images [OPTIONS] [SERVICE...]",
    summary="List images used by the created containers",
    flags=(
        Flag(
            "format",
            "Format the output. Values: [table | json]",
            kind=TEXT,
            default="table",
            choices=("table", "json"),
        ),
        Flag("quiet", "Only display IDs", short="q"),
    ),
    examples=(("orchestra images -q", "The IDs alone"),),
)
