"""Service + image + number -> ContainerSpec: the image's defaults merged in as Docker does. Pure.

Mounts are in `mounts`, networks and namespaces in `networking`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.model import labels
from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    Frozen,
    HealthCheck,
    LogConfig,
    Pairs,
    Process,
)
from orchestra.model.structs import msgspec
from orchestra.plan.devicerequests import cdi_devices
from orchestra.plan.limits import check_limits
from orchestra.plan.mounts import container_files, container_mounts
from orchestra.plan.networking import attachment, namespaces
from orchestra.plan.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.image import ImageConfig
    from orchestra.model.project import Project
    from orchestra.model.service import Service, ServiceHealthCheck
    from orchestra.plan.mounts import Volumes
    from orchestra.plan.networking import Peers

_DEFAULT_SHM_BYTES = 64 * 1024 * 1024
_DEFAULT_GRACE_S = 10.0


class Identity(Frozen, frozen=True, kw_only=True):
    """Which container of the service this is; *aliases* are its names on every network."""

    id: ContainerId
    name: str
    number: int
    config_hash: str
    oneoff: bool = False
    aliases: tuple[str, ...] = ()


def container_name(project: Project, service: Service, number: int) -> str:
    """`container_name`, or PROJECT-SERVICE-NUMBER."""
    return service.container_name or project.made_up_name(service.name, number)


def container_spec(
    project: Project,
    service: Service,
    image: ImageConfig,
    identity: Identity,
    *,
    peers: Peers,
    volumes: Volumes,
) -> ContainerSpec:
    """The complete description of one container of *service*.

    Raises ConfigError for no command, a relative directory or an unknown namespace, Unsupported
    for mounts that cannot be made and NotFound for a namespace of nobody.
    """
    refuse(service)
    check_limits(service)
    network = attachment(project, service, peers, names=identity.aliases)
    described = ContainerSpec(
        id=identity.id,
        name=identity.name,
        project=project.name,
        service=service.name,
        image=project.image_of(service),
        image_id=image.id,
        process=_process(service, image),
        number=identity.number,
        oneoff=identity.oneoff,
        config_hash=identity.config_hash,
        labels=_labels(project, service, image, identity),
        annotations=service.annotations,
        mounts=container_mounts(
            project,
            service,
            image,
            volumes,
        ),
        files=container_files(project, service),
        network_mode=network.mode,
        network_container=network.container,
        endpoints=network.endpoints,
        exposed_ports=_exposed(service, image),
        namespaces=namespaces(service, peers),
        healthcheck=_healthcheck(service.healthcheck, image.healthcheck),
        stop_signal=service.stop_signal or image.stop_signal or "SIGTERM",
    )
    return _with_attributes(described, service)


def _with_attributes(spec: ContainerSpec, service: Service) -> ContainerSpec:
    """*spec* with what is taken from the service as it is."""
    return msgspec.structs.replace(
        spec,
        hostname=service.hostname,
        domainname=service.domainname,
        devices=tuple(each for each in service.devices if each.source.startswith("/")),
        cdi_devices=cdi_devices(service),
        shm_bytes=service.shm_bytes or _DEFAULT_SHM_BYTES,
        storage_opts=service.storage_opts,
        ports=tuple(entry.port for entry in service.ports),
        dns=service.dns,
        extra_hosts=service.extra_hosts,
        resources=service.resources,
        security=service.security,
        restart=service.restart,
        stop_grace_s=_DEFAULT_GRACE_S if service.stop_grace_s is None else service.stop_grace_s,
        log=service.logging or LogConfig(),
        post_start=service.post_start,
        pre_stop=service.pre_stop,
    )


def _process(service: Service, image: ImageConfig) -> Process:
    if service.working_dir and not service.working_dir.startswith("/"):
        raise ConfigError(
            f'service "{service.name}": the working directory "{service.working_dir}" is not'
            " an absolute path",
            fix=f'write "/{service.working_dir}"',
        ).at("services", service.name, "working_dir")
    entrypoint, command = _argv(service, image)
    return Process(
        argv=(*entrypoint, *command),
        entrypoint_words=len(entrypoint),
        env=_environment(service, image),
        cwd=service.working_dir or image.cwd or "/",
        user=service.user or image.user,
        groups=service.group_add,
        ulimits=service.ulimits,
        oom_score_adj=service.oom_score_adj,
        tty=service.tty,
        stdin_open=service.stdin_open,
        init=bool(service.init),
    )


def _argv(service: Service, image: ImageConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Entrypoint and command, as moby daemon/commit.go `merge`.

    An entrypoint of one's own drops the image's command.
    """
    entrypoint, command = service.entrypoint, service.command
    if not entrypoint and not command:
        command = image.command
    if entrypoint is None:
        entrypoint = image.entrypoint
    if entrypoint == ("",):
        entrypoint = ()
    if not entrypoint and not command:
        raise ConfigError(
            f'service "{service.name}": no command: neither the service nor its image has one',
            fix="add `command:` to the service",
        ).at("services", service.name)
    return entrypoint, command or ()


