"""Logins for registries, kept where `docker login` keeps them: config.json and its helpers.

`$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`: `credHelpers` for one registry,
`credsStore` for all, `auths` with base64 text for the rest. Nothing here is ever logged.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import TYPE_CHECKING

from orchestra.errors import AuthRequired, ConfigError
from orchestra.linux.tool import run_tool
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB_KEY = "https://index.docker.io/v1/"
"""What Docker Hub's login is filed under."""

_TOKEN_USER = "<token>"  # noqa: S105 (a helper's marker for an identity token, not a secret)
_HELPER_TIMEOUT_S = 60.0
_NOT_FOUND = b"credentials not found"

Json = dict[str, object]


class Secret:
    """A string that shows itself only to who asks for it by `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"


class Credential(NamedTuple):
    """A user with a password, or with an *identity_token* instead of one."""

    username: str
    password: Secret = Secret()
    identity_token: Secret = Secret()

    def basic(self) -> str:
        """The value of a Basic Authorization header."""
        pair = f"{self.username}:{self.password.reveal()}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


class Credentials:
    """The user's logins. Reads the file once, when first asked."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        directory = environ.get("DOCKER_CONFIG") or os.path.join(
            environ.get("HOME", "/"), ".docker"
        )
        self._path = os.path.join(directory, "config.json")

    def find(self, domain: str) -> Credential | None:
        """The login for *domain* ("docker.io", "host:5000"); None when there is none.

        Raises ConfigError for a damaged file, AuthRequired for a helper that fails.
        """
        config = self._read()
        key = key_of(domain)
        helper = _helper(config, key)
        if helper:
            return self._ask(helper, key)
        auths = _object(config, "auths")
        for name in (key, *(name for name in auths if _host_of(name) == _host_of(key))):
            entry = auths.get(name)
            if isinstance(entry, dict):
                found = _inline(entry, self._path)
                if found is not None:
                    return found
        return None

    def store(self, domain: str, credential: Credential) -> str:
        """Keep *credential* for *domain*; returns where: a path or a helper's name."""
        config, key = self._read(), key_of(domain)
        auths = _object(config, "auths")
        helper = _helper(config, key)
        if helper:
            self._tell(helper, key, credential)
            auths[key] = {}
        else:
            auths[key] = _to_inline(credential)
        config["auths"] = auths
        self._write(config)
        return f"docker-credential-{helper}" if helper else self._path

    def erase(self, domain: str) -> bool:
        """Forget the login for *domain*; False when there was none."""
        config, key = self._read(), key_of(domain)
        auths = _object(config, "auths")
        names = [name for name in auths if _host_of(name) == _host_of(key)]
        helper = _helper(config, key)
        known = bool(names)
        if helper:
            known = self._ask(helper, key) is not None or known
            self._helper_call(helper, "erase", key.encode())
        for name in names:
            del auths[name]
        if names:
            self._write(config)
        return known

    def _ask(self, helper: str, key: str) -> Credential | None:
        answer = self._helper_call(helper, "get", key.encode())
        if answer is None:
            return None
        try:
            told = json.loads(answer)
            user, secret = str(told["Username"]), Secret(str(told["Secret"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise AuthRequired(f"docker-credential-{helper} answered with no credential") from exc
        if user == _TOKEN_USER:
            return Credential(user, identity_token=secret)
        return Credential(user, secret)

    def _tell(self, helper: str, key: str, credential: Credential) -> None:
        token = credential.identity_token
        message = {
            "ServerURL": key,
            "Username": _TOKEN_USER if token else credential.username,
            "Secret": (token or credential.password).reveal(),
        }
        self._helper_call(helper, "store", json.dumps(message).encode())

    def _helper_call(self, helper: str, verb: str, stdin: bytes) -> bytes | None:
        """What the helper prints; None when it knows no such login."""
        program = f"docker-credential-{helper}"
        done = run_tool(
            (program, verb), timeout_s=_HELPER_TIMEOUT_S, environ=self._environ, stdin=stdin
        )
        if done.exit_code == 0:
            return done.stdout
        if _NOT_FOUND in done.stdout + done.stderr:
            return None
        raise AuthRequired(
            f"{program} {verb} failed with status {done.exit_code}",
            fix=f"run `{program} list`, or take it out of {self._path}",
        )

    def _read(self) -> Json:
        try:
            with open(self._path, "rb") as file:
                config = json.load(file)
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise ConfigError(f"cannot read {self._path}: {exc.strerror}") from exc
        except (ValueError, RecursionError) as exc:
            raise ConfigError(f"{self._path} is not valid JSON", fix="mend or remove it") from exc
        if not isinstance(config, dict):
            raise ConfigError(f"{self._path} is not a JSON object", fix="mend or remove it")
        return config

    def _write(self, config: Json) -> None:
        """Replace the file by one that only its owner can read."""
        path = os.path.realpath(self._path)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        temporary = f"{path}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(config, file, indent="\t")
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)


def key_of(domain: str) -> str:
    """What *domain*'s login is filed under."""
    return HUB_KEY if domain in {"docker.io", "index.docker.io"} else domain


def _host_of(key: str) -> str:
    """Old entries are URLs: "https://host:5000/v2/" is the same registry as "host:5000"."""
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _object(config: Json, name: str) -> Json:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _helper(config: Json, key: str) -> str:
    """The name of the helper in charge of *key*; "" when logins are in the file itself."""
    helper = _object(config, "credHelpers").get(_host_of(key) if key != HUB_KEY else key)
    chosen = helper if isinstance(helper, str) and helper else config.get("credsStore")
    if not isinstance(chosen, str) or not chosen:
        return ""
    if os.path.basename(chosen) != chosen:
        raise ConfigError(f'"{chosen}" is no name of a credential helper')
    return chosen


def _inline(entry: Json, path: str) -> Credential | None:
    token = entry.get("identitytoken")
    identity_token = Secret(token) if isinstance(token, str) else Secret()
    encoded = entry.get("auth")
    if isinstance(encoded, str) and encoded:
        try:
            user, colon, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise ConfigError(f'{path}: an "auth" is damaged', fix="log in again") from exc
        if not colon:
            raise ConfigError(f'{path}: an "auth" is damaged', fix="log in again")
        return Credential(user, Secret(password.rstrip("\0")), identity_token)
    user_name, plain = entry.get("username"), entry.get("password")
    if isinstance(user_name, str) and isinstance(plain, str):
        return Credential(user_name, Secret(plain), identity_token)
    return Credential(_TOKEN_USER, identity_token=identity_token) if identity_token else None


def _to_inline(credential: Credential) -> Json:
    pair = f"{credential.username}:{credential.password.reveal()}"
    entry: Json = {"auth": base64.b64encode(pair.encode()).decode()}
    if credential.identity_token:
        entry["identitytoken"] = credential.identity_token.reveal()
    return entry
