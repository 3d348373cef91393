"""Compose attributes that no engine here obeys: said by name when a container is made. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.model.service import Service

_EFFECTLESS = (
    "credential_spec",
    "cpu_count",
    "cpu_percent",
    "gpus",
    "isolation",
    "models",
    "provider",
    "storage_opt",
    "use_api_socket",
)
"""Attributes that have no effect yet, as users write them; each has an issue of its own."""

_FIELDS = {"storage_opt": "storage_opts"}
"""Where Service calls an attribute otherwise."""


def ignored_attributes(services: Iterable[Service]) -> tuple[str, ...]:
    """One sentence per attribute that is used and has no effect, with the services that use it."""
    users: dict[str, list[str]] = {}
    for service in services:
        for attribute in _used(service):
            users.setdefault(attribute, []).append(service.name)
    return tuple(
        f"`{attribute}` has no effect yet (services: {', '.join(names)})"
        for attribute, names in sorted(users.items())
    )


def _used(service: Service) -> Iterator[str]:
    for attribute in _EFFECTLESS:
        if getattr(service, _FIELDS.get(attribute, attribute)):
            yield attribute
    if service.runtime:
        yield "runtime"
    for device in service.devices:
        if not device.source.startswith("/"):
            yield "devices (CDI)"
            return
