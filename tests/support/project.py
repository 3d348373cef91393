"""Compose projects made of text, loaded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from orchestra.config.pipeline import load
from orchestra.config.request import Loaded, LoadRequest
from orchestra.config.tree import plain
from orchestra.errors import ConfigError, ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProjectDirectory:
    """A directory to write compose files into; *environ* is all that the loader sees."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.environ: dict[str, str] = {"HOME": "/home/me"}

    def write(self, name: str, text: str) -> str:
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def load(self, text: str = "", **request: Any) -> Loaded:
        """Load the project; *text*, when given, is its compose.yaml."""
        if text:
            self.write("compose.yaml", text)
        return load(LoadRequest(**{"cwd": self.path, "environ": self.environ, **request}))

    def tree(self, text: str = "", **request: Any) -> dict[str, Any]:
        """The canonical tree, as ordinary dicts."""
        tree: dict[str, Any] = plain(self.load(text, **request).tree)
        return tree

    def service(self, text: str = "", name: str = "web", **request: Any) -> dict[str, Any]:
        """One service of the canonical tree."""
        service: dict[str, Any] = self.tree(text, **request)["services"][name]
        return service

    def problems(self, text: str = "", **request: Any) -> list[str]:
        """Each problem of the load, as text with the directory's name left out."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, **request)
        return list(self._texts(caught.value))

    def _texts(self, error: ConfigError) -> Iterator[str]:
        parts = error.problems if isinstance(error, ConfigErrors) else [error]
        for part in parts:
            yield str(part).replace(self.path + os.sep, "")
