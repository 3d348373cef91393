"""`image pull`: one image by name, of no project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, RegistryError
from orchestra.image.platform import machine_platform, parse_platform
from orchestra.image.reference import parse_reference
from orchestra.named import NamedTuple
from orchestra.ops.layers import layer_progress
from orchestra.plan.pulling import HOST_IMAGE
from orchestra.registry.base import LayerProgress, PullRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.image.reference import Reference
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report


class PulledImage(NamedTuple):
    """*digest* is what the registry has under the name; *is_new* if it was not here before."""

    reference: Reference
    digest: str
    is_new: bool


def all_tags(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The names of all tags that the registry has of *name*'s repository.

    Raises ConfigError for a name with a tag, RegistryError.
    """
    reference = parse_reference(name)
    if reference.digest or name.rpartition("/")[2].count(":"):
        raise ConfigError(
            "a tag cannot be used with --all-tags", fix=f"write {reference.familiar_name}"
        )
    from orchestra.registry.configuration import load_configuration
    from orchestra.registry.registries import Registries

    with Registries(load_configuration(environ), environ) as registries:
        tags = registries.reading(reference, lambda client: client.tags())
    return tuple(f"{reference.name}:{tag}" for tag in sorted(tags))


def image_pull(
    host: Host, name: str, platform: str, report: Report, begin: Callable[[Reference], None]
) -> PulledImage:
    """Pull the image *name* for *platform*, "" being this machine's.

    *begin* is told the complete name before anything happens. Raises ConfigError, RegistryError,
    Unsupported.
    """
    if name == HOST_IMAGE:
        raise ConfigError(
            "`host` is the operating system of this machine, and always there",
            fix="for an image of that name at Docker Hub write docker.io/library/host",
        )
    reference = parse_reference(name)
    request = PullRequest(
        reference,
        parse_platform(platform) if platform else machine_platform(os.uname().machine),
        is_chosen=bool(platform),
    )
    begin(reference)
    ended = None
    for event in host.pull((request,)):
        if isinstance(event, LayerProgress):
            report(layer_progress(event))
        else:
            ended = event
    if ended is None or ended.pulled is None:
        failure = RegistryError(f"nothing came for {reference.familiar}")
        raise failure if ended is None or ended.error is None else ended.error
    return PulledImage(reference, ended.pulled.digest, ended.pulled.is_new)
