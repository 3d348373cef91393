"""`rm NAME…`: what is removed is named on stdout; what cannot be does not hold up the others."""

from __future__ import annotations

import sys

from orchestra.cli.context import write
from orchestra.errors import OrchestraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def remove_each(names: Iterable[str], remove: Callable[[str], bool]) -> int:
    """The exit code; *remove* tells whether there was something to remove."""
    code = 0
    for name in names:
        try:
            gone = remove(name)
        except OrchestraError as exc:
            sys.stderr.write(f"{exc}\n")
            code = exc.exit_code
        else:
            if gone:
                write(f"{name}\n")
    return code
