"""The pulls of a dry run: told, not done, and what would have come of them is taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.container import ImageId
from orchestra.model.image import ImageConfig
from orchestra.ops.pull import LocalStock, decide_pulls
from orchestra.plan.events import Phase, Progress
from orchestra.plan.pulling import pulls_before_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.image.base import ImageStore
    from orchestra.model.project import Project
    from orchestra.model.service import PullPolicy
    from orchestra.ops.host import Host
    from orchestra.ops.pull import PullOptions
    from orchestra.plan.events import Report
    from orchestra.plan.pulling import Pulling

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
    _tell(pulls, report)
    missing = frozenset(each.image for each in pulls if not stock.has(each.image))
    return _AsIfPulled(host.images(), missing)


def rehearse_pull(host: Host, project: Project, options: PullOptions, report: Report) -> None:
    """Report what `pull` would pull, and pull nothing."""
    _tell(decide_pulls(host, project, options, report), report)


def _tell(pulls: Iterable[Pulling], report: Report) -> None:
    for pulling in pulls:
        report(Progress(pulling.service, Phase.WORKING, "Pulling"))
        report(Progress(pulling.service, Phase.DONE, "Pulled"))
