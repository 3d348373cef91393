"""How an error looks: the message, and on a terminal the source line with a caret under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.render.text import BOLD, CYAN, DIM, RED, harmless, harmless_lines, paint
from orchestra.errors import BuildErrors, ConfigErrors

if TYPE_CHECKING:
    from orchestra.errors import OrchestraError
    from orchestra.model.source import Position


def failure_text(error: OrchestraError, *, colour: bool, excerpt: bool) -> str:
    """*error* and every problem in it; *excerpt* adds the lines of the compose file."""
    problems = error.problems if isinstance(error, ConfigErrors | BuildErrors) else (error,)
    return "\n".join(_problem(problem, colour=colour, excerpt=excerpt) for problem in problems)


def _problem(error: OrchestraError, *, colour: bool, excerpt: bool) -> str:
    message = harmless_lines(error.what)
    if error.where is None:
        lines = [paint(message, RED, when=colour)]
    else:
        place = paint(f"{harmless(str(error.where))}:", BOLD, when=colour)
        lines = [f"{place} {paint(message, RED, when=colour)}"]
        if excerpt:
            lines += _source_lines(error.where, colour=colour)
    if error.fix:
        lines.append(f"  {paint('fix:', CYAN, when=colour)} {harmless_lines(error.fix)}")
    return "\n".join(lines)


def _source_lines(where: Position, *, colour: bool) -> list[str]:
    """The line at *where* and a caret; nothing when the file cannot be read again."""
    try:
        with open(where.file, encoding="utf-8", errors="replace") as file:
            line = next((text for number, text in enumerate(file, 1) if number == where.line), None)
    except OSError:
        return []
    if line is None:
        return []
    before = "".join(char if char == "\t" else " " for char in line[: where.column - 1])
    gutter = f"{where.line:>6} | "
    return [
        f"{paint(gutter, DIM, when=colour)}{harmless_lines(line.rstrip())}",
        f"{' ' * (len(gutter) - 2)}{paint('| ', DIM, when=colour)}"
        f"{before}{paint('^', RED, when=colour)}",
    ]
