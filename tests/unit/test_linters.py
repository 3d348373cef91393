"""The linters are tests, so that one command says whether the tree is good."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", ".."))

LINTERS = {
    "ruff": ("ruff", "check", "."),
    "ruff-format": ("ruff", "format", "--check", "."),
    "codespell": ("codespell", "orchestra", "tests", "docs", "samples", "benchmarks", "README.md"),
    "mypy": ("mypy",),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", LINTERS)
def test_linter(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    program, *arguments = LINTERS[name]
    beside = os.path.join(os.path.dirname(sys.executable), program)
    found = beside if os.path.exists(beside) else shutil.which(program)
    if found is None:
        pytest.skip(f"needs the program {program}")
    cache = str(tmp_path_factory.mktemp("cache"))
    environment = {**os.environ, "MYPY_CACHE_DIR": cache, "RUFF_CACHE_DIR": cache}
    done = subprocess.run(
        [found, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
