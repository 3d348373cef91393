"""A project directory for the loader's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.project import ProjectDirectory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    directory = tmp_path / "demo"
    directory.mkdir()
    return ProjectDirectory(str(directory))
