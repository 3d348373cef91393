"""`orchestra start`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag

COMMAND = Command(
    usage="start [OPTIONS] [SERVICE...]",
    summary="Start services",
    flags=(
        Flag("wait", "Wait for services to be running|healthy. Implies detached mode."),
        Flag(
            "wait-timeout",
            "Maximum duration in seconds to wait for the project to be running|healthy",
            kind=NUMBER,
        ),
    ),
    examples=(("orchestra start web", "Start the stopped containers of `web`"),),
)
