"""Environment variables and labels of services, from their files and the project's environment.

Precedence: `environment` of the service, then its env files, the last one first. A variable
without a value takes that of the project's environment; found nowhere it stays without one.
"""

from __future__ import annotations

from os.path import isfile
from typing import TYPE_CHECKING, Any

from orchestra.config.defaults import services_of
from orchestra.config.dotenv import parse_dotenv, parse_raw
from orchestra.config.files import EXIT_NOT_FOUND, read_text
from orchestra.config.tree import Map
from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.state import Load
    from orchestra.config.tree import Tree
    from orchestra.model.source import SourceMap, TreePath

    Lookup = Callable[[str], str | None]
    FileValues = dict[tuple[str, str], str]


def look_up_bare(tree: Tree, lookup: Lookup) -> None:
    """Give variables without a value the one that *lookup* knows, in place."""
    for _, service in services_of(tree):
        variables = service.get("environment")
        if isinstance(variables, dict):
            for name, value in variables.items():
                if value is None:
                    variables[name] = lookup(name)


def collect_file_values(tree: Tree, lookup: Lookup, values: FileValues) -> None:
    """What configs and secrets with `environment: VAR` contain; kept out of the tree."""
    for section in ("configs", "secrets"):
        resources = tree.get(section)
        for key, resource in resources.items() if isinstance(resources, dict) else ():
            name = resource.get("environment") if isinstance(resource, dict) else None
            if isinstance(name, str):
                value = lookup(name)
                if value is not None:
                    values.setdefault((section, key), value)


class FileEnvironment:
    """Reads the env and label files of services; each file's text is read once.

    What has been read is no longer named: `env_file` and `label_file` go from the tree, as
    Docker Compose's `config` shows it and its config hash takes it.
    """

    def __init__(self, lookup: Lookup, load: Load, sources: SourceMap) -> None:
        self._lookup = lookup
        self._problems = load.problems
        self._files_read = load.files_read
        self._sources = sources
        self._texts: dict[str, str] = {}

    def resolve(self, tree: Tree) -> None:
        """Merge the files' variables and labels into the services, in place."""
        for name, service in services_of(tree):
            self._variables(name, service)
            self._labels(name, service)

    def _variables(self, name: str, service: Tree) -> None:
        files = service.get("env_file")
        if not isinstance(files, list) or not files:
            return
        own = service.get("environment")
        own = own if isinstance(own, dict) else Map()
        known = {key: value for key, value in own.items() if value is not None}
        from_files = dict(known)

        def find(variable: str) -> str | None:
            value = self._lookup(variable)
            return known.get(variable) if value is None else value

        for index, entry in enumerate(files):
            path: TreePath = ("services", name, "env_file", index)
            text = self._read(entry.get("path", ""), path, required=entry.get("required") is True)
            if text is None:
                continue
            if entry.get("format") == "raw":
                parse_raw(text, from_files)
            elif entry.get("format", "") in {"", ".env"}:
                self._parse(text, entry["path"], find, from_files)
            else:
                self._problems.at(
                    self._sources,
                    (*path, "format"),
                    f'unknown format "{entry["format"]}"',
                    'use "raw", or leave it out',
                )
        for key, value in from_files.items():
            own.setdefault(key, value)
        if own:
            service["environment"] = own
        del service["env_file"]

    def _labels(self, name: str, service: Tree) -> None:
        files = service.get("label_file")
        if not isinstance(files, list) or not files:
            return
        known: dict[str, str] = {}
        for index, file in enumerate(files):
            text = self._read(file, ("services", name, "label_file", index), required=True)
            if text is not None:
                self._parse(text, file, lambda _name: None, known)
        own: Any = service.get("labels")
        own = own if isinstance(own, dict) else Map()
        for key, value in known.items():
            own.setdefault(key, value)
        if own:
            service["labels"] = own
        del service["label_file"]

    def _parse(self, text: str, file: str, lookup: Lookup, known: dict[str, str]) -> None:
        try:
            parse_dotenv(text, file, lookup, known)
        except ConfigError as exc:
            self._problems.add(exc)

    def _read(self, file: str, path: TreePath, *, required: bool) -> str | None:
        if file in self._texts:
            return self._texts[file]
        self._files_read.append(file)
        if not isfile(file) and not required:
            return None
        try:
            text = read_text(file, str(path[2]))
        except ConfigError as exc:
            if exc.exit_code == EXIT_NOT_FOUND:
                self._problems.at(
                    self._sources,
                    path,
                    f"{file} cannot be read",
                    'create it, or write "required: false"' if path[2] == "env_file" else exc.fix,
                )
            else:
                self._problems.add(exc)
            return None
        self._texts[file] = text
        return text
