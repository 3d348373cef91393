"""Where a build takes its cache from and gives it to: `type=registry,ref=…`. Pure.

`cache_from` and `cache_to` of a compose file, `--cache-from` and `--cache-to`; the fields are those
of BuildKit (docs.docker.com/build/cache/backends).
"""

from __future__ import annotations

import csv
import os
from enum import Enum
from typing import NamedTuple

from orchestra.errors import ConfigError
from orchestra.image.reference import Reference, parse_reference

_TAG = "latest"
_TRUE, _FALSE = {"true", "1", "t"}, {"false", "0", "f"}


class Kind(Enum):
    REGISTRY = "registry"
    LOCAL = "local"
    INLINE = "inline"
    OTHER = "other"


class CacheSpec(NamedTuple):
    """*reference* is that of a registry, *directory* and *tag* those of a local cache.

    *is_max*: the results of all stages, and not of the wanted image only. *text* is as written.
    """

    kind: Kind
    text: str
    reference: Reference | None = None
    directory: str = ""
    tag: str = _TAG
    digest: str = ""
    is_max: bool = False
    ignores_errors: bool = False


def parse_source(text: str, base: str) -> CacheSpec:
    """One entry of `cache_from`; relative paths count from *base*. Raises ConfigError."""
    return _parse(text, base, "src", "cache_from")


def parse_target(text: str, base: str) -> CacheSpec:
    """One entry of `cache_to`. Raises ConfigError."""
    return _parse(text, base, "dest", "cache_to")


def _parse(text: str, base: str, path_key: str, what: str) -> CacheSpec:
    fields = _fields(text, what)
    name = fields.get("type", "")
    if name == "registry":
        reference = parse_reference(_needed(fields, "ref", text, what))
        spec = CacheSpec(Kind.REGISTRY, text, reference=reference)
    elif name == "local":
        path = os.path.expanduser(_needed(fields, path_key, text, what))
        directory = os.path.normpath(os.path.join(base, path))
        tag, digest = fields.get("tag") or _TAG, fields.get("digest", "")
        spec = CacheSpec(Kind.LOCAL, text, directory=directory, tag=tag, digest=digest)
    elif name == "inline":
        spec = CacheSpec(Kind.INLINE, text)
    else:
        return CacheSpec(Kind.OTHER, text)
    mode = fields.get("mode", "min")
    if mode not in {"min", "max"}:
        raise ConfigError(f'{what}: "{text}": unknown mode "{mode}"', fix="write min or max")
    ignores = _switch(fields.get("ignore-error", "false"), text, what)
    return spec._replace(is_max=mode == "max", ignores_errors=ignores)


def _fields(text: str, what: str) -> dict[str, str]:
    """A bare word is the name of an image, or of a kind, as Docker takes it."""
    try:
        (parts,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError) as exc:
        raise ConfigError(f'{what}: "{text}" cannot be read', fix="write type=…,key=value") from exc
    if len(parts) == 1 and "=" not in text:
        if text in {"inline", "gha"}:
            return {"type": text}
        return {"type": "registry", "ref": text}
    fields = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f'{what}: "{text}": "{part}" has no value', fix="write key=value")
        fields[key.strip().lower()] = value.strip()
    if not fields.get("type"):
        raise ConfigError(f'{what}: "{text}" has no type', fix="for example type=registry,ref=NAME")
    return fields


def _needed(fields: dict[str, str], key: str, text: str, what: str) -> str:
    if not fields.get(key):
        raise ConfigError(f'{what}: "{text}" has no {key}', fix=f"add {key}=…")
    return fields[key]


def _switch(value: str, text: str, what: str) -> bool:
    if value.lower() not in _TRUE | _FALSE:
        raise ConfigError(f'{what}: "{text}": "{value}" is not true or false')
    return value.lower() in _TRUE
