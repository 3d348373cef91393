"""`include`: another compose project's services, networks and volumes become part of this one.

The included files are loaded on their own (own directory, own .env, own overrides) and imported;
what this file declares under the same name is merged over them.
"""

from __future__ import annotations

from os.path import dirname, isabs, isfile, join, normpath, relpath
from typing import TYPE_CHECKING, Any

from orchestra.config import files as project_files
from orchestra.config.defaults import set_defaults
from orchestra.config.environment import collect_file_values, look_up_bare
from orchestra.config.merge import merge_at
from orchestra.config.merge_rules import as_list, spell
from orchestra.config.relpaths import Paths
from orchestra.config.state import Scope, remove_paths
from orchestra.config.tree import Map
from orchestra.config.wording import quote
from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from orchestra.config.document import Document
    from orchestra.config.tree import Tree
    from orchestra.model.source import TreePath

_SECTIONS = ("services", "volumes", "networks", "secrets", "configs", "models")
_KEYS = frozenset({"path", "env_file", "project_directory"})


def apply_include(scope: Scope) -> None:
    """Import what the scope's current document includes, and take `include` out of it."""
    entries = scope.current.get("include")
    if entries is None:
        return
    if not isinstance(entries, list):
        _fault(scope, ("include",), f"expected a list, found {spell(entries)}", 'write "- PATH"')
        entries = []
    for index, entry in enumerate(entries):
        path: TreePath = ("include", index)
        details = {"path": entry} if isinstance(entry, str) else entry
        if _is_include(scope, details, path):
            try:
                _include(scope, details, path)
            except ConfigError as exc:
                exc.where = exc.where or scope.current_sources().value(path)
                scope.load.problems.add(exc)
                scope.load.problems.broken.add(("include",))
    del scope.current["include"]


def _fault(scope: Scope, path: TreePath, what: str, fix: str = "") -> None:
    scope.load.problems.at(scope.current_sources(), path, what, fix)


def _is_include(scope: Scope, entry: Any, path: TreePath) -> bool:
    """Has *entry* the shape of an include? Reports why not."""
    if not isinstance(entry, dict) or not entry.get("path"):
        _fault(scope, path, "expected a path", 'write "- PATH" or "- path: PATH"')
        return False
    for key in sorted(entry.keys() - _KEYS):
        scope.load.problems.at(
            scope.current_sources(),
            (*path, key),
            f"unknown attribute {quote(key)}",
            f"use {', '.join(sorted(_KEYS))}",
            key=True,
        )
    for key in ("path", "env_file"):
        value = entry.get(key)
        if not all(isinstance(item, str) for item in as_list(value)):
            _fault(scope, (*path, key), f"expected a path or a list of paths, found {spell(value)}")
            return False
    directory = entry.get("project_directory")
    if directory is not None and not isinstance(directory, str):
        _fault(scope, (*path, "project_directory"), "expected a path")
        return False
    return not entry.keys() - _KEYS


def _include(scope: Scope, entry: Tree, path: TreePath) -> None:
    names = as_list(entry["path"])
    files = [project_files.local_path(scope.directory, name) for name in names]
    where = str(scope.current_sources().value(path))
    _forbid_cycle(scope, files[0], path, where)
    given = entry.get("project_directory")
    directory = normpath(join(scope.directory, given)) if given else dirname(files[0])
    base = directory if given and isabs(given) else relpath(directory, scope.directory)
    inner = Scope(
        scope.load,
        directory,
        base,
        _environment(scope, entry, directory),
        (*scope.trail, (files[0], where)),
    )
    documents: list[Document] = []
    for file in files:
        documents += scope.load.documents(file, "included file")
    scope.load.run_documents(inner, documents)
    set_defaults(inner.tree)
    Paths(base, inner.environment.get("HOME", "")).resolve(inner.tree)
    look_up_bare(inner.tree, inner.environment.get)
    collect_file_values(inner.tree, inner.environment.get, scope.load.file_values)
    _import(scope, inner.tree)


def _forbid_cycle(scope: Scope, file: str, path: TreePath, where: str) -> None:
    if file not in (seen for seen, _ in scope.trail):
        return
    steps = [*scope.trail, (file, where)]
    lines = [f"  {place} includes {name}" for name, place in steps if place]
    raise ConfigError(
        "include cycle:\n" + "\n".join(lines),
        where=scope.current_sources().value(path),
        fix="remove one of these includes",
    )


def _environment(scope: Scope, entry: Tree, directory: str) -> dict[str, str]:
    """The variables of the included files: the includer's win over those of their env files."""
    if "env_file" in entry:
        paths = [
            normpath(join(scope.directory, name))
            for name in as_list(entry["env_file"])
            if name != "/dev/null"
        ]
        scope.load.files_read += paths
    else:
        default = join(directory, ".env")
        paths = [default] if isfile(default) else []
        scope.load.files_read.append(default)
    environment = dict(scope.environment)
    for name, value in project_files.read_env_files(paths, environment).items():
        environment.setdefault(name, value)
    return environment


def _import(scope: Scope, imported: Tree) -> None:
    for section in _SECTIONS:
        resources = imported.get(section)
        if not isinstance(resources, dict) or not resources:
            continue
        target = scope.current.get(section)
        if target is None:
            target = scope.current[section] = Map()
        if not isinstance(target, dict):
            continue
        for name, resource in resources.items():
            if name in target:
                remove_paths({section: {name: resource}}, scope.document.resets)
                target[name] = merge_at(
                    resource, target[name], (section, name), scope.load.problems
                )
            else:
                target[name] = resource
                _copy_marks(target, resources, name)


def _copy_marks(target: Tree, source: Tree, name: str) -> None:
    if isinstance(target, Map) and isinstance(source, Map) and name in source.marks:
        target.marks[name] = source.marks[name]
