"""How to reach registries: mirrors, own CAs, plain HTTP and proxies, from files and environment.

`registries.toml` in `/etc/orchestra`, then in `~/.config/orchestra`; the later one wins for each
registry. `/etc/docker/certs.d/HOST` counts for what neither says. Secrets are not kept here, see
`credentials`.

    [registry."docker.io"]
    mirrors = ["https://mirror.example:5000"]

    [registry."build.example:5000"]
    insecure = true
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from typing import TYPE_CHECKING

import msgspec

from orchestra.errors import ConfigError
from orchestra.model.container import Frozen
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER_HUB = "docker.io"
_HUB_HOST = "registry-1.docker.io"
_SYSTEM_FILE = "/etc/orchestra/registries.toml"
_CERTIFICATES = "/etc/docker/certs.d"
DEFAULT_TIMEOUT_S = 30.0

_Said = dict[str, object]
"""Settings by their names, checked."""


class RegistrySettings(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One registry. *insecure* allows plain HTTP and certificates that nobody vouches for."""

    mirrors: tuple[str, ...] = ()  # URLs or HOST[:PORT], asked before the registry itself
    insecure: bool = False
    ca: str | tuple[str, ...] = ()  # files of certificates, trusted besides the system's
    client_certificate: str = ""
    client_key: str = ""
    proxy: str = ""  # a URL; empty: the environment's
    timeout_s: float = DEFAULT_TIMEOUT_S  # without one byte

    @property
    def cas(self) -> tuple[str, ...]:
        return self.ca if isinstance(self.ca, tuple) else tuple(filter(None, (self.ca,)))


class _File(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    registry: dict[str, RegistrySettings] = msgspec.field(default_factory=dict)


class Endpoint(NamedTuple):
    """One place to speak to: a base URL, and the settings of its host."""

    url: str  # "https://registry-1.docker.io"
    settings: RegistrySettings
    is_mirror: bool = False

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]


class Configuration:
    """All settings, looked up by the domain of a reference."""

    def __init__(self, registries: Mapping[str, RegistrySettings]) -> None:
        self._registries = dict(registries)

    def settings(self, domain: str) -> RegistrySettings:
        found = self._registries.get(domain)
        if found is None:
            found = RegistrySettings(insecure=_is_loopback(domain))
        return found

    def endpoints(self, domain: str, *, with_mirrors: bool = True) -> tuple[Endpoint, ...]:
        """Where to ask for images of *domain*, in that order.

        An insecure registry is tried with TLS and then without, as Docker does.
        """
        mirrors = self.settings(domain).mirrors if with_mirrors else ()
        found = [
            endpoint._replace(is_mirror=True)
            for mirror in mirrors
            for endpoint in self._at(mirror.rstrip("/"))
        ]
        host = _HUB_HOST if domain == DOCKER_HUB else domain
        settings = self.settings(domain)
        found.extend(endpoint._replace(settings=settings) for endpoint in self._at(host))
        return tuple(found)

    def _at(self, place: str) -> list[Endpoint]:
        _, separator, host = place.rpartition("://")
        settings = self.settings(host if separator else place)
        if separator:
            return [Endpoint(place, settings)]
        schemes = ("https", "http") if settings.insecure else ("https",)
        return [Endpoint(f"{scheme}://{place}", settings) for scheme in schemes]


def load_configuration(
    environ: Mapping[str, str],
    *,
    system_file: str = _SYSTEM_FILE,
    certificates: str = _CERTIFICATES,
) -> Configuration:
    """The configuration of this machine and user. Raises ConfigError for a file that is wrong.

    `ORCHESTRA_REGISTRY_MIRROR` (comma-separated, for Docker Hub) and
    `ORCHESTRA_INSECURE_REGISTRIES` (comma-separated hosts) come on top.
    """
    registries = _docker_certificates(certificates)
    said: dict[str, _Said] = {}
    for path in (system_file, _user_file(environ)):
        said.update(_read(path))
    for domain, changes in said.items():
        _change(registries, domain, **changes)
    mirrors = _listed(environ.get("ORCHESTRA_REGISTRY_MIRROR", ""))
    if mirrors:
        _change(registries, DOCKER_HUB, mirrors=mirrors)
    for host in _listed(environ.get("ORCHESTRA_INSECURE_REGISTRIES", "")):
        _change(registries, host, insecure=True)
    return Configuration(registries)


def _user_file(environ: Mapping[str, str]) -> str:
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", "/"), ".config")
    return os.path.join(home, "orchestra", "registries.toml")


def _read(path: str) -> dict[str, _Said]:
    """What the file says of each registry, and no more: the rest is not to be overridden by it."""
    try:
        with open(path, "rb") as file:
            text = tomllib.load(file)
        registries = msgspec.convert(text, _File).registry
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise ConfigError(f"cannot read {path}: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as exc:
        raise ConfigError(
            f"{path}: {exc}", fix='write [registry."HOST"] tables; see docs/registries.md'
        ) from exc
    return {
        domain: {name: getattr(settings, name) for name in text["registry"][domain]}
        for domain, settings in registries.items()
    }


def _docker_certificates(directory: str) -> dict[str, RegistrySettings]:
    """What Docker finds below *directory*: every `HOST/*.crt`, and a `HOST/*.cert` with its key.

    https://docs.docker.com/engine/security/certificates/
    """
    try:
        return {
            host: _certificates_in(os.path.join(directory, host), insecure=_is_loopback(host))
            for host in os.listdir(directory)
        }
    except OSError:
        return {}


def _certificates_in(directory: str, *, insecure: bool) -> RegistrySettings:
    try:
        names = sorted(os.listdir(directory))
    except OSError:  # no directory, or one that this user may not read: the others count
        names = []
    own = next((name for name in names if name.endswith(".cert")), "")
    return RegistrySettings(
        insecure=insecure,
        ca=tuple(os.path.join(directory, name) for name in names if name.endswith(".crt")),
        client_certificate=os.path.join(directory, own) if own else "",
        client_key=os.path.join(directory, own.removesuffix(".cert") + ".key") if own else "",
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _change(registries: dict[str, RegistrySettings], domain: str, **changes: object) -> None:
    settings = registries.get(domain) or RegistrySettings(insecure=_is_loopback(domain))
    registries[domain] = msgspec.structs.replace(settings, **changes)


def _is_loopback(domain: str) -> bool:
    """Docker trusts this machine: localhost and 127.0.0.0/8 may speak plain HTTP."""
    host = domain.rpartition(":")[0] if not domain.endswith("]") and ":" in domain else domain
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
