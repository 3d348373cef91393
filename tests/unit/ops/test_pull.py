"""`pull`, and pulling before `up`, with a registry in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import ConfigError
from orchestra.model.build import BuildSpec
from orchestra.model.service import PullPolicy
from orchestra.ops.pull import PullFailed, PullOptions, pull
from orchestra.ops.up import UpOptions, up
from orchestra.plan.events import Phase
from tests.unit.plan.projects import needs, project, service

if TYPE_CHECKING:
    from orchestra.model.project import Project
    from tests.unit.ops.conftest import MemoryHost

WEB = project(service("web", image="nginx"))


def pulled(host: MemoryHost) -> list[str]:
    return [request.reference.familiar for request in host.pulled]


def bring_up(host: MemoryHost, wanted: Project, options: UpOptions | None = None) -> None:
    up(host, wanted, options or UpOptions(), host.events.append)


def test_up_pulls_what_is_missing_and_starts(host: MemoryHost) -> None:
    host.published.add("nginx")
    bring_up(host, WEB)
    assert pulled(host) == ["nginx:latest"]
    assert host.statuses() == {"demo-web-1": "running"}
    told = [(e.resource, e.text) for e in host.events if e.resource == "web"]
    assert told == [("web", "Pulling"), ("web", "Pulled")]


def test_a_second_up_asks_no_registry(host: MemoryHost) -> None:
    host.published.add("nginx")
    bring_up(host, WEB)
    bring_up(host, WEB)
    assert len(host.pulled) == 1


def test_up_pulls_always_when_told(host: MemoryHost) -> None:
    host.published.add("nginx")
    bring_up(host, WEB)
    bring_up(host, WEB, UpOptions(pull=PullPolicy.ALWAYS))
    assert len(host.pulled) == 2


def test_up_leaves_other_services_images_alone(host: MemoryHost) -> None:
    host.published.add("nginx")
    wanted = project(service("web", image="nginx"), service("other", image="absent"))
    bring_up(host, wanted, UpOptions(services=("web",)))
    assert pulled(host) == ["nginx:latest"]


def test_an_image_that_cannot_be_had_stops_up_before_anything_is_made(host: MemoryHost) -> None:
    with pytest.raises(PullFailed, match='service "web": no nginx') as caught:
        bring_up(host, WEB)
    assert caught.value.exit_code == 18
    assert caught.value.path == ("services", "web", "image")
    assert caught.value.fix == "push it"
    assert host.statuses() == {}


def test_a_name_that_is_none_is_told_with_its_place(host: MemoryHost) -> None:
    with pytest.raises(ConfigError, match="no capitals") as caught:
        bring_up(host, project(service("web", image="Nginx")))
    assert caught.value.path == ("services", "web", "image")


def test_the_platform_comes_from_the_service_or_the_environment(host: MemoryHost) -> None:
    host.published |= {"a", "b"}
    wanted = project(
        service("a", image="a", platform="linux/arm64"),
        service("b", image="b"),
        environment=(("DOCKER_DEFAULT_PLATFORM", "linux/s390x"),),
    )
    pull(host, wanted, PullOptions(), host.events.append)
    assert [str(request.platform) for request in host.pulled] == ["linux/arm64", "linux/s390x"]
    assert all(request.is_chosen for request in host.pulled)


def test_pull_goes_on_after_a_failure_and_raises_it_at_the_end(host: MemoryHost) -> None:
    host.published.add("nginx")
    wanted = project(service("a", image="absent"), service("web", image="nginx"))
    with pytest.raises(PullFailed, match='service "a"'):
        pull(host, wanted, PullOptions(), host.events.append)
    assert ("a", Phase.FAILED) in [(e.resource, e.phase) for e in host.events]
    assert ("web", Phase.DONE) in [(e.resource, e.phase) for e in host.events]
    pull(host, wanted, PullOptions(ignore_failures=True), host.events.append)


def test_pull_does_without_an_image_that_can_be_built(host: MemoryHost) -> None:
    wanted = project(service("a", image="absent", build=BuildSpec(context="/srv")))
    with pytest.raises(PullFailed):
        pull(host, wanted, PullOptions(), host.events.append)
    assert any("must be built" in event.text for event in host.events)
    pull(host, wanted, PullOptions(ignore_buildable=True), host.events.append)


def test_layers_are_told_below_their_service_unless_quiet(host: MemoryHost) -> None:
    host.published.add("nginx")
    pull(host, WEB, PullOptions(), host.events.append)
    layers = [event for event in host.events if event.parent == "web"]
    assert [(e.resource, e.text, e.total_bytes) for e in layers] == [
        ("5" * 12, "Download complete", 7)
    ]
    host.events.clear()
    pull(host, WEB, PullOptions(quiet=True), host.events.append)
    assert not any(event.parent for event in host.events)


def test_pull_of_a_service_leaves_its_dependencies_out(host: MemoryHost) -> None:
    host.published |= {"a", "b"}
    wanted = project(service("a", image="a", depends_on=(needs("b"),)), service("b", image="b"))
    pull(host, wanted, PullOptions(services=("a",)), host.events.append)
    assert pulled(host) == ["a:latest"]
    options = PullOptions(services=("a",), include_dependencies=True)
    pull(host, wanted, options, host.events.append)
    assert pulled(host)[1:] == ["a:latest", "b:latest"]
