"""Text of containers in the view: colours stay, what else would move a terminal does not."""

from __future__ import annotations

import re

from rich.text import Text

from orchestra.cli.render.text import harmless

_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)")
_TAB = " " * 4

STYLES = {
    "running": "green",
    "healthy": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "paused": "yellow",
    "unhealthy": "bold red",
    "dead": "bold red",
}


def log_line(line: str) -> Text:
    """*line* with its SGR colours; other control characters are shown, not obeyed."""
    parts = _COLOURS.split(line.replace("\t", _TAB))
    shown = [part if position % 2 else harmless(part) for position, part in enumerate(parts)]
    return Text.from_ansi("".join(shown), no_wrap=False)


def cell(text: str) -> Text:
    """*text* in the colour that goes with it."""
    if text.startswith("exited"):
        return Text(text, "dim" if text == "exited (0)" else "red")
    return Text(harmless(text), STYLES.get(text, ""))
