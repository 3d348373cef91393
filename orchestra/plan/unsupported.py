"""Compose attributes that have no effect here: refused, or said once by name. Pure.

Refused is what Docker on Linux refuses as well, and what would leave a container without a limit
or a separation that somebody relies on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.model.service import Service

_RUNTIMES = frozenset({"", "runc", "io.containerd.runc.v2"})
_WINDOWS = "it is for Windows"


def ignored_attributes(services: Iterable[Service], *, has_api_socket: bool) -> tuple[str, ...]:
    """One sentence per attribute that is used and has no effect, with the services that use it."""
    users: dict[tuple[str, str], list[str]] = {}
    for service in services:
        for used in _ignored(service, has_api_socket=has_api_socket):
            users.setdefault(used, []).append(service.name)
    return tuple(
        f"`{attribute}` has no effect: {reason} (services: {', '.join(names)})"
        for (attribute, reason), names in sorted(users.items())
    )


def _ignored(service: Service, *, has_api_socket: bool) -> Iterator[tuple[str, str]]:
    """(attribute, why)"""
    for attribute in ("cpu_count", "cpu_percent", "credential_spec"):
        if getattr(service, attribute):
            yield attribute, _WINDOWS
    if service.models:
        yield "models", "no model runner is started, and the variables of its address are not set"
    if service.use_api_socket and not has_api_socket:
        yield "use_api_socket", "DOCKER_HOST names no socket of an engine"


def refuse(service: Service) -> None:
    """Raises Unsupported for what *service* wants and cannot have."""
    if service.runtime not in _RUNTIMES:
        raise _refused(
            service,
            "runtime",
            f"unknown or invalid runtime name: {service.runtime}",
            "containers are run by orchestra itself, as runc would; leave it out",
        )
    if service.isolation not in ("", "default"):
        raise _refused(
            service,
            "isolation",
            f'Invalid isolation: "{service.isolation}": Linux only supports "default"',
            "leave it out",
        )
    for option, value in service.storage_opts:
        raise _refused(
            service,
            "storage_opt",
            f"{option}={value}: the size of a container's writable layer cannot be limited",
            "leave it out, and bound what is written by a volume or tmpfs with a size",
        )


def _refused(service: Service, attribute: str, what: str, fix: str) -> Unsupported:
    error = Unsupported(f'service "{service.name}": {what}', fix=fix)
    return error.at("services", service.name, attribute)
