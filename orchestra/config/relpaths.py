"""Relative host paths -> paths below the directory of the file that wrote them."""

from __future__ import annotations

import posixpath
import re
from os.path import realpath
from typing import TYPE_CHECKING, Any

from orchestra.config.defaults import services_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.tree import Tree

_REMOTE_CONTEXT = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class Paths:
    """Resolves against *base*, which is itself relative for files that were included."""

    def __init__(self, base: str, home: str) -> None:
        self._base = base
        self._home = home

    def resolve(self, tree: Tree) -> None:
        """Every path of *tree*, in place; absolute ones and URLs stay."""
        for _, service in services_of(tree):
            self.resolve_service(service)
        for section in ("configs", "secrets"):
            for resource in _values(tree.get(section)):
                _change(resource, "file", self.path)
        for volume in _values(tree.get("volumes")):
            options = volume.get("driver_opts")
            if not isinstance(options, dict) or volume.get("driver") != "local":
                continue
            if options.get("o") == "bind":
                _change(options, "device", lambda text: self.path(text or "."))

    def resolve_service(self, service: Tree) -> None:
        """Every path of one service, in place."""
        build = service.get("build")
        if isinstance(build, dict):
            _change(build, "context", self.context)
            _change_all(build.get("additional_contexts"), self.context)
            _change_all(build.get("ssh"), self.path)
        for env_file in _items(service.get("env_file")):
            _change(env_file, "path", self.path)
        label_files = service.get("label_file")
        if isinstance(label_files, list):
            label_files[:] = [self.path(path) for path in label_files]
        extends = service.get("extends")
        if isinstance(extends, dict):
            _change(extends, "file", self.path)
        develop = service.get("develop")
        if isinstance(develop, dict):
            for rule in _items(develop.get("watch")):
                _change(rule, "path", self.real_path)
        for volume in _items(service.get("volumes")):
            if volume.get("type") == "bind":
                _change(volume, "source", self.path)

    def path(self, text: str) -> str:
        """*text* below the base, "~" being the home directory."""
        if text.startswith("~") and self._home:
            text = posixpath.normpath(posixpath.join(self._home, text[1:].lstrip("/")))
        if not text or text.startswith("/") or _WINDOWS_ABSOLUTE.match(text):
            return text
        return posixpath.normpath(posixpath.join(self._base, text))

    def real_path(self, text: str) -> str:
        """As `path`, symbolic links followed."""
        resolved = self.path(text)
        return realpath(resolved) if resolved.startswith("/") else resolved

    def context(self, text: str) -> str:
        """A build context: a directory, unless it is a URL, an image or another service."""
        if "://" in text or text.startswith(_REMOTE_CONTEXT) or text.startswith("service:"):
            return text
        return self.path(text)


def _change(mapping: Tree, key: str, change: Callable[[str], str]) -> None:
    value = mapping.get(key)
    if isinstance(value, str):
        mapping[key] = change(value)


def _change_all(mapping: Any, change: Callable[[str], str]) -> None:
    if isinstance(mapping, dict):
        for key in mapping:
            _change(mapping, key, change)


def _values(section: Any) -> list[Tree]:
    values = section.values() if isinstance(section, dict) else ()
    return [value for value in values if isinstance(value, dict)]


def _items(value: Any) -> list[Tree]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
