"""`orchestra wait`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag

COMMAND = Command(
    usage="wait SERVICE [SERVICE...] [OPTIONS]",
    summary="Block until containers of all (or specified) services stop.",
    flags=(Flag("down-project", "Drops project when the first container stops"),),
    min_args=1,
    examples=(("orchestra wait migrate", "Print the exit code of `migrate` when it has ended"),),
)
