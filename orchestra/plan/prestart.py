"""`pre_start`: commands that run to their end in containers of their own before a service starts.

compose-spec 05-services.md#pre_start. When they are due, and what their containers look like. Pure.
A container is removed when its command has succeeded, and kept when it has failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model import labels
from orchestra.model.container import ContainerId, MountKind, Security
from orchestra.model.service import Service, ServiceHealthCheck
from orchestra.model.structs import msgspec
from orchestra.plan.container import Identity, container_spec
from orchestra.plan.decide import Action, Decision
from orchestra.plan.mounts import Volumes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.container import ContainerSpec
    from orchestra.model.service import PreStart
    from orchestra.plan.desired import Desired
    from orchestra.plan.networking import Peers

_NEW = (Action.CREATE, Action.RECREATE)


def is_due(decisions: Iterable[Decision]) -> bool:
    """Do the commands run before *decisions* about one service are carried out?

    They do when it is made anew, or has never been started because one of them has failed. They
    do not when it is only started again, nor when replicas are added to those that there are.
    """
    coming = [decision for decision in decisions if decision.action is not Action.REMOVE]
    return bool(coming) and all(_is_first_start(decision) for decision in coming)


def _is_first_start(decision: Decision) -> bool:
    existing = decision.existing
    never_ran = existing is not None and not existing.started_ns
    return decision.action in _NEW or (decision.action is Action.START and never_ran)


def describe(service: Service, position: int) -> str:
    """Names step *position* and its command, for people."""
    from shlex import join

    step = service.pre_start[position]
    return f'service "{service.name}" pre_start[{position}] ({join(step.hook.argv) or step.image})'


def hook_spec(
    desired: Desired,
    service: Service,
    position: int,
    of: ContainerSpec,
    *,
    peers: Peers,
    new_id: str,
) -> ContainerSpec:
    """The container for step *position* of *service*, with the volumes and files of *of*.

    It is on the networks of the service, without its names and fixed addresses.
    """
    step = service.pre_start[position]
    image = desired.other_images[step.image] if step.image else desired.images[service.name]
    number = (of.number,) if step.per_replica else ()
    spec = container_spec(
        desired.project,
        _step_service(service, step),
        image,
        Identity(
            id=ContainerId(new_id),
            name=desired.project.made_up_name(service.name, "pre_start", position + 1, *number),
            number=position + 1,
            config_hash=of.config_hash,
            oneoff=True,
        ),
        peers=peers,
        volumes=Volumes(str),
    )
    return msgspec.structs.replace(
        spec,
        labels=(*spec.labels, (labels.HOOK, labels.PRE_START)),
        mounts=tuple(mount for mount in of.mounts if mount.kind is not MountKind.TMPFS),
        files=of.files,
    )


def _step_service(service: Service, step: PreStart) -> Service:
    """What the service would be if it ran only this step."""
    hook = step.hook
    networks = tuple(
        msgspec.structs.replace(
            use, aliases=(), ipv4_address="", ipv6_address="", mac_address="", link_local_ips=()
        )
        for use in service.networks
    )
    return Service(
        name=service.name,
        image=step.image or service.image,
        command=hook.argv or None,
        environment=(*service.environment, *hook.env),
        working_dir=hook.cwd or service.working_dir,
        user=hook.user or ("" if step.image else service.user),
        security=Security(privileged=hook.privileged, options=service.security.options),
        networks=networks,
        network_mode=service.network_mode,
        dns=service.dns,
        extra_hosts=service.extra_hosts,
        logging=service.logging,
        healthcheck=ServiceHealthCheck(disable=True),
    )
