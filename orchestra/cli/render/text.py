"""Text for terminals: colours, and the harmless form of text that others chose."""

from __future__ import annotations

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
DIM = "\x1b[2m"
RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN = (f"\x1b[{30 + n}m" for n in range(1, 7))

_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_KEEPS_LINES = {code: shown for code, shown in _VISIBLE.items() if code not in (9, 10)}


def harmless(text: str) -> str:
    r"""*text* on one line, with control characters shown as \\xNN: names may come from images."""
    return text if text.isprintable() else text.translate(_VISIBLE)


def harmless_lines(text: str) -> str:
    """As `harmless`, but line feeds and tabs stay."""
    return text if text.isprintable() else text.translate(_KEEPS_LINES)


def paint(text: str, colour: str, *, when: bool) -> str:
    return f"{colour}{text}{RESET}" if when and text else text


def display_width(text: str) -> int:
    """Columns that *text* takes on a terminal; wide East Asian characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )
