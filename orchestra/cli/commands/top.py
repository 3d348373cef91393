"""`orchestra top`."""

from __future__ import annotations

from orchestra.cli.flags import Command

COMMAND = Command(
    usage="top [SERVICES...]",
    summary="Display the running processes",
    flags=(),
    examples=(("orchestra top web", "The processes of `web`"),),
)
