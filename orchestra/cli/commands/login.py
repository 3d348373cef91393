"""`orchestra login`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.context import is_terminal, write
from orchestra.cli.creation import refuse_together
from orchestra.cli.flags import TEXT, Command, Flag, UsageError

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="login [OPTIONS] [SERVER]",
    summary="Authenticate to a registry",
    flags=(
        Flag("password", "Password or Personal Access Token (PAT)", short="p", kind=TEXT),
        Flag("password-stdin", "Take the Password or Personal Access Token (PAT) from stdin"),
        Flag("username", "Username", short="u", kind=TEXT),
    ),
    max_args=1,
    examples=(
        ("orchestra login", "To Docker Hub, with questions"),
        ("orchestra login host:5000 -u ada --password-stdin < token", "In a script"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Ask for what is missing, check it with the registry and keep it."""
    from orchestra.ops.login import log_in, registry_domain

    context.refuse_dry_run()
    domain = registry_domain(args.words[0] if args.words else "")
    user, password = _credential(args)
    place = log_in(context.environ, domain, user, password)
    if place.endswith(".json"):
        sys.stderr.write(
            f"WARNING! The password is stored unencrypted in {place}.\n"
            "  fix: set `credsStore` there to keep it with a credential helper\n"
        )
    write("Login Succeeded\n")
    return 0


def _credential(args: Args) -> tuple[str, str]:
    """User and password, from flags, a pipe or the terminal. Raises UsageError."""
    refuse_together(args, "password", "password-stdin")
    user, password = args.text("username"), args.text("password")
    if args.on("password-stdin"):
        if not user:
            raise UsageError("must provide --username with --password-stdin")
        password = sys.stdin.read().rstrip("\r\n")
    elif password:
        sys.stderr.write(
            "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n"
        )
    if (not user or not password) and not is_terminal(0):
        raise UsageError("cannot perform an interactive login from a non TTY device")
    if not user:
        sys.stderr.write("Username: ")
        sys.stderr.flush()
        user = sys.stdin.readline().strip()
    if not password:
        import getpass

        password = getpass.getpass("Password: ")
    if not user or not password:
        raise UsageError("username and password are needed to log in")
    return user, password
