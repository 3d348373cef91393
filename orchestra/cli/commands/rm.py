"""`orchestra rm`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag

COMMAND = Command(
    usage="rm [OPTIONS] [SERVICE...]",
    summary="Removes stopped service containers",
    flags=(
        Flag("all", "Deprecated - no effect", short="a", hidden=True),
        Flag("force", "Don't ask to confirm removal", short="f"),
        Flag("stop", "Stop the containers, if required, before removing", short="s"),
        Flag("volumes", "Remove any anonymous volumes attached to containers", short="v"),
    ),
    examples=(("orchestra rm -fsv web", "Stop and remove `web` with its anonymous volumes"),),
)
