"""`develop.watch`: which files a rule is about, and what a batch of changes asks for. Pure.

compose-spec develop.md; what is left out beside the rules' own `ignore` is what Docker Compose
leaves out: `.dockerignore`, files that editors keep beside those one edits, and `.git`.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from orchestra.build.ignore import NOTHING_IGNORED, IgnoreRules, parse_ignore
from orchestra.model.develop import WatchAction, WatchRule
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EDITORS = """
**/*___jb_old___
**/*___jb_tmp___
**/.idea
**/.#*
**/#*#
**/4913
**/*~
**/.*.swp
**/.*.swx
**/.*.swo
**/.*.swn
**/.*.kate-swp
**/*-go-tmp-umask
**/.git
"""
"""JetBrains, Emacs, Vim, Kate, Go: what they make beside the files that are edited; and Git's."""

_ALWAYS_IGNORED = parse_ignore(EDITORS, "")
SYNCS = (WatchAction.SYNC, WatchAction.SYNC_RESTART, WatchAction.SYNC_EXEC)
RESTARTS = (WatchAction.RESTART, WatchAction.SYNC_RESTART)


class Rule(NamedTuple):
    """One rule of a service; *context* is where its .dockerignore counts from, "" for nowhere."""

    service: str
    trigger: WatchRule
    include: IgnoreRules = NOTHING_IGNORED  # what they "hide" is included
    ignore: IgnoreRules = NOTHING_IGNORED
    context: str = ""
    dockerignore: IgnoreRules = NOTHING_IGNORED

    def is_about(self, path: str) -> bool:
        """Does a change of *path* trigger this rule?"""
        relative = below(path, self.trigger.path)
        if relative is None:
            return False
        if relative and self.include.patterns and not self.include.hides(relative):
            return False
        return not self.ignores(path)

    def ignores(self, path: str) -> bool:
        """Is *path*, which lies below the rule's, left out?"""
        relative = below(path, self.trigger.path)
        if relative and (self.ignore.hides(relative) or _ALWAYS_IGNORED.hides(relative)):
            return True
        in_context = below(path, self.context) if self.context else None
        return bool(in_context) and self.dockerignore.hides(str(in_context))

    def ignores_all_below(self, directory: str) -> bool:
        """Need nobody look into *directory* for this rule?"""
        relative = below(directory, self.trigger.path)
        if relative is None or not self.ignores(directory):
            return relative is None
        in_context = below(directory, self.context) if self.context else None
        return not (
            self.ignore.may_show_below(relative)
            or (in_context is not None and self.dockerignore.may_show_below(in_context))
        )

    def target_of(self, path: str) -> str:
        """Where *path* goes in the container."""
        target, relative = self.trigger.target, below(path, self.trigger.path)
        if not relative and target.endswith("/") and target.strip("/"):
            relative = posixpath.basename(path)  # a file, to be put into a directory
        return posixpath.normpath(posixpath.join("/", target, relative or ""))


class Copy(NamedTuple):
    """A path of the host, and where it belongs in the containers."""

    source: str
    target: str


class Actions(NamedTuple):
    """What a batch asks for, by service; *execute* are the rules whose command is to run."""

    rebuild: tuple[str, ...] = ()
    sync: tuple[tuple[str, tuple[Copy, ...]], ...] = ()
    restart: tuple[str, ...] = ()
    execute: tuple[Rule, ...] = ()


def actions_for(paths: Iterable[str], rules: Sequence[Rule]) -> Actions:
    """What the changes of *paths* ask for."""
    changed = tuple(paths)
    hits = [(rule, [path for path in changed if rule.is_about(path)]) for rule in rules]
    hit = [rule for rule, found in hits if found]
    copies: dict[str, dict[str, Copy]] = {}
    for rule, found in hits:
        if rule.trigger.action in SYNCS:
            for path in found:
                copy = Copy(path, rule.target_of(path))
                copies.setdefault(rule.service, {})[copy.target] = copy
    return Actions(
        rebuild=_services(r for r in hit if r.trigger.action is WatchAction.REBUILD),
        sync=tuple((service, tuple(each.values())) for service, each in copies.items() if each),
        restart=_services(r for r in hit if r.trigger.action in RESTARTS),
        execute=tuple(r for r in hit if r.trigger.action is WatchAction.SYNC_EXEC),
    )


def _services(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.service for rule in rules))


def as_dockerignore(rules: IgnoreRules) -> IgnoreRules:
    """As Docker Compose reads it for `watch`: beside a bare `*` only the exceptions count."""
    if not any(pattern.text == "*" and not pattern.brings_back for pattern in rules.patterns):
        return rules
    return IgnoreRules(tuple(p for p in rules.patterns if p.brings_back), rules.file)


def below(path: str, directory: str) -> str | None:
    """*path* relative to *directory*: "" for itself, None when it lies elsewhere."""
    if path == directory:
        return ""
    prefix = directory.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None
