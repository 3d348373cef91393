"""`orchestra docker version`."""

from __future__ import annotations

import os

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="docker version [OPTIONS]",
    summary="Show the release of Docker whose commands these are, and orchestra's own version",
    flags=(
        Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),
        Flag("short", "One line, as of `docker --version`"),
    ),
    max_args=0,
    examples=(("orchestra docker version -f '{{.Server.Version}}'", "For scripts"),),
)


def run(args: Args, context: Context) -> int:  # noqa: ARG001 (every command has this signature)
    """Print it as text, JSON or as the template says."""
    from orchestra.cli.render.inspected import inspected_text
    from orchestra.cli.render.machine import DOCKER_RELEASE, version_record, version_text

    if args.on("short"):
        from orchestra import __version__

        write(f"Docker version {DOCKER_RELEASE}, build orchestra-{__version__}\n")
        return 0
    host = os.uname()
    record = version_record(host.release, host.machine)
    template = args.text("format")
    write(inspected_text([record], template) if template else version_text(record))
    return 0
