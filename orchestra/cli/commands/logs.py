"""`orchestra logs`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, TEXT, Command, Flag

COMMAND = Command(
    usage="logs [OPTIONS] [SERVICE...]",
    summary="View output from containers",
    flags=(
        Flag("follow", "Follow log output", short="f"),
        Flag("index", "index of the container if service has multiple replicas", kind=NUMBER),
        Flag("no-color", "Produce monochrome output"),
        Flag("no-log-prefix", "Don't print prefix in logs"),
        Flag(
            "since",
            "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 "
            "minutes)",
            kind=TEXT,
        ),
        Flag(
            "tail",
            "Number of lines to show from the end of the logs for each container",
            short="n",
            kind=TEXT,
            default="all",
        ),
        Flag("timestamps", "Show timestamps", short="t"),
        Flag(
            "until",
            "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for "
            "42 minutes)",
            kind=TEXT,
        ),
    ),
    examples=(
        ("orchestra logs -f web", "Follow one service"),
        ("orchestra logs --since 5m -t", "The last five minutes, with times"),
    ),
)
