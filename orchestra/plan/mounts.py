"""A service's mounts, as an engine takes them. Pure.

Anonymous volumes are those of `volumes` entries without a source and of the image's VOLUMEs that
nothing else is mounted on. A recreated container gets the ones of its predecessor back, by target.
"""

from __future__ import annotations

from posixpath import normpath
from typing import TYPE_CHECKING

from orchestra.errors import Unsupported
from orchestra.model.container import FileContent, Mount, MountKind
from orchestra.model.service import VolumeKind
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.model.image import ImageConfig
    from orchestra.model.project import DeclaredFile, Project
    from orchestra.model.service import FileReference, Service, ServiceVolume


API_SOCKET = "/var/run/docker.sock"
"""Where clients in containers expect the Engine API."""

_UNIX = "unix://"


class Volumes(NamedTuple):
    """What a container's mounts are made of, besides the service.

    *new_name* names a new anonymous volume; *inherited* maps targets to those of the container that
    is replaced; *borrowed* are the mounts of the `volumes_from` containers, which the service's own
    cover; *images* are those that are mounted, by reference.
    """

    new_name: Callable[[], str]
    inherited: Mapping[str, str] = {}
    borrowed: tuple[Mount, ...] = ()
    images: Mapping[str, ImageConfig] = {}


def mounted_images(service: Service) -> tuple[str, ...]:
    """The references of the images that *service* mounts."""
    return tuple(v.source for v in service.volumes if v.kind is VolumeKind.IMAGE)


def container_mounts(
    project: Project, service: Service, image: ImageConfig, volumes: Volumes
) -> tuple[Mount, ...]:
    """All mounts of a container of *service*, one per target, shallow targets first.

    Raises Unsupported for kinds of mounts that no engine has.
    """
    mounts: dict[str, Mount] = {}

    def anonymous(target: str, asked: ServiceVolume | None = None) -> Mount:
        mount = Mount(
            kind=MountKind.VOLUME,
            target=target,
            source=volumes.inherited.get(target) or volumes.new_name(),
            anonymous=True,
        )
        if asked is None:
            return mount
        return msgspec.structs.replace(
            mount, read_only=asked.read_only, no_copy=asked.no_copy, labels=asked.labels
        )

    for mount in volumes.borrowed:
        mounts[mount.target] = mount
    for volume in service.volumes:
        target = normpath(volume.target)
        if volume.kind is VolumeKind.VOLUME and not volume.source:
            mounts[target] = anonymous(target, volume)
        elif volume.kind is VolumeKind.IMAGE:
            mounts[target] = Mount(
                kind=MountKind.IMAGE,
                target=target,
                source=volumes.images[volume.source].id,
                read_only=volume.read_only,
                subpath=volume.subpath,
            )
        else:
            mounts[target] = _declared_mount(project, service, volume, target)
    socket = api_socket(project) if service.use_api_socket else ""
    if socket:
        mounts.setdefault(API_SOCKET, Mount(kind=MountKind.BIND, source=socket, target=API_SOCKET))
    for entry in service.tmpfs:
        target, _, options = entry.partition(":")
        mounts[normpath(target)] = Mount(
            kind=MountKind.TMPFS, target=normpath(target), options=options
        )
    for path in map(normpath, image.volumes):
        if path not in mounts:
            mounts[path] = anonymous(path)
    return tuple(sorted(mounts.values(), key=lambda mount: mount.target.count("/")))


def api_socket(project: Project) -> str:
    """The Engine API socket that DOCKER_HOST names, for `use_api_socket`; "" when it names none."""
    for name, value in project.environment:
        if name == "DOCKER_HOST" and value.startswith(_UNIX):
            return value.removeprefix(_UNIX)
    return ""


def _declared_mount(
    project: Project, service: Service, volume: ServiceVolume, target: str
) -> Mount:
    match volume.kind:
        case VolumeKind.BIND:
            return Mount(
                kind=MountKind.BIND,
                target=target,
                source=volume.source,
                read_only=volume.read_only,
                create_source=volume.create_host_path,
                propagation=volume.propagation,
                recursive=volume.recursive != "disabled",
                is_open_below=volume.recursive == "writable",
                selinux=volume.selinux,
            )
        case VolumeKind.VOLUME:
            return Mount(
                kind=MountKind.VOLUME,
                target=target,
                source=project.volume(volume.source).name,
                read_only=volume.read_only,
                subpath=volume.subpath,
                no_copy=volume.no_copy,
            )
        case VolumeKind.TMPFS:
            return Mount(
                kind=MountKind.TMPFS,
                target=target,
                read_only=volume.read_only,
                size_bytes=volume.tmpfs_bytes,
                mode=volume.tmpfs_mode,
            )
        case _:  # IMAGE is not declared anywhere else: see above
            raise Unsupported(
                f'service "{service.name}": mounts of type "{volume.kind.value}" cannot be made'
                f" ({target})",
                fix="use a bind, volume, tmpfs or image mount",
            ).at("services", service.name, "volumes")


def container_files(project: Project, service: Service) -> tuple[FileContent, ...]:
    """The configs and secrets of *service*. Raises Unsupported for external ones."""
    return (
        *(_file(project.config(use.source), use, "config") for use in service.configs),
        *(_file(project.secret(use.source), use, "secret") for use in service.secrets),
    )


def _file(declared: DeclaredFile, use: FileReference, kind: str) -> FileContent:
    if declared.external:
        raise Unsupported(
            f'{kind} "{declared.name}" is external, and there is no store of external {kind}s here',
            fix="give it a file, content or an environment variable",
        ).at(f"{kind}s", declared.key)
    return FileContent(
        target=use.target,
        source=declared.file,
        content=declared.content,
        uid=use.uid,
        gid=use.gid,
        mode=use.mode,
    )
