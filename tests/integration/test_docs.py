"""Every command that the documentation shows is run, in a copy of the quickstart."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import write_compose
from tests.support.eventually import eventually
from tests.support.markdown import ROOT, blocks, console_commands, documents, setup_command
from tests.support.registry import PASSWORD, running_registry
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

WITH_COMMANDS = [name for name in documents() if console_commands(name)]
NEEDS_IT_UP = (
    "README.md",
    "docs/networking.md",
    "docs/security.md",
    "docs/troubleshooting.md",
)
"""Their readers have the quickstart up."""


def typed(orchestra: Orchestra, command: str) -> subprocess.CompletedProcess[str]:
    """Run *command* as the reader's shell would."""
    path = f"{os.path.dirname(PROGRAM)}:{orchestra.env['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=orchestra.directory,
        env={**orchestra.env, "PATH": path, "HOME": orchestra.directory},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("document", WITH_COMMANDS)
def test_the_commands_of_a_document_work(document: str, quickstart: Orchestra) -> None:
    if document in NEEDS_IT_UP:
        quickstart("up", "-d")
    for command in console_commands(document):
        done = typed(quickstart, command)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.skipif(not shutil.which("docker-registry"), reason="needs docker-registry")
def test_the_commands_on_logging_in_work_with_a_registry(orchestra: Orchestra) -> None:
    (block,) = (each for each in blocks("docs/registries.md") if each.language == "sh")
    with open(os.path.join(orchestra.directory, "token"), "w") as file:
        file.write(PASSWORD)
    with running_registry(os.path.join(orchestra.directory, "registry"), password=True) as registry:
        for command in block.text.splitlines():
            done = typed(orchestra, command.replace("registry.example:5000", registry.host))
            assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


def test_the_page_on_watching_shows_a_file_that_works(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    (example,) = (block.text for block in blocks("docs/watch.md") if block.language == "yaml")
    write_compose(orchestra, example)
    pages = os.path.join(orchestra.directory, "pages")
    os.mkdir(pages)
    watching = terminal("watch", cwd=orchestra.directory)
    watching.expect("Watch enabled")
    with open(os.path.join(pages, "index.html"), "w") as file:
        file.write("new")
    page = ("exec", "-T", "web", "cat", "/srv/index.html")
    eventually(lambda: orchestra(*page, code=None).out == "new", within_s=10)


def test_the_set_up_command_ends_by_running_the_sample(orchestra: Orchestra) -> None:
    """Its first part, which installs the package, is run by .ci/run."""
    setup, _and, start = setup_command().partition(" && cd ")
    assert "pip install ." in setup
    shutil.copytree(os.path.join(ROOT, "samples"), os.path.join(orchestra.directory, "samples"))
    done = typed(orchestra, f"cd {start}")
    assert done.returncode == 0, done.stderr
    assert orchestra("ls", "-q").out == "quickstart\n"
