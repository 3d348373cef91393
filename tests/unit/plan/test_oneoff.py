"""One-off containers: what `run` changes of the service, and what it waits for."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.model.container import PublishedPort, RestartMode, RestartPolicy
from orchestra.plan.execute import execute
from orchestra.plan.observed import Observed
from orchestra.plan.oneoff import Override, oneoff_spec, overridden, plan_oneoff
from orchestra.plan.reconcile import Environment
from tests.unit.plan.projects import (
    HEALTHCHECK,
    Planner,
    desired,
    needs,
    port,
    project,
    service,
    volume,
)

if TYPE_CHECKING:
    from orchestra.engine.base import Request
    from orchestra.model.service import Service
    from orchestra.plan.graph import Plan

WEB = service(
    "web",
    ports=(port(8080, 80),),
    environment=(("A", "1"),),
    volumes=(volume("/d", "data"), volume("/cache")),
    restart=RestartPolicy(mode=RestartMode.ALWAYS),
    replicas=3,
    container_name="fixed",
    depends_on=(needs("db", "healthy"), needs("migrate", "completed")),
)
DB = service("db", healthcheck=HEALTHCHECK)
MIGRATE = service("migrate")
PLAIN = Override()


def plan_run(host: Planner, wanted: Service = WEB, override: Override = PLAIN) -> Plan[Request]:
    numbers = count(0xA0)
    everything = desired(project(wanted, DB, MIGRATE))
    changed = overridden(wanted, override)
    observed = Observed(host.engine.observe())
    environment = Environment(lambda: f"{next(numbers):064x}", "1.0")
    spec = oneoff_spec(everything, changed, observed, environment, use_aliases=override.use_aliases)
    return plan_oneoff(everything, changed, spec, observed, "1.0")


def test_oneoff_takes_no_ports_no_name_and_no_restart_policy() -> None:
    changed = overridden(WEB, Override())
    assert (changed.ports, changed.container_name, changed.replicas) == ((), "", 1)
    assert changed.restart.mode is RestartMode.NO


def test_ports_are_published_on_demand() -> None:
    assert overridden(WEB, Override(service_ports=True)).ports == WEB.ports
    extra = PublishedPort(container_port=90, host_port=9090)
    published = overridden(WEB, Override(publish=(extra,))).ports
    assert [entry.port for entry in published] == [extra]


def test_command_line_wins_over_the_service() -> None:
    changed = overridden(
        WEB,
        Override(
            command=("sh",),
            entrypoint=(),
            environment=(("A", "2"), ("B", "3")),
            user="app",
            volumes=(volume("/d"),),
        ),
    )
    assert (changed.command, changed.entrypoint, changed.user) == (("sh",), (), "app")
    assert dict(changed.environment) == {"A": "2", "B": "3"}
    assert [(mount.target, mount.source) for mount in changed.volumes] == [
        ("/cache", ""),
        ("/d", ""),
    ]


def test_plan_makes_what_is_missing() -> None:
    wanted = service("web", volumes=WEB.volumes)
    assert plan_run(Planner(FakeEngine()), wanted).text() == (
        "1. create Network demo_default\n"
        "2. create Volume demo_data\n"
        f"3. create Volume {0xA1:064x}\n"
        "4. create Container demo-web-run-000000000000 (one-off) after 1, 2, 3\n"
        "5. start Container demo-web-run-000000000000 after 4\n"
    )


def test_start_waits_for_the_dependencies_that_are_not_ready() -> None:
    host = Planner(FakeEngine({"migrate": Behaviour(exit_code=0, runs_s=0.5)}))
    host.apply(project(DB, MIGRATE))
    verbs = [operation.verb.label for operation in plan_run(host).operations]
    assert verbs[-3:] == ["await healthy", "await exit", "start"]
    execute(plan_run(host), host.engine, host.events.append)
    oneoff = next(c for c in host.engine.observe().containers if c.oneoff)
    assert oneoff.status == "running"
    again = [operation.verb.label for operation in plan_run(host).operations]
    assert "await healthy" not in again
    assert "await exit" not in again


def test_oneoff_containers_are_no_replicas() -> None:
    host = Planner(FakeEngine({"migrate": Behaviour(exit_code=0)}))
    host.apply(project(DB, MIGRATE))
    execute(plan_run(host), host.engine, host.events.append)
    assert (
        host.plan(project(DB, MIGRATE)).text()
        == "1. start Container demo-migrate-1 (it is exited)\n"
    )
