"""`orchestra logout`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import Command

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="logout [SERVER]",
    summary="Log out from a registry",
    max_args=1,
    examples=(("orchestra logout host:5000", "Forget the login for this registry"),),
)


def run(args: Args, context: Context) -> int:
    """Forget the login."""
    from orchestra.ops.login import log_out, registry_domain

    context.refuse_dry_run()
    domain = registry_domain(args.words[0] if args.words else "")
    if log_out(context.environ, domain):
        write(f"Removing login credentials for {domain}\n")
    else:
        write(f"Not logged in to {domain}\n")
    return 0
