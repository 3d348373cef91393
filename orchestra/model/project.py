"""Project: a compose project, loaded, with nothing left to interpret."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from orchestra.model.container import Frozen, Pairs
from orchestra.model.network import NetworkSpec, VolumeSpec
from orchestra.model.service import Service
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class DeclaredFile(Frozen, frozen=True, kw_only=True):
    """A config or secret of the project: the host file *file*, or *content*.

    *content* holds the value of the variable *environment* too, when that was set.
    """

    key: str
    name: str
    file: str = ""
    content: str = ""
    environment: str = ""
    external: bool = False
    labels: Pairs = ()
    driver: str = ""
    driver_opts: Pairs = ()
    template_driver: str = ""


class Model(Frozen, frozen=True, kw_only=True):
    """An AI model that the project's services use."""

    key: str
    name: str
    model: str
    context_size: int = 0
    runtime_flags: tuple[str, ...] = ()


class Project(Frozen, frozen=True, kw_only=True):
    """Services are those that are enabled and, when a command names some, selected.

    The others are in *disabled_services*: their containers are no orphans. Their env files have
    not been read.

    Networks, volumes, configs and secrets are those that enabled services use, as Docker Compose
    creates no others; all collections keep a stable order.
    """

    name: str
    working_dir: str
    all_resources: bool = False  # networks and volumes that no service uses are made too
    separator: str = "-"  # in names that are made up, such as PROJECT-SERVICE-1; "_" as of old
    compose_files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    disabled_services: tuple[Service, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    volumes: tuple[VolumeSpec, ...] = ()
    configs: tuple[DeclaredFile, ...] = ()
    secrets: tuple[DeclaredFile, ...] = ()
    models: tuple[Model, ...] = ()
    environment: Pairs = ()  # shell over .env: what interpolation saw
    extensions: tuple[tuple[str, str], ...] = ()  # "x-…" -> JSON

    def image_of(self, service: Service) -> str:
        """`image`, or PROJECT-SERVICE for what is only built."""
        return service.image or self.made_up_name(service.name)

    def made_up_name(self, *parts: str | int) -> str:
        """The project's name and *parts* as one name."""
        return self.separator.join(map(str, (self.name, *parts)))

    @property
    def service_names(self) -> tuple[str, ...]:
        return tuple(service.name for service in self.services)

    def service(self, name: str) -> Service:
        """The enabled service *name*. Raises KeyError."""
        return _named(self.services, name)

    def network(self, key: str) -> NetworkSpec:
        """The network that the compose file calls *key*. Raises KeyError."""
        return _keyed(self.networks, key)

    def volume(self, key: str) -> VolumeSpec:
        """The volume that the compose file calls *key*. Raises KeyError."""
        return _keyed(self.volumes, key)

    def config(self, key: str) -> DeclaredFile:
        """The config that the compose file calls *key*. Raises KeyError."""
        return _keyed(self.configs, key)

    def secret(self, key: str) -> DeclaredFile:
        """The secret that the compose file calls *key*. Raises KeyError."""
        return _keyed(self.secrets, key)

    def with_services(self, services: Iterable[Service]) -> Project:
        """A copy whose enabled services are *services*."""
        return msgspec.structs.replace(self, services=tuple(services))

    def with_profiles(self, profiles: Iterable[str]) -> Project:
        """A copy in which the services of *profiles* are enabled; "*" enables all."""
        wanted = frozenset(profiles)
        everything = sorted(
            (*self.services, *self.disabled_services), key=lambda service: service.name
        )
        enabled: list[Service] = []
        disabled: list[Service] = []
        for service in everything:
            on = not service.profiles or "*" in wanted or not wanted.isdisjoint(service.profiles)
            (enabled if on else disabled).append(service)
        return msgspec.structs.replace(
            self,
            profiles=tuple(sorted(wanted)),
            services=tuple(enabled),
            disabled_services=tuple(disabled),
        )


_Declared = TypeVar("_Declared", NetworkSpec, VolumeSpec, DeclaredFile)


def _named(services: tuple[Service, ...], name: str) -> Service:
    for service in services:
        if service.name == name:
            return service
    raise KeyError(name)


def _keyed(items: tuple[_Declared, ...], key: str) -> _Declared:
    for item in items:
        if item.key == key:
            return item
    raise KeyError(key)
