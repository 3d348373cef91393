"""Which services are built, when, in which order, and what a build is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import BuildError, NotFound, OrchestraError, Unsupported
from orchestra.ops.build import BuildOptions, build
from orchestra.ops.build_lint import checked_services, lint
from orchestra.ops.building import Building, build_before_up
from orchestra.ops.contexts import Contexts
from orchestra.ops.gather import ImageMissing, gather
from orchestra.ops.recipe import Extras, Surroundings
from orchestra.plan.desired import Dependencies
from tests.support.project import ProjectDirectory

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.build.events import StepEvent
    from orchestra.model.project import Project
    from tests.unit.ops.conftest import MemoryHost

AROUND = Surroundings("/", {})


class Directory:
    """A project directory with Dockerfiles."""

    def __init__(self, path: Path) -> None:
        self._project = ProjectDirectory(str(path))
        self.write("Dockerfile", "FROM host\n")

    def write(self, name: str, text: str) -> None:
        self._project.write(name, text)

    def load(self, text: str) -> Project:
        return self._project.load(text).project


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def built(host: MemoryHost) -> list[str]:
    return [request.names[0].familiar for request in host.built]


def ignore(service: str, event: StepEvent) -> None:
    del service, event


TWO = (
    "name: p\nservices:\n  app: {image: app}\n  web: {build: .}\n  api: {build: ., image: api:2}\n"
)


def test_up_builds_what_has_no_image(host: MemoryHost, directory: Directory) -> None:
    project = directory.load(TWO)
    build_before_up(host, project, Building.MISSING, host.events.append)
    assert sorted(built(host)) == ["api:2", "p-web:latest"]
    assert "Built" in host.texts()
    build_before_up(host, project, Building.MISSING, host.events.append)
    assert len(host.built) == 2, "they are there now"


def test_build_always_builds_and_no_build_never(host: MemoryHost, directory: Directory) -> None:
    project = directory.load(TWO)
    build_before_up(host, project, Building.NEVER, host.events.append)
    assert built(host) == []
    for _ in range(2):
        build_before_up(host, project, Building.ALWAYS, host.events.append)
    assert len(host.built) == 4


def test_the_pull_policy_build_always_builds(host: MemoryHost, directory: Directory) -> None:
    project = directory.load("name: p\nservices: {web: {build: ., pull_policy: build}}")
    for _ in range(2):
        build_before_up(host, project, Building.MISSING, host.events.append)
    assert len(host.built) == 2


def test_a_service_is_built_after_those_it_copies_from(
    host: MemoryHost, directory: Directory
) -> None:
    project = directory.load(
        "name: p\nservices:\n"
        "  a: {build: {context: ., additional_contexts: {base: 'service:b'}}}\n"
        "  b: {build: {context: ., additional_contexts: {base: 'service:c'}}}\n"
        "  c: {build: .}\n"
    )
    build(host, project, BuildOptions(), AROUND, ignore)
    assert built(host) == ["p-c:latest", "p-b:latest", "p-a:latest"]
    assert host.built[-1].contexts == (("base", "docker-image://p-b"),)


def test_the_spec_and_the_command_line_reach_the_request(
    host: MemoryHost, directory: Directory
) -> None:
    directory.write("other.Dockerfile", "FROM host\nARG A\nARG B\n")
    directory.write("other.Dockerfile.dockerignore", "hidden\n")
    directory.write("token", "t")
    project = directory.load(
        "name: p\nsecrets: {token: {file: ./token}}\nservices:\n  web:\n    build:\n"
        "      context: .\n      dockerfile: other.Dockerfile\n      target: ''\n"
        "      args: {A: 1, B: 2}\n      tags: ['extra:1']\n      labels: {l: v}\n"
        "      secrets: [token]\n      network: none\n      no_cache: true\n"
        "      extra_hosts: ['h:1.2.3.4']\n      shm_size: 1m\n"
    )
    extras = Extras(args=(("B", "3"),), memory_bytes=5)
    build(host, project, BuildOptions(extras=extras), AROUND, ignore)
    (request,) = host.built
    assert request.args == {"A": "1", "B": "3"}
    assert [name.familiar for name in request.names] == ["p-web:latest", "extra:1"]
    assert dict(request.labels)["l"] == "v"
    assert dict(request.labels)["com.docker.compose.service"] == "web"
    assert request.secrets["token"].path.endswith("/token")
    assert (request.network, request.no_cache) == ("none", frozenset("*"))
    assert request.limits.extra_hosts == (("h", "1.2.3.4"),)
    assert (request.limits.shm_bytes, request.limits.memory_bytes) == (1 << 20, 5)
    assert request.ignore.hides("hidden")


def test_missing_base_images_are_pulled_before_the_build(
    host: MemoryHost, directory: Directory
) -> None:
    directory.write("Dockerfile", "FROM lib AS one\nFROM unneeded\nFROM app\nCOPY --from=one / /\n")
    host.published.add("lib")
    project = directory.load("name: p\nservices: {web: {build: .}}")
    build(host, project, BuildOptions(), AROUND, ignore)
    assert [request.reference.familiar for request in host.pulled] == ["lib:latest"]


def test_a_base_image_that_cannot_be_had_is_told_with_its_line(
    host: MemoryHost, directory: Directory
) -> None:
    directory.write("Dockerfile", "# nothing\nFROM nowhere\n")
    project = directory.load("name: p\nservices: {web: {build: .}}")
    with pytest.raises(BuildError) as caught:
        build(host, project, BuildOptions(), AROUND, ignore)
    assert caught.value.where is not None
    assert caught.value.where.line == 2
    assert host.built == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{context: ./nothing}", NotFound),
        ("{context: ., dockerfile: Nothing}", BuildError),
        ("{context: ., privileged: true}", Unsupported),
        ("{context: ., network: other}", Unsupported),
        ("{context: ., platforms: [linux/s390x]}", Unsupported),
        ("{context: ., ssh: [default]}", NotFound),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_service(
    host: MemoryHost, directory: Directory, text: str, kind: type[OrchestraError]
) -> None:
    project = directory.load(f"name: p\nservices: {{web: {{build: {text}}}}}")
    with pytest.raises(kind) as caught:
        build(host, project, BuildOptions(), AROUND, ignore)
    assert caught.value.path[:3] == ("services", "web", "build")
    assert host.built == []


def test_a_dockerfile_that_two_services_share_is_checked_once(
    host: MemoryHost, directory: Directory
) -> None:
    directory.write("Dockerfile", "FROM host\nCMD run\n")
    project = directory.load("name: p\nservices: {a: {build: .}, b: {build: .}}")
    with Contexts(host.layout) as contexts:
        (request,) = checked_services(project, BuildOptions(), AROUND, contexts)
    assert [finding.rule for finding in lint(request, host)] == ["JSONArgsRecommended"]


def test_without_a_build_the_missing_image_is_told_with_the_command_that_builds_it(
    host: MemoryHost, directory: Directory
) -> None:
    project = directory.load("name: p\nservices: {web: {build: .}}")
    with pytest.raises(ImageMissing) as caught:
        gather(project, (), Dependencies.INCLUDED, host.images())
    assert caught.value.fix == "`orchestra build web` builds it"
