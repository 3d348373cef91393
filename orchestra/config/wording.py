"""Words that all the messages about compose files share: quotes, near misses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_QUOTE = 40


def quote(text: str) -> str:
    """*text* in double quotes, shortened, with nothing in it that a terminal would obey."""
    short = text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in short
    )
    return f'"{safe}"'


def near_miss(word: str, known: Sequence[str]) -> str:
    """The one of *known* that *word* was probably meant to be, or ""."""

    def plain(text: str) -> str:
        return re.sub(r"[\W_]", "", text).lower()

    by_plain = {plain(name): name for name in known}
    if plain(word) in by_plain:
        return by_plain[plain(word)]
    from difflib import get_close_matches  # only errors pay for it

    close = get_close_matches(plain(word), list(by_plain), n=1, cutoff=0.7)
    return by_plain[close[0]] if close else ""
