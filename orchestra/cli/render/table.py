"""Columns as Go's tabwriter lays them out, which is how all tables of Docker look."""

from __future__ import annotations

from orchestra.cli.render.text import display_width, harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table_text(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, min_width: int = 10, padding: int = 3
) -> str:
    """*header* and *rows* in columns of at least *min_width*; the last one is not padded."""
    cells = [[harmless(cell) for cell in row] for row in (header, *rows)]
    widths = [
        max(min_width, max(display_width(row[column]) for row in cells) + padding)
        for column in range(len(header) - 1)
    ]
    return "".join(_line(row, widths) for row in cells)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths, strict=False)
    ]
    return "".join(padded) + row[-1] + "\n"
