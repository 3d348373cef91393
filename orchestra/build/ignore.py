"""`.dockerignore`: which files of a context a build does not see.

Patterns are those of Go's filepath.Match with `**` besides, each against a path and all its
parents; the last pattern that matches decides, `!` brings a file back. Dockerfile reference,
".dockerignore file".
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from orchestra.errors import BuildError
from orchestra.model.source import Position


class Pattern(NamedTuple):
    """*text* is as written, *line* its line in the file."""

    regex: re.Pattern[str]
    brings_back: bool
    text: str
    line: int


class IgnoreRules(NamedTuple):
    """*file* is where they were written, for messages."""

    patterns: tuple[Pattern, ...]
    file: str

    def hides(self, path: str) -> bool:
        """Is *path*, relative to the context, hidden?"""
        return self.decider(path) is not None

    def decider(self, path: str) -> Pattern | None:
        """The pattern that hides *path*; None when it is seen."""
        if not self.patterns:
            return None
        parts = path.split("/")
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        last: Pattern | None = None
        for pattern in self.patterns:
            is_hidden = last is not None and not last.brings_back
            if is_hidden is not pattern.brings_back:
                continue  # it could only say what is said already
            if any(pattern.regex.fullmatch(each) for each in above):
                last = pattern
        return None if last is None or last.brings_back else last

    def may_show_below(self, directory: str) -> bool:
        """May a `!` pattern bring back something below the hidden *directory*?"""
        return any(
            pattern.brings_back and _may_lie_below(pattern.text, directory)
            for pattern in self.patterns
        )


NOTHING_IGNORED = IgnoreRules((), "")


def parse_ignore(text: str, file: str) -> IgnoreRules:
    """Raises BuildError for a pattern that cannot be read."""
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        written = line.strip()
        if not written or line.startswith("#"):
            continue
        brings_back = written.startswith("!")
        bare = written[1:].strip() if brings_back else written
        if not bare:
            raise _wrong(file, number, f'"{written}" excludes nothing')
        cleaned = posixpath.normpath(bare).lstrip("/")
        if cleaned == ".":
            continue  # Docker: the context itself is never hidden
        try:
            regex = re.compile(pattern_regex(cleaned))
        except ValueError as exc:
            raise _wrong(file, number, str(exc)) from exc
        patterns.append(Pattern(regex, brings_back, cleaned, number))
    return IgnoreRules(tuple(patterns), file)


def _wrong(file: str, line: int, what: str) -> BuildError:
    return BuildError(what, where=Position(file, line, 1), fix="correct the pattern or remove it")


def pattern_regex(pattern: str) -> str:
    """*pattern* as a regular expression for whole paths. Raises ValueError."""
    result, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                result += "(?:.*/)?"
            else:
                result += ".*"
            continue
        if char == "[":
            piece, at = _character_class(pattern, at)
            result += piece
            continue
        if char == "\\":
            at += 1
            if at == len(pattern):
                raise ValueError(f'the pattern "{pattern}" ends in a backslash')
            char = pattern[at]
            result += re.escape(char)
        else:
            result += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
        at += 1
    return f"(?s:{result})"


def _character_class(pattern: str, start: int) -> tuple[str, int]:
    end = pattern.find("]", start + 2)
    if end < 0:
        raise ValueError(f'the pattern "{pattern}" has a "[" without "]"')
    body = pattern[start + 1 : end]
    negated = body.startswith("^")
    # each end of a range by itself: Python warns of "--", "&&" and the like, Go knows only ranges
    parts = re.findall(r"(?s)(.)-(.)|(.)", body[1:] if negated else body)
    inner = "".join(
        f"{re.escape(low)}-{re.escape(high)}" if low else re.escape(char)
        for low, high, char in parts
    )
    piece = f"(?!/)[{'^' if negated else ''}{inner}]"
    try:
        re.compile(piece)
    except re.error as exc:
        raise ValueError(f'the pattern "{pattern}" has a bad range "[{body}]"') from exc
    return piece, end + 1


def _may_lie_below(pattern: str, directory: str) -> bool:
    for want, have in zip(pattern.split("/"), directory.split("/"), strict=False):
        if "**" in want:
            return True
        if not re.fullmatch(pattern_regex(want), have):
            return False
    return True
