"""The pages on Python and on pytest: their code is run, in a copy of the sample they are about."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.markdown import ROOT, blocks

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

PYTEST = (sys.executable, "-m", "pytest", "-p", "orchestra.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture
def sample(orchestra: Orchestra) -> Orchestra:
    """A copy of samples/pytest-db."""
    directory = os.path.join(orchestra.directory, "pytest-db")
    shutil.copytree(f"{ROOT}/samples/pytest-db", directory)
    return orchestra.at(directory)


def run(sample: Orchestra, *argv: str) -> str:
    """The output of *argv*, which must succeed."""
    done = subprocess.run(
        argv,
        cwd=sample.directory,
        env={**sample.env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def python_of(document: str) -> list[str]:
    return [block.text for block in blocks(document) if block.language == "python"]


def test_the_page_on_python_is_a_program_that_runs(sample: Orchestra) -> None:
    assert run(sample, sys.executable, "-c", "\n".join(python_of("docs/python-api.md"))) == ""
    assert sample("ls", "-a", "-q").out == ""


def test_the_tests_on_the_page_on_pytest_pass(sample: Orchestra) -> None:
    os.unlink(f"{sample.directory}/test_store.py")
    (ini,) = (block.text for block in blocks("docs/pytest.md") if block.language == "ini")
    for number, text in enumerate(python_of("docs/pytest.md")):
        with open(f"{sample.directory}/test_{number}.py", "w", encoding="utf-8") as file:
            file.write(text)
    with open(f"{sample.directory}/pytest.ini", "w", encoding="utf-8") as file:
        file.write(ini)
    assert "4 passed" in run(sample, *PYTEST)
    assert sample("ls", "-a", "-q").out == ""


def test_the_sample_passes(sample: Orchestra) -> None:
    assert "5 passed" in run(sample, *PYTEST)
    assert sample("ls", "-a", "-q").out == ""
