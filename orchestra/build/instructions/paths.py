"""What COPY and ADD share: sources, heredocs and the destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.heredoc import parse_heredoc
from orchestra.build.instructions.arguments import json_array, plain_words, wrong
from orchestra.config.wording import quote

if TYPE_CHECKING:
    from orchestra.build.instructions.base import Expander
    from orchestra.build.lexer import Statement


class Inline(NamedTuple):
    """A file whose text is in the Dockerfile; its variables are replaced when it *expands*."""

    name: str
    text: str
    expands: bool


class Paths(NamedTuple):
    sources: tuple[str, ...]
    inline: tuple[Inline, ...]
    destination: str

    def expanded(self, expand: Expander) -> Paths:
        inline = tuple(
            Inline(each.name, expand.text(each.text) if each.expands else each.text, each.expands)
            for each in self.inline
        )
        sources = tuple(expand(source) for source in self.sources)
        return Paths(sources, inline, expand(self.destination))


def parse_paths(statement: Statement) -> Paths:
    """Raises BuildError when there are less than two."""
    listed = json_array(statement, statement.rest)
    words = plain_words(statement.rest) if listed is None else listed
    if len(words) < 2:
        raise wrong(
            statement,
            "needs a source and a destination" + (f", not only {quote(words[0])}" if words else ""),
            f"for example {statement.keyword} app.py /app/",
        )
    if listed is not None:
        return Paths(words[:-1], (), words[-1])
    if parse_heredoc(words[-1]) is not None:
        raise wrong(statement, "a heredoc cannot be the destination")
    by_name = {heredoc.name: heredoc for heredoc in statement.heredocs}
    sources, inline = [], []
    for word in words[:-1]:
        heredoc = parse_heredoc(word)
        if heredoc is None:
            sources.append(word)
        else:
            found = by_name.get(heredoc.name, heredoc)
            inline.append(Inline(found.name, found.content, found.expands))
    return Paths(tuple(sources), tuple(inline), words[-1])
