"""`orchestra pause`."""

from __future__ import annotations

from orchestra.cli.flags import Command

COMMAND = Command(
    usage="pause [SERVICE...]",
    summary="Pause services",
    flags=(),
    examples=(("orchestra pause web", "Freeze all processes of `web`"),),
)
