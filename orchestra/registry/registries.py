"""From a reference to those who may have it: a client per endpoint, made when it is its turn.

Transports, tokens and logins are kept per endpoint, so that ten images of one registry share
connections. One object serves one command.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

from orchestra.errors import ConfigError, OrchestraError, RegistryError
from orchestra.registry.auth import Authorizer
from orchestra.registry.client import Patience, RegistryClient
from orchestra.registry.credentials import Credentials
from orchestra.registry.failures import Unreachable
from orchestra.registry.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from orchestra.image.reference import Reference
    from orchestra.registry.configuration import Configuration, Endpoint
    from orchestra.registry.credentials import Credential

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Registries:
    """All registries, for one user and environment."""

    def __init__(
        self,
        configuration: Configuration,
        environ: Mapping[str, str],
        *,
        connections: int = 4,
        patience: Patience | None = None,
    ) -> None:
        self._configuration = configuration
        self._environ = environ
        self._credentials = Credentials(environ)
        self._connections = connections
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], tuple[Transport, Authorizer]] = {}
        self._unreachable: set[str] = set()

    def reading(self, reference: Reference, use: Callable[[RegistryClient], T]) -> T:
        """What *use* returns for the first endpoint that has the image: mirrors, then the origin.

        A mirror's failures are passed over. Raises the origin's RegistryError.
        """
        scopes = (f"repository:{reference.path}:pull",)
        return self._first(reference, scopes, use, with_mirrors=True)

    def writing(
        self, reference: Reference, mounts: tuple[str, ...], use: Callable[[RegistryClient], T]
    ) -> T:
        """The same for pushing, to the origin; *mounts* are repositories to take blobs from."""
        scopes = (
            f"repository:{reference.path}:pull,push",
            *(f"repository:{path}:pull" for path in mounts),
        )
        return self._first(reference, scopes, use, with_mirrors=False)

    def check_login(self, domain: str, credential: Credential) -> None:
        """Raises AuthRequired when *credential* does not open *domain*."""
        endpoints = self._configuration.endpoints(domain, with_mirrors=False)
        for endpoint in endpoints:
            transport = Transport(endpoint, self._environ)
            authorizer = Authorizer(transport, credential)
            try:
                RegistryClient(transport, authorizer, "", (), self._patience).check_login()
                return
            except Unreachable:
                if endpoint is endpoints[-1]:
                    raise
            finally:
                transport.close()

    def close(self) -> None:
        for transport, _ in self._open.values():
            transport.close()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _first(
        self,
        reference: Reference,
        scopes: tuple[str, ...],
        use: Callable[[RegistryClient], T],
        *,
        with_mirrors: bool,
    ) -> T:
        endpoints = self._configuration.endpoints(reference.domain, with_mirrors=with_mirrors)
        for endpoint in endpoints[:-1]:
            if endpoint.url in self._unreachable:
                continue
            try:
                return use(self._client(reference, endpoint, scopes))
            except Unreachable as exc:
                self._unreachable.add(endpoint.url)
                _log.info("%s: %s", endpoint.url, exc.what)
            except RegistryError as exc:
                if not endpoint.is_mirror:
                    raise
                _log.warning("mirror %s: %s", endpoint.url, exc.what)
        return use(self._client(reference, endpoints[-1], scopes))

    def _client(
        self, reference: Reference, endpoint: Endpoint, scopes: tuple[str, ...]
    ) -> RegistryClient:
        # The origin's login is filed under the image's domain, a mirror's under its own.
        domain = endpoint.host if endpoint.is_mirror else reference.domain
        key = (endpoint.url, domain)
        with self._lock:
            if key not in self._open:
                transport = Transport(endpoint, self._environ, connections=self._connections)
                login = self._login(domain)
                self._open[key] = (transport, Authorizer(transport, login))
            transport, authorizer = self._open[key]
        return RegistryClient(transport, authorizer, reference.path, scopes, self._patience)

    def _login(self, domain: str) -> Credential | None:
        """The user's login; none, as Docker does it, while the helper that has it does not work.

        Public images need none, and a registry that wants one says so.
        """
        try:
            return self._credentials.find(domain)
        except ConfigError:
            raise
        except OrchestraError as exc:
            _log.warning("%s is asked without a login: %s", domain, exc.what)
            return None
