"""What is planned for a project, as text, and that a plan once executed is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.engine import base
from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.errors import ConfigError, Unsupported
from orchestra.model.container import ContainerId
from orchestra.model.network import NetworkSpec
from orchestra.model.service import Service, VolumesFrom
from orchestra.plan.decide import Policy, Recreate
from tests.unit.plan.projects import (
    EVERYTHING,
    HEALTHCHECK,
    Planner,
    image,
    needs,
    port,
    project,
    service,
    volume,
)

if TYPE_CHECKING:
    from tests.support.golden import Golden

QUICKSTART = project(
    service("api", healthcheck=HEALTHCHECK, depends_on=(needs("migrate", "completed"),)),
    service("migrate"),
    service("worker", depends_on=(needs("api", "healthy"),), volumes=(volume("/d", "data"),)),
)


def planner(**behaviours: Behaviour) -> Planner:
    return Planner(FakeEngine({"migrate": Behaviour(exit_code=0), **behaviours}))


def test_first_up_creates_everything_and_starts_in_dependency_order(golden: Golden) -> None:
    golden.check("first_up.txt", planner().plan(QUICKSTART).text())


def test_second_up_of_an_unchanged_project_plans_nothing() -> None:
    host = planner()
    host.apply(QUICKSTART)
    plan = host.plan(QUICKSTART)
    assert plan.text() == ""
    assert plan.kept == (
        "Container demo-migrate-1",
        "Container demo-api-1",
        "Container demo-worker-1",
    )


def test_changed_command_recreates_only_that_service(golden: Golden) -> None:
    host = planner()
    host.apply(QUICKSTART)
    changed = QUICKSTART.with_services(
        msgspec.structs.replace(s, command=("other",)) if s.name == "worker" else s
        for s in QUICKSTART.services
    )
    golden.check("changed_command.txt", host.plan(changed).text())


def test_completed_one_shot_runs_again_for_a_dependent_that_is_recreated(golden: Golden) -> None:
    host = planner()
    host.apply(QUICKSTART)
    changed = QUICKSTART.with_services(
        msgspec.structs.replace(s, command=("other",)) if s.name == "api" else s
        for s in QUICKSTART.services
    )
    golden.check("one_shot_again.txt", host.plan(changed).text())


def test_exited_container_is_started_again_and_its_running_dependent_left_alone() -> None:
    host = planner()
    wanted = project(service("db"), service("web", depends_on=(needs("db"),)))
    host.apply(wanted)
    db = next(c for c in host.engine.observe().containers if c.service == "db")
    base.call(host.engine, base.StopContainer(id=ContainerId(db.id)))
    assert host.plan(wanted).text() == "1. start Container demo-db-1 (it is exited)\n"


def test_paused_container_is_unpaused() -> None:
    host = planner()
    wanted = project(service("db"))
    host.apply(wanted)
    container = host.engine.observe().containers[0]
    base.call(host.engine, base.PauseContainer(id=ContainerId(container.id)))
    assert host.plan(wanted).text() == "1. unpause Container demo-db-1 (it is paused)\n"


def test_changed_network_is_made_anew_with_everything_on_it(golden: Golden) -> None:
    host = planner()
    host.apply(QUICKSTART)
    network = NetworkSpec(name="demo_default", project="demo", key="default", internal=True)
    changed = msgspec.structs.replace(QUICKSTART, networks=(network,))
    golden.check("changed_network.txt", host.plan(changed).text())
    host.apply(changed)
    assert host.plan(changed).text() == ""


def test_changed_image_recreates() -> None:
    host = planner()
    wanted = project(service("web"))
    host.apply(wanted)
    newer = msgspec.structs.replace(image(), id="sha256:newer")
    causes = {o.cause for o in host.plan(wanted, web=newer).operations}
    assert "image changed" in causes


def test_recreation_keeps_number_name_and_anonymous_volumes() -> None:
    host = planner()
    wanted = project(service("web", volumes=(volume("/app/node_modules"),)))
    host.apply(wanted)
    before = host.engine.observe().containers[0]
    host.apply(wanted, EVERYTHING._replace(policy=Policy(frozenset(), Recreate.FORCE)))
    after = host.engine.observe().containers[0]
    assert after.id != before.id
    assert (after.name, after.number, after.mounts) == (before.name, 1, before.mounts)


def test_renewed_anonymous_volumes_replace_the_old_ones() -> None:
    host = planner()
    wanted = project(service("web", volumes=(volume("/app/node_modules"),)))
    host.apply(wanted)
    before = host.engine.observe()
    policy = Policy(frozenset(), Recreate.FORCE)
    host.apply(wanted, EVERYTHING._replace(policy=policy, renew_anonymous_volumes=True))
    after = host.engine.observe()
    assert after.containers[0].mounts != before.containers[0].mounts
    assert len(after.volumes) == len(before.volumes)


def test_scale_up_then_down_removes_the_highest_numbers(golden: Golden) -> None:
    host = planner()
    three = project(service("web", replicas=3))
    host.apply(three)
    assert sorted(host.statuses()) == ["demo-web-1", "demo-web-2", "demo-web-3"]
    golden.check("scale_down.txt", host.plan(project(service("web", replicas=1))).text())


def test_never_recreate_keeps_a_changed_container() -> None:
    host = planner()
    host.apply(project(service("web")))
    options = EVERYTHING._replace(policy=Policy(frozenset(), Recreate.NEVER))
    assert host.plan(project(service("web", command=("other",))), options).text() == ""


def test_force_recreates_only_the_services_that_were_named() -> None:
    host = planner()
    wanted = project(service("db"), service("web", depends_on=(needs("db"),)))
    host.apply(wanted)
    options = EVERYTHING._replace(policy=Policy(frozenset({"web"}), Recreate.FORCE))
    resources = {o.resource for o in host.plan(wanted, options).operations}
    assert resources == {"Container demo-web-1"}


def test_orphans_are_named_in_a_warning_and_removed_on_demand() -> None:
    host = planner()
    host.apply(project(service("web"), service("old")))
    wanted = project(service("web"))
    plan = host.plan(wanted)
    assert plan.operations == ()
    assert "demo-old-1" in plan.warnings[0]
    assert host.plan(wanted, EVERYTHING._replace(ignore_orphans=True)).warnings == ()
    host.apply(wanted, EVERYTHING._replace(remove_orphans=True))
    assert sorted(host.statuses()) == ["demo-web-1"]


def test_no_start_only_creates() -> None:
    host = planner()
    host.apply(QUICKSTART, EVERYTHING._replace(start=False))
    assert set(host.statuses().values()) == {"created"}


def test_dependent_with_restart_stops_before_and_starts_after(golden: Golden) -> None:
    host = planner()
    wanted = project(service("db"), service("web", depends_on=(needs("db", restart=True),)))
    host.apply(wanted)
    changed = project(
        service("db", command=("other",)),
        service("web", depends_on=(needs("db", restart=True),)),
    )
    golden.check("restart_dependent.txt", host.plan(changed).text())


def test_sharing_a_namespace_with_a_recreated_service_recreates_too() -> None:
    def wanted(command: str) -> tuple[Service, ...]:
        return (
            service("db", command=(command,)),
            service("side", network_mode="service:db", networks=(), depends_on=(needs("db"),)),
        )

    host = planner()
    host.apply(project(*wanted("one")))
    host.apply(project(*wanted("two")))
    observed = {c.service: c for c in host.engine.observe().containers}
    created = [r.spec for r in host.engine.requests if isinstance(r, base.CreateContainer)]
    side = [spec for spec in created if spec.service == "side"]
    assert len(side) == 2
    assert side[-1].network_container == observed["db"].id


def test_volumes_from_borrows_the_mounts_of_a_container_that_is_kept() -> None:
    host = planner()
    db = service("db", volumes=(volume("/var/db"), volume("/d", "data")))
    host.apply(project(db))
    borrower = service("web", volumes_from=(VolumesFrom(service="db"),), depends_on=(needs("db"),))
    host.apply(project(db, borrower))
    mounts = {c.service: set(c.mounts) for c in host.engine.observe().containers}
    assert mounts["web"] == mounts["db"]


def test_external_network_is_looked_for_only_when_a_container_is_made() -> None:
    host = planner()
    outside = NetworkSpec(name="outside", project="demo", key="default", external=True)
    wanted = project(service("web"), networks=(outside,))
    first = host.plan(wanted)
    assert "external" in {operation.cause for operation in first.operations}
    with pytest.raises(Exception, match='"outside" does not exist'):
        host.apply(wanted)


def test_fixed_name_with_replicas_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be unique"):
        planner().plan(project(service("web", container_name="x", replicas=2)))


def test_port_moves_to_the_replacement() -> None:
    host = planner()
    host.apply(project(service("web", ports=(port(8080, 80),))))
    host.apply(project(service("web", ports=(port(8080, 80),), command=("other",))))
    assert host.statuses() == {"demo-web-1": "running"}


def test_attribute_without_effect_is_named_when_a_container_is_made_and_not_again() -> None:
    host = planner()
    wanted = project(service("a", cpu_count=2), service("b", cpu_count=1, cpu_percent=50.0))
    plan = host.plan(wanted)
    assert plan.warnings == (
        "`cpu_count` has no effect: it is for Windows (services: a, b)",
        "`cpu_percent` has no effect: it is for Windows (services: b)",
    )
    host.apply(wanted)
    assert host.plan(wanted).warnings == ()


@pytest.mark.parametrize(
    "fields",
    [{"isolation": "hyperv"}, {"runtime": "runsc"}, {"storage_opts": (("size", "1G"),)}],
    ids=lambda fields: next(iter(fields)),
)
def test_what_would_not_be_kept_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Unsupported) as caught:
        planner().plan(project(service("a", **fields)))
    assert caught.value.path[:2] == ("services", "a")


def test_cost_of_planning_grows_linearly() -> None:
    """1,600 services take about 16 times as many requests as 100, one per step."""
    wanted = project(
        *(service(f"s{n:04}", depends_on=(needs("s0000"),) if n else ()) for n in range(1600))
    )
    assert len(planner().plan(wanted).operations) == 1 + 2 * 1600
