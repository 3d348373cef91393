"""Image references, as Docker writes and normalises them: text to Reference and back.

`redis` is docker.io/library/redis:latest; see github.com/distribution/reference for the grammar.
"""

from __future__ import annotations

import re

from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_MAX_NAME = 255
_SHOWN = 300


class Reference(NamedTuple):
    """An image at a registry; at least one of *tag* and *digest* is set, the digest decides."""

    domain: str  # "docker.io", "localhost:5000"
    path: str  # "library/redis"
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository in full: "docker.io/library/redis"."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository as people write it: "redis"."""
        if self.domain != DOCKER_HUB:
            return self.name
        first, _, rest = self.path.partition("/")
        if _is_host(first):  # read again, it would not be at Docker Hub
            return self.name
        return rest if first == "library" and "/" not in rest else self.path

    @property
    def familiar(self) -> str:
        """What Docker prints: "redis:7", "localhost:5000/app@sha256:…"."""
        return self.familiar_name + self._suffix()

    @property
    def target(self) -> str:
        """What the registry is asked for: the digest, or the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        return self.name + self._suffix()

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag


def parse_reference(text: str) -> Reference:
    """The Reference that *text* means; the tag is "latest" where there is neither tag nor digest.

    Raises ConfigError with the reason.
    """
    if _IDENTIFIER.fullmatch(text):
        raise _invalid(text, "64 hexadecimal digits are an image id, not a repository")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _invalid(text, "a digest is sha256: and 64 hexadecimal digits")
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, colon, tag = rest, "", ""
    if colon and not _TAG.fullmatch(tag):
        raise _invalid(text, "a tag is up to 128 letters, digits, `_`, `.` and `-`")
    domain, path = _split_domain(name)
    _check_name(text, domain, path)
    return Reference(domain, path, tag or ("" if digest else DEFAULT_TAG), digest)


def is_domain(text: str) -> bool:
    """Is *text* the host of a registry, with or without a port?"""
    return _DOMAIN.fullmatch(text) is not None


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    domain, path = (first, rest) if slash and _is_host(first) else (DOCKER_HUB, name)
    if domain == "index.docker.io":
        domain = DOCKER_HUB
    if domain == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return domain, path


def _is_host(component: str) -> bool:
    """Is *component*, in front of a `/`, a host? It has a dot, a port or capitals then."""
    return (
        "." in component
        or ":" in component
        or component == "localhost"
        or component != component.lower()
    )


def _check_name(text: str, domain: str, path: str) -> None:
    if path != path.lower():
        raise _invalid(text, "a repository's name has no capitals")
    if not _DOMAIN.fullmatch(domain):
        raise _invalid(text, f'"{domain[:_SHOWN]}" is no host name')
    if not _PATH.fullmatch(path):
        raise _invalid(
            text, "a repository is lower-case letters and digits, parted by `/`, `.`, `_` or `-`"
        )
    if len(domain) + 1 + len(path) > _MAX_NAME:
        raise _invalid(text, f"a repository's name has at most {_MAX_NAME} characters")


def _invalid(text: str, reason: str) -> ConfigError:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return ConfigError(
        f'invalid image reference "{shown}": {reason}',
        fix="write [HOST[:PORT]/]NAME[:TAG][@DIGEST]",
    )
