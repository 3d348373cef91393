"""`orchestra stop`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag

COMMAND = Command(
    usage="stop [OPTIONS] [SERVICE...]",
    summary="Stop services",
    flags=(Flag("timeout", "Specify a shutdown timeout in seconds", short="t", kind=NUMBER),),
    examples=(("orchestra stop -t 2 web", "SIGTERM, and after two seconds SIGKILL"),),
)
