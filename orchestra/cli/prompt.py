"""Questions to the user."""

from __future__ import annotations

import sys


def confirmed(question: str) -> bool:
    """Does the user say yes? The end of the input is a no."""
    sys.stderr.write(f"{question} [yN] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
