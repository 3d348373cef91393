"""The grammar of .env files and of `env_file`.

One assignment per line, `NAME=value` or `NAME: value`, `export` allowed before it, `#` comments.
Unquoted values end at " #" and are interpolated; double quotes interpolate and know escapes;
single quotes take everything as it is; quoted values may span lines. A name alone on its line
takes its value from the environment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.config.template import TemplateError, substitute
from orchestra.errors import ConfigError
from orchestra.model.source import Position

if TYPE_CHECKING:
    from orchestra.config.template import Lookup

_BLANK = " \t\v\f\r\x85\xa0"
_EXPORT = re.compile(rf"export(?=[{_BLANK}\n])[{_BLANK}]*")
_NAME = re.compile(rf"[\w.\-\[\]{_BLANK}]*")
_ESCAPE = re.compile(r"\\(?:[abcfnrtv$\"\\]|0[0-7]{0,3})")
_ESCAPES = {
    "\\a": "\a",
    "\\b": "\b",
    "\\f": "\f",
    "\\n": "\n",
    "\\r": "\r",
    "\\t": "\t",
    "\\v": "\v",
    "\\$": "$$",
    '\\"': '"',
    "\\\\": "\\",
}


def parse_dotenv(text: str, file: str, lookup: Lookup, known: dict[str, str]) -> None:
    """Add the assignments of *text* to *known*. Raises ConfigError with the place.

    Values see what *lookup* knows first, then what stands above them and in earlier files.
    """
    _Parser(text.removeprefix("\ufeff"), file, lookup, known).run()


class _Parser:
    def __init__(self, text: str, file: str, lookup: Lookup, known: dict[str, str]) -> None:
        self._text = text
        self._file = file
        self._lookup = lookup
        self._known = known
        self._position = 0

    def run(self) -> None:
        while self._skip_to_statement():
            begin = self._position
            name, inherited = self._name()
            if " " in name or "\t" in name:
                raise self._error(f'the name "{name}" contains a space', begin)
            if inherited:
                value = self._lookup(name)
                if value is not None:
                    self._known[name] = value
            else:
                self._known[name] = self._value()

    def _skip_to_statement(self) -> bool:
        text = self._text
        while self._position < len(text):
            char = text[self._position]
            if char == "#":
                end = text.find("\n", self._position)
                self._position = len(text) if end < 0 else end
            elif char.isspace():
                self._position += 1
            else:
                return True
        return False

    def _name(self) -> tuple[str, bool]:
        text = self._text
        export = _EXPORT.match(text, self._position)
        begin = export.end() if export else self._position
        match = _NAME.match(text, begin)
        end = begin if match is None else match.end()
        name = text[begin:end].rstrip()
        after = text[end : end + 1]
        if after not in {"=", ":", "\n", ""}:
            raise self._error(
                f'unexpected "{after}" in a variable name',
                end,
                "write NAME=value; begin comments with #",
            )
        self._position = end + 1
        if after in {"", "\n"}:
            return name, True
        if not name:
            raise self._error(f'no name before "{after}"', begin, "write NAME=value")
        while self._position < len(text) and text[self._position] in _BLANK:
            self._position += 1
        return name, False

    def _value(self) -> str:
        text, begin = self._text, self._position
        quote = text[begin : begin + 1]
        if quote in {'"', "'"}:
            return self._quoted(quote, begin)
        end = text.find("\n", begin)
        self._position = len(text) if end < 0 else end + 1
        line = text[begin:] if end < 0 else text[begin:end]
        return self._interpolated(line.partition(" #")[0].rstrip(), begin)

    def _quoted(self, quote: str, begin: int) -> str:
        text = self._text
        chars: list[str] = []
        position = begin + 1
        while position < len(text):
            char = text[position]
            if char == quote:
                self._position = position + 1
                value = "".join(chars)
                if quote == '"':
                    return self._interpolated(_ESCAPE.sub(_unescape, value), begin)
                return value
            if char == "\\" and position + 1 < len(text):
                following = text[position + 1]
                chars.append(following if following == quote else char + following)
                position += 2
                continue
            chars.append(char)
            position += 1
        raise self._error(f"this {quote} is never closed", begin, f"add {quote} after the value")

    def _interpolated(self, value: str, begin: int) -> str:
        if "$" not in value:
            return value
        try:
            return substitute(value, self._find, lambda _name: None)
        except TemplateError as exc:
            raise self._error(exc.what, begin, exc.fix) from exc

    def _find(self, name: str) -> str | None:
        value = self._lookup(name)
        return self._known.get(name) if value is None else value

    def _error(self, what: str, position: int, fix: str = "") -> ConfigError:
        before = self._text[:position]
        line = before.count("\n") + 1
        column = position - (before.rfind("\n") + 1) + 1
        return ConfigError(what, where=Position(self._file, line, column), fix=fix)


def _unescape(match: re.Match[str]) -> str:
    escape = match.group()
    known = _ESCAPES.get(escape)
    if known is not None:
        return known
    digits = escape[2:] if escape.startswith("\\0") else ""
    if len(digits) == 3 and int(digits, 8) < 256:
        return chr(int(digits, 8))
    return f"\\{digits}" if escape.startswith("\\0") else escape


def parse_raw(text: str, known: dict[str, str]) -> None:
    """`format: raw`: NAME=value lines taken as they are, as `docker run --env-file` does."""
    for line in text.removeprefix("\ufeff").splitlines():
        stripped = line.lstrip()
        if stripped and not stripped.startswith("#"):
            name, equals, value = stripped.partition("=")
            if equals:
                known[name] = value
