"""The rule about variables that nothing defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.graph import SCRATCH
from orchestra.build.instructions.arg import Arg
from orchestra.build.instructions.env import Env
from orchestra.build.lint.base import Remark, Subject
from orchestra.build.lint.usage import stage_trail
from orchestra.build.scope import PROXY_ARGS
from orchestra.build.words import variables
from orchestra.config.wording import near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.build.dockerfile import Stage
    from orchestra.build.instructions.base import Command


def undefined(subject: Subject) -> Iterator[Remark]:
    for stage in subject.dockerfile.stages:
        known, is_all_known = _from_bases(subject, stage)
        for command in stage.commands:
            for name in sorted(_used(command, subject) - known):
                meant = near_miss(name, sorted(known - {"PATH"}))
                if meant:
                    yield Remark(command.place, f"${name} is not defined; did you mean ${meant}?")
                elif is_all_known:
                    yield Remark(command.place, f"${name} is not defined here")
            known |= _defined(command)


def _from_bases(subject: Subject, stage: Stage) -> tuple[set[str], bool]:
    """The names that *stage* begins with, and whether there can be no others."""
    trail = list(stage_trail(subject, stage))
    known = {"PATH", *PROXY_ARGS}
    for each in trail[1:]:
        for command in each.commands:
            known |= _defined(command)
    root = trail[-1].start.base
    if root == SCRATCH:
        return known, True
    env = None if "$" in root else subject.image_env(root)
    return known | set(env or {}), env is not None


def _used(command: Command, subject: Subject) -> set[str]:
    names: set[str] = set()
    own = _defined(command) if isinstance(command, Arg) else set()
    for word in command.expandable():
        try:
            names |= variables(word, subject.dockerfile.escape)
        except ValueError:
            continue
    return names - own


def _defined(command: Command) -> set[str]:
    if isinstance(command, Arg):
        return {each.name for each in command.declared}
    return {pair.name for pair in command.pairs} if isinstance(command, Env) else set()
