"""The samples as they are: their images come from a mirror, made of Debian's packages."""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import SAMPLES
from tests.integration.test_build_visits import make_wheel
from tests.support.archives import docker_archive
from tests.support.debian_images import PYTHON, python_files, root_layers
from tests.support.eventually import eventually
from tests.support.registry import PROGRAM, running_registry
from tests.support.scenario import Orchestra

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.registry import Registry

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(
        not all(map(shutil.which, (PROGRAM, "busybox", "redis-server", "redis-cli"))),
        reason="needs docker-registry, busybox-static, redis-server and redis-tools",
    ),
]

PATH = "PATH=/usr/local/bin:/usr/bin:/bin"
OFFLINE_PIP = [
    "PIP_NO_INDEX=1",
    "PIP_FIND_LINKS=/wheels",
    "PIP_NO_DEPS=1",
    "PIP_ROOT_USER_ACTION=ignore",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
]
REDIS = {
    "Env": [PATH],
    "Cmd": ["redis-server", "--protected-mode", "no", "--save", ""],
    "Volumes": {"/data": {}},
    "WorkingDir": "/data",
    "ExposedPorts": {"6379/tcp": {}},
}


class Mirror:
    """A registry, and a store from which images are pushed to it."""

    def __init__(self, registry: Registry, publisher: Orchestra) -> None:
        self.registry = registry
        self._publisher = publisher

    def publish(
        self, names: Sequence[str], layers: list[bytes], settings: Mapping[str, object]
    ) -> None:
        """An official image of Docker Hub under *names*."""
        path = os.path.join(self._publisher.directory, "image.tar")
        with open(path, "wb") as file:
            file.write(docker_archive("made:1", layers, settings))
        self._publisher("image", "load", "-q", "-i", path)
        for name in names:
            target = f"{self.registry.host}/library/{name}"
            self._publisher("image", "tag", "made:1", target)
            self._publisher("image", "push", "-q", target)


@pytest.fixture
def mirror(orchestra: Orchestra) -> Iterator[Mirror]:
    """A mirror of Docker Hub that the command's settings name."""
    with tempfile.TemporaryDirectory(prefix="orchestra-test-", dir="/run") as directory:
        home = os.path.join(directory, "home")
        roots = {
            "ORCHESTRA_DATA_ROOT": os.path.join(directory, "data"),
            "ORCHESTRA_RUN_ROOT": os.path.join(directory, "run"),
        }
        publisher = Orchestra(directory, {**orchestra.env, **roots})
        publisher.transcript = orchestra.transcript
        with running_registry(os.path.join(directory, "registry")) as registry:
            os.makedirs(os.path.join(home, ".config", "orchestra"))
            settings = os.path.join(home, ".config", "orchestra", "registries.toml")
            with open(settings, "w", encoding="utf-8") as file:
                file.write(f'[registry."docker.io"]\nmirrors = ["http://{registry.host}"]\n')
            orchestra.env["HOME"] = home
            yield Mirror(registry, publisher)


def python_layers(directory: str) -> list[bytes]:
    wheel = "redis-5.0.0-py3-none-any.whl"
    make_wheel(os.path.join(directory, wheel))
    with open(os.path.join(directory, wheel), "rb") as file:
        files = {**python_files(), f"wheels/{wheel}": file.read()}
    return root_layers([PYTHON], files)


@pytest.mark.skipif(not os.path.exists(PYTHON), reason="needs Debian's python3")
def test_visits_runs_unmodified(mirror: Mirror, orchestra: Orchestra) -> None:
    if not os.path.isdir("/usr/lib/python3/dist-packages/pip"):
        pytest.skip("needs python3-pip")
    mirror.publish(["redis:7-alpine"], root_layers(["redis-server", "redis-cli"]), REDIS)
    layers = python_layers(orchestra.directory)
    mirror.publish(["python:3.12-alpine"], layers, {"Env": [PATH, *OFFLINE_PIP], "Cmd": ["python"]})
    directory = os.path.join(orchestra.directory, "visits")
    shutil.copytree(os.path.join(SAMPLES, "visits"), directory)
    visits = orchestra.at(directory)

    up = visits("up", "-d", "--build", timeout_s=180)
    assert " redis  Pulled" in up.err
    assert " Image visits-web  Built" in up.err
    pages: list[str] = []

    def answers() -> bool:
        try:
            with urllib.request.urlopen("http://127.0.0.1:8000/", timeout=5) as page:
                pages.append(page.read().decode())
        except OSError:
            return False
        return True

    eventually(answers, within_s=15)
    assert pages == ["visit number 1\n"]
    names = visits("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").out.split()
    assert "redis:7-alpine" in names  # under the name in the file, not the mirror's
    assert any("/v2/library/redis/" in line for line in mirror.registry.requests())
    visits("down", "-v", "-t", "1")
    assert visits("ps", "-aq").out == ""


@pytest.mark.parametrize(
    ("image", "program"),
    [("redis:7", "redis-server"), ("node:20-slim", "node"), ("postgres:16", "postgres")],
)
def test_official_images_come_from_the_mirror(
    image: str, program: str, mirror: Mirror, orchestra: Orchestra
) -> None:
    path = _program(program)
    if path is None:
        pytest.skip(f"needs {program}")
    mirror.publish([image], root_layers([path]), {"Env": [PATH], "Cmd": [path, "--version"]})
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w", encoding="utf-8") as file:
        file.write(f"name: demo\nservices: {{it: {{image: '{image}'}}}}\n")

    expected = orchestra("run", "--rm", "it", timeout_s=120)
    assert any(character.isdigit() for character in expected.out)
    assert orchestra("config", "--images").out == f"{image}\n"


def _program(name: str) -> str | None:
    """Where Debian has it; postgresql's programs are in no PATH."""
    places = [f"/usr/lib/postgresql/{version}/bin/{name}" for version in range(20, 11, -1)]
    return next((place for place in places if os.access(place, os.X_OK)), shutil.which(name))
