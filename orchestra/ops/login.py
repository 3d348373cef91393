"""`login` and `logout`: credentials checked with a registry, kept where Docker keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.image.reference import DOCKER_HUB, is_domain
from orchestra.registry.configuration import load_configuration
from orchestra.registry.credentials import Credential, Credentials, Secret
from orchestra.registry.registries import Registries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HUB_NAMES = ("", "docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com")


def registry_domain(server: str) -> str:
    """The domain of images for what people call a registry, "" being Docker Hub.

    Raises ConfigError for what is no host.
    """
    host = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if host in HUB_NAMES:
        return DOCKER_HUB
    if not is_domain(host):
        raise ConfigError(f'"{server}" is no registry', fix="write HOST or HOST:PORT")
    return host


def log_in(environ: Mapping[str, str], domain: str, user: str, password: str) -> str:
    """Check the login with the registry and keep it; where it is kept.

    Raises AuthRequired when it is refused, RegistryError, ConfigError.
    """
    credential = Credential(user, Secret(password))
    with Registries(load_configuration(environ), environ) as registries:
        registries.check_login(domain, credential)
    return Credentials(environ).store(domain, credential)


def log_in_again(environ: Mapping[str, str], domain: str, begin: Callable[[str], None]) -> bool:
    """Check the login that is kept for *domain*; False when there is none.

    *begin* is told its user before anything happens. Raises AuthRequired when it is refused,
    RegistryError, ConfigError.
    """
    credential = Credentials(environ).find(domain)
    if credential is None:
        return False
    begin(credential.username)
    with Registries(load_configuration(environ), environ) as registries:
        registries.check_login(domain, credential)
    return True


def log_out(environ: Mapping[str, str], domain: str) -> bool:
    """Forget the login for *domain*; False when there was none. Raises ConfigError."""
    return Credentials(environ).erase(domain)
