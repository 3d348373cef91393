"""Dockerfiles as people write them, built as they are: Node, Python, C, PHP, Debian, a static site.

The images they begin with stand for this machine's own files (a named context). Steps that install
something use the network that the machine has, in no namespace of the tests: who cannot reach the
package registry skips.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.harness.outer import on_the_machine
from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.timeout(500)]

DOCKERFILES = os.path.join(os.path.dirname(__file__), "dockerfiles")
REGISTRIES = {
    "npm": ("npm", "view", "is-number", "version"),
    "pip": (
        "/usr/bin/python3",
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "-d",
        "{}",
        "iniconfig==2.0.0",
    ),
    "apt": ("apt-get", "download", "-qq", "hello"),
}


@functools.cache
def why_not(registry: str) -> str:
    """The reason why *registry* is not to be had; empty when it answers."""
    command = REGISTRIES[registry]
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed"
    directory = "/run/probe"
    os.makedirs(directory, exist_ok=True)
    argv = [word.format(directory) for word in command]
    try:
        done = on_the_machine(argv, cwd=directory, env=dict(os.environ), timeout_s=30)
    except subprocess.TimeoutExpired:
        return f"{registry}'s registry does not answer"
    return "" if done.returncode == 0 else f"{registry}: {done.stderr.strip()[-200:]}"


def needs(registry: str) -> None:
    if reason := why_not(registry):
        pytest.skip(reason)


class Sample:
    """A copy of one of the directories, and the steps that its build ran."""

    def __init__(self, orchestra: Orchestra, name: str) -> None:
        self._orchestra = orchestra
        self.directory = os.path.join(orchestra.directory, name)
        self._name = name
        shutil.copytree(os.path.join(DOCKERFILES, name), self.directory)

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            file.write(text)

    def text(self, name: str) -> str:
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            return file.read()

    def build(self, base: str, stands_for: str = "host") -> dict[str, str]:
        """Build it, in the machine's network; "Done" or "Cached" by instruction."""
        context = f"{base}=docker-image://{stands_for}"
        command = [PROGRAM, "image", "build", "--network", "host", "--progress", "rawjson"]
        done = on_the_machine(
            [*command, "-t", self._name, "--build-context", context, "."],
            cwd=self.directory,
            env=self._orchestra.env,
            timeout_s=240,
        )
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stderr.splitlines()]
        return {
            event["id"].partition("] ")[2]: event["status"]
            for event in events
            if event["status"] in ("Done", "Cached") and "] " in event["id"]
        }

    def compose(self) -> Orchestra:
        service = f"services:\n  it:\n    image: {self._name}\n    network_mode: none\n"
        self.write("compose.yaml", service)
        return self._orchestra.at(self.directory)

    def output(self) -> str:
        return self.compose()("run", "--rm", "-T", "it").out


def status(steps: dict[str, str], word: str) -> str:
    (found,) = [status for step, status in steps.items() if word in step]
    return found


def test_node_installs_once_for_the_same_lock_file(orchestra: Orchestra) -> None:
    needs("npm")
    sample = Sample(orchestra, "node")
    assert status(sample.build("node:20-bookworm-slim"), "npm ci") == "Done"
    assert sample.output() == "42 is a number\n"
    sample.write("server.js", "console.log('changed', require('is-number')('x'));\n")
    again = sample.build("node:20-bookworm-slim")
    assert status(again, "npm ci") == "Cached"
    assert status(again, "node_modules") == "Cached"
    assert status(again, "COPY server.js") == "Done"
    assert sample.output() == "changed false\n"


def test_python_takes_its_packages_from_the_cache_mount(orchestra: Orchestra) -> None:
    needs("pip")
    sample = Sample(orchestra, "python")
    sample.build("python:3.11-slim")
    assert sample.output() == "installed 2.0.0\n"
    sample.write("requirements.txt", "# changed\niniconfig==2.0.0\n")
    again = sample.build("python:3.11-slim")
    assert status(again, "venv /venv") == "Cached"
    assert status(again, "pip install") == "Done"
    assert status(again, "COPY app.py") == "Done"
    assert sample.output() == "installed 2.0.0\n"


def test_c_is_compiled_in_one_stage_and_alone_in_the_next(orchestra: Orchestra) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    sample = Sample(orchestra, "c")
    sample.build("gcc:13")
    assert sample.output() == "hello from scratch\n"
    (found,) = json.loads(orchestra("image", "inspect", "c").out)
    assert len(found["RootFS"]["Layers"]) == 1
    assert found["Size"] < 4 << 20


def debian_base(orchestra: Orchestra) -> str:
    """An image of Debian with apt, made from the registry's packages."""
    needs("apt")
    if shutil.which("mmdebstrap") is None:
        pytest.skip("mmdebstrap is not installed")
    base = os.path.join(orchestra.directory, "base.tar")
    made = on_the_machine(
        ["mmdebstrap", "--mode=root", "--variant=apt", "bookworm", base],
        cwd=orchestra.directory,
        env=dict(os.environ),
        timeout_s=240,
    )
    assert made.returncode == 0, made.stderr
    orchestra("image", "import", base, "made:1")
    return "made:1"


@pytest.mark.slow
def test_php_makes_pages_that_nginx_serves(orchestra: Orchestra) -> None:
    base = debian_base(orchestra)
    sample = Sample(orchestra, "php")
    sample.build("debian:12", base)
    project = sample.compose()
    project("up", "-d")
    fetch = "echo file_get_contents('http://127.0.0.1:8099/');"

    def is_served() -> bool:
        return "<p>1 4 9 16</p>" in project("exec", "-T", "it", "php", "-r", fetch, code=None).out

    eventually(is_served, within_s=15)
    project("down", "-t", "5")
    sample.write("pages.php", sample.text("pages.php").replace("1, 4", "1, 5"))
    again = sample.build("debian:12", base)
    assert status(again, "apt-get install") == "Cached"
    assert status(again, "php pages.php") == "Done"


@pytest.mark.slow
def test_debian_installs_with_apt_and_cache_mounts(orchestra: Orchestra) -> None:
    base = debian_base(orchestra)
    sample = Sample(orchestra, "debian")
    sample.build("debian:12", base)
    assert sample.output() == "installed\n"
    assert "cache mount" in orchestra("builder", "du").out
    sample.write("Dockerfile", sample.text("Dockerfile").replace("hello\n", "hello # again\n", 1))
    again = sample.build("debian:12", base)
    assert status(again, "docker-clean") == "Cached"


def test_a_static_site_is_served_by_nginx(orchestra: Orchestra) -> None:
    if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("nginx is not installed")
    sample = Sample(orchestra, "static")
    sample.build("nginx:1.22")
    project = sample.compose()
    project("up", "-d")
    fetch = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8099/').read().decode())"

    def is_served() -> bool:
        return "a page" in project("exec", "-T", "it", "python3", "-c", fetch, code=None).out

    try:
        eventually(is_served, within_s=15)
    except AssertionError as exc:
        raise AssertionError(project("logs").out) from exc
    project("down", "-t", "5")
