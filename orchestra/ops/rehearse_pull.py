"""The pulls of a dry run: told, not done, and what would have come of them is taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.container import ImageId
from orchestra.model.image import ImageConfig
from orchestra.ops.pull import LocalStock
from orchestra.plan.events import Phase, Progress
from orchestra.plan.pulling import pulls_before_up

if TYPE_CHECKING:
    from orchestra.image.base import ImageStore
    from orchestra.model.project import Project
    from orchestra.model.service import PullPolicy
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report

_UNSEEN = ImageConfig(id=ImageId(""), command=("unknown",))
"""An image that nobody has looked into: enough to plan with, not to run."""


class _AsIfPulled:
    """`image.base.ImageStore` of *images*, and of those that are *missing* as well."""

    def __init__(self, images: ImageStore, missing: frozenset[str]) -> None:
        self._images = images
        self._missing = missing

    def resolve(self, reference: str) -> ImageConfig:
        return _UNSEEN if reference in self._missing else self._images.resolve(reference)

    def checked_ns(self, reference: str) -> int:
        return 0 if reference in self._missing else self._images.checked_ns(reference)


def rehearse_pulls(
    host: Host, project: Project, policy: PullPolicy | None, report: Report
) -> ImageStore:
    """Report what `up` would pull for the services of *project*; the images there would be."""
    stock = LocalStock(host)
    pulls = pulls_before_up(project, policy, stock)
    for pulling in pulls:
        report(Progress(pulling.service, Phase.WORKING, "Pulling"))
        report(Progress(pulling.service, Phase.DONE, "Pulled"))
    missing = frozenset(each.image for each in pulls if not stock.has(each.image))
    return _AsIfPulled(host.images(), missing)
