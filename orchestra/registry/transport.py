"""HTTP to one endpoint: a pool of kept-alive connections, TLS, proxy, redirects, time limits.

Threads may share a Transport. What a status means to the caller, logins and repetitions are not
here. The library is urllib3; see docs/dependencies.md.
"""

from __future__ import annotations

import logging
import os
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, InsecureRequestWarning

from orchestra.errors import ConfigError, RegistryError
from orchestra.registry.failures import transport_failure
from orchestra.registry.proxy import proxy_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from orchestra.registry.configuration import Endpoint, RegistrySettings

    Body = bytes | Iterable[bytes]

CHUNK_BYTES = 1 << 18
CONNECT_TIMEOUT_S = 10.0
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where distributions keep the CAs, for a Python that was built to look elsewhere."""

_log = logging.getLogger(__name__)


class _TlsConnection(HTTPSConnection):
    """To stall in the handshake is to be unreachable; urllib3 would call it a read time-out."""

    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as exc:
            raise ConnectTimeoutError(self, "the TLS handshake takes too long") from exc


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Reply:
    """A response whose body is yet to be read; a context manager that frees the connection."""

    def __init__(self, raw: urllib3.BaseHTTPResponse, url: str, timeout_s: float) -> None:
        self._raw = raw
        self._timeout_s = timeout_s
        self._ended = False
        self.url = url
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def read_some(self) -> bytes:
        """What has arrived, at most CHUNK_BYTES; empty at the end. Raises RegistryError."""
        try:
            chunk = self._raw.read1(CHUNK_BYTES, decode_content=False)
        except (HTTPError, OSError) as exc:
            raise transport_failure(self.host, exc, self._timeout_s) from exc
        self._ended = not chunk
        return chunk

    def read_all(self, limit_bytes: int) -> bytes:
        """The whole body. Raises RegistryError when it is longer."""
        chunks, total = [], 0
        while chunk := self.read_some():
            total += len(chunk)
            if total > limit_bytes:
                raise RegistryError(
                    f"{self.host} sends more than {limit_bytes} bytes where no answer is so long",
                    fix="do not trust this registry or the proxy in front of it",
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def abort(self) -> None:
        """End a read of another thread, which raises RegistryError or sees the end."""
        with suppress(OSError, RuntimeError, ValueError):  # it may have ended meanwhile
            self._raw.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Keep the connection if nothing is left in it, else close it."""
        if self._ended and error is None:
            self._raw.release_conn()
        else:
            self._raw.close()


class Transport:
    """Requests to one endpoint and to where it redirects."""

    def __init__(
        self, endpoint: Endpoint, environ: Mapping[str, str], *, connections: int = 4
    ) -> None:
        self.base_url = endpoint.url
        self.host = endpoint.host
        self._settings = endpoint.settings
        self._environ = environ
        self._connections = connections
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._tls: ssl.SSLContext | None = None

    def request(
        self,
        method: str,
        location: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Reply:
        """Send one request; *location* is a path at the endpoint or a whole URL.

        Redirects of requests without body are followed; Authorization goes only to the origin
        that was asked. Raises RegistryError for everything but an answer.
        """
        url = urljoin(self.base_url, location)
        sent = dict(headers or {})
        for _ in range(_MAX_REDIRECTS + 1):
            reply = self._send(method, url, sent, body)
            target = reply.headers.get("Location")
            if reply.status not in _REDIRECTS or body is not None or not target:
                return reply
            with reply:
                reply.read_all(1 << 20)
            following = urljoin(url, target)
            if _origin(following) != _origin(url):
                sent.pop("Authorization", None)
            self._check_redirect(url, following)
            url = following
        raise RegistryError(
            f"{self.host} redirects without end: {_MAX_REDIRECTS} times, at last to {url}",
            fix="check the registry, or the proxy in front of it",
        )

    def is_own(self, location: str) -> bool:
        """Is *location* at the endpoint itself, so that it may see our login?"""
        return _origin(urljoin(self.base_url, location)) == _origin(self.base_url)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.clear()

    def _check_redirect(self, url: str, following: str) -> None:
        before, after = urlsplit(url).scheme, urlsplit(following).scheme
        if after not in {"http", "https"} or (before, after) == ("https", "http"):
            raise RegistryError(f"{self.host} redirects from {before} to {after}")

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> Reply:
        parts = urlsplit(url)
        _log.debug("%s %s://%s%s", method, parts.scheme, parts.netloc, parts.path)
        try:
            raw = self._pool(parts.scheme, parts.netloc).request(
                method,
                url,
                headers=headers,
                body=body,
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
            )
        except (HTTPError, OSError) as exc:
            raise transport_failure(parts.netloc, exc, self._settings.timeout_s) from exc
        except ValueError as exc:  # LocationParseError, a host that IDNA refuses
            raise RegistryError(f'"{parts.netloc}" is no address of a registry') from exc
        return Reply(raw, url, self._settings.timeout_s)

    def _pool(self, scheme: str, host: str) -> urllib3.PoolManager:
        proxy = self._settings.proxy or proxy_for(scheme, host, self._environ)
        key = f"{scheme} {proxy}"
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools.setdefault(key, self._new_pool(scheme, proxy))
        return pool

    def _new_pool(self, scheme: str, proxy: str) -> urllib3.PoolManager:
        patience_s = self._settings.timeout_s
        timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, patience_s), read=patience_s)
        if self._tls is None and (scheme == "https" or proxy.startswith("https:")):
            self._tls = tls_context(self._settings, self._environ)
            if self._tls.verify_mode is ssl.CERT_NONE:  # the user has said so
                urllib3.disable_warnings(InsecureRequestWarning)
        pool = self._pool_through(proxy, timeout)
        pool.pool_classes_by_scheme = {**pool.pool_classes_by_scheme, "https": _TlsPool}
        return pool

    def _pool_through(self, proxy: str, timeout: urllib3.Timeout) -> urllib3.PoolManager:
        if not proxy:
            return urllib3.PoolManager(
                maxsize=self._connections, timeout=timeout, ssl_context=self._tls
            )
        auth = urlsplit(proxy)
        login = unquote(f"{auth.username}:{auth.password or ''}") if auth.username else None
        return urllib3.ProxyManager(
            proxy,
            maxsize=self._connections,
            timeout=timeout,
            ssl_context=self._tls,
            proxy_headers=urllib3.make_headers(proxy_basic_auth=login) if login else None,
        )


def tls_context(settings: RegistrySettings, environ: Mapping[str, str]) -> ssl.SSLContext:
    """How to trust: the system's CAs and the user's own; nothing at all when *insecure*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if settings.insecure and not settings.cas:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            _trust_the_system(context, environ)
            for ca in settings.cas:
                context.load_verify_locations(ca)
        if settings.client_certificate:
            context.load_cert_chain(settings.client_certificate, settings.client_key or None)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(
            f"cannot use the certificates of the registry: {exc.strerror or exc}",
            fix="check " + ", ".join(filter(None, (*settings.cas, settings.client_certificate))),
        ) from exc
    return context


def _trust_the_system(context: ssl.SSLContext, environ: Mapping[str, str]) -> None:
    paths = ssl.get_default_verify_paths()
    if environ.get(paths.openssl_cafile_env) or environ.get(paths.openssl_capath_env):
        context.set_default_verify_paths()
        return
    bundle = next((path for path in _BUNDLES if os.path.exists(path)), None)
    if bundle is not None:
        context.load_verify_locations(bundle)
    else:
        context.set_default_verify_paths()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
