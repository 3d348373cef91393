"""Authorization: a token or a password for a scope, got when the registry asks for it.

Docker's token protocol (distribution docs/spec/auth/token.md, oauth2.md) and Basic. Tokens are
kept per scope until shortly before they expire.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec

from orchestra.errors import AuthRequired, RegistryError
from orchestra.model.container import Frozen
from orchestra.registry.challenge import parse_challenges
from orchestra.registry.credentials import Secret
from orchestra.registry.failures import http_failure, login_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.registry.challenge import Challenge
    from orchestra.registry.credentials import Credential
    from orchestra.registry.transport import Reply, Transport

_CLIENT = "orchestra"
_MAX_TOKEN_BYTES = 1 << 20
_DEFAULT_LIFE_S = 60
_MARGIN_S = 10.0

Scopes = tuple[str, ...]
"""As tokens are asked for: "repository:library/redis:pull"."""


class _TokenAnswer(Frozen, frozen=True, kw_only=True):
    token: str = ""
    access_token: str = ""
    expires_in: int = _DEFAULT_LIFE_S


class Authorizer:
    """The logins at one endpoint; threads share it."""

    def __init__(
        self,
        transport: Transport,
        credential: Credential | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._credential = credential
        self._clock = clock
        self._lock = threading.Lock()
        self._basic = False
        self._tokens: dict[Scopes, tuple[Secret, float]] = {}

    def header(self, scopes: Scopes) -> Secret | None:
        """The value of the Authorization header for *scopes*, as far as one is known."""
        if self._basic and self._credential is not None:
            return Secret(self._credential.basic())
        token, expires = self._tokens.get(scopes, (None, 0.0))
        if token is None or self._clock() >= expires:
            return None
        return Secret(f"Bearer {token.reveal()}")

    def answer(self, header: str, scopes: Scopes, refused: Secret | None) -> Secret:
        """What to send after a 401 with the WWW-Authenticate *header*.

        *refused* is what was sent. Of many threads that are refused at once, one asks for a token
        and the others wait for it. Raises AuthRequired when there is nothing else to send.
        """
        with self._lock:
            current = self.header(scopes)
            if current is not None and (refused is None or current.reveal() != refused.reveal()):
                return current
            challenges = {challenge.scheme: challenge for challenge in parse_challenges(header)}
            if "bearer" in challenges:
                return self._fetch(challenges["bearer"], scopes)
            if "basic" in challenges:
                return self._use_password(refused)
            raise RegistryError(
                f"{self._transport.host} wants a login of a kind that orchestra does not know"
            )

    def _use_password(self, refused: Secret | None) -> Secret:
        host = self._transport.host
        if self._credential is None or refused is not None:
            raise login_required(host, refused=self._credential is not None)
        self._basic = True
        return Secret(self._credential.basic())

    def _fetch(self, challenge: Challenge, scopes: Scopes) -> Secret:
        realm = challenge.parameters.get("realm", "")
        if urlsplit(realm).scheme not in self._allowed_schemes():
            raise RegistryError(f"{self._transport.host} sends to no safe token server")
        service = challenge.parameters.get("service", "")
        with self._ask(realm, service, scopes) as reply:
            body = reply.read_all(_MAX_TOKEN_BYTES)
        if reply.status in {400, 401, 403} and self._credential is not None:
            raise login_required(self._transport.host, refused=True)
        if reply.status != 200:
            raise http_failure(
                reply.status, reply.headers, body, what="asking for a token", host=reply.host
            )
        try:
            answer = msgspec.json.decode(body, type=_TokenAnswer)
        except msgspec.DecodeError as exc:
            raise RegistryError(f"{reply.host} sends no token") from exc
        text = answer.token or answer.access_token
        if not text or not text.isascii() or not text.isprintable():
            raise RegistryError(f"{reply.host} sends no token")
        life_s = max(answer.expires_in, _DEFAULT_LIFE_S) - _MARGIN_S
        self._tokens[scopes] = (Secret(text), self._clock() + life_s)
        return Secret(f"Bearer {text}")

    def _allowed_schemes(self) -> frozenset[str]:
        """A registry behind TLS must not lead passwords to a server without."""
        if self._transport.base_url.startswith("https:"):
            return frozenset({"https"})
        return frozenset({"http", "https"})

    def _ask(self, realm: str, service: str, scopes: Scopes) -> Reply:
        credential = self._credential
        asked = [("scope", scope) for scope in scopes]
        if credential is not None and credential.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": credential.identity_token.reveal(),
                "service": service,
                "client_id": _CLIENT,
                "scope": " ".join(scopes),
            }
            return self._transport.request(
                "POST",
                realm,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode(form).encode(),
            )
        query = [("service", service), *asked] if service else asked
        headers = {}
        if credential is not None:
            query.append(("account", credential.username))
            headers["Authorization"] = credential.basic()
        joint = "&" if urlsplit(realm).query else "?"
        return self._transport.request("GET", f"{realm}{joint}{urlencode(query)}", headers=headers)


def is_password(authorization: Secret) -> bool:
    """Does the header's value hold a password, rather than a token for some scope?"""
    return authorization.reveal().startswith("Basic ")


def login_required(host: str, *, refused: bool) -> AuthRequired:
    """The error for a missing login at *host*, or a *refused* one."""
    if refused:
        return AuthRequired(
            f"{host} refuses the login", fix=f"log in again with `{login_command(host)}`"
        )
    return AuthRequired(f"{host} wants a login", fix=f"log in with `{login_command(host)}`")
