"""What a lint rule is, what it looks at and what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestra.build.dockerfile import Dockerfile
    from orchestra.build.ignore import IgnoreRules
    from orchestra.build.source import Place


class Subject(NamedTuple):
    """A Dockerfile with what is known around it.

    *image_env* tells the variables of a base image, None for an image that is not here.
    """

    dockerfile: Dockerfile
    args: Mapping[str, str]
    platform: str
    ignore: IgnoreRules
    image_env: Callable[[str], Mapping[str, str] | None]


class Remark(NamedTuple):
    place: Place
    message: str


class Rule(NamedTuple):
    """*name* is as in Docker's build checks, *sentence* what the rule asks for."""

    name: str
    sentence: str
    check: Callable[[Subject], Iterable[Remark]]


PAGE = "docs/checks.md"
"""Where the rules are explained, each below a heading with its name."""


class Finding(NamedTuple):
    rule: str
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}: {self.rule}: {self.message}"

    @property
    def page(self) -> str:
        """Where the rule is explained."""
        return f"{PAGE}#{self.rule.lower()}"
