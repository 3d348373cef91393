"""`extends`: a service begins as a copy of another one, of this file or of another file.

The other file is read and interpolated with the variables of the one that names it; its paths
become relative to that one's directory. What it extends in its turn is resolved first, and a
chain that leads back to itself is told with the place of every step.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from os.path import dirname, relpath
from typing import TYPE_CHECKING, Any

from orchestra.config.files import local_path
from orchestra.config.interpolate import Interpolation
from orchestra.config.merge import merge_services, merge_trees
from orchestra.config.problems import did_you_mean, problem
from orchestra.config.relpaths import Paths
from orchestra.config.rewrite import remove_duplicates, to_long_syntax
from orchestra.config.state import remove_paths
from orchestra.config.tree import Map, TreeSources, copy_tree
from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.config.state import Scope
    from orchestra.config.tree import Tree
    from orchestra.model.source import Position, TreePath


MAX_CHAIN = 200


class _Source(NamedTuple):
    """Services that may be extended: those of one file, and what that file resets."""

    file: str  # "" is the document that is being loaded
    services: Tree
    resets: tuple[TreePath, ...]


class _Step(NamedTuple):
    file: str
    service: str
    where: Position | None


class _Broken(Exception):
    """The chain cannot be followed; the problem has been reported."""


def apply_extends(scope: Scope) -> None:
    """Resolve `extends` in every service of the scope's current document."""
    services = scope.current.get("services")
    if not isinstance(services, dict):
        return
    resolver = _Resolver(scope)
    source = _Source("", services, scope.document.resets)
    for name, service in list(services.items()):
        if isinstance(service, dict) and "extends" in service:
            with suppress(_Broken):
                services[name] = resolver.resolved(source, name, ())


class _Resolver:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._load = scope.load

    def resolved(self, source: _Source, name: str, trail: tuple[_Step, ...]) -> Any:
        """The service *name*, with what it extends merged in. Raises _Broken, once a service."""
        service = source.services[name]
        if not isinstance(service, dict) or "extends" not in service:
            return service
        try:
            return self._extended(source, name, trail)
        except _Broken:
            service.pop("extends", None)
            self._load.problems.broken.add(("services", name, "extends"))
            raise

    def _extended(self, source: _Source, name: str, trail: tuple[_Step, ...]) -> Any:
        service = source.services[name]
        wanted, file = self._target(source, name, service["extends"])
        where = self._place(source, name)
        step = _Step(source.file, name, where)
        if len(trail) >= MAX_CHAIN:
            fix = "let it extend an earlier one of the chain"
            raise self._broken(source, name, f"the chain is longer than {MAX_CHAIN} services", fix)
        if any((seen.file, seen.service) == (step.file, step.service) for seen in trail):
            raise self._cycle((*trail, step))
        base_source = self._file(source, name, file) if file else source
        if wanted not in base_source.services:
            hint = did_you_mean(wanted, base_source.services)
            place = f" in {file}" if file else ""
            raise self._broken(source, name, f'extends undefined service "{wanted}"{place}', hint)
        base = self.resolved(base_source, wanted, (*trail, step))
        if not isinstance(base, dict):
            merged = service
        else:
            inherited = copy_tree(base)
            remove_paths({"services": {name: inherited}}, source.resets)
            merged = merge_services(inherited, service, name, self._load.problems)
        merged.pop("extends", None)
        source.services[name] = merged
        return merged

    def _target(self, source: _Source, name: str, extends: Any) -> tuple[str, str]:
        """The service and file that *extends* names. Raises _Broken."""
        if isinstance(extends, str):
            return extends, ""
        if isinstance(extends, dict) and isinstance(extends.get("service"), str):
            file = extends.get("file")
            if file is None or isinstance(file, str):
                return extends["service"], file or ""
        raise self._broken(
            source,
            name,
            "extends must name a service",
            'write "extends: {service: NAME}", with "file: PATH" if it is in another file',
        )

    def _file(self, source: _Source, name: str, file: str) -> _Source:
        """The services of *file*, canonical, their paths relative to the scope's directory."""
        try:
            path = local_path(self._scope.directory, file)
            key = (path, id(self._scope.environment))
            known = self._load.extended_files.get(key)
            if known is None:
                known = self._load.extended_files[key] = self._read(path)
        except ConfigError as exc:
            exc.where = exc.where or self._place(source, name)
            self._load.problems.add(exc)
            raise _Broken from exc
        tree, resets = known
        services = tree.get("services")
        if not isinstance(services, dict):
            raise self._broken(source, name, f"{file} has no services to extend", "")
        return _Source(path, services, resets)

    def _read(self, path: str) -> tuple[Tree, tuple[TreePath, ...]]:
        load = self._load
        tree = Map()
        resets: tuple[TreePath, ...] = ()
        for document in load.documents(path, "extended file"):
            if load.request.interpolate:
                lookup = load.lookup(self._scope.environment)
                current = Interpolation(lookup, load.problems, load.warn, load.texts).tree(
                    document.tree
                )
            else:
                current = copy_tree(document.tree)
            tree = merge_trees(tree, current, load.problems)
            resets += document.resets
        sources = TreeSources(tree, load.texts)
        remove_duplicates(tree)
        to_long_syntax(tree, lambda at, fault: load.problems.at(sources, at, fault.what, fault.fix))
        base = relpath(dirname(path), self._scope.directory)
        Paths(base, self._scope.environment.get("HOME", "")).resolve(tree)
        return tree, resets

    def _place(self, source: _Source, name: str) -> Position | None:
        return TreeSources(source.services).value((name, "extends"))

    def _broken(self, source: _Source, name: str, what: str, fix: str) -> _Broken:
        where = self._place(source, name)
        self._load.problems.add(problem(("services", name, "extends"), what, where, fix))
        return _Broken()

    def _cycle(self, steps: tuple[_Step, ...]) -> _Broken:
        lines = [
            f"  {step.service} ({step.where}) extends {following.service}"
            for step, following in pairwise(steps)
        ]
        first = steps[-1]
        self._load.problems.add(
            problem(
                ("services", first.service, "extends"),
                "circular reference:\n" + "\n".join(lines),
                first.where,
                "remove one of these extends",
            )
        )
        return _Broken()