def _environment(service: Service, image: ImageConfig) -> Pairs:
    merged: dict[str, str] = dict(image.env)
    for name, value in service.environment:
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return tuple(merged.items())


def _exposed(service: Service, image: ImageConfig) -> tuple[str, ...]:
    published = (f"{entry.port.container_port}/{entry.port.protocol}" for entry in service.ports)
    return tuple(dict.fromkeys((*image.exposed_ports, *service.expose, *published)))


def _healthcheck(
    wanted: ServiceHealthCheck | None, image: HealthCheck | None
) -> HealthCheck | None:
    """What the service leaves open comes from the image, then from Docker's defaults."""
    if wanted is None:
        return image
    test = wanted.test or (image.test if image is not None else ())
    if wanted.disable or not test or test[0] == "NONE":
        return None
    base = image or HealthCheck(test=test)

    def pick(value: float | None, default: float) -> float:
        return default if value is None else value

    return HealthCheck(
        test=test,
        interval_s=pick(wanted.interval_s, base.interval_s),
        timeout_s=pick(wanted.timeout_s, base.timeout_s),
        start_period_s=pick(wanted.start_period_s, base.start_period_s),
        start_interval_s=pick(wanted.start_interval_s, base.start_interval_s),
        retries=base.retries if wanted.retries is None else wanted.retries,
    )


def _labels(project: Project, service: Service, image: ImageConfig, identity: Identity) -> Pairs:
    """The image's, the service's, then Docker Compose's, the later ones winning."""
    merged: dict[str, str] = dict(image.labels)
    merged.update(service.labels)
    merged.update(
        {
            labels.PROJECT: project.name,
            labels.SERVICE: service.name,
            labels.ONEOFF: "True" if identity.oneoff else "False",
            labels.CONFIG_HASH: identity.config_hash,
            labels.CONFIG_FILES: ",".join(project.compose_files),
            labels.WORKING_DIR: project.working_dir,
            labels.DEPENDS_ON: depends_on_label(service),
            labels.IMAGE: image.id,
        }
    )
    if not identity.oneoff:
        merged[labels.CONTAINER_NUMBER] = str(identity.number)
    if project.env_files:
        merged[labels.ENVIRONMENT_FILE] = ",".join(project.env_files)
    return tuple(merged.items())


def depends_on_label(service: Service) -> str:
    """`db:service_healthy:false,…`, so that `stop` knows the order without the compose file."""
    return ",".join(
        f"{edge.service}:{edge.condition.value}:{str(edge.restart).lower()}"
        for edge in service.depends_on
    )


def linked_names(services: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """The names that `links` of others give a service, by service; its own are not among them."""
    names: dict[str, dict[str, None]] = {}
    for service in services:
        for target, alias in service.links:
            if alias != target:
                names.setdefault(target, {})[alias] = None
    return {target: tuple(sorted(found)) for target, found in names.items()}
