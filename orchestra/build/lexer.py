"""Dockerfile text -> statements: directives, continuation lines, comments, flags, heredocs.

What a statement means is decided in `instructions`; nothing here knows one keyword from another but
for those that may have heredocs. Dockerfile reference, "Format".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from orchestra.build.heredoc import Heredoc, heredocs_of
from orchestra.build.source import Place, Problems, error_at

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = ("syntax", "escape", "check")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN")
_LARGEST_BYTES = 16 * 1024 * 1024


class Statement(NamedTuple):
    """One instruction as written: *keyword* in capitals, *word* as in the file.

    *flags* are its leading `--words` with quotes removed, *rest* is what follows them and *text* is
    the whole with its lines joined.
    """

    keyword: str
    word: str
    flags: tuple[str, ...]
    rest: str
    text: str
    place: Place
    heredocs: tuple[Heredoc, ...]
    escape: str


class Lexed(NamedTuple):
    """A Dockerfile in statements; *directives* by name in small letters."""

    lines: tuple[str, ...]
    directives: dict[str, str]
    escape: str
    statements: tuple[Statement, ...]
    empty_continuations: tuple[Place, ...]


def lex(data: bytes, file: str) -> Lexed:
    """Raises BuildError for text that is no Dockerfile, or one without instructions."""
    start = Place(file, 1, 1)
    if len(data) > _LARGEST_BYTES:
        raise error_at(start, "the Dockerfile is larger than 16 MiB", "is it the right file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise error_at(
            Place(file, line, line), "the Dockerfile is not UTF-8 text", "save it as UTF-8"
        ) from exc
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return _Lexer(lines, file).lexed()


class _Lexer:
    def __init__(self, lines: list[str], file: str) -> None:
        self._lines = lines
        self._file = file
        self._at = 0
        self._problems = Problems()
        self._escape = "\\"
        self._continues = _continuation("\\")
        self._empty: list[Place] = []

    def lexed(self) -> Lexed:
        directives = self._directives()
        statements = []
        while self._at < len(self._lines):
            statement = self._statement()
            if statement is not None:
                statements.append(statement)
        if not statements:
            self._problems.add(
                error_at(
                    Place(self._file, max(1, len(self._lines)), max(1, len(self._lines))),
                    "the Dockerfile has no instructions",
                    "begin with FROM, for example `FROM debian:12`",
                )
            )
        self._problems.raise_any()
        plain = tuple(line.rstrip("\r") for line in self._lines)
        return Lexed(plain, directives, self._escape, tuple(statements), tuple(self._empty))

    def _directives(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(self._lines, 1):
            match = _DIRECTIVE.fullmatch(line.strip())
            name = match.group(1).lower() if match else ""
            if match is None or name not in _DIRECTIVES:
                break
            place = Place(self._file, number, number)
            if name in found:
                self._problems.add(
                    error_at(place, f'the directive "{name}" is given twice', "remove one of them")
                )
                continue
            found[name] = match.group(2)
            if name == "escape":
                self._set_escape(match.group(2), place)
            self._at = number
        return found

    def _set_escape(self, value: str, place: Place) -> None:
        if value not in {"\\", "`"}:
            self._problems.add(
                error_at(place, f'"{value}" cannot be the escape character', "use \\ or `")
            )
            return
        self._escape = value
        self._continues = _continuation(value)

    def _statement(self) -> Statement | None:
        first = self._at + 1
        line = self._lines[self._at].rstrip("\r").lstrip()
        self._at += 1
        if not line or line.startswith("#"):
            return None
        joined, going_on = self._without_escape(line)
        while going_on and self._at < len(self._lines):
            piece = self._lines[self._at].rstrip("\r")
            self._at += 1
            bare = piece.lstrip()
            if bare.startswith("#"):
                continue
            if not bare:
                self._empty.append(Place(self._file, self._at, self._at))
                continue
            piece, going_on = self._without_escape(piece)
            joined += piece
        if not joined.strip():
            return None
        return self._split(joined, first)

    def _without_escape(self, line: str) -> tuple[str, bool]:
        match = self._continues.search(line)
        return (line[: match.start()], True) if match else (line, False)

    def _split(self, line: str, first: int) -> Statement:
        word, _, rest = line.strip().partition(" ")
        match = re.match(r"(\S+)\s*(.*)", line.strip(), re.DOTALL)
        if match is not None:
            word, rest = match.groups()
        flags, rest = split_flags(rest, self._escape)
        keyword = word.upper()
        heredocs = self._heredocs(keyword, rest, line, first)
        place = Place(self._file, first, self._at)
        return Statement(keyword, word, flags, rest, line.strip(), place, heredocs, self._escape)

    def _heredocs(self, keyword: str, rest: str, line: str, first: int) -> tuple[Heredoc, ...]:
        if keyword == "ONBUILD":
            keyword, _, rest = rest.partition(" ")
            keyword = keyword.upper()
        if keyword not in _WITH_HEREDOCS or rest.lstrip().startswith("["):
            return ()
        return tuple(self._filled(each, first) for each in heredocs_of(line))

    def _filled(self, heredoc: Heredoc, first: int) -> Heredoc:
        text = ""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            bare = line.rstrip("\r")
            if (bare.lstrip("\t") if heredoc.chomp else bare) == heredoc.name:
                return heredoc._replace(text=text)
            text += line + "\n"
        self._problems.add(
            error_at(
                Place(self._file, first, first),
                f'the heredoc "{heredoc.name}" is not closed',
                f'write "{heredoc.name}" alone on a line after its text',
            )
        )
        return heredoc._replace(text=text)


def _continuation(escape: str) -> re.Pattern[str]:
    one = re.escape(escape)
    return re.compile(rf"(?:(?<!{one})|^){one}[ \t]*$")


def split_flags(rest: str, escape: str) -> tuple[tuple[str, ...], str]:
    """The leading words with `--`, unquoted, and the text after them; `--` alone ends them."""
    flags: list[str] = []
    while True:
        rest = rest.lstrip()
        if not rest.startswith("--"):
            return tuple(flags), rest.rstrip()
        word, rest = _flag(rest, escape)
        if word == "--":
            return tuple(flags), rest.strip()
        flags.append(word)


def _flag(rest: str, escape: str) -> tuple[str, str]:
    word, quote, at = "", "", 0
    while at < len(rest):
        char = rest[at]
        if char == escape:
            at += 1
            word += rest[at : at + 1]
        elif quote:
            word, quote = (word, "") if char == quote else (word + char, quote)
        elif char.isspace():
            break
        elif char in "'\"":
            quote = char
        else:
            word += char
        at += 1
    return word, rest[at:]
