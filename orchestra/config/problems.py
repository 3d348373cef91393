"""Faults found while loading: gathered with their places, raised together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.config.wording import near_miss, quote
from orchestra.errors import ConfigError, ConfigErrors
from orchestra.model.source import spell_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.model.source import Position, SourceMap, TreePath

MAX_PROBLEMS = 100


class Fault(ValueError):
    """A rule refuses a value: *what* is wrong and its *fix*; *at* leads from the value to it.

    *others* are further faults of the same value.
    """

    def __init__(self, what: str, fix: str = "", at: TreePath = ()) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.at = at
        self.others: tuple[Fault, ...] = ()


def raise_together(faults: Sequence[Fault]) -> None:
    """Raise the first of *faults* with the others in it, if there are any."""
    if faults:
        first, *rest = faults
        first.others = tuple(rest)
        raise first


class Problems:
    """The faults of one load. Reporting never raises; `raise_any` does.

    *broken* are the places that have been reported and then taken out of the tree, so that the
    load can go on and find what else is wrong; what follows from them is not reported again.
    """

    def __init__(self) -> None:
        self._found: list[ConfigError] = []
        self.broken: set[TreePath] = set()

    def __len__(self) -> int:
        return len(self._found)

    def add(self, error: ConfigError) -> None:
        """One more problem; those of an inner load are taken one by one."""
        self._found += error.problems if isinstance(error, ConfigErrors) else [error]

    def at(
        self, sources: SourceMap, path: TreePath, what: str, fix: str = "", *, key: bool = False
    ) -> None:
        """*what* is wrong at *path*, or with the *key* that it ends with."""
        if self._follows_from_another(path):
            return
        where = sources.key(path) if key else sources.value(path)
        self._found.append(problem(path, what, where, fix))

    def _follows_from_another(self, path: TreePath) -> bool:
        """Is a part of what is at *path* broken, or the attribute that it is a part of?"""
        depth = len(path)
        return any(
            (depth >= 2 and seen[:depth] == path) or (len(seen) >= 3 and path[: len(seen)] == seen)
            for seen in self.broken
        )

    def raise_any(self) -> None:
        """Raise ConfigErrors if there are any, each once, in the order of the files."""
        if not self._found:
            return
        unique = {str(error): error for error in self._found}
        ordered = sorted(unique.values(), key=lambda error: error.where or ("", 0, 0))
        raise ConfigErrors(ordered[:MAX_PROBLEMS])


def problem(path: TreePath, what: str, where: Position | None, fix: str = "") -> ConfigError:
    """The ConfigError for *what* at *path*."""
    spelled = spell_path(path)
    error = ConfigError(f"{spelled}: {what}" if spelled else what, where=where, fix=fix)
    error.path = path
    return error


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'did you mean "image"?' or "" when nothing is near."""
    names = list(known)
    near = near_miss(name, names)
    if not near:
        from difflib import get_close_matches  # only errors pay for it

        close = get_close_matches(name, names, n=1, cutoff=0.6)  # names are short: wbe for web
        near = close[0] if close else ""
    return f"did you mean {quote(near)}?" if near else ""
