"""The dev containers CLI, unmodified, with orchestra for its docker: containers up, commands run.

https://github.com/devcontainers/cli, from the npm registry. Images are this machine's own files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.integration.harness.outer import on_the_machine
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

RELEASES = ((20, "0.89.0"), (18, "0.80.0"))
"""The release of the CLI by the oldest Node.js that it runs on."""


@pytest.fixture(scope="session")
def program(outer_namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The CLI's command line, installed from the npm registry; skips where that cannot be."""
    del outer_namespaces
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    asked = ["node", "--print", "process.versions.node.split('.')[0]"]
    major = int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    release = next((release for oldest, release in RELEASES if major >= oldest), "")
    if not release:
        pytest.skip(f"Node.js {major} is too old for the dev containers CLI")
    directory = str(tmp_path_factory.mktemp("devcontainers"))
    install = ["npm", "install", "--no-audit", "--no-fund", f"@devcontainers/cli@{release}"]
    env = {**os.environ, "HOME": directory}
    try:
        done = on_the_machine(install, cwd=directory, env=env, timeout_s=120)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode != 0:
        pytest.skip(f"the npm registry cannot be reached: {done.stderr.strip()[:200]}")
    return ["node", f"{directory}/node_modules/@devcontainers/cli/devcontainer.js"]


class Workspace(NamedTuple):
    """A directory with `.devcontainer`, and what brings it up."""

    orchestra: Orchestra
    program: list[str]
    directory: str

    def write(self, name: str, text: str) -> None:
        path = os.path.join(self.directory, ".devcontainer", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def __call__(self, command: str, *arguments: str) -> str:
        """`devcontainer COMMAND`'s stdout; it must succeed."""
        link = os.path.join(self.orchestra.directory, "bin", "docker")
        if not os.path.islink(link):
            os.makedirs(os.path.dirname(link))
            os.symlink(PROGRAM, link)
        argv = [
            *(*self.program, command, "--workspace-folder", self.directory),
            *("--docker-path", link, "--docker-compose-path", PROGRAM, *arguments),
        ]
        home = self.orchestra.directory
        done = subprocess.run(
            argv,
            cwd=home,
            env={**self.orchestra.env, "HOME": home, "TMPDIR": home},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        said = f"$ {' '.join(argv)}\n{done.stdout}\n{done.stderr[-4000:]}"
        assert done.returncode == 0, f"{said}\n{self.orchestra.story()}"
        return done.stdout

    def up(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self("up").splitlines()[-1])
        assert found["outcome"] == "success"
        return found


@pytest.fixture
def workspace(orchestra: Orchestra, program: list[str]) -> Iterator[Workspace]:
    """An empty one; its containers go at the end."""
    directory = os.path.join(orchestra.directory, "shop")
    os.mkdir(directory)
    with open(os.path.join(directory, "code"), "w") as file:
        file.write("content\n")
    yield Workspace(orchestra, program, directory)
    found = orchestra("container", "ls", "-aq").out.split()
    if found:
        orchestra("container", "rm", "-f", "-v", *found)
    networks = orchestra("network", "ls", "-q").out.split()
    if networks:
        orchestra("network", "rm", *networks)


def test_an_image(workspace: Workspace) -> None:
    settings = {
        "image": "host",
        "containerEnv": {"COLOUR": "blue"},
        "mounts": ["source=cache,target=/cache,type=volume"],
        "runArgs": ["--cap-add=SYS_PTRACE"],
        "postCreateCommand": "echo made > /made",
    }
    workspace.write("devcontainer.json", json.dumps(settings))
    made = workspace.up()
    assert made["remoteWorkspaceFolder"] == "/workspaces/shop"
    out = workspace("exec", "sh", "-c", "pwd; cat code /made; echo $COLOUR; ls -d /cache")
    assert out.split() == ["/workspaces/shop", "content", "made", "blue", "/cache"]
    again = workspace.up()
    assert again["containerId"] == made["containerId"]


def test_a_dockerfile(workspace: Workspace) -> None:
    settings = {"build": {"dockerfile": "Dockerfile", "args": {"WHO": "tester"}}}
    workspace.write("devcontainer.json", json.dumps(settings))
    workspace.write("Dockerfile", "FROM host\nARG WHO\nRUN echo built for $WHO > /built\n")
    workspace.up()
    assert workspace("exec", "cat", "/built") == "built for tester\n"


def test_a_compose_file(workspace: Workspace) -> None:
    settings = {
        "dockerComposeFile": "compose.yaml",
        "service": "app",
        "workspaceFolder": "/workspace",
        "shutdownAction": "stopCompose",
    }
    workspace.write("devcontainer.json", json.dumps(settings))
    workspace.write(
        "compose.yaml",
        """
        services:
          app:
            image: host
            command: ["sleep", "infinity"]
            volumes: ["..:/workspace"]
          db: {image: host, command: ["sleep", "infinity"]}
        """,
    )
    made = workspace.up()
    out = workspace("exec", "sh", "-c", "pwd; cat code; getent hosts db")
    assert out.split()[:2] == ["/workspace", "content"]
    assert out.split()[-1] == "db"
    workspace.orchestra("-p", made["composeProjectName"], "down", "-t", "0")
