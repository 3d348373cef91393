"""`up` and `down` against the engine in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.model.service import PullPolicy
from orchestra.ops.down import DownOptions, down
from orchestra.ops.explain import explain
from orchestra.ops.gather import ImageMissing
from orchestra.ops.projectfile import read_record
from orchestra.ops.target import Target
from orchestra.ops.up import UpOptions, up
from orchestra.plan.desired import Dependencies
from tests.unit.plan.projects import HEALTHCHECK, needs, project, service, volume

if TYPE_CHECKING:
    from tests.unit.ops.conftest import MemoryHost

PROJECT = project(
    service("api", healthcheck=HEALTHCHECK, depends_on=(needs("migrate", "completed"),)),
    service("migrate"),
    service("worker", depends_on=(needs("api", "healthy"),), volumes=(volume("/d", "data"),)),
)
DECLARED = ("api", "migrate", "worker")


def bring_up(host: MemoryHost, options: UpOptions = UpOptions()) -> None:  # noqa: B008
    up(host, PROJECT, options, host.events.append)


def test_up_starts_the_project_and_records_where_it_came_from(host: MemoryHost) -> None:
    bring_up(host)
    assert host.statuses() == {
        "demo-migrate-1": "exited",
        "demo-api-1": "running",
        "demo-worker-1": "running",
    }
    record = read_record(host.layout, "demo")
    assert record is not None
    assert record.compose_files == ("/srv/demo/compose.yaml",)


def test_second_up_submits_no_request(host: MemoryHost) -> None:
    bring_up(host)
    before = len(host.engine.requests)
    bring_up(host)
    assert len(host.engine.requests) == before


def test_up_of_one_service_brings_its_dependencies_and_nothing_else(host: MemoryHost) -> None:
    bring_up(host, UpOptions(services=("api",)))
    assert sorted(host.statuses()) == ["demo-api-1", "demo-migrate-1"]


def test_up_without_dependencies_starts_only_what_was_named(host: MemoryHost) -> None:
    bring_up(host, UpOptions(services=("worker",), dependencies=Dependencies.LEFT_OUT))
    assert host.statuses() == {"demo-worker-1": "running"}


def test_scaling_an_unknown_service_proposes_the_right_name(host: MemoryHost) -> None:
    with pytest.raises(NotFound) as caught:
        bring_up(host, UpOptions(scale=(("workr", 2),)))
    assert caught.value.fix == 'did you mean "worker"?'


def test_scale_makes_that_many_replicas(host: MemoryHost) -> None:
    bring_up(host, UpOptions(scale=(("worker", 2),)))
    assert host.statuses()["demo-worker-2"] == "running"


def test_missing_image_names_the_service_and_starts_nothing(host: MemoryHost) -> None:
    wanted = project(service("web", image="nginx"), service("other"))
    with pytest.raises(ImageMissing) as caught:
        up(host, wanted, UpOptions(pull=PullPolicy.NEVER), host.events.append)
    assert caught.value.what == 'service "web": no image "nginx"'
    assert caught.value.exit_code == 18
    assert caught.value.path == ("services", "web", "image")
    assert not host.supervised


def test_wait_returns_when_all_are_healthy(host: MemoryHost) -> None:
    wanted = project(service("api", healthcheck=HEALTHCHECK))
    up(host, wanted, UpOptions(wait=True), host.events.append)
    assert host.engine.observe().containers[0].health == "healthy"


def test_explain_changes_nothing(host: MemoryHost) -> None:
    text = explain(host, PROJECT, UpOptions())
    assert "create Container demo-api-1 (no container yet)" in text
    assert host.engine.requests == []
    bring_up(host)
    assert "Nothing to do" in explain(host, PROJECT, UpOptions())


def test_down_removes_containers_and_networks_but_keeps_volumes(host: MemoryHost) -> None:
    bring_up(host)
    down(host, Target("demo", declared=DECLARED), DownOptions(), host.events.append)
    left = host.engine.observe()
    assert left.containers == ()
    assert left.networks == ()
    assert [v.spec.name for v in left.volumes] == ["demo_data"]
    assert read_record(host.layout, "demo") is None


def test_down_with_volumes_works_without_the_compose_file(host: MemoryHost) -> None:
    bring_up(host)
    down(host, Target("demo"), DownOptions(volumes=True), host.events.append)
    assert host.engine.observe().volumes == ()


def test_down_of_one_service_keeps_the_network_of_the_others(host: MemoryHost) -> None:
    bring_up(host)
    target = Target("demo", ("worker",), DECLARED)
    down(host, target, DownOptions(), host.events.append)
    assert "demo-worker-1" not in host.statuses()
    assert [n.spec.name for n in host.engine.observe().networks] == ["demo_default"]


def test_down_keeps_orphans_unless_told(host: MemoryHost) -> None:
    bring_up(host)
    declared = ("api", "migrate")
    down(host, Target("demo", declared=declared), DownOptions(), host.events.append)
    assert sorted(host.statuses()) == ["demo-worker-1"]
    options = DownOptions(remove_orphans=True)
    down(host, Target("demo", declared=declared), options, host.events.append)
    assert host.statuses() == {}


def test_down_of_nothing_says_so_and_starts_no_supervisor(host: MemoryHost) -> None:
    down(host, Target("demo"), DownOptions(), host.events.append)
    assert host.texts() == ['Warning: No resource found to remove for project "demo".']
    assert not host.supervised
