"""`orchestra ls`."""

from __future__ import annotations

from orchestra.cli.flags import LIST, TEXT, Command, Flag

COMMAND = Command(
    usage="ls [OPTIONS]",
    summary="List running compose projects",
    flags=(
        Flag("all", "Show all stopped Compose projects", short="a"),
        Flag("filter", "Filter output based on conditions provided", kind=LIST),
        Flag(
            "format",
            "Format the output. Values: [table | json]",
            kind=TEXT,
            default="table",
            choices=("table", "json"),
        ),
        Flag("quiet", "Only display project names", short="q"),
    ),
    max_args=0,
    examples=(("orchestra ls -a", "Stopped projects too"),),
)
