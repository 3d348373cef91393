"""The manual pages go into the wheel as share/man/man1: written when it is built, from the code."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface[Any]):
    """Writes them to a directory that lasts for one build."""

    _directory = ""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        sys.path.insert(0, self.root)
        from orchestra.cli.manual import write_pages

        self._directory = tempfile.mkdtemp(prefix="orchestra-man-")
        for path in write_pages(self._directory, os.environ):
            build_data["shared_data"][path] = f"share/man/man1/{os.path.basename(path)}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        shutil.rmtree(self._directory, ignore_errors=True)
