"""`orchestra explain`."""

from __future__ import annotations

from orchestra.cli.flags import Command

COMMAND = Command(
    usage="explain [SERVICE...]",
    summary="Tell what `up` would do, and why",
    flags=(),
    examples=(("orchestra explain", "The plan, each step with its cause"),),
)
