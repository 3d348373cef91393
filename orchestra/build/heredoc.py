"""Heredocs of ADD, COPY and RUN: `<<EOF`, `<<-EOF`, `<<"EOF"`."""

from __future__ import annotations

import re
from typing import NamedTuple

from orchestra.build.words import Style, expand

_HEREDOC = re.compile(r"(\d*)<<(-?)\s*([^<]*)", re.DOTALL)


class Heredoc(NamedTuple):
    """*name* ends it; with *chomp* (`<<-`) leading tabs are no part of its text.

    *expands*: the variables of its text are replaced, since its name is not quoted.
    """

    name: str
    expands: bool
    chomp: bool
    text: str = ""

    @property
    def content(self) -> str:
        return re.sub(r"(?m)^\t+", "", self.text) if self.chomp else self.text


def parse_heredoc(word: str) -> Heredoc | None:
    """The heredoc that *word* announces, without its text; None when it is another word."""
    match = _HEREDOC.fullmatch(word)
    if match is None or not match.group(3):
        return None
    try:
        bare = expand(match.group(3), {}, Style(keep_unset=True))
        raw = expand(match.group(3), {}, Style(keep_unset=True, raw_quotes=True))
    except ValueError:
        return None
    if len(bare.words) != 1 or len(raw.words) != 1:
        return None
    quoted = _quotes(raw.words[0]) != _quotes(bare.words[0])
    return Heredoc(bare.words[0], not quoted, match.group(2) == "-")


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')


def heredocs_of(line: str) -> tuple[Heredoc, ...]:
    """The heredocs that *line* announces, in their order; none when its quotes do not close."""
    if "<<" not in line:
        return ()
    try:
        words = expand(line, {}, Style(raw_quotes=True, raw_escapes=True, keep_unset=True)).words
    except ValueError:
        return ()
    found = (parse_heredoc(word) for word in words)
    return tuple(each for each in found if each is not None)
