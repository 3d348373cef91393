"""`orchestra attach`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.flags import NUMBER, TEXT, Command, Flag
from orchestra.cli.located import target

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.attend import Outcome

COMMAND = Command(
    usage="attach [OPTIONS] SERVICE",
    summary="Attach local standard input, output, and error streams to a service's running "
    "container",
    flags=(
        Flag(
            "detach-keys",
            "Override the key sequence for detaching from a container.",
            kind=TEXT,
        ),
        Flag("index", "index of the container if service has multiple replicas.", kind=NUMBER),
        Flag("no-stdin", "Do not attach STDIN"),
        Flag("sig-proxy", "Proxy all received signals to the process", default="true"),
    ),
    min_args=1,
    max_args=1,
    attends=True,
    examples=(
        ("orchestra attach web", "See what `web` writes from now on; Ctrl-C goes to `web`"),
        ("orchestra attach --no-stdin --sig-proxy=false web", "Only look; Ctrl-C leaves"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Attach; the exit code is the container's, 0 after the detach keys."""
    from orchestra.ops.attach import AttachOptions, attach

    context.refuse_dry_run()
    options = AttachOptions(
        number=args.number("index"),
        stdin=not args.on("no-stdin"),
        sig_proxy=args.on("sig-proxy"),
        detach_keys=args.text("detach-keys"),
    )
    return told(attach(context.host(), target(context, args.words), options))


def told(outcome: Outcome) -> int:
    """The exit code; says so when the user has left."""
    if outcome.detached and not outcome.exit_code:
        sys.stderr.write("read escape sequence\n")
    return outcome.exit_code
