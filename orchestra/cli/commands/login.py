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

_FROM_STDIN = "-"

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
    if _is_known(args, context, domain):
        write("Login Succeeded\n")
        return 0
    user, password = _credential(args)
    place = log_in(context.environ, domain, user, password)
    if place.endswith(".json"):
        sys.stderr.write(
            f"WARNING! The password is stored unencrypted in {place}.\n"
            "  fix: set `credsStore` there to keep it with a credential helper\n"
        )
    write("Login Succeeded\n")
    return 0


def _is_known(args: Args, context: Context, domain: str) -> bool:
    """Does the login that is kept still open the registry? Not asked when another is given."""
    from orchestra.errors import AuthRequired
    from orchestra.ops.login import log_in_again

    if args.text("username") or args.text("password") or args.on("password-stdin"):
        return False

    def begin(user: str) -> None:
        sys.stderr.write(f"Authenticating with existing credentials... [Username: {user}]\n")

    try:
        return log_in_again(context.environ, domain, begin)
    except AuthRequired:
        sys.stderr.write("Stored credentials invalid or expired\n")
        return False


def _credential(args: Args) -> tuple[str, str]:
    """User and password, from flags, a pipe or the terminal. Raises UsageError."""
    refuse_together(args, "password", "password-stdin")
    user, password = args.text("username"), args.text("password")
    if args.on("password-stdin") or password == _FROM_STDIN:
        if not user:
            raise UsageError("must provide --username with --password-stdin")
        password = _without_line_end(sys.stdin.read())
        if not password.strip():
            raise UsageError("password is empty")
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


def _without_line_end(text: str) -> str:
    """*text* as a program printed it; a password may itself end with a line."""
    return text.removesuffix("\n").removesuffix("\r")
