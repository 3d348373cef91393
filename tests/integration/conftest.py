"""Integration tests: in namespaces of their own, with the installed command, leaving no trace."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

from orchestra.layout import NO_PROJECT
from tests.integration.harness import as_found, outer
from tests.integration.harness.terminal import Terminal
from tests.support.docker_engine import DockerEngine
from tests.support.eventually import eventually
from tests.support.oracle import IMAGE
from tests.support.probe import missing_for
from tests.support.scenario import PROGRAM, Orchestra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "samples")


@pytest.fixture(scope="session", autouse=True)
def outer_namespaces() -> None:
    """Enter the outer namespaces before the first integration test, where that is possible."""
    if not missing_for("network"):
        outer.enter()


@pytest.fixture(autouse=True)
def leaves_the_host_as_found(outer_namespaces: None) -> Iterator[None]:
    """Compare mounts, links, firewall, cgroups and processes before and after the test."""
    del outer_namespaces
    before = as_found.look()
    yield
    leaks: set[str] | None = None

    def is_clean() -> bool:
        """Nothing has been there at every look: other programs come and go."""
        nonlocal leaks
        now = set(as_found.look().leaks_since(before))
        leaks = now if leaks is None else leaks & now
        return not leaks

    with contextlib.suppress(AssertionError):
        eventually(is_clean, within_s=5)
    assert not leaks, "\n".join(["the test left the host changed:", *sorted(leaks or ())])


@pytest.fixture
def roots(leaves_the_host_as_found: None) -> Iterator[dict[str, str]]:
    """The environment that moves orchestra's data and run roots into a directory of the test."""
    del leaves_the_host_as_found
    directory = tempfile.mkdtemp(prefix="orchestra-test-", dir="/run")
    yield {
        "ORCHESTRA_DATA_ROOT": os.path.join(directory, "data"),
        "ORCHESTRA_RUN_ROOT": os.path.join(directory, "run"),
    }
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def docker_engine(outer_namespaces: None) -> Iterator[DockerEngine]:
    """A Docker Engine with the image of `tests.support.oracle`, for a module that compares."""
    del outer_namespaces
    with DockerEngine() as running:
        running.import_busybox(IMAGE)
        eventually(_has_let_go, within_s=20)
        yield running


def _has_let_go() -> bool:
    """Is the layer of the image that the engine has just made unmounted again?"""
    with open("/proc/self/mountinfo") as file:
        return "/merged " not in file.read()


@pytest.fixture
def orchestra(roots: dict[str, str]) -> Iterator[Orchestra]:
    """The installed command in an empty project directory; takes down what the test left up."""
    env = {"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8", "TERM": "xterm", **roots}
    # no mkdtemp: the project's name comes of it, and one that ends in "_" makes no image name
    directory = f"/run/project{secrets.token_hex(4)}"
    os.mkdir(directory)
    command = Orchestra(directory, env)
    yield command
    projects = os.path.join(roots["ORCHESTRA_DATA_ROOT"], "projects")
    for name in os.listdir(projects) if os.path.isdir(projects) else ():
        if name == NO_PROJECT:
            _remove_containers(command)
        else:
            command("-p", name, "down", "-v", "-t", "0", "--remove-orphans", code=None)
    shutil.rmtree(directory)


def _remove_containers(command: Orchestra) -> None:
    """What belongs to no project, and the network that came with its first container."""
    found = command("container", "ls", "-aq").out.split()
    if found:
        command("container", "rm", "-f", "-v", *found, code=None)
    command("network", "rm", "bridge", code=None)


@pytest.fixture
def quickstart(orchestra: Orchestra) -> Orchestra:
    """The command in a copy of samples/quickstart."""
    directory = os.path.join(orchestra.directory, "quickstart")
    shutil.copytree(os.path.join(SAMPLES, "quickstart"), directory)
    return orchestra.at(directory)


@pytest.fixture
def terminal(orchestra: Orchestra) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals that run the command: `terminal("exec", "api", "sh", cwd=…)`."""
    opened: list[Terminal] = []

    def run(*arguments: str, cwd: str) -> Terminal:
        opened.append(Terminal([PROGRAM, *arguments], cwd=cwd, env=orchestra.env))
        return opened[-1]

    yield run
    for each in opened:
        try:
            each.close()
        except AssertionError:
            continue
