"""What is said of a service that there is not. Imported by all commands that name services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown_service(name: str, known: Iterable[str]) -> NotFound:
    """The error for a service that does not exist, with the name that was probably meant."""
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        fix = f'did you mean "{close[0]}"?'
    elif names:
        fix = f"services are: {', '.join(names)}"
    else:
        fix = "the project has no services"
    return NotFound(f'no such service: "{name}"', fix=fix)
