"""Which images are pulled before `up`, and by `pull`: the decision, as Docker Compose's.

compose-spec 05-services.md#pull_policy. Who has which image is told by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestra.model.service import PullPolicy
from orchestra.named import NamedTuple
from orchestra.plan.mounts import mounted_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.project import Project
    from orchestra.model.service import Service

HOST_IMAGE = "host"


class Stock(Protocol):
    """What is here already."""

    def has(self, image: str) -> bool: ...

    def age_s(self, image: str) -> float:
        """How long ago the image, which is here, was compared with its registry."""
        ...


class Pulling(NamedTuple):
    """One service's image: to be pulled, or (*skipped*) the reason why not."""

    service: str
    image: str
    platform: str = ""  # "" is this machine's
    skipped: str = ""
    can_be_built: bool = False


def pulls_before_up(
    project: Project, override: PullPolicy | None, stock: Stock
) -> tuple[Pulling, ...]:
    """What must be pulled before the services of *project* can be created, each image once.

    *override* is `up --pull`. An image that may be built as well is pulled all the same; whether
    a failure matters is seen afterwards.
    """
    wanted: dict[str, Pulling] = {}
    for service in project.services:
        for image in _images(service):
            if image == HOST_IMAGE or image in wanted:
                continue
            if _is_due(service, image, override or service.pull_policy, stock):
                wanted[image] = Pulling(
                    service.name, image, service.platform, can_be_built=_builds(project, image)
                )
    return tuple(wanted.values())


def _images(service: Service) -> tuple[str, ...]:
    """The images by name that *service* needs: its own, of `pre_start` commands, of mounts."""
    hooks = (step.image for step in service.pre_start)
    return tuple(filter(None, (service.image, *hooks, *mounted_images(service))))


def _is_due(service: Service, image: str, policy: PullPolicy | None, stock: Stock) -> bool:
    match policy:
        case PullPolicy.ALWAYS:
            return True
        case PullPolicy.NEVER | PullPolicy.BUILD:
            return False
        case PullPolicy.REFRESH:
            return not stock.has(image) or stock.age_s(image) >= service.pull_refresh_s
        case PullPolicy.MISSING | None:
            return not stock.has(image)


def pulls_on_request(
    project: Project,
    override: PullPolicy | None,
    stock: Stock,
    *,
    ignore_buildable: bool,
) -> tuple[Pulling, ...]:
    """What `pull` does about each service of *project*; *override* is its --policy.

    Without a policy everything is pulled: somebody asked for it. So is a tag "latest" that is
    here, since it is expected to move.
    """
    pulled_by: dict[str, str] = {}
    decided = []
    for service in project.services:
        policy = override or service.pull_policy
        skipped = _reason_to_skip(service, policy, stock)
        if not skipped and service.build is not None and ignore_buildable:
            skipped = "Image can be built"
        if not skipped and service.image in pulled_by:
            skipped = f"Image is already being pulled by {pulled_by[service.image]}"
        if not skipped:
            pulled_by[service.image] = service.name
        decided.append(
            Pulling(
                service.name, service.image, service.platform, skipped, service.build is not None
            )
        )
        decided += _other_pulls(service, pulled_by)
    return tuple(decided)


def _other_pulls(service: Service, pulled_by: dict[str, str]) -> Iterator[Pulling]:
    """The other images that *service* needs and nobody pulls yet."""
    for image in _images(service):
        if image not in (service.image, HOST_IMAGE) and image not in pulled_by:
            pulled_by[image] = service.name
            yield Pulling(service.name, image, service.platform)


def _reason_to_skip(service: Service, policy: PullPolicy | None, stock: Stock) -> str:
    if not service.image:
        return "No image to be pulled"
    if service.image == HOST_IMAGE:
        return "Image is this machine itself"
    if policy in (PullPolicy.NEVER, PullPolicy.BUILD):
        return f"Its pull policy is {policy.value}"
    here = policy is PullPolicy.MISSING and stock.has(service.image)
    return "Image is already present locally" if here and not _is_latest(service.image) else ""


def _is_latest(image: str) -> bool:
    name, _, tag = image.rpartition(":")
    tagged = name and "/" not in tag
    return "@" not in image and (not tagged or tag == "latest")


def _builds(project: Project, image: str) -> bool:
    return any(service.image == image and service.build is not None for service in project.services)
