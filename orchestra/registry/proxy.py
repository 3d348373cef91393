"""Which proxy a URL goes through, by the variables that curl, Docker and everybody obey."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(scheme: str, host: str, environ: Mapping[str, str]) -> str:
    """The proxy's URL for *host* ("name", "name:port", "[::1]:port"); "" for a direct way.

    `HTTPS_PROXY` or `HTTP_PROXY` by *scheme*, then `ALL_PROXY`; lower case wins. This machine is
    always reached directly.
    """
    bare = _without_port(host)
    if bare == "localhost" or _is_loopback(bare):
        return ""
    for excepted in _variable(environ, "no_proxy").replace(" ", ",").split(","):
        if excepted and _matches(bare, host, excepted):
            return ""
    proxy = _variable(environ, f"{scheme}_proxy") or _variable(environ, "all_proxy")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).strip("[]").lower()


def _is_loopback(bare: str) -> bool:
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def _matches(bare: str, host: str, excepted: str) -> bool:
    """`*`, a network, "host:port", or a domain with all below it (with or without a dot)."""
    if excepted == "*" or excepted.lower() == host.lower():
        return True
    try:
        return ipaddress.ip_address(bare) in ipaddress.ip_network(excepted, strict=False)
    except ValueError:
        domain = excepted.lower().lstrip("*").lstrip(".")
        return bool(domain) and (bare == domain or bare.endswith(f".{domain}"))
