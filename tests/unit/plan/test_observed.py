"""What is seen of a project's containers."""

from __future__ import annotations

import pytest

from orchestra.engine.base import ObservedProject
from orchestra.model.state import ContainerState, Status
from orchestra.plan.observed import Observed


def container(service: str, *, oneoff: bool, status: str) -> ContainerState:
    return ContainerState(
        id=service,
        name=f"demo-{service}-1",
        project="demo",
        service=service,
        number=1,
        image="app",
        image_id="",
        config_hash="",
        command=(),
        created_ns=1,
        oneoff=oneoff,
        status=status,
    )


@pytest.mark.parametrize(
    ("service", "oneoff", "status", "is_orphan"),
    [
        ("web", False, Status.EXITED, False),
        ("old", False, Status.RUNNING, True),
        ("web", True, Status.RUNNING, False),
        ("web", True, Status.EXITED, True),
        ("old", True, Status.RUNNING, True),
    ],
)
def test_orphans_are_unknown_services_and_one_off_containers_that_have_ended(
    service: str, oneoff: bool, status: str, is_orphan: bool
) -> None:
    seen = Observed(ObservedProject(containers=(container(service, oneoff=oneoff, status=status),)))
    assert bool(seen.orphans(frozenset({"web"}))) is is_orphan
