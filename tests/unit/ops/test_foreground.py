"""Which services `up` in the foreground shows and waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.ops.foreground import Attach, attached_labels, attached_services
from orchestra.ops.gather import gather
from orchestra.ops.interrupts import Interrupts
from orchestra.ops.up import UpOptions
from orchestra.plan.desired import Dependencies
from tests.unit.plan.projects import needs, project, service

if TYPE_CHECKING:
    from tests.unit.ops.conftest import MemoryHost

PROJECT = project(
    service("web", depends_on=(needs("db"),)), service("db"), service("quiet", attach=False)
)


@pytest.mark.parametrize(
    ("named", "attach", "shown"),
    [
        ((), Attach(), {"web", "db"}),
        (("web",), Attach(), {"web"}),
        (("web",), Attach(dependencies=True), {"web", "db"}),
        ((), Attach(only=("db",)), {"db"}),
        ((), Attach(only=("quiet",)), {"quiet"}),
        ((), Attach(without=("db",)), {"web"}),
    ],
)
def test_attached_services(
    host: MemoryHost, named: tuple[str, ...], attach: Attach, shown: set[str]
) -> None:
    desired = gather(PROJECT, named, Dependencies.INCLUDED, host.images())
    assert attached_services(desired, UpOptions(services=named), attach) == shown


def test_labels_are_those_of_the_replicas_in_order(host: MemoryHost) -> None:
    several = project(
        service("web", replicas=2), service("db", container_name="base"), service("quiet")
    )
    desired = gather(several, (), Dependencies.INCLUDED, host.images())
    assert attached_labels(desired, frozenset(("web", "db"))) == ("base", "web-1", "web-2")


def test_signals_are_counted_and_end_the_wait() -> None:
    import os
    import signal

    with Interrupts() as interrupts:
        assert interrupts.wait(timeout_s=0.0) == frozenset()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert interrupts.wait(timeout_s=5.0) == {interrupts.fileno()}
        assert interrupts.count == 2
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
