"""What became of each container of a command: names on stdout, failures on stderr."""

from __future__ import annotations

import sys

from orchestra.cli.context import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.ops.container_ask import Answer


def tell_each(answers: Iterable[Answer], *, missing_is_fine: bool = False) -> int:
    """The exit code: 1 when one failed, but for *missing_is_fine* containers that are not there."""
    from orchestra.errors import NotFound

    code = 0
    for answer in answers:
        if answer.error is None:
            for warning in answer.warnings:
                sys.stderr.write(f"warning: {warning}\n")
            write(f"{answer.asked}\n")
            continue
        sys.stderr.write(f"{answer.error}\n")
        if not (missing_is_fine and isinstance(answer.error, NotFound)):
            code = 1
    return code
