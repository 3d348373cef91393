"""`orchestra ps`."""

from __future__ import annotations

from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False

STATUSES = ("paused", "restarting", "removing", "running", "dead", "created", "exited")

COMMAND = Command(
    usage="ps [OPTIONS] [SERVICE...]",
    summary="List containers",
    flags=(
        Flag(
            "all",
            "Show all stopped containers (including those created by the run command)",
            short="a",
        ),
        Flag(
            "filter",
            "Filter services by a property (supported filters: status)",
            kind=TEXT,
        ),
        Flag(
            "format",
            "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go "
            "TEMPLATE",
            kind=TEXT,
            choices=("table", "json"),
        ),
        Flag("no-trunc", "Don't truncate output"),
        Flag(
            "orphans",
            "Include orphaned services (not declared by project)",
            default="true",
        ),
        Flag("quiet", "Only display IDs", short="q"),
        Flag("services", "Display services"),
        Flag(
            "status",
            f"Filter services by status. Values: [{' | '.join(STATUSES)}]",
            kind=LIST,
            choices=STATUSES,
        ),
    ),
    examples=(
        ("orchestra ps -a", "Stopped containers too"),
        ("orchestra ps --format json", "One JSON object per line"),
        ("orchestra ps --format 'table {{.Name}}\\t{{.Status}}'", "Chosen columns"),
    ),
)
