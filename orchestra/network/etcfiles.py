"""A container's /etc/hosts and /etc/resolv.conf, from its spec and what the host has there.

Needs no network: what stands on none has these files as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.container import NetworkMode
from orchestra.network.resolvconf import (
    embedded_resolv_conf,
    host_resolv_conf,
    hosts_text,
    parse_resolv_conf,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.model.container import ContainerSpec

_HOST_GATEWAY = "host-gateway"


def hosts(spec: ContainerSpec, addresses: Sequence[str] = (), gateway: str = "") -> str:
    """With the container's name for each of *addresses*; *gateway* is how it reaches the host."""
    extra = tuple(
        (name, (gateway or "127.0.0.1") if address == _HOST_GATEWAY else address)
        for name, address in spec.extra_hosts
    )
    if spec.network_mode is NetworkMode.HOST:
        return _read("/etc/hosts") + "".join(f"{address}\t{name}\n" for name, address in extra)
    hostname = spec.hostname or spec.id[:12]
    names = (f"{hostname}.{spec.domainname}", hostname) if spec.domainname else (hostname,)
    return hosts_text(names, addresses, extra)


def resolv_conf(spec: ContainerSpec, *, has_name_server: bool = False) -> str:
    """*has_name_server*: ours answers in the container's network namespace."""
    text = _read("/etc/resolv.conf")
    if has_name_server:
        return embedded_resolv_conf(parse_resolv_conf(text), spec.dns)
    return host_resolv_conf(text, spec.dns)


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
