"""`pull`, and the pulls before `up`, `create` and `run`: images of services from registries."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound, RegistryError
from orchestra.image.platform import machine_platform, parse_platform
from orchestra.image.reference import parse_reference
from orchestra.named import NamedTuple
from orchestra.ops.layers import layer_progress
from orchestra.plan.desired import Dependencies, select_services
from orchestra.plan.events import Phase, Progress
from orchestra.plan.pulling import pulls_before_up, pulls_on_request
from orchestra.registry.base import LayerProgress, PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestra.errors import OrchestraError
    from orchestra.model.project import Project
    from orchestra.model.service import PullPolicy
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from orchestra.plan.pulling import Pulling
    from orchestra.registry.base import PullEnded

PLATFORM_VARIABLE = "DOCKER_DEFAULT_PLATFORM"


class PullFailed(RegistryError):
    """An image that a service needs cannot be pulled."""

    exit_code = 18  # as Docker Compose


class PullOptions(NamedTuple):
    """What `pull` was asked; no services: all of them."""

    services: tuple[str, ...] = ()
    policy: PullPolicy | None = None
    include_dependencies: bool = False
    ignore_failures: bool = False
    ignore_buildable: bool = False
    quiet: bool = False


def pull(host: Host, project: Project, options: PullOptions, report: Report) -> None:
    """Pull the images of the services. Raises PullFailed for the first that cannot be had."""
    pulls = decide_pulls(host, project, options, report)
    failed = _pull_all(host, project, pulls, report, quiet=options.quiet)
    must_build = [pulling.service for pulling, _ in failed if pulling.can_be_built]
    if must_build:
        hint = f"some images must be built: orchestra build {' '.join(must_build)}"
        report(Progress("", Phase.WARNING, hint))
    if not options.ignore_failures:
        _raise_first(failed)


def decide_pulls(
    host: Host, project: Project, options: PullOptions, report: Report
) -> list[Pulling]:
    """What `pull` pulls; why other services' images are not pulled is reported."""
    chosen = select_services(
        project,
        options.services,
        Dependencies.INCLUDED if options.include_dependencies else Dependencies.LEFT_OUT,
    )
    pulls = pulls_on_request(
        chosen, options.policy, LocalStock(host), ignore_buildable=options.ignore_buildable
    )
    for skipped in pulls:
        if skipped.skipped:
            report(Progress(skipped.service, Phase.DONE, f"Skipped - {skipped.skipped}"))
    return [pulling for pulling in pulls if not pulling.skipped]


def pull_missing(
    host: Host, project: Project, policy: PullPolicy | None, report: Report, *, quiet: bool = False
) -> None:
    """Pull what the services of *project* need, by their pull policies or else *policy*.

    An image that can be built instead may fail. Raises PullFailed.
    """
    pulls = pulls_before_up(project, policy, LocalStock(host))
    _raise_first(
        each
        for each in _pull_all(host, project, pulls, report, quiet=quiet)
        if not each[0].can_be_built
    )


class LocalStock:
    """`plan.pulling.Stock` of this machine."""

    def __init__(self, host: Host) -> None:
        self._images = host.images()

    def has(self, image: str) -> bool:
        try:
            self._images.resolve(image)
        except NotFound:
            return False
        return True

    def age_s(self, image: str) -> float:
        return (time.time_ns() - self._images.checked_ns(image)) / 1e9


def _raise_first(failed: Iterable[tuple[Pulling, OrchestraError]]) -> None:
    for pulling, error in failed:
        what = error.what
        if pulling.image not in what:  # of a registry that is out of reach only the host is told
            what = f"cannot pull {pulling.image}: {what}"
        raise PullFailed(f'service "{pulling.service}": {what}', fix=error.fix).at(
            "services", pulling.service, "image"
        ) from error


def _pull_all(
    host: Host, project: Project, pulls: Sequence[Pulling], report: Report, *, quiet: bool
) -> list[tuple[Pulling, OrchestraError]]:
    """Pull them at once; those that failed, with the reason."""
    environment = dict(project.environment)
    requests = {_request(pulling, environment): pulling for pulling in pulls}
    failed = []
    tell = _Teller(requests, report, quiet=quiet)
    for pulling in pulls:
        report(Progress(pulling.service, Phase.WORKING, "Pulling"))
    for event in host.pull(tuple(requests)):
        if isinstance(event, LayerProgress):
            tell.layer(event)
            continue
        tell.ended(event)
        if event.error is not None:
            failed.append((requests[event.request], event.error))
    return failed


def _request(pulling: Pulling, environment: Mapping[str, str]) -> PullRequest:
    chosen = pulling.platform or environment.get(PLATFORM_VARIABLE, "")
    machine = machine_platform(os.uname().machine)
    try:
        reference = parse_reference(pulling.image)
    except ConfigError as exc:
        raise exc.at("services", pulling.service, "image") from exc
    return PullRequest(
        reference, parse_platform(chosen) if chosen else machine, is_chosen=bool(chosen)
    )


class _Teller:
    """Turns what registries tell into progress of services and layers."""

    def __init__(
        self, requests: Mapping[PullRequest, Pulling], report: Report, *, quiet: bool
    ) -> None:
        self._pulls = requests
        self._services = {request.reference: p.service for request, p in requests.items()}
        self._report = report
        self._quiet = quiet

    def layer(self, event: LayerProgress) -> None:
        if not self._quiet:
            self._report(layer_progress(event, parent=self._services[event.image]))

    def ended(self, event: PullEnded) -> None:
        pulling = self._pulls[event.request]
        if event.error is None:
            self._report(Progress(pulling.service, Phase.DONE, "Pulled"))
            return
        phase = Phase.WARNING if pulling.can_be_built else Phase.FAILED
        self._report(Progress(pulling.service, phase, "Error", event.error.what))
