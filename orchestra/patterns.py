"""Libraries imported without compiling their regular expressions, most of which we never use.

Importing yaml compiles fifteen for its parser in Python, whose place the one in C takes, and one of
them takes 3 ms; `platform` and `textwrap`, which come with msgspec, have ten more. Together that is
a twelfth of all that the client of a first `up` imports.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


_compile = re.compile


class _Later:
    """Stands for a pattern that is compiled when something is asked of it."""

    __slots__ = ("_flags", "_made", "_pattern")

    def __init__(self, pattern: str | bytes, flags: int = 0) -> None:
        self._pattern, self._flags = pattern, flags
        self._made: re.Pattern[str] | re.Pattern[bytes] | None = None

    def __getattr__(self, name: str) -> object:
        if self._made is None:
            self._made = _compile(self._pattern, self._flags)
        return getattr(self._made, name)


@contextmanager
def compiled_at_first_use() -> Iterator[None]:
    """Of modules that are imported inside: `re.compile` gives them a promise of a pattern.

    In a process with threads nothing changes, since another one might be compiling.
    """
    if "threading" in sys.modules:
        yield
        return
    re.compile = _Later  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _compile
