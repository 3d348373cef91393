"""`orchestra restart`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag

COMMAND = Command(
    usage="restart [OPTIONS] [SERVICE...]",
    summary="Restart service containers",
    flags=(
        Flag("no-deps", "Don't restart dependent services"),
        Flag("timeout", "Specify a shutdown timeout in seconds", short="t", kind=NUMBER),
    ),
    examples=(("orchestra restart web", "Stop and start the containers of `web`"),),
)
