"""`orchestra container logs`."""

from __future__ import annotations

import sys

from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container logs [OPTIONS] CONTAINER",
    summary="Fetch the logs of a container",
    flags=(
        Flag("details", "Show extra details provided to logs"),
        Flag("follow", "Follow log output", short="f"),
        Flag(
            "since",
            'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for '
            "42 minutes)",
            kind=TEXT,
        ),
        Flag(
            "tail",
            "Number of lines to show from the end of the logs",
            short="n",
            kind=TEXT,
            default="all",
        ),
        Flag("timestamps", "Show timestamps", short="t"),
        Flag(
            "until",
            'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" '
            "for 42 minutes)",
            kind=TEXT,
        ),
    ),
    min_args=1,
    max_args=1,
    examples=(("orchestra container logs -f --tail 10 web", "The last ten lines, and new ones"),),
)


def run(args: Args, context: Context) -> int:
    """Print what the container wrote, its stderr on ours."""
    from orchestra.cli.commands.logs import span_of
    from orchestra.cli.render.duration import rfc3339_nano
    from orchestra.ops.container_find import find_container
    from orchestra.ops.container_logs import container_logs

    layout = context.host().layout
    state = find_container(layout, args.words[0])
    details = b" " if args.on("details") else b""  # what the log driver adds: nothing here
    out = {1: sys.stdout.buffer, 2: sys.stderr.buffer}
    last = 1
    following = args.on("follow")
    for line in container_logs(layout, state, span_of(args), following=following):
        stream = 2 if line.stream == 2 else 1
        if stream != last:  # on one terminal the order must be kept
            out[last].flush()
            last = stream
        stamp = f"{rfc3339_nano(line.time_ns)} ".encode() if args.on("timestamps") else b""
        out[stream].write(stamp + details + line.text)
        if following:
            out[stream].flush()
    out[last].flush()
    return 0
