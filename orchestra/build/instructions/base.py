"""Command: one instruction, understood but not executed."""

from __future__ import annotations

from typing import Protocol, Self

from orchestra.build.source import Place
from orchestra.model.container import Frozen


class Expander(Protocol):
    """Replaces variables. Every method raises ValueError with a sentence."""

    def __call__(self, word: str) -> str:
        """*word* with its variables replaced and its quotes removed."""
        ...

    def words(self, word: str) -> tuple[str, ...]:
        """The same, split at the spaces that came out of variables."""
        ...

    def text(self, text: str) -> str:
        """The text of a heredoc: quotes stay."""
        ...


class Command(Frozen, frozen=True, kw_only=True):
    """*word* and *text* are as written in the file, at *place*."""

    word: str
    text: str
    place: Place

    @property
    def keyword(self) -> str:
        return self.word.upper()

    def expanded(self, expand: Expander) -> Self:  # noqa: ARG002 (for those that have variables)
        """This command with its variables replaced. Raises ValueError."""
        return self

    def expandable(self) -> tuple[str, ...]:
        """The words in which variables are replaced, for who looks for undefined ones."""
        return ()
