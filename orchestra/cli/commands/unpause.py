"""`orchestra unpause`."""

from __future__ import annotations

from orchestra.cli.flags import Command

COMMAND = Command(
    usage="unpause [SERVICE...]",
    summary="Unpause services",
    flags=(),
    examples=(("orchestra unpause web", "Let `web` go on"),),
)
