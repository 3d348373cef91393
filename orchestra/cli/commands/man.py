"""`orchestra man`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="man DIRECTORY",
    summary="Write the manual pages of orchestra to a directory",
    min_args=1,
    max_args=1,
    examples=(
        ("orchestra man /usr/local/share/man/man1", "For `man orchestra` and `man orchestra-up`"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Write a file for each page. Raises OrchestraError when the directory cannot be written."""
    import os

    from orchestra.cli.manual import write_pages
    from orchestra.errors import OrchestraError

    directory = os.path.join(context.cwd, args.words[0])
    try:
        write_pages(directory, context.environ)
    except OSError as exc:
        raise OrchestraError(f"cannot write {exc.filename}: {exc.strerror}") from exc
    return 0
