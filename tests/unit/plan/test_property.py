"""A plan that has been executed leaves nothing to plan, whatever the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.plan.operations import Verb
from tests.unit.plan.projects import HEALTHCHECK, Planner, needs, project, service, volume

if TYPE_CHECKING:
    from orchestra.model.project import Project


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Up to six services; each may depend on earlier ones, in every way there is."""
    services = []
    count = draw(st.integers(1, 6))
    for number in range(count):
        edges = tuple(
            needs(
                f"s{earlier}",
                "completed" if earlier % 3 == 2 else draw(st.sampled_from(["started", "healthy"])),
                restart=draw(st.booleans()),
                required=draw(st.booleans()),
            )
            for earlier in range(number)
            if draw(st.booleans())
        )
        mounts = (volume("/a"), volume("/d", "data"))
        services.append(
            service(
                f"s{number}",
                command=("serve", draw(st.sampled_from("xyz"))),
                depends_on=edges,
                healthcheck=draw(st.sampled_from([None, HEALTHCHECK])),
                replicas=draw(st.integers(0, 3)),
                volumes=draw(st.sampled_from([(), mounts[:1], mounts])),
            )
        )
    return project(*services)


def engine() -> FakeEngine:
    """s2 and s5 are one-shot services."""
    once = Behaviour(exit_code=0)
    return FakeEngine({"s2": once, "s5": once})


def changes(host: Planner, wanted: Project) -> set[str]:
    """What a plan would change, apart from starts of one-shot services and waits for those."""
    waits = (Verb.AWAIT_EXIT, Verb.AWAIT_HEALTHY)
    operations = host.plan(wanted).operations
    left = {operation.resource for operation in operations if operation.verb not in waits}
    return {name for name in left if "-s2-" not in name and "-s5-" not in name}


@settings(max_examples=150, deadline=None)
@given(projects())
def test_second_plan_starts_nothing_but_one_shots_nobody_awaits(wanted: Project) -> None:
    host = Planner(engine())
    host.apply(wanted)
    assert not changes(host, wanted)


@settings(max_examples=150, deadline=None)
@given(projects(), projects())
def test_change_from_any_project_to_any_other_converges(before: Project, after: Project) -> None:
    host = Planner(engine())
    host.apply(before)
    host.apply(after)
    expected = {
        f"demo-{s.name}-{c.number}"
        for s in after.services
        for c in host.engine.observe().containers
        if c.service == s.name
    }
    assert len(expected) == sum(s.replicas for s in after.services)
    assert not changes(host, after)
