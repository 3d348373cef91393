"""Words of a Dockerfile: quotes, escapes and the expansion of variables in one piece of text.

Dockerfile reference, "Environment replacement". What is `$x` to a shell in RUN is none
of this: only instructions that say so have their words expanded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL = "@*#?-$!0"
_DEEPEST = 50
_SPACES = " \t\r\n\v\f"


class Expansion(NamedTuple):
    """*missing* are the names that had no value and no default where they were used."""

    text: str
    words: tuple[str, ...]
    used: frozenset[str]
    missing: frozenset[str]


class Style(NamedTuple):
    """How much of what is read is left as written."""

    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False
    literal_quotes: bool = False  # quotes are ordinary characters: the text of a heredoc


DEFAULT = Style()


def expand(text: str, env: Mapping[str, str], style: Style = DEFAULT) -> Expansion:
    """*text* with its variables replaced and its quotes removed; its words besides.

    Raises ValueError with a sentence.
    """
    reader = _Reader(text, env, style)
    result, words = reader.until("", raw_escapes=style.raw_escapes)
    return Expansion(result, tuple(words), frozenset(reader.used), frozenset(reader.missing))


def variables(text: str, escape: str = "\\") -> frozenset[str]:
    """The names that *text* refers to without giving a default. Raises ValueError."""
    return expand(text, {}, Style(escape=escape)).missing


class _Words:
    """Collects words: unquoted space ends one."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._word = ""

    def loose(self, text: str) -> None:
        for char in text:
            if char in _SPACES:
                self.end()
            else:
                self._word += char

    def firm(self, text: str) -> None:
        self._word += text

    def end(self) -> None:
        if self._word:
            self.found.append(self._word)
            self._word = ""


