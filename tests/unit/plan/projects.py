"""Small projects and their images, and planning them against the fake engine."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from orchestra.model.container import ImageId, PublishedPort
from orchestra.model.hashing import service_hash
from orchestra.model.image import ImageConfig
from orchestra.model.network import NetworkSpec, VolumeSpec
from orchestra.model.project import Project
from orchestra.model.service import (
    DependencyCondition,
    DependsOn,
    Service,
    ServiceHealthCheck,
    ServiceNetwork,
    ServicePort,
    ServiceVolume,
    VolumeKind,
)
from orchestra.plan.container import linked_names
from orchestra.plan.decide import Policy
from orchestra.plan.desired import Desired, all_service_names
from orchestra.plan.execute import execute
from orchestra.plan.observed import Observed
from orchestra.plan.reconcile import Environment, Options, reconcile

if TYPE_CHECKING:
    from orchestra.engine.base import Request
    from orchestra.engine.fake import FakeEngine
    from orchestra.plan.events import Progress
    from orchestra.plan.graph import Plan

EVERYTHING = Options(policy=Policy(frozenset()))
HEALTHCHECK = ServiceHealthCheck(test=("CMD", "true"))
DEFAULT_NETWORK = (ServiceNetwork(key="default"),)


def service(name: str, **fields: object) -> Service:
    """A service on the default network that runs `serve`."""
    given: dict[str, object] = {
        "image": "app",
        "command": ("serve", name),
        "networks": DEFAULT_NETWORK,
        **fields,
    }
    return Service(name=name, **given)  # type: ignore[arg-type]


def needs(name: str, condition: str = "started", **fields: object) -> DependsOn:
    kinds = {
        "started": DependencyCondition.STARTED,
        "healthy": DependencyCondition.HEALTHY,
        "completed": DependencyCondition.COMPLETED,
    }
    return DependsOn(service=name, condition=kinds[condition], **fields)  # type: ignore[arg-type]


def volume(target: str, source: str = "") -> ServiceVolume:
    return ServiceVolume(kind=VolumeKind.VOLUME, target=target, source=source)


def port(host: int, container: int) -> ServicePort:
    return ServicePort(port=PublishedPort(container_port=container, host_port=host))


def project(*services: Service, **fields: object) -> Project:
    """The project "demo" with a default network and a volume "data"."""
    given: dict[str, object] = {
        "working_dir": "/srv/demo",
        "networks": (NetworkSpec(name="demo_default", project="demo", key="default"),),
        "volumes": (VolumeSpec(name="demo_data", project="demo", key="data"),),
        **fields,
    }
    return Project(
        name="demo",
        compose_files=("/srv/demo/compose.yaml",),
        services=services,
        **given,  # type: ignore[arg-type]
    )


def image(**fields: object) -> ImageConfig:
    return ImageConfig(id=ImageId("sha256:app"), **fields)  # type: ignore[arg-type]


def desired(wanted: Project, **images: ImageConfig) -> Desired:
    return Desired(
        project=wanted,
        images={s.name: images.get(s.name, image()) for s in wanted.services},
        hashes={s.name: service_hash(s) for s in wanted.services},
        known=all_service_names(wanted),
        linked=linked_names(wanted.services),
    )


class Planner:
    """Plans and executes against one fake engine, with ids 1, 2, 3 …"""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.events: list[Progress] = []
        self._numbers = count(1)

    def plan(
        self, wanted: Project, options: Options = EVERYTHING, **images: ImageConfig
    ) -> Plan[Request]:
        environment = Environment(lambda: f"{next(self._numbers):064x}", "1.0")
        observed = Observed(self.engine.observe())
        return reconcile(desired(wanted, **images), observed, options, environment)

    def apply(self, wanted: Project, options: Options = EVERYTHING, **images: ImageConfig) -> None:
        plan = self.plan(wanted, options, **images)
        execute(plan, self.engine, self.events.append)

    def statuses(self) -> dict[str, str]:
        return {c.name: c.status for c in self.engine.observe().containers}
