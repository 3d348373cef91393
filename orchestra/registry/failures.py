"""What can go wrong at a registry, as errors that say how to mend it: urllib3's and HTTP's."""

from __future__ import annotations

import json
import socket
import ssl
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from urllib3 import exceptions as http

from orchestra.errors import AuthRequired, RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_MESSAGE = 300
_MAX_DIGITS = 12
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unreachable(RegistryError):
    """No registry there: no such host, nobody listening, or another protocol."""


class Transient(RegistryError):
    """May work when tried again; *retry_after_s* is what the registry asked for."""

    def __init__(self, what: str, *, fix: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(what, fix=fix)
        self.retry_after_s = retry_after_s


class Stalled(Transient):
    """The registry took the request and said nothing, or no more, until our patience ended."""


class TooLarge(RegistryError):
    """The registry, or a proxy in front of it, takes no request of this size."""


class ManifestUnknown(RegistryError):
    """The registry has no such repository or tag, as far as it tells this user."""


class BlobUnknown(RegistryError):
    """The registry has no such blob."""


def transport_failure(host: str, error: Exception, timeout_s: float) -> RegistryError:
    """What urllib3's *error* means for a request to *host*."""
    if isinstance(error, http.NameResolutionError):
        return Unreachable(
            f'no such host: "{host.partition(":")[0]}"',
            fix="check the spelling of the image's host and this machine's DNS",
        )
    if isinstance(error, http.SSLError):
        return _tls_failure(host, error)
    if isinstance(error, http.ProxyError):
        return Unreachable(
            f"the proxy for {host} does not work: {_reason(error)}",
            fix="check HTTPS_PROXY and NO_PROXY, or `proxy` in registries.toml",
        )
    if isinstance(error, http.NewConnectionError):
        return Unreachable(
            f"cannot connect to {host}: {_reason(error)}", fix="is the registry running there?"
        )
    if isinstance(error, http.ConnectTimeoutError):
        return Unreachable(
            f"{host} does not answer",
            fix="check the network and firewall; behind a proxy, set HTTPS_PROXY",
        )
    if isinstance(error, http.ReadTimeoutError):
        return Stalled(
            f"{host} sent nothing for {timeout_s:g} s",
            fix="try again; what has arrived is kept. `timeout_s` in registries.toml allows more",
        )
    return Transient(
        f"the connection to {host} broke: {_reason(error)}",
        fix="try again; what has arrived is kept",
    )


def _tls_failure(host: str, error: Exception) -> RegistryError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
        return Unreachable(
            f"the certificate of {host} is not trusted: {_reason(error)}",
            fix=f'set `ca = "FILE"` for [registry."{host}"] in /etc/orchestra/registries.toml, or '
            f"put the CA into /etc/docker/certs.d/{host}/ca.crt",
        )
    return Unreachable(
        f"{host} does not speak TLS: {_reason(error)}",
        fix=f'for a plain HTTP registry set `insecure = true` for [registry."{host}"] in '
        "/etc/orchestra/registries.toml",
    )


def _reason(error: BaseException) -> str:
    """The innermost cause, in the words of the system."""
    seen = 0
    while seen < 10:
        inner = error.__cause__ or error.__context__ or _argument(error)
        if inner is None:
            break
        error, seen = inner, seen + 1
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "error").lower().replace("_", " ")
    if isinstance(error, socket.gaierror | OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)[:_MAX_MESSAGE]


def _argument(error: BaseException) -> BaseException | None:
    """urllib3 carries causes as arguments: SSLError(SSLError(…)), ProtocolError("…", OSError)."""
    return next((arg for arg in error.args if isinstance(arg, BaseException)), None)


def http_failure(
    status: int, headers: Mapping[str, str], body: bytes, *, what: str, host: str
) -> RegistryError:
    """The error for an HTTP *status* that is none of success, while doing *what* at *host*."""
    message = _message(body)
    said = f": {message}" if message else ""
    if status in {401, 403}:
        return AuthRequired(
            f"{what}: {host} denies access{said}",
            fix=f"check the name, or log in with `{login_command(host)}`",
        )
    if status == 429:
        asked_s = retry_after_s(headers)
        wait = "wait" if asked_s is None else f"wait {asked_s:.0f} s"
        return Transient(
            f"{what}: {host} has had too many requests{said}",
            fix=f"{wait}, or log in with `{login_command(host)}`: known users may ask more often",
            retry_after_s=asked_s,
        )
    if status in _RETRIED:
        return Transient(
            f"{what}: {host} fails with HTTP status {status}{said}",
            fix="try again later",
            retry_after_s=retry_after_s(headers),
        )
    if status == 413:
        return TooLarge(
            f"{what}: {host} takes no request of this size{said}",
            fix="raise the limit of the proxy in front of it, as nginx's client_max_body_size",
        )
    if status == 400 and b"HTTP request to an HTTPS server" in body:
        return Unreachable(f"{host} speaks TLS, and was asked without", fix="use https:// for it")
    return RegistryError(f"{what}: {host} answers with HTTP status {status}{said}")


def login_command(host: str) -> str:
    return "orchestra login" if host.endswith(".docker.io") else f"orchestra login {host}"


def retry_after_s(headers: Mapping[str, str], now_s: float | None = None) -> float | None:
    """RFC 9110 §10.2.3, as seconds or as a date; None when there is none that can be read.

    A date is compared with that of the answer: this machine's clock may be wrong.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:_MAX_DIGITS])
    until_s = _http_date_s(text)
    if until_s is None:
        return None
    answered_s = _http_date_s(headers.get("Date", "")) or now_s or time.time()
    return max(0.0, until_s - answered_s)


def _http_date_s(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date; None for anything else."""
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _message(body: bytes) -> str:
    """The sentences of a distribution error body; printable, and not endless."""
    try:
        errors = json.loads(body)["errors"]
        text = "; ".join(str(e.get("message") or e.get("code") or "") for e in errors)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return "".join(c if c.isprintable() else " " for c in text)[:_MAX_MESSAGE]