class _Reader:
    """One pass over *text*."""

    def __init__(self, text: str, env: Mapping[str, str], style: Style) -> None:
        self._text = text
        self._at = 0
        self._env = env
        self._style = style
        self._raw_escapes = style.raw_escapes
        self._depth = 0
        self.used: set[str] = set()
        self.missing: set[str] = set()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def until(self, stop: str, *, raw_escapes: bool) -> tuple[str, list[str]]:
        """Text and words up to *stop*, which is consumed; to the end of the text when it is ""."""
        outer, self._raw_escapes = self._raw_escapes, raw_escapes
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"substitutions are nested more than {_DEEPEST} deep")
        try:
            return self._until(stop)
        finally:
            self._raw_escapes = outer
            self._depth -= 1

    def _until(self, stop: str) -> tuple[str, list[str]]:
        text, words = "", _Words()
        while char := self._peek():
            if stop and char == stop:
                self._next()
                words.end()
                return text, words.found
            if char == "$":
                piece = self._dollar()
                words.loose(piece)
            elif char == self._style.escape:
                piece = self._escaped()
                words.firm(piece)
            elif char in "'\"" and not self._style.literal_quotes:
                piece = self._single() if char == "'" else self._double()
                words.firm(piece)
            elif char == "<":
                piece = self._angle()
                words.firm(piece)
            else:
                piece = self._next()
                words.loose(piece)
            text += piece
        if stop:
            raise ValueError(f'the closing "{stop}" is missing')
        words.end()
        return text, words.found

    def _escaped(self) -> str:
        escape = self._next()
        kept = escape if self._raw_escapes else ""
        return kept + self._next()

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ValueError("the closing single quote is missing")
        body = self._text[self._at : end + 1]
        self._at = end + 1
        return body if self._style.raw_quotes else body[1:-1]

    def _double(self) -> str:
        mark = self._next()
        quote = mark if self._style.raw_quotes else ""
        text = ""
        while char := self._peek():
            if char == '"':
                self._next()
                return quote + text + quote
            if char == "$":
                text += self._dollar()
            elif char == self._style.escape:
                text += self._escaped_in_double()
            else:
                text += self._next()
        raise ValueError("the closing double quote is missing")

    def _escaped_in_double(self) -> str:
        escape = self._next()
        after = self._peek()
        kept = escape if self._raw_escapes else ""
        if after in {'"', "$", escape}:
            return kept + self._next()
        return (kept + escape) if after else ""

    def _angle(self) -> str:
        """`<<  EOF` is one word: the spaces between belong to it."""
        self._next()
        if self._peek() != "<":
            return "<"
        self._next()
        spaces = ""
        while self._peek() and self._peek() in " \t\r":
            spaces += self._next()
        return "<<" + spaces

    # -- variables --------------------------------------------------------------------------------
    def _dollar(self) -> str:
        self._next()
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._get(name)
            if value is None:
                return f"${name}" if self._style.keep_unset else self._nothing(name)
            return value
        self._next()
        return self._braces()

    def _name(self) -> str:
        first = self._peek()
        if first and first in _SPECIAL:
            return self._next()
        pattern = r"[0-9]+" if first.isdigit() else r"\w+"
        match = re.compile(pattern).match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _get(self, name: str) -> str | None:
        value = self._env.get(name)
        if value is not None:
            self.used.add(name)
        return value

    def _nothing(self, name: str) -> str:
        self.missing.add(name)
        return ""

    def _braces(self) -> str:
        start = self._at
        if not self._peek():
            raise ValueError('the closing "}" of "${" is missing')
        name = self._name()
        if not name:
            raise ValueError(f'bad substitution "${{{self._peek()}"')
        operator = self._next()
        if operator == "":
            raise ValueError(f'the closing "}}" of "${{{name}" is missing')
        value = self._get(name)
        if operator == "}":
            result = self._nothing(name) if value is None else value
        elif operator == "/":
            result = self._replaced(name, value)
        else:
            result = self._modified(name, operator, value)
        if value is None and self._style.keep_unset:
            self.missing.discard(name)
            return "${" + self._text[start : self._at]
        return result

    def _modified(self, name: str, operator: str, value: str | None) -> str:
        if operator == ":":
            operator += self._next()
            if operator not in {":-", ":+", ":?"}:
                raise ValueError(f'"{operator}" is no modifier of a substitution')
            if value == "":
                value = None
            operator = operator[1]
        if operator not in "-+?#%":
            raise ValueError(f'"{operator}" is no modifier of a substitution')
        word, _ = self.until("}", raw_escapes=operator in "#%")
        if operator == "-":
            return word if value is None else value
        if operator == "+":
            return "" if value is None else word
        if operator == "?":
            if value is None and not self._style.keep_unset:
                raise ValueError(f"{name}: {word or 'must be set and not empty'}")
            return value or ""
        return self._trimmed(name, operator, word, value)

    def _trimmed(self, name: str, operator: str, word: str, value: str | None) -> str:
        greedy = word.startswith(operator)
        pattern = word[1:] if greedy else word
        if value is None:
            return self._nothing(name)
        return _trim(value, pattern, greedy=greedy, at_end=operator == "%")

    def _replaced(self, name: str, value: str | None) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self._next()
        pattern, _ = self.until("/", raw_escapes=True)
        replacement, _ = self.until("}", raw_escapes=True)
        if value is None:
            return self._nothing(name)
        regex = re.compile(_regex(pattern, greedy=True))
        return regex.sub(lambda _: replacement, value, count=0 if everywhere else 1)


def _trim(value: str, pattern: str, *, greedy: bool, at_end: bool) -> str:
    """*value* without the shortest or, when *greedy*, longest match at its beginning or end."""
    regex = re.compile(_regex(pattern, greedy=True))
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if greedy else lengths:
        start = len(value) - length if at_end else 0
        if regex.fullmatch(value, start, start + length):
            return value[:start] if at_end else value[length:]
    return value


def _regex(pattern: str, *, greedy: bool) -> str:
    r"""A shell pattern of `*` and `?` as a regular expression; `\\` makes either literal."""
    result, chars = "", iter(pattern)
    for char in chars:
        if char == "*":
            result += ".*" if greedy else ".*?"
        elif char == "?":
            result += "."
        elif char == "\\":
            escaped = next(chars, "")
            if escaped not in {"*", "?", "\\", "}", "/"}:
                raise ValueError(f'invalid escape "\\{escaped}" in the pattern "{pattern}"')
            result += re.escape(escaped)
        else:
            result += re.escape(char)
    return result
